import { hash as digest } from 'node:crypto'
import type { Isolation, Log, LogRecord } from '../../connectors/contract.ts'
import type { AcceptedBatch } from '../../schemas/accepted-batch.ts'
import { hashPlace } from '../../schemas/accepted-link.ts'
import type { AnyTopic } from './stream.ts'
import type { Wire } from './wire.ts'

const zeroHash = new Uint8Array(32)

/** Everything of a link but its two hashes. */
export type LinkBody = Omit<AcceptedBatch, 'prev' | 'hash'>

/** Closes a link: its hash is SHA-256 over its encoding with the hash set to zero. */
export function link(topic: AnyTopic, prev: Uint8Array, body: LinkBody): AcceptedBatch {
  const open: AcceptedBatch = { ...body, prev, hash: zeroHash }
  return { ...open, hash: hashOf(topic.codec.encode(open)) }
}

/** Closes a link as `link` does, and gives the value of its record: encoded once, with the hash written into it. */
export function linkValue(wire: Wire, topic: AnyTopic, prev: Uint8Array, body: LinkBody) {
  const open: AcceptedBatch = { ...body, prev, hash: zeroHash }
  const value = wire.encode(topic, open)
  const { body: encoded } = wire.body(topic, value)
  const hash = hashOf(encoded)
  encoded.set(hash, hashPlace(encoded))
  return { link: { ...open, hash } satisfies AcceptedBatch, value }
}

const hashOf = (encoded: Uint8Array): Uint8Array => digest('sha256', encoded, 'buffer')

/** Hash before the first batch. */
export const genesis = zeroHash

const chunk = 4_096

/** The last committed record of a partition; compaction and markers may lie between it and the end. */
export async function readLast(log: Log, topic: string, partition: number): Promise<LogRecord | undefined> {
  const { first, end } = await log.bounds(topic, partition, 'read_committed')
  for (let back = 8n; ; back *= 8n) {
    const from = end - back > first ? end - back : first
    const records = await readRange(log, topic, partition, from, end)
    if (records.length > 0 || from === first) return records.at(-1)
  }
}

/** Reads the records [from, end) of a partition; committed ones only, unless told otherwise. */
export async function readRange(
  log: Log,
  topic: string,
  partition: number,
  from: bigint,
  end: bigint,
  isolation: Isolation = 'read_committed',
): Promise<LogRecord[]> {
  const all: LogRecord[] = []
  for await (const records of fetches(log, { topic, partition, from, end, isolation })) all.push(...records)
  return all
}

interface Range {
  readonly topic: string
  readonly partition: number
  readonly from: bigint
  readonly end: bigint
  readonly isolation: Isolation
}

/** The records [from, end) of a partition, a fetch at a time. */
export async function* fetches(log: Log, { topic, partition, from, end, isolation }: Range) {
  const reader = await log.read(topic, partition, from, isolation)
  try {
    for (let next = from; next < end; ) {
      const fetched = await reader.poll({ maxRecords: chunk, maxBytes: 4_000_000, waitMs: 1_000 })
      yield fetched.records.filter(({ offset }) => offset < end)
      if (fetched.next <= next && fetched.records.length === 0) break
      next = fetched.next
    }
  } finally {
    await reader.close()
  }
}

/** The newest record with this very value. */
export function findValue(records: readonly LogRecord[], value: Uint8Array): LogRecord | undefined {
  return records.findLast((record) => record.value !== null && Buffer.compare(record.value, value) === 0)
}
