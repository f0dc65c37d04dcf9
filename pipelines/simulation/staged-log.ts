import type { Log, OutgoingRecord, TopicSpec } from '../../connectors/contract.ts'
import type { Clock } from '../../operators/contract/clock.ts'

/**
 * A log on which a day passes in seconds: a clock stamps what the log would, and nothing grows old in it, since its times
 * may lie long ago. Names carry a prefix, if one is given, so that a run finds no topic, group or owner of another.
 */
export function stagedLog(log: Log, clock: Clock, prefix?: string): Log {
  const named = (name: string) => (prefix === undefined ? name : `${prefix}.${name}`)
  const stage = (records: readonly OutgoingRecord[]): OutgoingRecord[] =>
    records.map((record) => ({ ...record, topic: named(record.topic), timestamp: record.timestamp ?? clock.now() }))
  return {
    createTopics: async (topics) => {
      const stage = ({ name, ...spec }: TopicSpec): TopicSpec => ({
        ...spec,
        name: named(name),
        timestamps: 'create',
        retentionMs: null,
      })
      await log.createTopics(topics.map(stage))
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
