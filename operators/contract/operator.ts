import type { Codec, EpochMs } from '../../schemas/codec.ts'
import type { Label } from '../../schemas/label.ts'
import type { Reason } from './reasons.ts'

/** Where an input record stood in the log, and when the log received it. */
export interface Origin {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** The log's append time, UTC: the only clock that decides anything about a record. */
  readonly receivedAt: EpochMs
}

export interface Envelope<out T> {
  readonly value: T
  readonly origin: Origin
}

export type Batch<T> = readonly Envelope<T>[]

/** What an operator may do with a record. The runtime alone counts; every record ends in exactly one outcome. */
export interface Collector<in O> {
  /** Passes a value on. The origin is inherited from `from`, never invented. */
  readonly emit: (from: Envelope<unknown>, value: O) => void
  /** Intended loss: counted under a reason the spec declares. */
  readonly drop: (from: Envelope<unknown>, reason: Reason) => void
  /** Faulty input: goes to the pipeline's dead-letter topic under a reason the spec declares. */
  readonly reject: (from: Envelope<unknown>, reason: Reason, byteOffset?: number) => void
}

/** Facts of the batch at hand that do not depend on a clock of ours. */
export interface BatchContext {
  readonly partition: number
  /** Sequence number the batch will have in the changelog; 0 in pipelines without one. */
  readonly seq: number
  /** Everything received before this has been processed once this batch is. Monotone. */
  readonly progress: EpochMs
  /** Intervals of local days that ended before this are too late. Monotone. */
  readonly floor: EpochMs
  /** First local day (days since 1970) whose cells a table that ages by `nextNoon` still has. Monotone. */
  readonly keptFrom: number
  /** Stands for the batch as a whole, for operators that emit once per batch, also for an empty one. */
  readonly whole: Envelope<null>
}

export interface Spec {
  /** Verb phrase in camel case, unique in a pipeline. */
  readonly name: string
  readonly drops: readonly Reason[]
  readonly rejects: readonly Reason[]
}

/** Pure and synchronous: no I/O, no clock, no counters. `process` is also called for an empty batch. */
export interface Operator<in I, out O> {
  readonly spec: Spec
  readonly process: (batch: Batch<I>, out: Collector<O>, context: BatchContext) => void
}

/** Address of a cell of state: the measuring point's dense index, and the local day (days since 1970), or 0. */
export interface CellKey {
  readonly index: number
  readonly day: number
}

/** The state of the keys that an operator asked for. What it sets goes to the changelog with the batch. */
export interface Cells<S> {
  readonly get: (key: CellKey) => S | undefined
  readonly set: (key: CellKey, next: S) => void
}

/**
 * A named table of state. Aged ones hold one cell per local day: until the horizon, or at least until noon of the next day,
 * local time, by the progress of the batch before. Below `keptFrom` an empty cell of the latter does not say that none was.
 */
export interface StateTable<S> {
  readonly name: string
  readonly aged: false | 'horizon' | 'nextNoon'
  readonly codec: Pick<Codec<S>, 'encode' | 'decode'>
}

/**
 * An operator with state by key: the runtime looks the cells of `keys(batch)` up before `process`, writes what changed
 * to the changelog in the transaction of the batch, and applies it to the view afterwards. Asking for a cell that `keys`
 * did not name is a programming error and halts the pipeline.
 */
export interface Keyed<in I, out O, in out S> {
  readonly spec: Spec
  readonly state: StateTable<S>
  readonly keys: (batch: Batch<I>) => readonly CellKey[]
  readonly process: (batch: Batch<I>, cells: Cells<S>, out: Collector<O>, context: BatchContext) => void
}

declare const lowers: unique symbol

/** From which label to which: what the type says, kept as data for the run-time check. */
export interface LabelChange<From extends Label = Label, To extends Label = Label> {
  readonly from: From
  readonly to: To
}

/** The only kind of step that changes a label. Made by `lowering()`, which only operators/privacy may import. */
export interface Lowering<in I, out O, in From extends Label, out To extends Label> extends Operator<I, O> {
  readonly [lowers]: (from: From) => To
  readonly label: LabelChange
}

/** Vouches that `step` lowers the label. Importable from operators/privacy only: a lint rule and a test see to it. */
export function lowering<From extends Label, To extends Label>(from: From, to: To) {
  return <I, O>(step: Operator<I, O>): Lowering<I, O, From, To> =>
    ({ ...step, label: { from, to } }) as unknown as Lowering<I, O, From, To>
}

/** A row of a compacted state topic; `body` undefined closes it. */
export interface StateRow {
  readonly row: string
  readonly body: Uint8Array | undefined
}

/**
 * An operator whose state lives in memory and is written to a compacted topic now and then, with the exact input offset
 * it stands for, in the transaction of what it emitted (design: load.state). Restored from those rows, plus the records
 * of the topics named in `history` (read whole, committed only).
 */
export interface Accumulating<in I, out O, in out S> {
  readonly spec: Spec
  /** Rebuilds the state after an assignment. `history` yields the committed values of the topic `historyTopic`. */
  readonly restore: (rows: readonly StateRow[], history: readonly unknown[]) => S
  /**
   * Takes one batch (possibly empty). Answers `more` if it holds back work that may only follow the commit of what it
   * emitted now (a seal after its charge): the runtime commits and calls again with an empty batch.
   */
  readonly process: (batch: Batch<I>, state: S, out: Collector<O>, context: BatchContext) => 'done' | 'more'
  /** Rows that changed since the last call. */
  readonly changed: (state: S) => readonly StateRow[]
}

declare const accumulates: unique symbol

/** An `Accumulating` step that lowers the label. Made by `accumulatingLowering()`, for operators/privacy only. */
export interface AccumulatingLowering<in I, out O, in out S, in From extends Label, out To extends Label>
  extends Accumulating<I, O, S> {
  readonly [accumulates]: (from: From) => To
  readonly label: LabelChange
}

/** Like `lowering`, for steps with snapshotted state. Importable from operators/privacy only. */
export function accumulatingLowering<From extends Label, To extends Label>(from: From, to: To) {
  return <I, O, S>(step: Accumulating<I, O, S>): AccumulatingLowering<I, O, S, From, To> =>
    ({ ...step, label: { from, to } }) as unknown as AccumulatingLowering<I, O, S, From, To>
}
