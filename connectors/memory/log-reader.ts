import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Isolation, LogError, type Reader } from '../contract.ts'
import { type Broker, waitOver } from './log-broker.ts'
import { boundOf, type Cursor, type Partition, requireInRange, take } from './log-partition.ts'

/**
 * Opens a reader at `from`. Its polls are answered in order; one at a time may be open. Each poll lets the event loop
 * turn once, so that a loop over a full log cannot starve timers and signals.
 */
export function openReader(broker: Broker, partition: Partition, from: bigint, isolation: Isolation): Reader {
  const cursor: Cursor = { position: Number(from), index: 0, version: -1 }
  requireInRange(partition, cursor.position)
  const closing = new AbortController()
  return {
    poll: async ({ maxRecords, maxBytes, waitMs, signal }) => {
      broker.requireOpen()
      if (closing.signal.aborted) throw new LogError('closed', 'the reader is closed')
      await nextTurn()
      if (waitMs > 0) await somethingNew(broker, partition, cursor, isolation, waitMs, signal, closing.signal)
      broker.requireOpen()
      if (signal?.aborted || closing.signal.aborted) return { records: [], next: BigInt(cursor.position) }
      return take(partition, cursor, isolation, maxRecords, maxBytes)
    },
    close: async () => closing.abort(waitOver),
  }
}

/** Resolves when the reader can move, or the time is over, or a signal says so. One timer per wait, no polling. */
async function somethingNew(
  broker: Broker,
  partition: Partition,
  cursor: Cursor,
  isolation: Isolation,
  waitMs: number,
  signal: AbortSignal | undefined,
  closing: AbortSignal,
): Promise<void> {
  const canMove = () => boundOf(partition, isolation) > cursor.position || cursor.position < partition.first
  if (canMove()) return
  const woken = new AbortController()
  const waiter = () => {
    if (canMove()) woken.abort(waitOver)
  }
  const stop = () => woken.abort(waitOver)
  const signals = [broker.closing.signal, closing, ...(signal === undefined ? [] : [signal])]
  if (signals.some((each) => each.aborted)) return
  for (const each of signals) each.addEventListener('abort', stop, { once: true })
  partition.waiters.add(waiter)
  await broker.clock.sleep(waitMs, woken.signal)
  partition.waiters.delete(waiter)
  for (const each of signals) each.removeEventListener('abort', stop)
}
