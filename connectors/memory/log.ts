import { type Clock, hours, systemClock } from '../../operators/contract/clock.ts'
import { type Log, LogError, type Membership, type TopicSpec } from '../contract.ts'
import {
  type Broker,
  type BrokerState,
  createBroker,
  emptyState,
  offsetKey,
  stableOffset,
  waitOver,
} from './log-broker.ts'
import { createGroups } from './log-groups.ts'
import {
  boundOf,
  compacted,
  emptyPartition,
  indexAt,
  lastStable,
  type Partition,
  replaceContent,
  type Transaction,
  truncateFront,
} from './log-partition.ts'
import { openReader } from './log-reader.ts'
import { appendStep, topicStep } from './log-steps.ts'
import { expireTransactions, openTransactor } from './log-transactor.ts'

export interface MemoryLogOptions {
  /** Stamps records and times transactions out. Optional: the system clock. */
  readonly clock?: Clock
  /** How long a group waits for a member's handler, in ms. Optional: 60,000, as Kafka. */
  readonly rebalanceTimeoutMs?: number
  /** How long compaction keeps tombstones, in ms. Optional: 24 hours, as Kafka. */
  readonly tombstoneRetentionMs?: number
}

/** The in-process log, with what a broker's administrator could do beside the port. */
export interface MemoryLog extends Log {
  readonly topics: () => readonly TopicSpec[]
  /** Deletes what lies below `before`, at most up to the last stable offset. */
  readonly truncate: (topic: string, partition: number, before: bigint) => Promise<void>
  /** Compacts a topic with `cleanup: 'compact'` now: the last value of each key stays. Others are left alone. */
  readonly compact: (topic: string) => Promise<void>
  /** Deletes records past their topic's retention and compacts compacted topics; call it now and then. */
  readonly sweep: () => Promise<void>
  /** Ends a group membership as a missed heartbeat does: the member is not told. */
  readonly evict: (membership: Membership) => void
  /** How many rebalances the group has seen. */
  readonly generation: (group: string, topic: string) => number
  /**
   * A log in memory that holds what this one holds now, as a restored backup does: groups, owners and open transactions
   * are gone, and what those had sent counts as aborted.
   */
  readonly backup: () => MemoryLog
}

/**
 * A log in memory with Kafka's rules: markers take offsets, read_committed stops at the last stable offset, aborted
 * records stay readable to read_uncommitted, the newest owner of a transactional id fences older ones.
 * Values are kept, not copied: a sender must not reuse their bytes.
 */
export function memoryLog(options: MemoryLogOptions = {}): MemoryLog {
  return logOver(createBroker(options.clock ?? systemClock, emptyState()), options)
}

/** The port over a broker. */
export function logOver(broker: Broker, options: MemoryLogOptions): MemoryLog {
  const groups = createGroups(broker, options.rebalanceTimeoutMs ?? 60_000)
  const tombstoneRetentionMs = options.tombstoneRetentionMs ?? hours(24)
  const watch = watchDeadlines(broker)

  const truncate = async (topic: string, index: number, before: bigint) => {
    const partition = broker.partition(topic, index)
    if (before > BigInt(lastStable(partition))) {
      throw new LogError('offset_out_of_range', `${topic}[${index}] cannot be truncated past its stable end`)
    }
    await broker.rework({
      prepare: () => (Number(before) > partition.first ? Number(before) : undefined),
      write: (journal, first) => journal.truncate(partition, first),
      apply: (first) => truncateFront(partition, first),
    })
  }
  const compact = async (topic: string) => {
    broker.partition(topic, 0)
    for (const partition of broker.topics.get(topic) ?? []) {
      if (partition.topic.cleanup !== 'compact') continue
      await broker.rework({
        prepare: () => compacted(partition, broker.clock.now() - tombstoneRetentionMs),
        write: (journal, content) => journal.rewrite(partition, content),
        apply: (content) => replaceContent(partition, content),
      })
    }
  }

  return {
    createTopics: async (specs) => {
      for (const spec of specs) await broker.submit(topicStep(broker, spec))
    },
    partitions: async (topic) => {
      broker.requireOpen()
      return broker.partition(topic, 0).topic.partitions
    },
    bounds: async (topic, index, isolation) => {
      broker.requireOpen()
      const partition = broker.partition(topic, index)
      return { first: BigInt(partition.first), end: BigInt(boundOf(partition, isolation)) }
    },
    open: async (transactionalId, { timeoutMs }) => {
      const transactor = await openTransactor(broker, transactionalId, timeoutMs)
      return {
        ...transactor,
        sendOffsets: async (...offsets) => {
          await transactor.sendOffsets(...offsets)
          watch(timeoutMs)
        },
        send: async (records) => {
          await transactor.send(records)
          watch(timeoutMs)
        },
      }
    },
    read: async (topic, index, from, isolation) => {
      broker.requireOpen()
      return openReader(broker, broker.partition(topic, index), from, isolation)
    },
    committed: async (group, topic, index) => {
      broker.requireOpen()
      broker.partition(topic, index)
      const next = await stableOffset(broker, offsetKey(group, topic, index))
      return next === undefined ? undefined : BigInt(next)
    },
    join: async (group, topic, handlers) => {
      broker.requireOpen()
      return groups.join(group, topic, handlers)
    },
    append: async (records) => broker.submit(appendStep(broker, records, () => null)),
    close: broker.close,
    topics: () => [...broker.topics.values()].map((partitions) => partitions[0]!.topic),
    truncate,
    compact,
    sweep: async () => {
      for (const [topic, partitions] of broker.topics) {
        await compact(topic)
        const { cleanup, retentionMs } = partitions[0]!.topic
        if (cleanup === 'compact' || retentionMs === null) continue
        const oldest = broker.clock.now() - retentionMs
        for (const partition of partitions) {
          const kept = partition.records.findIndex((record) => record.timestamp >= oldest)
          const stable = lastStable(partition)
          const before = kept < 0 ? stable : Math.min(stable, Number(partition.records[kept]!.offset))
          if (indexAt(partition, before) > 0) await truncate(topic, partition.index, BigInt(before))
        }
      }
    },
    backup: () => logOver(createBroker(broker.clock, copyState(broker)), options),
    evict: groups.evict,
    generation: groups.generation,
  }
}

const retryAfterMs = 1_000

/** Sleeps until the earliest deadline of an open transaction, once anything has one, and aborts what is due. */
function watchDeadlines(broker: Broker): (timeoutMs: number) => void {
  let wakesAt = Number.POSITIVE_INFINITY
  let alarm = new AbortController()
  broker.closing.signal.addEventListener('abort', () => alarm.abort(waitOver), { once: true })
  const sleepUntil = async (deadline: number) => {
    wakesAt = deadline
    alarm = new AbortController()
    const { signal } = alarm
    await broker.clock.sleep(Math.max(0, deadline - broker.clock.now()), signal)
    if (signal.aborted || broker.closing.signal.aborted) return
    wakesAt = Number.POSITIVE_INFINITY
    // Where a full disk takes no abort, it is tried again: readers wait for it. A broken disk is not asked again.
    const earliest = await expireTransactions(broker).catch((error: unknown) =>
      error instanceof LogError && error.code === 'disk_full' ? broker.clock.now() + retryAfterMs : undefined,
    )
    if (earliest === undefined) return
    if (earliest < wakesAt && !broker.closing.signal.aborted) void sleepUntil(earliest)
  }
  return (timeoutMs) => {
    if (broker.clock.now() + timeoutMs >= wakesAt) return
    alarm.abort(waitOver)
    void sleepUntil(broker.clock.now() + timeoutMs)
  }
}

function copyState(broker: Broker): BrokerState {
  const copies = new Map<Transaction, Transaction>()
  const owner = (transaction: Transaction | null): Transaction | null => {
    if (transaction === null || transaction.state === 'committed') return null
    const copy: Transaction = copies.get(transaction) ?? { ...transaction, state: 'aborted' }
    copies.set(transaction, copy)
    return copy
  }
  const copyOf = (partition: Partition): Partition => ({
    ...emptyPartition(partition.topic, partition.index),
    records: [...partition.records],
    owners: partition.owners.map(owner),
    first: partition.first,
    end: partition.end,
    reserved: partition.end,
  })
  return {
    ...emptyState(),
    topics: new Map([...broker.topics].map(([name, partitions]) => [name, partitions.map(copyOf)])),
    committed: new Map(broker.committed),
  }
}
