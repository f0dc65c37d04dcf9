import {
  type Bounds,
  type Fetched,
  LogError,
  type LogRecord,
  type Reader,
  type Transactor,
} from '../../connectors/contract.ts'
import { HaltError } from '../../operators/contract/halt.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import { within } from './marker.ts'
import { orClose, stepping, type TaskContext, transactionalId } from './task.ts'

/** Input of a task: its reader, and records that were fetched but had to wait. */
export interface Input {
  readonly reader: Reader
  /** Records that come before the next fetch, and where that fetch begins. */
  rest: readonly LogRecord[]
  restNext: bigint
}

/**
 * Fences older owners, then goes on with `open`; what was opened is closed if that fails. `open` reads several topics one
 * after the other: where a newer owner commits in between, they do not hang together. So a halt counts only if this owner
 * is the newest still; otherwise rejects with `LogError` `fenced`.
 */
export async function fenced<T>(task: TaskContext, open: (producer: Transactor) => Promise<T>): Promise<T> {
  const { pipeline, partition, ports, options, observer } = task
  observer.assignment(pipeline.name, partition, 'assigned')
  const id = transactionalId(pipeline, partition)
  const producer = await stepping(task, 'fence', () => ports.log.open(id, { timeoutMs: options.transactionTimeoutMs }))
  return orClose(producer, async () => {
    try {
      return await open(producer)
    } catch (error) {
      if (error instanceof HaltError) await requireNewest(task, producer)
      throw error
    }
  })
}

/** Nothing but a request shows who is the newest owner: the offset is sent, which a newer one refuses, and not committed. */
async function requireNewest({ pipeline, partition }: TaskContext, producer: Transactor): Promise<void> {
  await producer.begin()
  await producer.sendOffsets(pipeline.name, pipeline.source.name, partition, 0n)
  await producer.abort()
}

/** What was processed of an input before: all below `position`, none of it received after `progress`. */
interface Processed {
  readonly position: bigint | undefined
  /** Where the changelog says it. */
  readonly progress?: EpochMs | undefined
  readonly rebuilds?: boolean
}

/**
 * Opens the input at `position`, or at its first record: where there is no position, or where the state is rebuilt from all
 * of it. Halts where input before the position's successor was deleted, where the input ends before the position, and where
 * another input has grown past it; unless that very loss was accepted: then the next link of the changelog begins at the
 * first record, and so tells of it for good.
 */
export async function openInput(
  task: TaskContext,
  { position, progress, rebuilds = false }: Processed,
): Promise<Input & { readonly from: bigint }> {
  const { pipeline, partition, ports } = task
  const { source } = pipeline
  const { first, end } = await settledBounds(task, position ?? 0n)
  let from = rebuilds ? first : (position ?? first)
  if (position !== undefined) {
    const cut = from < first || end < position
    const newer = cut || progress === undefined ? undefined : await newerBelow(task, { first, position, progress })
    if (cut || newer !== undefined) {
      refuseLoss(task, position, { first, end }, newer)
      from = first
    }
  }
  // A batch that can never be read would end this partition at every start: who has dead letters refuses it and goes on.
  const oversize = pipeline.options.rejects ? 'tell' : 'throw'
  const reader = await ports.log.read(source.name, partition, from, 'read_committed', oversize)
  return { reader, rest: [], restNext: from, from }
}

/**
 * What the input holds, once its end has come as far as the position or has had the time to. An end may be told too low for a
 * while after a broker was killed, so one answer proves nothing; no marker can be written here, since the source belongs to
 * others.
 */
async function settledBounds(task: TaskContext, position: bigint): Promise<Bounds> {
  const { pipeline, partition, ports, signal } = task
  const { name } = pipeline.source
  const ask = () => ports.log.bounds(name, partition, 'read_uncommitted')
  const found = await within(task, async () => {
    const bounds = await ask()
    return bounds.end < position ? undefined : bounds
  })
  if (found) return found
  if (!signal.aborted) return await ask()
  throw new LogError('retriable', `${name}[${partition}] was not seen up to ${position} before the stop`)
}

/** Records below the position that are looked at, of which some may be control records. */
const lookBack = 16n
const lookBackPolls = 8

/**
 * The offset of a record just below the position that came after all that was processed. So it was not: a topic that was made
 * anew, and has grown past the position. Undefined where there is none, or no record to be seen.
 */
async function newerBelow(
  task: TaskContext,
  { first, position, progress }: { readonly first: bigint; readonly position: bigint; readonly progress: EpochMs },
): Promise<bigint | undefined> {
  const { pipeline, partition, ports, options, signal } = task
  let next = position - lookBack > first ? position - lookBack : first
  if (next >= position) return undefined
  const reader = await ports.log.read(pipeline.source.name, partition, next, 'read_committed', 'tell')
  return orClose(reader, async () => {
    let newer: bigint | undefined
    for (let polls = 0; newer === undefined && next < position && polls < lookBackPolls && !signal.aborted; polls++) {
      const maxRecords = Number(lookBack)
      const fetched = await reader.poll({ maxRecords, maxBytes: 1_000_000, waitMs: options.lingerMs, signal })
      newer = fetched.records.find(({ offset, timestamp }) => offset < position && timestamp > progress)?.offset
      next = fetched.next
    }
    await reader.close()
    return newer
  })
}

/** Halts, unless the loss was accepted by its name, which fits no other. Only a changelog keeps what was accepted. */
function refuseLoss(
  { pipeline, partition, options }: TaskContext,
  position: bigint,
  { first, end }: Bounds,
  newer: bigint | undefined,
): void {
  const { changelog } = pipeline.options
  const place = `${pipeline.source.name}[${partition}]`
  const loss = `${place}@${position}..${first}`
  if (changelog && options.acceptLostInput.includes(loss)) return
  const accept = changelog ? `, or start with METERVEIL_ACCEPT_LOST_INPUT='${loss}' to go on without it` : ''
  if (end < position) {
    throw new HaltError(
      `${place} ends at ${end}, but its input below ${position} is processed: it was made anew or restored to an older state`,
      `Restore the topic to its newest state${accept}; what is written to it below that position would never be read.`,
    )
  }
  if (newer !== undefined) {
    throw new HaltError(
      `${place} holds at ${newer} what was received after all its input below ${position} was processed: it was made anew`,
      `Restore the topic as it was${accept}; what it holds below that position would never be read.`,
    )
  }
  throw new HaltError(
    `${place} was cut at ${first}, but only input below ${position} is processed`,
    `Restore the topic from a copy that reaches back so far${accept}; raise its retention.`,
  )
}

/** The records that wait, or else the next fetch. */
export async function nextInput(task: TaskContext, input: Input): Promise<Fetched> {
  if (input.rest.length > 0) {
    const fetched = { records: input.rest, next: input.restNext }
    input.rest = []
    return fetched
  }
  const { maxRecords, maxBytes, lingerMs } = task.options
  const poll = () => input.reader.poll({ maxRecords, maxBytes, waitMs: lingerMs, signal: task.signal })
  return stepping(task, 'poll', () => poll().catch((error: unknown) => askAgain(task, error)))
}

/** A topic that was cut or made anew under a reader: the next assignment tells which, or finds that it was a passing state. */
function askAgain({ pipeline, partition }: TaskContext, error: unknown): never {
  if (!(error instanceof LogError && error.code === 'offset_out_of_range')) throw error
  throw new LogError(
    'retriable',
    `${pipeline.source.name}[${partition}] does not hold the next offset; it is opened again`,
  )
}
