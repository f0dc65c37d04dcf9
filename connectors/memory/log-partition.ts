import type { EpochMs } from '../../schemas/codec.ts'
import { type Fetched, type Isolation, LogError, type LogRecord, type TopicSpec } from '../contract.ts'

/** A transaction as the broker sees it. It ends once, and only then do read_committed readers get past its first record. */
export interface Transaction {
  readonly id: number
  readonly transactionalId: string
  state: 'open' | 'ending' | 'committed' | 'aborted'
  /** When the log aborts it; set by the first record or offset, as on Kafka. */
  deadline: EpochMs
  readonly partitions: Set<Partition>
  readonly offsets: Map<string, number>
}

/** One partition in memory. Offsets are numbers inside (safe to 2^53) and bigints in records. */
export interface Partition {
  readonly topic: TopicSpec
  readonly index: number
  /** Data records in offset order. A control record only takes an offset, so it leaves a hole. */
  records: LogRecord[]
  /** The transaction of the record at the same index; null outside transactions. */
  owners: (Transaction | null)[]
  /** First offset kept. */
  first: number
  /** Offset after the last record or marker that can be read. */
  end: number
  /** Offset that the next record gets; ahead of `end` while records are on their way to the disk. */
  reserved: number
  /** Open transactions and their first offset here, in that order. */
  readonly open: Map<Transaction, number>
  /** Called after every append and marker. */
  readonly waiters: Set<() => void>
  /** Changes when indexes move: after truncation and compaction. */
  version: number
}

/** Where a reader stands. */
export interface Cursor {
  position: number
  index: number
  version: number
}

export function emptyPartition(topic: TopicSpec, index: number): Partition {
  return {
    topic,
    index,
    records: [],
    owners: [],
    first: 0,
    end: 0,
    reserved: 0,
    open: new Map(),
    waiters: new Set(),
    version: 0,
  }
}

/** The last stable offset: the first record of the oldest open transaction, or the end. */
export function lastStable(partition: Partition): number {
  for (const first of partition.open.values()) return first
  return partition.end
}

export function boundOf(partition: Partition, isolation: Isolation): number {
  return isolation === 'read_committed' ? lastStable(partition) : partition.end
}

/** Index of the first record at or after `offset`. */
export function indexAt(partition: Partition, offset: number): number {
  const wanted = BigInt(offset)
  let low = 0
  let high = partition.records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (partition.records[middle]!.offset < wanted) low = middle + 1
    else high = middle
  }
  return low
}

export function wake(partition: Partition): void {
  for (const waiter of partition.waiters) waiter()
}

/** Bytes a record counts for in limits: key, value and headers. */
export function recordBytes(record: Pick<LogRecord, 'key' | 'value' | 'headers'>): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const name in record.headers) bytes += name.length + record.headers[name]!.length
  return bytes
}

/** Fails with `offset_out_of_range` unless the partition holds `position` or will hold it next. */
export function requireInRange(partition: Partition, position: number): void {
  if (position >= partition.first && position <= partition.end) return
  throw new LogError(
    'offset_out_of_range',
    `${partition.topic.name}[${partition.index}] holds offsets ${partition.first} to ${partition.end}, not ${position}`,
  )
}

/** Takes what a reader may see from its cursor on and moves the cursor past it, control and aborted records included. */
export function take(
  partition: Partition,
  cursor: Cursor,
  isolation: Isolation,
  maxRecords: number,
  maxBytes: number,
): Fetched {
  requireInRange(partition, cursor.position)
  if (cursor.version !== partition.version) {
    cursor.index = indexAt(partition, cursor.position)
    cursor.version = partition.version
  }
  const bound = boundOf(partition, isolation)
  const boundIndex = bound === partition.end ? partition.records.length : indexAt(partition, bound)
  const committedOnly = isolation === 'read_committed'
  const records: LogRecord[] = []
  let next = Math.max(bound, cursor.position)
  let bytes = 0
  let index = cursor.index
  for (; index < boundIndex; index++) {
    if (committedOnly && partition.owners[index]?.state === 'aborted') continue
    const record = partition.records[index]!
    const size = recordBytes(record)
    if (records.length >= maxRecords || (records.length > 0 && bytes + size > maxBytes)) {
      next = Number(record.offset)
      break
    }
    records.push(record)
    bytes += size
  }
  cursor.index = Math.max(index, cursor.index)
  cursor.position = next
  return { records, next: BigInt(next) }
}

/** Forgets everything below `before`. */
export function truncateFront(partition: Partition, before: number): void {
  const count = indexAt(partition, before)
  partition.records.splice(0, count)
  partition.owners.splice(0, count)
  partition.first = Math.max(partition.first, before)
  partition.version++
}

/** Records and their transactions, as a partition holds them. */
export type Content = Pick<Partition, 'records' | 'owners'>

/** Puts content in the place of what the partition holds. */
export function replaceContent(partition: Partition, { records, owners }: Content): void {
  partition.records = records
  partition.owners = owners
  partition.version++
}

/**
 * Keeps, of the stable part, the last committed record of each key. Offsets stay. A tombstone goes too once it is
 * older than `tombstonesBefore`, so that readers under way still meet it for a while. Undefined if all stays.
 */
export function compacted(partition: Partition, tombstonesBefore: EpochMs): Content | undefined {
  const stable = indexAt(partition, lastStable(partition))
  const seen = new Set<string>()
  const kept: number[] = []
  for (let index = stable - 1; index >= 0; index--) {
    if (partition.owners[index]?.state === 'aborted') continue
    const record = partition.records[index]!
    const key = Buffer.from(record.key ?? []).toString('latin1')
    if (seen.has(key)) continue
    seen.add(key)
    if (record.value !== null || record.timestamp >= tombstonesBefore) kept.push(index)
  }
  if (kept.length === stable) return undefined
  kept.reverse()
  return {
    records: [...kept.map((index) => partition.records[index]!), ...partition.records.slice(stable)],
    owners: [...kept.map((index) => partition.owners[index]!), ...partition.owners.slice(stable)],
  }
}
