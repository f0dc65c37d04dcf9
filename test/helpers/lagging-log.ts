import type { Log } from '../../connectors/contract.ts'
import type { MemoryLog } from '../../connectors/memory/index.ts'

/**
 * A log as it is after a broker came back: the committed end of a topic, once frozen, is right for `right` questions and
 * then too low for `lag` of them.
 */
export function laggingLog({ right = 0, lag }: { readonly right?: number; readonly lag: number }) {
  const frozen = new Map<string, { end: bigint; asked: number }>()
  let log: MemoryLog
  return {
    wrap: (inner: MemoryLog): Log => {
      log = inner
      return {
        ...inner,
        bounds: async (topic, partition, isolation) => {
          const real = await inner.bounds(topic, partition, isolation)
          const held = isolation === 'read_committed' ? frozen.get(topic) : undefined
          const asked = held ? held.asked++ : 0
          return held && asked >= right && asked < right + lag ? { ...real, end: held.end } : real
        },
      }
    },
    /** As if the last `records` records of the topic were not yet known to be committed. */
    freeze: async (topic: { readonly name: string }, records: bigint) => {
      const { end } = await log.bounds(topic.name, 0, 'read_committed')
      frozen.set(topic.name, { end: end > records ? end - records : 0n, asked: 0 })
    },
  }
}
