import type { Fetched, LogRecord, OutgoingRecord, Transactor } from '../../connectors/contract.ts'
import { HaltError } from '../../operators/contract/halt.ts'
import type { BatchContext, StateRow } from '../../operators/contract/operator.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { LoadState } from '../../schemas/load-state.ts'
import { runChain } from './chain.ts'
import { readLast, readRange } from './changelog.ts'
import { fenced, type Input, nextInput, openInput } from './input.ts'
import type { Fate } from './observer.ts'
import type { AnyAccumulating, AnyTopic, Node } from './stream.ts'
import {
  closing,
  decodeRecords,
  headersOf,
  rawValues,
  sentOf,
  stepping,
  type TaskContext,
  toRecords,
  transact,
} from './task.ts'

/** Row of the state topic that the runtime itself writes: the exact input offset the other rows stand for. */
const positionRow = '@position'

interface Held extends Input {
  readonly producer: Transactor
  readonly step: AnyAccumulating | undefined
  readonly state: unknown
  position: bigint
  /** Position of the last transaction, and when it was. */
  saved: bigint
  savedAt: EpochMs
  progress: EpochMs
}

/**
 * Runs one partition of a pipeline without keyed state: stateless steps, or one accumulating step at its head whose state
 * is restored from its rows, and its position with them. A pipeline without either kind of truth of its own continues at
 * the position that its transactions wrote, which a broker that was just killed may tell late: give it a state topic where
 * repeats matter.
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
      const due = await hold(task, held, fetched)
      if (due.records.length > 0) await processBatch(task, held, due.records, due.next)
      else if (due.next > held.position) held.position = due.next
      await saveIfDue(task, held)
    }
    if (held.saved !== held.position) await save(task, held, [])
  })
}

const assign = (task: TaskContext): Promise<Held> => fenced(task, (producer) => open(task, producer))

async function open(task: TaskContext, producer: Transactor): Promise<Held> {
  const { pipeline, partition, ports, observer } = task
  const first = pipeline.nodes[0]
  const step = first?.kind === 'accumulating' ? first.step : undefined
  const { rows, position } = await stepping(task, 'replay', () => readState(task))
  const history = step && pipeline.options.history ? await readHistory(task) : []
  const state = step?.restore(rows, history)
  const own =
    pipeline.options.state || step
      ? undefined
      : await ports.log.committed(pipeline.name, pipeline.source.name, partition)
  const { from, ...input } = await openInput(task, position ?? own)
  observer.assignment(pipeline.name, partition, 'running')
  return { ...input, producer, step, state, position: from, saved: from, savedAt: ports.clock.now(), progress: 0 }
}

async function readState(task: TaskContext): Promise<{ rows: StateRow[]; position: bigint | undefined }> {
  const topic = task.pipeline.options.state
  if (!topic) return { rows: [], position: undefined }
  const latest = new Map<string, Uint8Array>()
  for (const { key, value } of await committed(task, topic, task.partition, 'whole')) {
    const row = Buffer.from(key ?? new Uint8Array()).toString()
    if (value) latest.set(row, (task.wire.decode(topic, value) as LoadState).body)
    else latest.delete(row)
  }
  const position = latest.get(positionRow)
  latest.delete(positionRow)
  return {
    rows: [...latest].map(([row, body]) => ({ row, body })),
    position: position && BigInt(Buffer.from(position).toString()),
  }
}

async function readHistory(task: TaskContext): Promise<unknown[]> {
  const { topic, read, partition } = task.pipeline.options.history!
  const count = partition === 'every' ? await task.ports.log.partitions(topic.name) : 1
  const values: unknown[] = []
  for (let i = 0; i < count; i++) {
    const at = partition === 'every' ? i : task.partition
    for (const { value } of await committed(task, topic, at, read))
      if (value) values.push(task.wire.decode(topic, value))
  }
  return values
}

async function committed(
  { ports }: TaskContext,
  topic: AnyTopic,
  partition: number,
  read: 'whole' | 'last',
): Promise<LogRecord[]> {
  if (read === 'last') {
    const last = await readLast(ports.log, topic.name, partition)
    return last ? [last] : []
  }
  const { first, end } = await ports.log.bounds(topic.name, partition, 'read_committed')
  return readRange(ports.log, topic.name, partition, first, end)
}

/** Cuts a fetch before the first record that must wait; waits for that record if it comes first. */
async function hold(task: TaskContext, held: Held, fetched: Fetched): Promise<Fetched> {
  const { notBefore } = task.pipeline.options
  if (!notBefore || fetched.records.length === 0) return fetched
  const { clock } = task.ports
  const tickOf = ({ value }: LogRecord): EpochMs =>
    notBefore(task.wire.decode(task.pipeline.source, value ?? new Uint8Array()))
  const late = fetched.records.findIndex((record) => tickOf(record) > clock.now())
  if (late < 0) return fetched
  held.rest = fetched.records.slice(late)
  held.restNext = fetched.next
  if (late > 0) return { records: fetched.records.slice(0, late), next: held.rest[0]!.offset }
  await stepping(task, 'hold', () => clock.sleep(tickOf(held.rest[0]!) - clock.now(), task.signal))
  return { records: [], next: held.position }
}

async function processBatch(task: TaskContext, held: Held, records: readonly LogRecord[], to: bigint): Promise<void> {
  const { batch, refused } = decodeRecords(task, records, 0)
  const rawOf = rawValues(records)
  held.progress = Math.max(held.progress, records.at(-1)?.timestamp ?? 0)
  let part: typeof batch = batch
  let rejections = refused
  for (;;) {
    const started = performance.now()
    const context = contextOf(task, held, to)
    const states = held.step ? new Map([[held.step, held.state]]) : new Map()
    const result = await stepping(task, 'process', () => runChain(task.pipeline, part, context, undefined, states))
    const outgoing = await toRecords(
      task,
      { outputs: result.outputs, rejections: [...rejections, ...result.rejections] },
      rawOf,
    )
    held.position = to
    if (outgoing.length > 0) await save(task, held, outgoing)
    const fates = new Map<Fate, number>(result.fates)
    if (rejections.length > 0) fates.set('rejected:schema_mismatch', rejections.length)
    task.observer.batch(task.pipeline.name, task.partition, {
      records: part.length + rejections.length,
      seconds: (performance.now() - started) / 1_000,
      fates,
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
  return { partition, seq: 0, progress: held.progress, floor: 0, whole }
}

async function saveIfDue(task: TaskContext, held: Held): Promise<void> {
  if (held.saved === held.position || task.ports.clock.now() - held.savedAt < task.options.snapshotMs) return
  await save(task, held, [])
}

/** One transaction: what was emitted, the rows that changed, and the position all of it stands for. */
async function save(task: TaskContext, held: Held, outgoing: readonly OutgoingRecord[]): Promise<void> {
  const topic = task.pipeline.options.state
  const rows = topic && held.step ? held.step.changed(held.state) : []
  const position: StateRow = { row: positionRow, body: Buffer.from(held.position.toString()) }
  const saved = topic ? [...rows, position].map((row) => rowRecord(task, topic, row)) : []
  await transact(task, held.producer, held.position, [...outgoing, ...saved])
  held.saved = held.position
  held.savedAt = task.ports.clock.now()
}

function rowRecord({ partition, wire }: TaskContext, topic: AnyTopic, { row, body }: StateRow): OutgoingRecord {
  const value = body ? wire.encode(topic, { row, body }) : null
  return { topic: topic.name, partition, key: Buffer.from(row), value, headers: headersOf(topic) }
}

/** Whether a graph keeps state by key and so needs the other kind of task. */
export function hasKeyedState(nodes: readonly Node[]): boolean {
  return nodes.some((node) => node.kind !== 'sink' && (node.kind === 'keyed' || hasKeyedState(node.next)))
}
