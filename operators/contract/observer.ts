import type { EpochMs } from '../../schemas/codec.ts'
import type { Reason } from './reasons.ts'

/** What finally became of one input record; every input record of a committed batch has exactly one. */
export type Fate = 'emitted' | 'forwarded' | 'absorbed' | `rejected:${Reason}` | `dropped:${Reason}`

/** Counts of one operator for one committed batch. */
export interface OperatorCounts {
  readonly received: number
  readonly emitted: number
  readonly dropped: ReadonlyMap<Reason, number>
  readonly rejected: ReadonlyMap<Reason, number>
  /** Seconds of CPU time, as far as a wall clock shows it: the operator is synchronous. */
  readonly seconds: number
}

/** Facts of one committed batch. */
export interface BatchFacts {
  readonly records: number
  readonly seconds: number
  readonly fates: ReadonlyMap<Fate, number>
  readonly operators: ReadonlyMap<string, OperatorCounts>
  /** Records and bytes per sink topic. */
  readonly sent: ReadonlyMap<string, { readonly records: number; readonly bytes: number }>
  /** Newest received-at of the batch, UTC. */
  readonly progress: EpochMs
}

export type TransactionOutcome = 'committed' | 'aborted' | 'fenced' | 'unknown'
/**
 * Every `assigned` is followed by one `lost`, when the partition is revoked, fails, or is drained; or by `paused`, where a
 * store of the pipeline has no room: no input is taken then, and after a while the partition is `assigned` again.
 */
export type AssignStep = 'assigned' | 'replayed' | 'rebuilt' | 'running' | 'paused' | 'lost'

/**
 * The only place where anything is counted. Called by the runtime after a commit, never by operators. Labels are pipeline,
 * operator, topic, reason and partition: never a meter, a household or a group.
 */
export interface Observer {
  readonly batch: (pipeline: string, partition: number, facts: BatchFacts) => void
  readonly transaction: (pipeline: string, outcome: TransactionOutcome) => void
  /** Who has which partitions is settled, and so many are this worker's: 0 where the others have them all. */
  readonly settled: (pipeline: string, partitions: number) => void
  readonly assignment: (pipeline: string, partition: number, step: AssignStep) => void
  /** `partition` is -1 where it was the group that gives partitions out which did not answer. */
  readonly retry: (pipeline: string, partition: number, error: Error) => void
  readonly halted: (pipeline: string, error: Error) => void
}
