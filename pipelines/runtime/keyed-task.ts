import type { CellAddress, LogRecord, Transactor, ViewPosition } from '../../connectors/contract.ts'
import { LogError } from '../../connectors/contract.ts'
import { HaltError } from '../../operators/contract/halt.ts'
import type { BatchContext } from '../../operators/contract/operator.ts'
import type { AcceptedBatch } from '../../schemas/accepted-batch.ts'
import type { LinkHead } from '../../schemas/accepted-link.ts'
import { batchCells, toCellValues } from './batch-cells.ts'
import { type ChainResult, runChain } from './chain.ts'
import { type FoldedChain, foldChain, readTail, type Tail } from './chain-reader.ts'
import { genesis, linkValue, readLast } from './changelog.ts'
import { briefTables, dayMs, floorDay, floorsAfter } from './floors.ts'
import { fenced, type Input, nextInput, openInput } from './input.ts'
import { placeMarker, unseen } from './marker.ts'
import {
  batchHeader,
  changelogRecord,
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
import { syncView } from './view-sync.ts'

/** The view refused a call: another owner moved it, or it lost or regained data. The task assigns again. */
const viewMoved = () =>
  new LogError('retriable', 'the state view is not where the changelog says; it will be brought up to date')

/** What the task holds between batches. All of it comes from the log and is rebuilt by `assign`. */
interface Held extends Input {
  readonly producer: Transactor
  /** See `briefTables`. */
  readonly brief: readonly string[]
  /** Where the view stands, and what it has yet to be told. */
  view: ViewPosition
  unapplied: AcceptedBatch | undefined
  seq: number
  hash: Uint8Array
  position: bigint
  floor: number
  progress: number
}

/**
 * Runs one partition of a pipeline with keyed state until the signal aborts; rejects with `LogError` where it must be
 * assigned again, and with `HaltError` where it must not go on.
 *
 * Delivery: exactly once. Nothing is claimed before the commit, so a crash loses nothing; nothing is emitted that the
 * changelog does not say, so a replay duplicates nothing; a zombie can neither commit nor apply.
 */
export async function runKeyedTask(task: TaskContext): Promise<void> {
  const { ports, options, signal } = task
  const held = await assign(task)
  let silentSince = ports.clock.now()
  await closing([held.reader, held.producer], async () => {
    while (!signal.aborted) {
      const fetched = await nextInput(task, held)
      if (fetched.records.length > 0) {
        await processBatch(task, held, fetched.records, fetched.next)
        silentSince = ports.clock.now()
      } else {
        held.position = fetched.next > held.position ? fetched.next : held.position
        if (ports.clock.now() - silentSince >= options.heartbeatMs) {
          await heartbeat(task, held)
          silentSince = ports.clock.now()
        }
      }
    }
    await applyPending(task, held)
  })
}

/** Fence, marker, replay, input position from the changelog: in this order, each for its reason (design section 3). */
const assign = (task: TaskContext): Promise<Held> => fenced(task, (producer) => catchUp(task, producer))

async function catchUp(task: TaskContext, producer: Transactor): Promise<Held> {
  const { pipeline, partition, ports, wire, observer } = task
  const topic = pipeline.options.changelog!
  // A reader cannot tell an empty end from one hidden by an older owner's open transaction; our own marker can.
  const marker = await stepping(task, 'marker', () => placeMarker(task, producer))
  const scope = `${pipeline.name}/${partition}`
  const brief = briefTables(pipeline)
  const { last, position } = await stepping(task, 'replay', async () => {
    const place = { log: ports.log, wire, topic, partition, brief }
    const sure = async <T extends Tail | FoldedChain>(read: Promise<T>): Promise<T> => {
      const chain = await read
      // A broker that came back since the marker was seen may show less again.
      if (!chain.marked) throw unseen(task)
      await refuseLostChangelog(task, chain.last)
      return chain
    }
    const synced = await syncView({
      scope,
      view: ports.view,
      tail: (backTo) => sure(readTail(place, backTo, marker.value)),
      whole: async () => reachesHorizon(task, await sure(foldChain(place, marker.value))),
    })
    if (synced.how !== 'current') observer.assignment(pipeline.name, partition, synced.how)
    return synced
  })
  const { from, ...input } = await openInput(task, { position: last?.inTo, progress: last?.progress })
  observer.assignment(pipeline.name, partition, 'running')
  return {
    ...input,
    producer,
    brief,
    view: position,
    unapplied: undefined,
    seq: last?.seq ?? 0,
    hash: last?.hash ?? genesis,
    position: from,
    floor: last?.floor ?? 0,
    progress: last?.progress ?? 0,
  }
}

/** A changelog shorter than what it vouches for was lost, cut or restored: going on would accept things a second time. */
async function refuseLostChangelog(
  { pipeline, partition, ports }: TaskContext,
  last: LinkHead | undefined,
): Promise<void> {
  const covers = pipeline.options.covers
  if (!covers) return
  const newest = await readLast(ports.log, covers.name, partition)
  if (!newest || Number(newest.headers[batchHeader] ?? 1) <= (last?.seq ?? 0)) return
  throw new HaltError(
    `${pipeline.options.changelog?.name}[${partition}] ends before ${covers.name}[${partition}], whose records it must vouch for`,
    'Restore the changelog to its newest state; going on without it would emit readings again.',
  )
}

/** A rebuild needs every link of the horizon. */
function reachesHorizon({ pipeline, partition }: TaskContext, chain: FoldedChain): FoldedChain {
  const { first, last } = chain
  // Cells are dropped by whole local days, so the whole first day that is still needed must be covered, in any time zone.
  const needed = (floorDay(last?.floor ?? 0) - 1) * dayMs
  if (!first || first.seq === 1 || first.progress <= needed) return chain
  throw new HaltError(
    `${pipeline.options.changelog?.name}[${partition}] no longer reaches back to the horizon`,
    'Restore older segments, or raise retention and shorten the horizon; duplicates could not be told otherwise.',
  )
}

async function processBatch(task: TaskContext, held: Held, records: readonly LogRecord[], to: bigint): Promise<void> {
  const started = performance.now()
  const { pipeline, partition, options, observer } = task
  const progress = records.reduce((latest, { timestamp }) => Math.max(latest, timestamp), held.progress)
  const floor = Math.max(held.floor, progress - options.horizonMs)
  const { result, tables, refused } = await transform(task, held, records, progress, floor, to)
  // A batch that asked the view for nothing has not told it of the one before either.
  await applyPending(task, held)
  const body = { kind: 'batch', seq: held.seq + 1, inFrom: held.position, inTo: to, floor, progress, tables } as const
  const { link: accepted, value } = linkValue(task.wire, pipeline.options.changelog!, held.hash, body)
  const rejections = [...refused, ...result.rejections]
  const outgoing = await toRecords(task, { outputs: result.outputs, rejections }, rawValues(records), accepted.seq)
  const changelog = changelogRecord(task, value)
  if (value.length > maxChangelogBytes && records.length > 1) return split(task, held, records, to)
  await transact(task, held.producer, to, [...outgoing, changelog])
  commitHeld(held, accepted)
  observer.batch(pipeline.name, partition, {
    records: records.length,
    seconds: (performance.now() - started) / 1_000,
    fates: withRefused(result.fates, refused),
    operators: result.operators,
    sent: sentOf(outgoing),
    progress,
  })
}

const maxChangelogBytes = 900_000

/** The changes of one batch must fit one record: the batch is cut in two and done again, nothing was written. */
async function split(task: TaskContext, held: Held, records: readonly LogRecord[], to: bigint): Promise<void> {
  const half = records.length >> 1
  const cut = records[half]!.offset
  if (held.rest.length === 0) held.restNext = to
  held.rest = [...records.slice(half), ...held.rest]
  await processBatch(task, held, records.slice(0, half), cut)
}

async function transform(
  task: TaskContext,
  held: Held,
  records: readonly LogRecord[],
  progress: number,
  floor: number,
  to: bigint,
) {
  const { pipeline, partition } = task
  const { batch, refused } = decodeRecords(task, records, held.progress)
  const cells = batchCells((addresses) => stepping(task, 'lookup', () => exchange(task, held, addresses)))
  const whole = {
    value: null,
    origin: { topic: pipeline.source.name, partition, offset: to - 1n, receivedAt: progress },
  }
  // Of what the view holds, this is what the link before lets it drop: the batch at hand may have come a long way since.
  const keptFrom = floorDay(held.progress)
  const context: BatchContext = { partition, seq: held.seq + 1, progress, floor, keptFrom, whole }
  const result: ChainResult = await stepping(task, 'process', () => runChain(pipeline, batch, context, cells))
  return { result, tables: cells.changes(), refused }
}

/** One call to the view: what the last commit changed is applied, then cells of this batch are looked up. */
async function exchange(task: TaskContext, held: Held, lookup: readonly CellAddress[]) {
  const scope = `${task.pipeline.name}/${task.partition}`
  const { unapplied } = held
  const apply = unapplied && {
    seq: unapplied.seq,
    hash: Buffer.from(unapplied.hash).toString('hex'),
    ...floorsAfter(unapplied, held.brief),
    cells: toCellValues(unapplied.tables),
  }
  // A view that skipped a link would miss its cells for good; brought up to date from the changelog, it does not.
  if (apply && apply.seq !== held.view.seq + 1) throw viewMoved()
  if (apply) task.probe({ pipeline: task.pipeline.name, partition: task.partition, step: 'apply', at: 'before' })
  const answer = await task.ports.view.exchange(scope, { expected: held.view, ...(apply ? { apply } : {}), lookup })
  if (answer.status !== 'ok') throw viewMoved()
  if (apply) {
    held.view = { gen: held.view.gen, seq: apply.seq, hash: apply.hash }
    held.unapplied = undefined
    task.probe({ pipeline: task.pipeline.name, partition: task.partition, step: 'apply', at: 'after' })
  }
  return answer.cells
}

async function applyPending(task: TaskContext, held: Held): Promise<void> {
  if (held.unapplied) await exchange(task, held, [])
}

function commitHeld(held: Held, accepted: AcceptedBatch): void {
  held.unapplied = accepted
  held.seq = accepted.seq
  held.hash = accepted.hash
  held.position = accepted.inTo
  held.floor = accepted.floor
  held.progress = accepted.progress
}

/**
 * Says how far a silent partition is, in the log's own time: a marker is stamped by the log; if the input then ends where
 * the task stands, everything received before the stamp has been processed.
 */
async function heartbeat(task: TaskContext, held: Held): Promise<void> {
  const { pipeline, partition, ports, options } = task
  const { stampedAt } = await placeMarker(task, held.producer)
  const { end } = await ports.log.bounds(pipeline.source.name, partition, 'read_uncommitted')
  if (end > held.position) return
  await applyPending(task, held)
  const progress = Math.max(held.progress, stampedAt - options.clockMarginMs)
  const floor = Math.max(held.floor, progress - options.horizonMs)
  const { result, tables } = await transform(task, held, [], progress, floor, held.position)
  const body = {
    kind: 'batch',
    seq: held.seq + 1,
    inFrom: held.position,
    inTo: held.position,
    floor,
    progress,
    tables,
  } as const
  const { link: accepted, value } = linkValue(task.wire, pipeline.options.changelog!, held.hash, body)
  const outgoing = await toRecords(task, result, () => new Uint8Array())
  await transact(task, held.producer, held.position, [...outgoing, changelogRecord(task, value)])
  commitHeld(held, accepted)
  task.observer.batch(pipeline.name, partition, {
    records: 0,
    seconds: 0,
    fates: result.fates,
    operators: result.operators,
    sent: sentOf(outgoing),
    progress,
  })
}
