import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { type Fetched, type Isolation, LogError, type LogRecord, type Oversize, type Reader } from '../contract.ts'
import type { Directory } from './directory.ts'
import { failureOf, isRetriable, toLogError } from './errors.ts'
import type { Line } from './kafkajs-internals.ts'
import { decodeFetch, type FetchedPartition, readBatches } from './record-batches.ts'
import { now, within } from './retry.ts'

/** The longest a fetch waits at the broker: what a closing reader may leave behind. */
const longestWaitMs = 500
const smallestFetch = 65_536
const largestFetch = 8_388_608
const longestPauseMs = 250

interface Position {
  readonly topic: string
  readonly partition: number
  readonly from: bigint
  readonly isolation: Isolation
  readonly oversize: Oversize
}

/**
 * Reads one partition over a connection of its own, by fetch requests from an offset. kafkajs offers readers only as
 * members of a group, which join for tens of ms, hide markers, and see aborted records when transactions overlap.
 */
export function openReader(
  directory: Directory,
  { topic, partition, from, isolation, oversize }: Position,
  deadlineMs: number,
  closing: AbortSignal,
): Reader {
  const what = `reading ${topic}[${partition}]`
  let line: Line | undefined
  let closed = false
  /** Records read and not yet given out, the first of them, and the offset after all of them. */
  let held: readonly LogRecord[] = []
  let heldFrom = 0
  let ahead = from
  let underWay: Promise<FetchedPartition> | undefined

  const drop = () => {
    void line?.close().catch(() => {})
    line = undefined
  }
  const fetchOnce = async (maxBytes: number, waitMs: number): Promise<FetchedPartition> => {
    line ??= await directory.lineToLeader(topic, partition)
    if (closed || closing.aborted) drop()
    if (line === undefined) throw new LogError('closed', `${what}: the reader is closed`)
    const fetched = await within(
      deadlineMs,
      line.request(
        'Fetch',
        {
          replicaId: -1,
          isolationLevel: isolation === 'read_committed' ? 1 : 0,
          maxWaitTime: Math.round(waitMs),
          minBytes: 1,
          maxBytes,
          topics: [{ topic, partitions: [{ partition, fetchOffset: ahead.toString(), maxBytes }] }],
        },
        decodeFetch,
      ),
    )
    if (fetched.errorCode !== 0) throw Object.assign(new Error('fetch'), { code: fetched.errorCode })
    return fetched
  }
  const fetchSteadily = async (maxBytes: number, waitMs: number): Promise<FetchedPartition> => {
    const until = now() + deadlineMs
    for (let wait = 2; ; wait = Math.min(wait * 2, longestPauseMs)) {
      try {
        return await fetchOnce(maxBytes, waitMs)
      } catch (error) {
        const failure = failureOf(error)
        const again = isRetriable(failure) || (error instanceof LogError && error.code === 'retriable')
        if (failure.code === 1 || !again || now() > until || closed || closing.aborted) {
          throw toLogError(error, what, 'retriable')
        }
        drop()
        directory.forget(topic)
      }
      await pause(wait)
    }
  }
  const give = (maxRecords: number, maxBytes: number): Fetched => {
    const records: LogRecord[] = []
    let bytes = 0
    while (heldFrom < held.length && records.length < maxRecords) {
      const record = held[heldFrom]!
      bytes += sizeOf(record)
      if (records.length > 0 && bytes > maxBytes) break
      records.push(record)
      heldFrom += 1
    }
    return { records, next: held[heldFrom]?.offset ?? ahead }
  }
  const nothing = (): Fetched => ({ records: [], next: held[heldFrom]?.offset ?? ahead })

  // Owners that were killed close nothing; the log closes for them.
  closing.addEventListener('abort', drop, { once: true })
  return {
    poll: async ({ maxRecords, maxBytes, waitMs, signal }) => {
      if (closing.aborted || closed) throw new LogError('closed', `${what}: the reader is closed`)
      // A loop over a full partition must not starve timers and signals.
      await nextTurn()
      if (signal?.aborted) return nothing()
      if (heldFrom < held.length) return give(maxRecords, maxBytes)
      const until = now() + waitMs
      for (let left = waitMs; ; left = until - now()) {
        const wait = Math.max(0, Math.min(left, longestWaitMs))
        underWay ??= fetchSteadily(Math.min(Math.max(maxBytes, smallestFetch), largestFetch), wait)
        const fetched = await settled(underWay, signal, closing)
        if (fetched === undefined) return nothing()
        underWay = undefined
        if (fetched instanceof Error) throw fetched
        const { records, next } = readBatches(fetched, ahead, isolation, oversize)
        const moved = next > ahead
        held = records
        heldFrom = 0
        ahead = next
        if (moved || now() >= until) return give(maxRecords, maxBytes)
      }
    },
    close: async () => {
      closed = true
      closing.removeEventListener('abort', drop)
      underWay?.catch(() => {})
      drop()
    },
  }
}

/** What a fetch came to; undefined if a signal came first, in which case the fetch is for the next poll. */
async function settled(
  fetch: Promise<FetchedPartition>,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<FetchedPartition | Error | undefined> {
  const stopped = Promise.withResolvers<undefined>()
  const stop = () => stopped.resolve(undefined)
  for (const signal of signals) {
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop, { once: true })
  }
  const answer = fetch.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
  try {
    return await Promise.race([answer, stopped.promise])
  } finally {
    for (const signal of signals) signal?.removeEventListener('abort', stop)
  }
}

function sizeOf({ key, value, headers }: LogRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) bytes += name.length + headers[name]!.length
  return bytes
}
