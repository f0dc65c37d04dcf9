import type { Keyed } from '../../operators/contract/operator.ts'
import { type AcceptedBatch, acceptedBatchCodec } from '../../schemas/accepted-batch.ts'
import { type Topic, topic } from '../../schemas/codec.ts'

/** A changelog for small pipelines with keyed state. */
export const toyChangelog: Topic<AcceptedBatch, 'identified'> = topic({
  name: 'accepted',
  label: 'identified',
  codec: acceptedBatchCodec,
  key: () => null,
})

/** Passes a number once; even over restarts. */
export const once: Keyed<number, number, boolean> = {
  spec: { name: 'once', drops: ['duplicate'], rejects: [] },
  state: { name: 'once', aged: false, codec: { encode: () => new Uint8Array([1]), decode: () => true } },
  keys: (batch) => batch.map(({ value }) => ({ index: value, day: 0 })),
  process: (batch, cells, out) => {
    for (const record of batch) {
      const key = { index: record.value, day: 0 }
      if (cells.get(key)) out.drop(record, 'duplicate')
      else {
        cells.set(key, true)
        out.emit(record, record.value)
      }
    }
  },
}
