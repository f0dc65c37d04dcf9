import { type Headers, LogError, type LogRecord, type OutgoingRecord, type TopicSpec } from '../contract.ts'
import type { Broker, Producer } from './log-broker.ts'
import { emptyPartition, type Partition, recordBytes, type Transaction, wake } from './log-partition.ts'

/** Kafka's default `max.message.bytes`, less what a batch and a record add to key, value and headers. */
export const maxRecordBytes = 1_048_588 - 128

const noHeaders: Headers = Object.freeze({})

/** What a step does to the log, as a journal must know it. */
export type Change =
  | { readonly is: 'topic'; readonly spec: TopicSpec }
  | {
      readonly is: 'records'
      readonly transaction: Transaction | null
      readonly records: ReadonlyMap<Partition, readonly LogRecord[]>
    }
  | {
      readonly is: 'end'
      readonly transaction: Transaction
      readonly outcome: 'committed' | 'aborted'
      readonly markers: ReadonlyMap<Partition, number>
    }

/**
 * One change of the log in two halves: `stage` checks it and reserves its offsets, or throws and changes nothing;
 * `publish` lets readers see it. A durable log writes in between, and calls `undo` instead if it could not.
 */
export interface Step {
  /** Answers undefined if there is nothing to do. */
  readonly stage: () => Change | undefined
  readonly publish: () => void
  readonly undo: () => void
}

/** Adds a topic, or checks that it is there with the same settings. */
export function topicStep(broker: Broker, topic: TopicSpec): Step {
  const spec = { ...topic }
  return {
    stage: () => {
      if (!/^[A-Za-z0-9._-]{1,249}$/.test(spec.name) || /^\.+$/.test(spec.name) || !(spec.partitions >= 1)) {
        throw new RangeError('a topic needs a name of letters, digits, dots, dashes or underscores, and a partition')
      }
      const present = broker.topics.get(spec.name)?.[0]?.topic
      if (present === undefined) return { is: 'topic', spec }
      const settings = ['partitions', 'timestamps', 'cleanup', 'retentionMs'] as const
      const differing = settings.filter((setting) => present[setting] !== spec[setting])
      if (differing.length === 0) return undefined
      throw new LogError('topic_differs', `topic ${spec.name} exists with other settings: ${differing.join(', ')}`)
    },
    publish: () => {
      if (broker.topics.has(spec.name)) return
      broker.topics.set(
        spec.name,
        Array.from({ length: spec.partitions }, (_, index) => emptyPartition(spec, index)),
      )
    },
    undo: () => {},
  }
}

/** Appends records, inside the transaction that `check` answers or outside any. All of them or none. */
export function appendStep(broker: Broker, records: readonly OutgoingRecord[], check: () => Transaction | null): Step {
  const staged = new Map<Partition, LogRecord[]>()
  let transaction: Transaction | null = null
  return {
    stage: () => {
      transaction = check()
      const targets = records.map((record) => target(broker, record))
      const now = broker.clock.now()
      let last: Partition | undefined
      let into: LogRecord[] = []
      for (let index = 0; index < records.length; index++) {
        const record = records[index]!
        const partition = targets[index]!
        if (partition !== last) {
          last = partition
          into = staged.get(partition) ?? []
          staged.set(partition, into)
          transaction?.partitions.add(partition)
        }
        into.push({
          offset: BigInt(partition.reserved++),
          timestamp: partition.topic.timestamps === 'create' ? (record.timestamp ?? now) : now,
          key: record.key,
          value: record.value,
          headers: record.headers ?? noHeaders,
        })
      }
      return staged.size === 0 ? undefined : { is: 'records', transaction, records: staged }
    },
    publish: () => {
      for (const [partition, added] of staged) {
        if (transaction !== null && !partition.open.has(transaction)) {
          partition.open.set(transaction, Number(added[0]!.offset))
        }
        for (const record of added) {
          partition.records.push(record)
          partition.owners.push(transaction)
        }
        partition.end = Number(added.at(-1)!.offset) + 1
        wake(partition)
      }
    },
    undo: () => {
      for (const partition of staged.keys()) {
        partition.reserved = partition.end
        if (transaction !== null && !partition.open.has(transaction)) transaction.partitions.delete(partition)
      }
    },
  }
}

function target(broker: Broker, record: OutgoingRecord): Partition {
  const partition = broker.partition(record.topic, record.partition)
  const size = recordBytes({ key: record.key, value: record.value, headers: record.headers ?? noHeaders })
  if (size > maxRecordBytes) {
    throw new LogError(
      'record_too_large',
      `a record of ${size} bytes for ${record.topic} is over the limit of ${maxRecordBytes}`,
    )
  }
  if (partition.topic.cleanup === 'compact' && record.key === null) {
    throw new LogError('record_invalid', `a record for the compacted topic ${record.topic} has no key`)
  }
  return partition
}

/**
 * Ends the transaction that `check` answers, if any: one marker per partition, which takes an offset, and on commit its
 * input offsets.
 */
export function endStep(
  broker: Broker,
  producer: Producer,
  outcome: 'committed' | 'aborted',
  check: () => Transaction | undefined,
): Step {
  const markers = new Map<Partition, number>()
  let transaction: Transaction | undefined
  return {
    stage: () => {
      transaction = check()
      if (transaction === undefined) return undefined
      transaction.state = 'ending'
      for (const partition of transaction.partitions) markers.set(partition, partition.reserved++)
      return { is: 'end', transaction, outcome, markers }
    },
    publish: () => {
      if (transaction === undefined) return
      transaction.state = outcome
      broker.begun.delete(transaction.id)
      if (producer.transaction === transaction) producer.transaction = null
      if (outcome === 'committed') for (const [key, next] of transaction.offsets) broker.committed.set(key, next)
      for (const [partition, marker] of markers) {
        partition.open.delete(transaction)
        partition.end = marker + 1
      }
      for (const partition of markers.keys()) wake(partition)
      for (const look of broker.endWaiters) look()
    },
    undo: () => {
      if (transaction === undefined) return
      transaction.state = 'open'
      for (const partition of markers.keys()) partition.reserved = partition.end
    },
  }
}
