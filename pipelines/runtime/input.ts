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

/** Fences older owners, then goes on with `open`; what was opened is closed if that fails. */
export async function fenced<T>(task: TaskContext, open: (producer: Transactor) => Promise<T>): Promise<T> {
  const { pipeline, partition, ports, options, observer } = task
  observer.assignment(pipeline.name, partition, 'assigned')
  const id = transactionalId(pipeline, partition)
  const producer = await stepping(task, 'fence', () => ports.log.open(id, { timeoutMs: options.transactionTimeoutMs }))
  return orClose(producer, () => open(producer))
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
