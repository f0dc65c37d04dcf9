import { setMaxListeners } from 'node:events'
import type { Clock } from '../../operators/contract/clock.ts'
import { type Headers, LogError, type LogRecord, type OutgoingRecord, type TopicSpec } from '../contract.ts'
import { emptyPartition, type Partition, recordBytes, type Transaction, wake } from './log-partition.ts'

/** Kafka's default `max.message.bytes`, less what a batch and a record add to key, value and headers. */
export const maxRecordBytes = 1_048_588 - 128

const noHeaders: Headers = Object.freeze({})

/** The newest owner of a transactional id. */
export interface Producer {
  readonly id: string
  epoch: number
  transaction: Transaction | null
}

/**
 * One change of the log in two halves: `stage` checks it and reserves its offsets, or throws and changes nothing;
 * `publish` lets readers see it. A durable log writes in between.
 */
export interface Step {
  readonly stage: () => void
  readonly publish: () => void
}

/** What the parts of the in-process log share. */
export interface Broker {
  readonly clock: Clock
  readonly topics: Map<string, readonly Partition[]>
  readonly producers: Map<string, Producer>
  /** Committed offsets by `offsetKey`. */
  readonly committed: Map<string, number>
  /** Aborts, once the log closes, what waits in it. */
  readonly closing: AbortController
  readonly partition: (topic: string, index: number) => Partition
  readonly begin: (producer: Producer) => Transaction
  readonly submit: (step: Step) => Promise<void>
  readonly requireOpen: () => void
}

export function offsetKey(group: string, topic: string, partition: number): string {
  return `${group}\u0000${topic}\u0000${partition}`
}

export function createBroker(clock: Clock): Broker {
  const topics = new Map<string, readonly Partition[]>()
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  let transactions = 0
  const requireOpen = () => {
    if (closing.signal.aborted) throw new LogError('closed', 'the log is closed')
  }
  return {
    clock,
    topics,
    producers: new Map(),
    committed: new Map(),
    closing,
    partition: (topic, index) => {
      const found = topics.get(topic)?.[index]
      if (found === undefined) throw new LogError('topic_unknown', `there is no partition ${topic}[${index}]`)
      return found
    },
    begin: (producer) => {
      transactions += 1
      const transaction: Transaction = {
        id: transactions,
        transactionalId: producer.id,
        state: 'open',
        deadline: Number.POSITIVE_INFINITY,
        partitions: new Set(),
        offsets: new Map(),
      }
      producer.transaction = transaction
      return transaction
    },
    submit: async (step) => {
      requireOpen()
      step.stage()
      step.publish()
    },
    requireOpen,
  }
}

/** Adds a topic, or checks that it is there with the same settings. */
export function addTopic(broker: Broker, topic: TopicSpec): void {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic.name) || /^\.+$/.test(topic.name) || !(topic.partitions >= 1)) {
    throw new RangeError('a topic needs a name of letters, digits, dots, dashes or underscores, and a partition')
  }
  const present = broker.topics.get(topic.name)?.[0]?.topic
  if (present !== undefined) {
    const differs = (['partitions', 'timestamps', 'cleanup', 'retentionMs'] as const).filter(
      (setting) => present[setting] !== topic[setting],
    )
    if (differs.length === 0) return
    throw new LogError('topic_differs', `topic ${topic.name} exists with other settings: ${differs.join(', ')}`)
  }
  const spec = { ...topic }
  broker.topics.set(
    topic.name,
    Array.from({ length: topic.partitions }, (_, index) => emptyPartition(spec, index)),
  )
}

/** The step that appends records, inside `transaction` or outside any. All of them or none. */
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

/** The step that ends a transaction: one marker per partition, which takes an offset, and its offsets on commit. */
export function endStep(
  broker: Broker,
  producer: Producer,
  outcome: 'committed' | 'aborted',
  check: () => Transaction,
): Step {
  const markers = new Map<Partition, number>()
  let transaction: Transaction | undefined
  return {
    stage: () => {
      transaction = check()
      transaction.state = 'ending'
      for (const partition of transaction.partitions) markers.set(partition, partition.reserved++)
    },
    publish: () => {
      if (transaction === undefined) return
      transaction.state = outcome
      if (producer.transaction === transaction) producer.transaction = null
      if (outcome === 'committed') for (const [key, next] of transaction.offsets) broker.committed.set(key, next)
      for (const [partition, marker] of markers) {
        partition.open.delete(transaction)
        partition.end = marker + 1
      }
      for (const partition of markers.keys()) wake(partition)
    },
  }
}
