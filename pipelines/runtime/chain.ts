import { HaltError } from '../../operators/contract/halt.ts'
import type {
  Batch,
  BatchContext,
  CellKey,
  Cells,
  Collector,
  Envelope,
  Origin,
  StateTable,
} from '../../operators/contract/operator.ts'
import type { Published, Routed } from '../../operators/contract/published.ts'
import type { Reason } from '../../operators/contract/reasons.ts'
import type { Fate, OperatorCounts } from './observer.ts'
import type { AnyAccumulating, AnySinkOptions, AnyTopic, Node, Pipeline } from './stream.ts'

/** A value on its way to a topic. */
export interface Output {
  readonly topic: AnyTopic
  readonly value: unknown
  readonly options: AnySinkOptions
}

export interface Rejection {
  readonly from: Envelope<unknown>
  readonly stage: string
  readonly reason: Reason
  readonly byteOffset: number | undefined
  /** Last offset of what was refused, where that is a whole batch. */
  readonly through?: bigint
}

/** State of the keyed operators for one batch. `require` resolves once the cells can be read; undefined = at once. */
export interface CellAccess {
  readonly require: (table: StateTable<unknown>, keys: readonly CellKey[]) => Promise<void> | undefined
  readonly cells: <S>(table: StateTable<S>) => Cells<S>
}

/** What a whole graph made of one batch. Nothing has left the process yet. */
export interface ChainResult {
  readonly outputs: readonly Output[]
  readonly rejections: readonly Rejection[]
  readonly fates: ReadonlyMap<Fate, number>
  readonly operators: ReadonlyMap<string, OperatorCounts>
  /** An accumulating operator holds back work until this is committed. */
  readonly more: boolean
}

interface Run {
  readonly source: string
  readonly context: BatchContext
  readonly cells: CellAccess | undefined
  readonly states: ReadonlyMap<AnyAccumulating, unknown>
  readonly outputs: Output[]
  readonly rejections: Rejection[]
  readonly fates: Map<Origin, Fate>
  readonly operators: Map<string, OperatorCounts>
  more: boolean
}

/** Puts a batch through the graph of a pipeline. Waits only where cells have to be looked up. */
export async function runChain(
  pipeline: Pipeline,
  batch: Batch<unknown>,
  context: BatchContext,
  cells: CellAccess | undefined,
  states: ReadonlyMap<AnyAccumulating, unknown> = new Map(),
): Promise<ChainResult> {
  const run: Run = {
    source: pipeline.source.name,
    context,
    cells,
    states,
    outputs: [],
    rejections: [],
    fates: new Map(),
    operators: new Map(),
    more: false,
  }
  for (const node of pipeline.nodes) await visit(node, batch, run)
  return {
    outputs: run.outputs,
    rejections: run.rejections,
    fates: tally(batch, run),
    operators: run.operators,
    more: run.more,
  }
}

async function visit(node: Node, batch: Batch<unknown>, run: Run): Promise<void> {
  if (node.kind === 'sink') return deliver(node.topic, node.options, batch, run)
  const { spec } = node.step
  const emitted: Envelope<unknown>[] = []
  const dropped = new Map<Reason, number>()
  const rejected = new Map<Reason, number>()
  const out: Collector<unknown> = {
    emit: (from, value) => {
      emitted.push({ value, origin: from.origin })
    },
    drop: (from, reason) => {
      if (!spec.drops.includes(reason)) undeclared(spec.name, reason)
      dropped.set(reason, (dropped.get(reason) ?? 0) + 1)
      settle(run, from.origin, `dropped:${reason}`)
    },
    reject: (from, reason, byteOffset) => {
      if (!spec.rejects.includes(reason)) undeclared(spec.name, reason)
      rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
      run.rejections.push({ from, stage: spec.name, reason, byteOffset })
      settle(run, from.origin, `rejected:${reason}`)
    },
  }
  if (node.kind === 'keyed') {
    if (!run.cells)
      throw new HaltError(`${spec.name} keeps state, but this task has none`, 'Name a changelog for the pipeline.')
    const pending = run.cells.require(node.step.state, node.step.keys(batch))
    if (pending) await pending
  }
  const started = performance.now()
  if (node.kind === 'operator') node.step.process(batch, out, run.context)
  else if (node.kind === 'keyed')
    node.step.process(batch, (run.cells as CellAccess).cells(node.step.state), out, run.context)
  else if (node.step.process(batch, run.states.get(node.step), out, run.context) === 'more') run.more = true
  const seconds = (performance.now() - started) / 1_000
  run.operators.set(spec.name, { received: batch.length, emitted: emitted.length, dropped, rejected, seconds })
  for (const child of node.next) await visit(child, emitted, run)
}

function deliver(topic: AnyTopic, options: AnySinkOptions, batch: Batch<unknown>, run: Run): void {
  const fate: Fate = topic.name === run.source ? 'forwarded' : 'emitted'
  for (const { value, origin } of batch) {
    run.outputs.push({ topic, value, options })
    settle(run, origin, fate)
  }
}

const rank = (fate: Fate): number =>
  fate === 'emitted'
    ? 4
    : fate === 'forwarded'
      ? 3
      : fate.startsWith('rejected')
        ? 2
        : fate.startsWith('dropped')
          ? 1
          : 0

/** The strongest outcome stands: what reached a sink counts as emitted although a side branch dropped a part of it. */
function settle(run: Run, origin: Origin, fate: Fate): void {
  const old = run.fates.get(origin)
  if (old === undefined || rank(fate) > rank(old)) run.fates.set(origin, fate)
}

function tally(batch: Batch<unknown>, run: Run): Map<Fate, number> {
  const counts = new Map<Fate, number>()
  const count = (fate: Fate, n: number) => counts.set(fate, (counts.get(fate) ?? 0) + n)
  for (const { origin } of batch) count(run.fates.get(origin) ?? 'absorbed', 1)
  return counts
}

function undeclared(operator: string, reason: string): never {
  throw new HaltError(
    `${operator} used the reason ${reason}, which its spec does not declare`,
    'This is a fault in the operator: declare the reason in its spec.',
  )
}

/** Whether a value holds bytes that must be copied verbatim. */
export function isPublished(value: unknown): value is Published<unknown> {
  return typeof value === 'object' && value !== null && 'bytes' in value && 'timestamp' in value && 'key' in value
}

/** Whether a value names its own partition. */
export function isRouted(value: unknown): value is Routed<unknown> {
  return typeof value === 'object' && value !== null && 'routedTo' in value
}
