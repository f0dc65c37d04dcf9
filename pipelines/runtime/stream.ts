import type {
  Accumulating,
  AccumulatingLowering,
  Keyed,
  Lowering,
  Operator,
  StateRow,
} from '../../operators/contract/operator.ts'
import type { Published, Routed } from '../../operators/contract/published.ts'
import type { EpochMs, Topic } from '../../schemas/codec.ts'
import { type AtMost, type Label, mayReach, type PrivacyError } from '../../schemas/label.ts'
import type { RejectedFrame } from '../../schemas/rejected-frame.ts'
import { shippedLabel } from '../../schemas/topics.ts'

/** The labels among `A` that a stream labelled `L` must not reach. */
type Barred<L extends Label, A extends Label> = A extends unknown ? ([L] extends [AtMost<A>] ? never : A) : never

/** Refuses, with a sentence, a topic that a stream labelled `L` must not reach, whichever of the labels `A` it may have. */
export type Cleared<L extends Label, A extends Label> = [L] extends [never]
  ? PrivacyError<'a stream without a label has no sink'>
  : [A] extends [never]
    ? PrivacyError<'a topic without a label takes no stream'>
    : [Barred<L, A>] extends [never]
      ? unknown
      : PrivacyError<`'${Exclude<L, AtMost<Barred<L, A>>>}' stream cannot reach a topic labelled '${Barred<L, A>}'`>

/** Refuses, with a sentence, a topic of another record type. */
export type Carries<T, U> = [T] extends [U]
  ? unknown
  : [T] extends [Published<U> | Routed<U>]
    ? unknown
    : PrivacyError<'the topic holds another record type'>

declare const carries: unique symbol

/**
 * An immutable description of records of type `T` under label `L`. Nothing runs until a pipeline is run. A stream may be
 * used several times; each use sees every record.
 */
export interface Stream<out T, out L extends Label> {
  readonly [carries]: readonly [T, L]
  /** Applies an operator; the label stays. */
  through<O>(step: Operator<T, O>): Stream<O, L>
  /** Applies an operator with state by key; the label stays. */
  keyed<O, S>(step: Keyed<T, O, S>): Stream<O, L>
  /** Applies an operator with snapshotted state; the label stays. Must come first in its pipeline. */
  accumulate<O, S>(step: Accumulating<T, O, S>): Stream<O, L>
  /** The only way to change the label. */
  lower<O, To extends Label>(step: Lowering<T, O, L, To>): Stream<O, To>
  /** The same for a step with snapshotted state. Must come first in its pipeline. */
  lowerAccumulating<O, S, To extends Label>(step: AccumulatingLowering<T, O, S, L, To>): Stream<O, To>
  /** Writes to a topic cleared for the label, in the transaction of the batch. */
  to<U, A extends Label>(topic: Topic<U, A> & Cleared<L, A> & Carries<T, U>, options?: SinkOptions<T>): void
}

export interface SinkOptions<in T> {
  /**
   * Which partition a record goes to: that of the input (default), by hash of the topic's key, or a function of the
   * value.
   */
  readonly partition?: 'input' | 'key' | ((value: T) => number)
}

// biome-ignore-start lint/suspicious/noExplicitAny: nodes hold steps of every type; Stream above is what checks them
export type AnyOperator = Operator<any, any>
export type AnyKeyed = Keyed<any, any, any>
export type AnyAccumulating = Accumulating<any, any, any>
export type AnyTopic = Topic<any, Label>
export type AnySinkOptions = SinkOptions<any>
// biome-ignore-end lint/suspicious/noExplicitAny: as above

/** One place in the graph of a pipeline: what happens to the records of its parent. */
export type Node =
  | { readonly kind: 'operator'; readonly step: AnyOperator; readonly label: Label; readonly next: readonly Node[] }
  | { readonly kind: 'keyed'; readonly step: AnyKeyed; readonly label: Label; readonly next: readonly Node[] }
  | {
      readonly kind: 'accumulating'
      readonly step: AnyAccumulating
      readonly label: Label
      readonly next: readonly Node[]
    }
  | { readonly kind: 'sink'; readonly topic: AnyTopic; readonly label: Label; readonly options: AnySinkOptions }

export interface PipelineOptions<T> {
  /** Where rejected records go. Required where an operator may reject. */
  readonly rejects?: Topic<RejectedFrame, Label>
  /** Topic that holds the truth of keyed state: one record per batch. Required with keyed operators. */
  readonly changelog?: AnyTopic
  /** A sink whose records must not exist where the changelog is empty: shows that the changelog was lost. */
  readonly covers?: AnyTopic
  /** Compacted topic of an accumulating operator's rows and its input position. Required with one. */
  readonly state?: AnyTopic
  /**
   * Rebuilds the state of an accumulating operator by reading the source again from its first record, instead of from
   * rows: for state that the source alone decides. What the operator emits on the way was emitted before and is dropped.
   */
  readonly replay?: true
  /** Committed records handed to `restore` of an accumulating operator. */
  readonly history?: History
  /** Holds a record, and those behind it, until the clock says so. For publishing at fixed ticks. */
  readonly notBefore?: (value: T) => EpochMs
}

/** Where history lies and how much of it is needed. */
export interface History {
  readonly topic: AnyTopic
  readonly read: 'whole' | 'last'
  readonly partition: 'same' | 'every'
  /**
   * With `whole` of the `same` partition: whether history that begins at this value is enough, given the stored rows. It is
   * then read from its end back to the newest such value, and from its first record only where there is none.
   */
  readonly enoughFrom?: (value: unknown, rows: readonly StateRow[]) => boolean
  /** Compares history with what somebody else keeps of it. */
  readonly witness?: Witness
}

/** Remembers, outside the log, how far history had come: a log that was restored from a backup cannot tell by itself. */
export interface Witness {
  /**
   * Looks at the history that an assignment goes on from. Throws `HaltError` where it is not what was remembered, and
   * `HistoryBehindError` where it ends before that: it is then read again for a while, as for `restore`.
   */
  readonly check: (history: readonly unknown[]) => Promise<void>
  /** Is told, after each commit, of the newest value that it added to the history. A rejection ends the pipeline. */
  readonly committed: (value: unknown) => Promise<void>
}

/** A named source, a graph of operators, and sinks. Pure data: `run` makes it move, `describe` prints it. */
export interface Pipeline {
  readonly name: string
  readonly source: AnyTopic
  readonly nodes: readonly Node[]
  readonly options: PipelineOptions<unknown>
}

/** Describes a pipeline. Throws where the description breaks a rule that types cannot hold. */
export function pipeline<T, L extends Label>(
  name: string,
  source: Topic<T, L>,
  wire: (input: Stream<T, L>) => void,
  options: PipelineOptions<T> = {},
): Pipeline {
  const nodes: Node[] = []
  wire(streamInto<T, L>(nodes, source.label))
  const built: Pipeline = Object.freeze({
    name,
    source: source as AnyTopic,
    nodes: Object.freeze(nodes),
    options: options as PipelineOptions<unknown>,
  })
  check(built)
  return built
}

function streamInto<T, L extends Label>(into: Node[], label: Label): Stream<T, L> {
  const grow = <O, M extends Label>(kind: 'operator' | 'keyed' | 'accumulating', step: unknown, to: Label) => {
    const next: Node[] = []
    into.push({ kind, step, label: to, next } as Node)
    return streamInto<O, M>(next, to)
  }
  const stream: Omit<Stream<T, L>, typeof carries> = {
    through: (step) => grow('operator', step, label),
    keyed: (step) => grow('keyed', step, label),
    accumulate: (step) => grow('accumulating', step, label),
    lower: (step) => grow('operator', step, lowered(step.label, step.spec.name, label)),
    lowerAccumulating: (step) => grow('accumulating', step, lowered(step.label, step.spec.name, label)),
    to: (topic, options = {}) => {
      if (!mayReach(label, topic.label)) {
        throw new Error(`topic ${topic.name} is labelled '${topic.label}' and must not receive a '${label}' stream`)
      }
      into.push({ kind: 'sink', topic: topic as AnyTopic, label, options: options as AnySinkOptions })
    },
  }
  return Object.freeze(stream) as Stream<T, L>
}

function lowered(change: { readonly from: Label; readonly to: Label }, step: string, label: Label): Label {
  if (change.from !== label) throw new Error(`${step} lowers a '${change.from}' stream, but this one is '${label}'`)
  return change.to
}

/** Every node of a pipeline, parents before children. */
export function* walk(nodes: readonly Node[]): Generator<Node> {
  for (const node of nodes) {
    yield node
    if (node.kind !== 'sink') yield* walk(node.next)
  }
}

function check({ name, source, nodes, options }: Pipeline): void {
  const fail = (sentence: string): never => {
    throw new Error(`pipeline ${name}: ${sentence}`)
  }
  const sinks = [...walk(nodes)].flatMap((node) => (node.kind === 'sink' ? [node.topic] : []))
  const { rejects, changelog, covers, state, history } = options
  for (const topic of [source, ...sinks, rejects, changelog, covers, state, history?.topic]) {
    // A copy of a topic under another's name would be read and written under the wrong label.
    const label = topic && shippedLabel(topic.name)
    if (label && label !== topic.label) fail(`the topic ${topic.name} is labelled '${label}', not '${topic.label}'`)
  }
  const seen = new Set<string>()
  for (const node of walk(nodes)) {
    if (node.kind === 'sink') continue
    if (seen.has(node.step.spec.name)) fail(`two operators are named ${node.step.spec.name}`)
    seen.add(node.step.spec.name)
    if (node.step.spec.rejects.length > 0 && !options.rejects)
      fail(`${node.step.spec.name} may reject, but no dead-letter topic is named`)
    if (node.kind === 'keyed' && !options.changelog)
      fail(`${node.step.spec.name} keeps state by key, but no changelog is named`)
    if (node.kind === 'accumulating' && !(nodes.length === 1 && nodes[0] === node)) {
      fail(`${node.step.spec.name} snapshots its state, so it must be the only first step`)
    }
    if (node.kind === 'accumulating' && !options.state)
      fail(`${node.step.spec.name} snapshots its state, but no topic for it is named`)
    if (node.kind === 'accumulating' && options.changelog) fail('a pipeline has a changelog or snapshots, not both')
  }
}
