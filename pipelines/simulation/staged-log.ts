import type { Log, OutgoingRecord, TopicSpec } from '../../connectors/contract.ts'
import type { Clock } from '../../operators/contract/clock.ts'

/**
 * A log on which a day passes in seconds: a clock stamps what the log would, and all names carry a prefix, so that a run
 * finds no topic, group or owner of another.
 */
export function stagedLog(log: Log, clock: Clock, prefix: string): Log {
  const specs = new Map<string, TopicSpec>()
  const named = (name: string) => `${prefix}.${name}`
  const stage = (records: readonly OutgoingRecord[]): OutgoingRecord[] =>
    records.map((record) => {
      const own = specs.get(record.topic)?.timestamps === 'create' ? record.timestamp : undefined
      return { ...record, topic: named(record.topic), timestamp: own ?? clock.now() }
    })
  return {
    createTopics: async (topics) => {
      for (const topic of topics) specs.set(topic.name, topic)
      await log.createTopics(topics.map((topic) => ({ ...topic, name: named(topic.name), timestamps: 'create' })))
    },
    partitions: (topic) => log.partitions(named(topic)),
    bounds: (topic, ...rest) => log.bounds(named(topic), ...rest),
    open: async (id, options) => {
      const transactor = await log.open(named(id), options)
      return {
        ...transactor,
        sendOffsets: (group, topic, ...rest) => transactor.sendOffsets(named(group), named(topic), ...rest),
        send: (records) => transactor.send(stage(records)),
      }
    },
    read: (topic, ...rest) => log.read(named(topic), ...rest),
    committed: (group, topic, partition) => log.committed(named(group), named(topic), partition),
    join: (group, topic, handlers) => log.join(named(group), named(topic), handlers),
    append: (records) => log.append(stage(records)),
    close: log.close,
  }
}
