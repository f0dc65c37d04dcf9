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

/** Passes each value once by its number; even over restarts. */
export const onceBy = <T>(numberOf: (value: T) => number): Keyed<T, T, boolean> => ({
  spec: { name: 'once', drops: ['duplicate'], rejects: [] },
  state: { name: 'once', aged: false, codec: { encode: () => new Uint8Array([1]), decode: () => true } },
  keys: (batch) => batch.map(({ value }) => ({ index: numberOf(value), day: 0 })),
  process: (batch, cells, out) => {
    for (const record of batch) {
      const key = { index: numberOf(record.value), day: 0 }
      if (cells.get(key)) out.drop(record, 'duplicate')
      else {
        cells.set(key, true)
        out.emit(record, record.value)
      }
    }
  },
})

/** Passes a number once. */
export const once = onceBy<number>((value) => value)
