import type { Fetched, LogRecord, Reader, Transactor } from '../../connectors/contract.ts'
import { HaltError } from '../../operators/contract/halt.ts'
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

/** Opens the input at `position`, or at its first record. Halts where input before the position's successor was deleted. */
export async function openInput(
  { pipeline: { source }, partition, ports }: TaskContext,
  position: bigint | undefined,
): Promise<Input & { readonly from: bigint }> {
  const { first } = await ports.log.bounds(source.name, partition, 'read_committed')
  const from = position ?? first
  if (from < first) {
    throw new HaltError(
      `${source.name}[${partition}] was cut at ${first}, but only input below ${from} is processed`,
      'The input in between is lost: raise its retention, then move the position on with the operations guide.',
    )
  }
  const reader = await ports.log.read(source.name, partition, from, 'read_committed')
  return { reader, rest: [], restNext: from, from }
}

/** The records that wait, or else the next fetch. */
export async function nextInput(task: TaskContext, input: Input): Promise<Fetched> {
  if (input.rest.length > 0) {
    const fetched = { records: input.rest, next: input.restNext }
    input.rest = []
    return fetched
  }
  const { maxRecords, maxBytes, lingerMs } = task.options
  return stepping(task, 'poll', () =>
    input.reader.poll({ maxRecords, maxBytes, waitMs: lingerMs, signal: task.signal }),
  )
}
