import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type Isolation,
  type Log,
  LogError,
  type LogErrorCode,
  type LogRecord,
  type Membership,
  type OutgoingRecord,
  type TopicSpec,
  type Transactor,
} from '../../connectors/contract.ts'

/** What a suite needs of an implementation. Every test has topics, groups and ids of its own. */
export interface LogHarness {
  readonly log: Log
  /** A second client of the same log; `log` itself where one process can have only one. */
  readonly other: Log
  /** Compacts a topic now, where that can be asked for. */
  readonly compact?: (topic: string) => Promise<void>
  /** Puts every member out of a group, as missed heartbeats do: none of them is told. */
  readonly expel: (group: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** The harness of an in-process log over its own way to evict a member. */
export function evicting(
  log: Log,
  evict: (membership: Membership) => void,
): { readonly log: Log; readonly expel: LogHarness['expel'] } {
  const joined = new Map<string, Membership[]>()
  return {
    log: {
      ...log,
      join: async (group, ...rest) => {
        const membership = await log.join(group, ...rest)
        joined.set(group, [...(joined.get(group) ?? []), membership])
        return membership
      },
    },
    expel: async (group) => {
      for (const membership of joined.get(group) ?? []) evict(membership)
    },
  }
}

/** Long enough for a real broker on a busy machine; tests of the suite itself, which must fail, wait less. */
export const patienceMs = Number(process.env['MV_PATIENCE_MS'] ?? 30_000)

const transactionTimeoutMs = 15_000

export const unique = (what: string): string => `conformance-${what}-${randomUUID()}`

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array | null): string | null =>
  value === null ? null : new TextDecoder().decode(value)
export const texts = (records: readonly LogRecord[]): (string | null)[] => records.map(({ value }) => text(value))

/** Tries again while the log says that a call may be tried again. */
export async function steadily<T>(call: () => Promise<T>): Promise<T> {
  const until = Date.now() + patienceMs
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== 'retriable' || Date.now() > until) throw error
      await pause(10)
    }
  }
}

/** Waits until `condition` holds. */
export async function eventually(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const until = Date.now() + patienceMs
  while (!(await condition())) {
    if (Date.now() > until) assert.fail(`not within ${patienceMs} ms: ${what}`)
    await pause(10)
  }
}

export async function rejectsWith(code: LogErrorCode, call: () => Promise<unknown>): Promise<void> {
  await assert.rejects(steadily(call), (error) => {
    assert.ok(error instanceof LogError, `a LogError with code ${code}, not ${String(error)}`)
    assert.equal(error.code, code)
    return true
  })
}

export async function topic(log: Log, settings: Partial<TopicSpec> = {}): Promise<string> {
  const name = unique('topic')
  const spec: TopicSpec = { name, partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null }
  await steadily(() => log.createTopics([{ ...spec, ...settings, name }]))
  return name
}

export const record = (name: string, value: string, partition = 0, key: string | null = null): OutgoingRecord => ({
  topic: name,
  partition,
  key: key === null ? null : bytes(key),
  value: bytes(value),
})

/**
 * A transactor whose calls wait out what may be tried again. Kafka answers an end before it has written the markers, so
 * its ends also wait until each partition that was sent to has grown by one.
 */
export async function open(
  log: Log,
  id = unique('id'),
  timeoutMs = transactionTimeoutMs,
): Promise<Transactor & { readonly id: string }> {
  const transactor = await steadily(() => log.open(id, { timeoutMs }))
  const endOf = async (name: string, partition: number): Promise<bigint> =>
    (await steadily(() => log.bounds(name, partition, 'read_uncommitted'))).end
  const sent = new Map<string, readonly [name: string, partition: number]>()
  const end = async (outcome: 'commit' | 'abort'): Promise<void> => {
    const before = await Promise.all([...sent.values()].map(([name, partition]) => endOf(name, partition)))
    await steadily(transactor[outcome])
    for (const [index, [name, partition]] of [...sent.values()].entries()) {
      await eventually(`the marker is in ${partition}`, async () => (await endOf(name, partition)) > before[index]!)
    }
    sent.clear()
  }
  return {
    id,
    begin: () => steadily(transactor.begin),
    sendOffsets: (...offsets) => steadily(() => transactor.sendOffsets(...offsets)),
    send: async (records) => {
      await steadily(() => transactor.send(records))
      for (const { topic, partition } of records) sent.set(`${topic}/${partition}`, [topic, partition])
    },
    commit: () => end('commit'),
    abort: () => end('abort'),
    close: transactor.close,
  }
}

export interface ReadOptions {
  readonly isolation?: Isolation
  readonly partition?: number
  readonly from?: bigint
  /** How far to read; the partition's end at the time of the call by default. */
  readonly until?: bigint
}

/** Everything a reader sees up to an offset, and where it stands then. */
export async function readAll(
  log: Log,
  name: string,
  { isolation = 'read_committed', partition = 0, from = 0n, until }: ReadOptions = {},
): Promise<{ readonly records: readonly LogRecord[]; readonly next: bigint }> {
  const end = until ?? (await steadily(() => log.bounds(name, partition, isolation))).end
  const reader = await steadily(() => log.read(name, partition, from, isolation))
  const records: LogRecord[] = []
  let next = from
  await eventually(`${isolation} reader of a topic stands at ${end}`, async () => {
    if (next >= end) return true
    const fetched = await steadily(() => reader.poll({ maxRecords: 10_000, maxBytes: 8_000_000, waitMs: 200 }))
    records.push(...fetched.records)
    assert.ok(fetched.next >= next, 'a reader never goes back')
    next = fetched.next
    return next >= end
  })
  await reader.close()
  return { records, next }
}

export async function committedEnd(log: Log, name: string, partition = 0): Promise<bigint> {
  return (await steadily(() => log.bounds(name, partition, 'read_committed'))).end
}

/** One transaction with these records. */
export async function commitAll(transactor: Transactor, records: readonly OutgoingRecord[]): Promise<void> {
  await transactor.begin()
  await transactor.send(records)
  await transactor.commit()
}
