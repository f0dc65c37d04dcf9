import type { Fetched, LogRecord, OutgoingRecord, Transactor } from '../../connectors/contract.ts'
import { HaltError, HistoryBehindError } from '../../operators/contract/halt.ts'
import type { BatchContext, StateRow } from '../../operators/contract/operator.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import { runChain } from './chain.ts'
import { readLast, readRange } from './changelog.ts'
import { fenced, type Input, nextInput, openInput } from './input.ts'
import { within } from './marker.ts'
import { readCommitted, readState, stateRecords } from './state-topic.ts'
import type { AnyAccumulating, AnyTopic, Node } from './stream.ts'
import {
  closing,
  decodeRecords,
  rawValues,
  sentOf,
  stepping,
  type TaskContext,
  toRecords,
  transact,
  withRefused,
} from './task.ts'

interface Held extends Input {
  readonly producer: Transactor
  readonly step: AnyAccumulating | undefined
  readonly state: unknown
  position: bigint
  /** Outputs of input below this were emitted before; it is read again only to rebuild the state. */
  readonly replayTo: bigint
  /** Values of records that were looked at to see whether they must wait. */
  readonly seen: Map<LogRecord, unknown>
  /** Position of the last transaction, and when it was. */
  saved: bigint
  savedAt: EpochMs
  progress: EpochMs
}

/**
 * Runs one partition of a pipeline without keyed state: stateless steps, or one accumulating step at its head whose state
 * is restored from its rows, and its position with them. A pipeline without a state topic continues at the group's
 * position, which a broker that was just killed may tell late: give it a state topic where repeats matter.
 *
 * Delivery: exactly once. Outputs, state rows and position are one transaction; without outputs, rows follow every
 * `snapshotMs` and what lies between is read again, which changes nothing.
 */
export async function runAccumulatingTask(task: TaskContext): Promise<void> {
  const held = await assign(task)
  await closing([held.reader, held.producer], async () => {
    // Work that was held back for a commit, if the last owner ended between the two.
    if (held.step) await processBatch(task, held, [], held.position)
    while (!task.signal.aborted) {
      const fetched = await nextInput(task, held)
      const due = await hold(task, held, cutAtReplayed(held, fetched))
      if (due.records.length > 0) await processBatch(task, held, due.records, due.next)
      else if (due.next > held.position) held.position = due.next
      await saveIfDue(task, held)
    }
    if (held.saved !== held.position && !rebuilding(held)) await save(task, held, [])
  })
}

const assign = (task: TaskContext): Promise<Held> => fenced(task, (producer) => open(task, producer))

async function open(task: TaskContext, producer: Transactor): Promise<Held> {
  const { pipeline, partition, ports, observer } = task
  const { state: topic, replay } = pipeline.options
  const first = pipeline.nodes[0]
  const step = first?.kind === 'accumulating' ? first.step : undefined
  const stored = topic && (await readState(task, topic, producer))
  const state = step && (await stepping(task, 'replay', () => restore(task, step, stored?.rows ?? [])))
  const position = topic ? stored?.position : await ports.log.committed(pipeline.name, pipeline.source.name, partition)
  const { from, ...input } = await openInput(task, { position, rebuilds: replay === true })
  observer.assignment(pipeline.name, partition, 'running')
  return {
    ...input,
    producer,
    step,
    state,
    seen: new Map(),
    position: from,
    replayTo: replay ? (position ?? from) : from,
    saved: from,
    savedAt: ports.clock.now(),
    progress: 0,
  }
}

/** Rows and history to state. History that a read does not show yet is read again, until it must be taken for lost. */
async function restore(task: TaskContext, step: AnyAccumulating, rows: readonly StateRow[]): Promise<unknown> {
  let behind: HistoryBehindError | undefined
  const restored = await within(task, async () => {
    const history = await readHistory(task, rows)
    try {
      await task.pipeline.options.history?.witness?.check(history)
      return { state: step.restore(rows, history) }
    } catch (error) {
      if (!(error instanceof HistoryBehindError)) throw error
      behind = error
      return undefined
    }
  })
  if (restored) return restored.state
  throw behind
}

async function readHistory(task: TaskContext, rows: readonly StateRow[]): Promise<unknown[]> {
  if (!task.pipeline.options.history) return []
  const { topic, read, partition, enoughFrom } = task.pipeline.options.history
  if (enoughFrom) return readBack(task, topic, (value) => enoughFrom(value, rows))
  const count = partition === 'every' ? await task.ports.log.partitions(topic.name) : 1
  const values: unknown[] = []
  for (let i = 0; i < count; i++) {
    const at = partition === 'every' ? i : task.partition
    const last = read === 'last' ? await readLast(task.ports.log, topic.name, at) : undefined
    const records = read === 'last' ? (last ? [last] : []) : await readCommitted(task, topic, at)
    for (const { value } of records) if (value) values.push(task.wire.decode(topic, value))
  }
  return values
}

const firstLook = 256n

/** The end of a partition, from the newest value that is enough to begin at; all of it where there is none. */
async function readBack(task: TaskContext, topic: AnyTopic, enough: (value: unknown) => boolean): Promise<unknown[]> {
  const { first, end } = await task.ports.log.bounds(topic.name, task.partition, 'read_committed')
  for (let back = firstLook; ; back *= 4n) {
    const from = end - back > first ? end - back : first
    const records = await readRange(task.ports.log, topic.name, task.partition, from, end)
    const values = records.flatMap(({ value }) => (value ? [task.wire.decode(topic, value)] : []))
    const begin = values.findLastIndex(enough)
    if (begin >= 0) return values.slice(begin)
    if (from === first) return values
  }
}

const rebuilding = ({ position, replayTo }: Held): boolean => position < replayTo

/** Keeps what was processed before apart from what is new. */
function cutAtReplayed(held: Held, fetched: Fetched): Fetched {
  const fresh = fetched.records.findIndex(({ offset }) => offset >= held.replayTo)
  if (!rebuilding(held) || fresh <= 0) return fetched
  held.rest = fetched.records.slice(fresh)
  held.restNext = fetched.next
  return { records: fetched.records.slice(0, fresh), next: held.replayTo }
}

/** Cuts a fetch before the first record that must wait; waits for that record if it comes first. */
async function hold(task: TaskContext, held: Held, fetched: Fetched): Promise<Fetched> {
  const { notBefore } = task.pipeline.options
  if (!notBefore || fetched.records.length === 0) return fetched
  const { clock } = task.ports
  const tickOf = (record: LogRecord): EpochMs => {
    const value = held.seen.get(record) ?? task.wire.decode(task.pipeline.source, record.value ?? new Uint8Array())
    held.seen.set(record, value)
    return notBefore(value)
  }
  const late = fetched.records.findIndex((record) => tickOf(record) > clock.now())
  if (late < 0) return fetched
  held.rest = fetched.records.slice(late)
  held.restNext = fetched.next
  if (late > 0) return { records: fetched.records.slice(0, late), next: held.rest[0]!.offset }
  await stepping(task, 'hold', () => clock.sleep(tickOf(held.rest[0]!) - clock.now(), task.signal))
  return { records: [], next: held.position }
}

async function processBatch(task: TaskContext, held: Held, records: readonly LogRecord[], to: bigint): Promise<void> {
  const quiet = (records.at(-1)?.offset ?? held.position) < held.replayTo
  const { batch, refused } = decodeRecords(task, records, 0, held.seen)
  held.seen.clear()
  const rawOf = rawValues(records)
  held.progress = Math.max(held.progress, records.at(-1)?.timestamp ?? 0)
  let part: typeof batch = batch
  let rejections = refused
  for (;;) {
    const started = performance.now()
    const context = contextOf(task, held, to)
    const states = held.step ? new Map([[held.step, held.state]]) : new Map()
    const result = await stepping(task, 'process', () => runChain(task.pipeline, part, context, undefined, states))
    held.position = to
    if (quiet) return
    const outgoing = await toRecords(
      task,
      { outputs: result.outputs, rejections: [...rejections, ...result.rejections] },
      rawOf,
    )
    if (outgoing.length > 0) await save(task, held, outgoing)
    task.observer.batch(task.pipeline.name, task.partition, {
      records: part.length + rejections.length,
      seconds: (performance.now() - started) / 1_000,
      fates: withRefused(result.fates, rejections),
      operators: result.operators,
      sent: sentOf(outgoing),
      progress: held.progress,
    })
    if (!result.more) return
    if (outgoing.length === 0)
      throw new HaltError(
        'an operator asked to be called again but emitted nothing',
        'This is a fault in the operator.',
      )
    part = []
    rejections = []
  }
}

function contextOf({ pipeline, partition }: TaskContext, held: Held, to: bigint): BatchContext {
  const whole = {
    value: null,
    origin: { topic: pipeline.source.name, partition, offset: to - 1n, receivedAt: held.progress },
  }
  return { partition, seq: 0, progress: held.progress, floor: 0, keptFrom: 0, whole }
}

async function saveIfDue(task: TaskContext, held: Held): Promise<void> {
  if (
    held.saved === held.position ||
    rebuilding(held) ||
    task.ports.clock.now() - held.savedAt < task.options.snapshotMs
  )
    return
  await save(task, held, [])
}

/** One transaction: what was emitted, the rows that changed, and the position all of it stands for. */
async function save(task: TaskContext, held: Held, outgoing: readonly OutgoingRecord[]): Promise<void> {
  const topic = task.pipeline.options.state
  const rows = topic && held.step ? held.step.changed(held.state) : []
  const saved = topic ? stateRecords(task, topic, rows, held.position) : []
  await transact(task, held.producer, held.position, [...outgoing, ...saved])
  held.saved = held.position
  held.savedAt = task.ports.clock.now()
  await tellWitness(task, outgoing)
}

async function tellWitness({ pipeline, wire }: TaskContext, outgoing: readonly OutgoingRecord[]): Promise<void> {
  const { topic, witness } = pipeline.options.history ?? {}
  if (!topic || !witness) return
  const newest = outgoing.findLast((record) => record.topic === topic.name)
  if (newest?.value) await witness.committed(wire.decode(topic, newest.value))
}

/** Whether a graph keeps state by key and so needs the other kind of task. */
export function hasKeyedState(nodes: readonly Node[]): boolean {
  return nodes.some((node) => node.kind !== 'sink' && (node.kind === 'keyed' || hasKeyedState(node.next)))
}
