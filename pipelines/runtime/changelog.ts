import { createHash } from 'node:crypto'
import type { Isolation, Log, LogRecord } from '../../connectors/contract.ts'
import { HaltError } from '../../operators/contract/halt.ts'
import type { AcceptedBatch } from '../../schemas/accepted-batch.ts'
import type { AnyTopic } from './stream.ts'
import type { Wire } from './wire.ts'

const zeroHash = new Uint8Array(32)

/** Everything of a link but its two hashes. */
export type LinkBody = Omit<AcceptedBatch, 'prev' | 'hash'>

/** Closes a link: its hash is SHA-256 over its encoding with the hash set to zero. */
export function link(topic: AnyTopic, prev: Uint8Array, body: LinkBody): AcceptedBatch {
  const open: AcceptedBatch = { ...body, prev, hash: zeroHash }
  return { ...open, hash: createHash('sha256').update(topic.codec.encode(open)).digest() }
}

/** Hash before the first batch. */
export const genesis = zeroHash

function sound(topic: AnyTopic, record: AcceptedBatch): boolean {
  const { hash } = link(topic, record.prev, record)
  return Buffer.compare(hash, record.hash) === 0
}

/** The committed changelog of one partition, read as a chain. */
export interface Changelog {
  /** Links from the one after `seq` to the last, or undefined where the chain no longer reaches back to `seq`. */
  readonly after: (seq: number, hash: string) => AcceptedBatch[] | undefined
  /** Every link that is retained, oldest first. */
  readonly links: readonly AcceptedBatch[]
  readonly last: AcceptedBatch | undefined
  /** Whether the read reached a marker with this value. */
  readonly reaches: (marker: Uint8Array) => boolean
}

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
  const reader = await log.read(topic, partition, from, isolation)
  const all: LogRecord[] = []
  try {
    for (let next = from; next < end; ) {
      const fetched = await reader.poll({ maxRecords: chunk, maxBytes: 16_000_000, waitMs: 1_000 })
      for (const record of fetched.records) if (record.offset < end) all.push(record)
      if (fetched.next <= next && fetched.records.length === 0) break
      next = fetched.next
    }
    return all
  } finally {
    await reader.close()
  }
}

/** The newest record with this very value. */
export function findValue(records: readonly LogRecord[], value: Uint8Array): LogRecord | undefined {
  return records.findLast((record) => record.value !== null && Buffer.compare(record.value, value) === 0)
}

/**
 * Reads the end of the changelog up to `want` links back, or all of it. Every link is checked against the one before it
 * and against its own hash; a gap, a twin or an altered link halts.
 */
export async function readChangelog(
  log: Log,
  wire: Wire,
  topic: AnyTopic,
  partition: number,
  reach: { readonly backTo: number } | 'whole',
): Promise<Changelog> {
  const { first, end } = await log.bounds(topic.name, partition, 'read_committed')
  let from = reach === 'whole' ? first : end > first + 64n ? end - 64n : first
  for (;;) {
    const records = await readRange(log, topic.name, partition, from, end)
    const links = records.flatMap((record) => {
      if (!record.value) return []
      const value = wire.decode(topic, record.value) as AcceptedBatch
      return value.kind === 'batch' ? [value] : []
    })
    verify(topic, partition, links)
    const reached =
      links[0] !== undefined && (links[0].seq === 1 || (reach !== 'whole' && links[0].seq <= reach.backTo))
    if (from === first || reached) return changelog(links, records)
    const back = (end - from) * 4n
    from = end - back > first ? end - back : first
  }
}

function changelog(links: AcceptedBatch[], records: readonly LogRecord[]): Changelog {
  return {
    links,
    last: links.at(-1),
    reaches: (marker) => findValue(records, marker) !== undefined,
    after: (seq, hash) => {
      if (seq === 0) return links.length === 0 || links[0]!.seq === 1 ? links : undefined
      const at = links.findIndex((one) => one.seq === seq)
      if (at < 0 || Buffer.from(links[at]!.hash).toString('hex') !== hash) return undefined
      return links.slice(at + 1)
    },
  }
}

function verify(topic: AnyTopic, partition: number, links: readonly AcceptedBatch[]): void {
  links.forEach((one, i) => {
    const before = links[i - 1]
    const follows = before === undefined || (one.seq === before.seq + 1 && Buffer.compare(one.prev, before.hash) === 0)
    if (follows && sound(topic, one)) return
    throw new HaltError(
      `the changelog ${topic.name}[${partition}] is broken at sequence ${one.seq}`,
      'Restore the topic from a replica, or declare its partition lost; do not start with a broken chain.',
    )
  })
}
