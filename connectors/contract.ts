import type { EpochMs } from '../schemas/codec.ts'

/** Whether a reader sees only committed records, or also open and aborted ones. */
export type Isolation = 'read_committed' | 'read_uncommitted'

export type Headers = Readonly<Record<string, string>>

export interface LogRecord {
  readonly offset: bigint
  /** Append time or, in topics that say so, the producer's time. UTC. */
  readonly timestamp: EpochMs
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
  /**
   * Set where the record stands for a whole batch that unpacks to more than can be held, from `offset` to this one; `value`
   * is the batch as stored. Only a reader that asked to be told gets one.
   */
  readonly through?: bigint
}

/** What a reader does with a batch that unpacks to more than can be held: reject with `record_invalid`, or tell it. */
export type Oversize = 'throw' | 'tell'

export interface OutgoingRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: Headers
  /** Used in topics with `timestamps: 'create'` only. */
  readonly timestamp?: EpochMs
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** `append`: the log stamps records; `create`: the producer does. */
  readonly timestamps: 'append' | 'create'
  readonly cleanup: 'delete' | 'compact'
  /** `null`: for ever. */
  readonly retentionMs: number | null
  /** `others`: programs that are not ours write to it, in any compression that Kafka knows. */
  readonly writtenBy?: 'others'
}

/**
 * Offsets a partition holds: [first, end). With read_committed `end` is the last stable offset. Right after a broker came
 * back it can lie before the last commit, until replication has caught up: who must see everything commits a marker of its
 * own and waits until that appears, as pipelines/runtime/marker.ts does.
 */
export interface Bounds {
  readonly first: bigint
  readonly end: bigint
}

export interface Fetched {
  readonly records: readonly LogRecord[]
  /** Where the next poll begins: past control records and, for read_committed, past aborted ones. */
  readonly next: bigint
}

/** Reads one partition forward. */
export interface Reader {
  /** Answers with what is there, at the latest after `waitMs` (then perhaps with nothing). */
  readonly poll: (options: {
    maxRecords: number
    maxBytes: number
    waitMs: number
    signal?: AbortSignal
  }) => Promise<Fetched>
  readonly close: () => Promise<void>
}

/**
 * A producer with one transactional id. After any rejection with `unknown_outcome` or `fenced` it must be thrown away:
 * the owner opens a new one, which fences this one and settles its transaction.
 */
export interface Transactor {
  readonly begin: () => Promise<void>
  /** Adds the group's input position to the transaction: the next offset to read. */
  readonly sendOffsets: (group: string, topic: string, partition: number, next: bigint) => Promise<void>
  readonly send: (records: readonly OutgoingRecord[]) => Promise<void>
  readonly commit: () => Promise<void>
  readonly abort: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface Membership {
  /**
   * Whether the group still holds this member for the owner of a partition, by the word of the group and not of the member:
   * asked after it was fenced, since a member that was expelled is not told. A group that cannot be asked for a session's
   * time has expelled it.
   */
  readonly owns: (partition: number) => Promise<boolean>
  readonly leave: () => Promise<void>
}

export interface MembershipHandlers {
  /** These partitions are ours from now on. */
  readonly assigned: (partitions: readonly number[]) => Promise<void>
  /** These partitions are no longer ours; the group moves on when the promise settles. */
  readonly revoked: (partitions: readonly number[]) => Promise<void>
  /** The group refuses this member for good: it is out of it and gets nothing more. The message says what to do. */
  readonly failed?: (error: LogError) => void
  /** The group could not be asked or did not answer as it should; the member tries again by itself. */
  readonly retried?: (error: LogError) => void
}

/** The log: partitions, transactions, fencing, groups. Implemented in process and over Kafka; one conformance suite. */
export interface Log {
  /** Idempotent; refuses to change a topic that exists with other settings. */
  readonly createTopics: (topics: readonly TopicSpec[]) => Promise<void>
  readonly partitions: (topic: string) => Promise<number>
  readonly bounds: (topic: string, partition: number, isolation: Isolation) => Promise<Bounds>
  /** Resolves only when every older owner of the id is fenced and its transaction is settled. */
  readonly open: (transactionalId: string, options: { timeoutMs: number }) => Promise<Transactor>
  /** `oversize` is `throw` by default: a reader that must not miss a record must not pass over a batch either. */
  readonly read: (
    topic: string,
    partition: number,
    from: bigint,
    isolation: Isolation,
    oversize?: Oversize,
  ) => Promise<Reader>
  /**
   * The group's committed offset: a copy for tools. While a transaction that holds one for this partition is undecided, it
   * waits, at the longest until that times out; a call that waits past its own deadline is `retriable`. Kafka 4.4 was seen
   * to hold the offset of a decided transaction for undecided after a broker was killed (6 of 35 kills), until its
   * transactional id commits an offset again: then too this is `retriable`, where older versions of the request answer an
   * older offset. So nothing exactly-once may rest on it: take the position from what was written in the transaction, as
   * the runtime does from its changelog and state rows.
   */
  readonly committed: (group: string, topic: string, partition: number) => Promise<bigint | undefined>
  readonly join: (group: string, topic: string, handlers: MembershipHandlers) => Promise<Membership>
  /** Plain append outside transactions: listeners, tests and tools. */
  readonly append: (records: readonly OutgoingRecord[]) => Promise<void>
  readonly close: () => Promise<void>
}

export const logErrorCodes = [
  'fenced',
  'unknown_outcome',
  'retriable',
  'record_too_large',
  'record_invalid',
  'unauthorized',
  'group_refused',
  'topic_unknown',
  'topic_differs',
  'offset_out_of_range',
  'disk_full',
  'corrupt',
  'folder_in_use',
  'closed',
  'transaction_state',
] as const
export type LogErrorCode = (typeof logErrorCodes)[number]

/**
 * What the caller does: `retriable` try again; `fenced` and `unknown_outcome` throw the producer away and re-assign;
 * `disk_full` the same, and take no input until there is room; everything else ends the task with the message, which says what to do and holds no record content.
 */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorCode
  constructor(code: LogErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Generation, sequence and hash of what a view holds of one partition; sequence 0 and no hash before the first batch. */
export interface ViewPosition {
  /** Random prefix of the current rebuild; the log never knows it. */
  readonly gen: string
  readonly seq: number
  /** Hex of the chain hash of `seq`; empty at 0. */
  readonly hash: string
}

export interface CellAddress {
  readonly table: string
  readonly index: number
  /** Local day as days since 1970-01-01, or 0. */
  readonly day: number
}

export interface CellValue extends CellAddress {
  readonly value: Uint8Array
}

export type Exchanged =
  | { readonly status: 'ok'; readonly cells: readonly (Uint8Array | undefined)[] }
  /** The view is not where the log says it must be; nothing was applied. */
  | { readonly status: 'mismatch'; readonly actual: ViewPosition | undefined }

/**
 * A view of `meter.accepted` that can be thrown away. Every call is a compare-and-set on generation, sequence and hash,
 * and what is expected comes from the log. Finding the view already at `apply.to` with the same hash counts as success.
 */
export interface StateView {
  readonly position: (scope: string) => Promise<ViewPosition | undefined>
  /**
   * One call: applies a batch (if given), drops days below `floorDay`, and of a table that `tableFloors` names those below
   * its own floor where that is higher, then looks up. Floors of tables only ever rise.
   */
  readonly exchange: (
    scope: string,
    request: {
      readonly expected: ViewPosition
      readonly apply?: {
        readonly seq: number
        readonly hash: string
        readonly floorDay: number
        readonly tableFloors?: ReadonlyMap<string, number>
        readonly cells: readonly CellValue[]
      }
      readonly lookup: readonly CellAddress[]
    },
  ) => Promise<Exchanged>
  /** Writes a whole new generation and switches to it, if the view still stands at `from`. */
  readonly reset: (
    scope: string,
    from: ViewPosition | undefined,
    to: ViewPosition,
    cells: Iterable<CellValue>,
  ) => Promise<'ok' | 'mismatch'>
  readonly close: () => Promise<void>
}

/** A schema as a subject holds it; versions count from 1. */
export interface SchemaVersion {
  readonly id: number
  readonly version: number
  readonly schema: string
}

/** Confluent-compatible schema registry. The wire format is magic byte 0, 4-byte big-endian id, Avro body. */
export interface SchemaRegistry {
  /** Idempotent: the same schema under the same subject gives the same id. Refuses an incompatible one. */
  readonly register: (subject: string, schema: string) => Promise<number>
  /** The schema text of an id, or undefined. */
  readonly schema: (id: number) => Promise<string | undefined>
  readonly latest: (subject: string) => Promise<SchemaVersion | undefined>
  /** Every version of a subject, oldest first: what its records may have been written with. */
  readonly versions: (subject: string) => Promise<readonly SchemaVersion[]>
  readonly compatible: (subject: string, schema: string) => Promise<boolean>
}

export const registryErrorCodes = ['schema_incompatible', 'schema_invalid', 'unreachable', 'corrupt'] as const
export type RegistryErrorCode = (typeof registryErrorCodes)[number]

/** `unreachable`: pause and try again; `corrupt`: restore from a copy; the others are for whoever wrote the schema. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: RegistryErrorCode
  constructor(code: RegistryErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
