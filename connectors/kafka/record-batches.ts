import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type Headers, type Isolation, LogError, type LogRecord, type Oversize } from '../contract.ts'

/** One partition of an answer to a fetch (Fetch response, version 11, of the Kafka protocol). */
export interface FetchedPartition {
  readonly errorCode: number
  /** Aborted transactions that may reach into the batches, in any order. */
  readonly aborted: readonly { readonly producerId: bigint; readonly first: bigint }[]
  /** Record batches; the last one may be cut off. */
  readonly batches: Buffer
}

/** Reads the answer to a fetch of one partition. */
export function decodeFetch(answer: Buffer): FetchedPartition {
  const topErrorCode = answer.readInt16BE(4)
  const topics = answer.readInt32BE(10)
  if (topics === 0) return { errorCode: topErrorCode, aborted: [], batches: Buffer.alloc(0) }
  let at = 14
  at += 2 + answer.readInt16BE(at)
  at += 4 + 4
  const errorCode = answer.readInt16BE(at)
  at += 2 + 8 + 8 + 8
  const count = answer.readInt32BE(at)
  at += 4
  const aborted: { producerId: bigint; first: bigint }[] = []
  for (let index = 0; index < count; index++) {
    aborted.push({ producerId: answer.readBigInt64BE(at), first: answer.readBigInt64BE(at + 8) })
    at += 16
  }
  const length = answer.readInt32BE(at + 4)
  at += 8
  return { errorCode, aborted, batches: answer.subarray(at, at + Math.max(0, length)) }
}

const batchHeadBytes = 61
const transactional = 0x10
const control = 0x20
const stampedByLog = 0x08

/**
 * Records from offset `from` on that a reader of this isolation may see, and the offset after the last batch that was read:
 * past markers, aborted records and what compaction took out. Batches that would unpack to more than may be held at once
 * are left for the next fetch; of one that alone does, throws `LogError` `record_invalid`, or tells it as one record whose
 * `through` is its last offset.
 */
export function readBatches(
  { batches, aborted }: FetchedPartition,
  from: bigint,
  isolation: Isolation,
  oversize: Oversize = 'throw',
): { readonly records: LogRecord[]; readonly next: bigint } {
  const records: LogRecord[] = []
  let unpacked = 0
  let next = from
  // The broker lists them in the order in which they ended; each counts from its first offset on.
  const waiting = isolation === 'read_committed' ? [...aborted].sort((a, b) => Number(a.first - b.first)) : []
  const aborting = new Set<bigint>()
  for (let at = 0; at + batchHeadBytes <= batches.length && unpacked < mostUnpackedBytes; ) {
    const end = at + 12 + batches.readInt32BE(at + 8)
    if (end > batches.length) break
    if (batches[at + 16] !== 2) throw new LogError('corrupt', 'a record batch of a format before Kafka 0.11')
    const last = batches.readBigInt64BE(at) + BigInt(batches.readInt32BE(at + 23))
    const attributes = batches.readInt16BE(at + 21)
    const producerId = batches.readBigInt64BE(at + 43)
    while (waiting[0] !== undefined && waiting[0].first <= last) aborting.add(waiting.shift()!.producerId)
    if ((attributes & control) !== 0) {
      if (isAbortMarker(batches, at)) aborting.delete(producerId)
    } else if (last >= from && !((attributes & transactional) !== 0 && aborting.has(producerId))) {
      unpacked += readRecords(batches.subarray(at, end), from, records, oversize)
    }
    if (last >= next) next = last + 1n
    at = end
  }
  return { records, next }
}

/** The key of a control record is its version and its type, two bytes each; type 0 is an abort. */
function isAbortMarker(batches: Buffer, at: number): boolean {
  const reader = cursor(batches, at + batchHeadBytes)
  reader.varint()
  reader.at += 1
  reader.varint()
  reader.varint()
  return reader.varint() >= 4 && batches.readInt16BE(reader.at + 2) === 0
}

interface Cursor {
  at: number
  readonly varint: () => number
}

/** Reads zigzag varints. Values beyond 2^53 do not occur: they are lengths, counts, and ms since another stamp. */
function cursor(bytes: Buffer, start: number): Cursor {
  const self: Cursor = {
    at: start,
    varint: () => {
      let byte = bytes[self.at++]!
      if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
      let value = byte & 0x7f
      let scale = 0x80
      do {
        byte = bytes[self.at++]!
        value += (byte & 0x7f) * scale
        scale *= 0x80
      } while (byte >= 0x80)
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    },
  }
  return self
}

const noHeaders: Headers = Object.freeze({})

/** Records of one batch from offset `from` on. Answers about how many bytes they hold. */
function readRecords(batch: Buffer, from: bigint, into: LogRecord[], oversize: Oversize): number {
  const base = batch.readBigInt64BE(0)
  const attributes = batch.readInt16BE(21)
  const firstStamp = Number(batch.readBigInt64BE(27))
  const lastStamp = Number(batch.readBigInt64BE(35))
  const count = batch.readInt32BE(57)
  const body = count > mostRecords ? undefined : decompressed(attributes & 0x07, batch.subarray(batchHeadBytes))
  if (body === undefined) {
    const through = base + BigInt(batch.readInt32BE(23))
    if (oversize === 'throw') throw tooLarge(base, through)
    const offset = base > from ? base : from
    into.push({ offset, through, timestamp: lastStamp, key: null, value: batch, headers: noHeaders })
    return batch.length
  }
  const reader = cursor(body, 0)
  const take = (length: number): Buffer | null => {
    if (length < 0) return null
    reader.at += length
    return body.subarray(reader.at - length, reader.at)
  }
  let headers = noHeaders
  let headerBytes: Buffer = Buffer.alloc(0)
  for (let index = 0; index < count; index++) {
    const length = reader.varint()
    const end = reader.at + length
    reader.at += 1
    const stampDelta = reader.varint()
    const offset = base + BigInt(reader.varint())
    const key = take(reader.varint())
    const value = take(reader.varint())
    const headersAt = reader.at
    // Neighbours mostly carry the same headers, and making an object costs more than comparing bytes.
    if (!sameBytes(body, headersAt, end, headerBytes)) {
      headerBytes = body.subarray(headersAt, end)
      headers = readHeaders(reader, take)
    }
    reader.at = end
    if (offset < from) continue
    const timestamp = (attributes & stampedByLog) !== 0 ? lastStamp : firstStamp + stampDelta
    into.push({ offset, timestamp, key, value, headers })
  }
  return body.length + count * recordCost
}

const sameBytes = (body: Buffer, from: number, to: number, other: Buffer): boolean =>
  to - from === other.length && body.compare(other, 0, other.length, from, to) === 0

function readHeaders(reader: Cursor, take: (length: number) => Buffer | null): Headers {
  const count = reader.varint()
  if (count <= 0) return noHeaders
  const entries: [string, string][] = []
  for (let index = 0; index < count; index++) {
    const name = take(reader.varint())?.toString() ?? ''
    entries.push([name, take(reader.varint())?.toString() ?? ''])
  }
  return Object.fromEntries(entries)
}

/**
 * Bytes that a batch may unpack to. The broker bounds what it stores, which is compressed: 19 kB of zstd can be 600 MB, and
 * one such batch would end every process that reads it. A hundred thousand frames fit.
 */
export const mostUnpackedBytes = 67_108_864
/** Records of a batch: more than fit uncompressed into what a broker takes, at 7 bytes for an empty one. */
export const mostRecords = 262_144
/** About what a record costs in memory beside its bytes. */
const recordCost = 256

const tooLarge = (first: bigint, last: bigint) =>
  new LogError(
    'record_invalid',
    `the batch of offsets ${first} to ${last} holds more than ${mostUnpackedBytes} bytes or ${mostRecords} records once unpacked: have its producer send smaller ones`,
  )

/** The records of a batch as they were before compression; undefined if they are more than may be unpacked. */
function decompressed(codec: number, bytes: Buffer): Buffer | undefined {
  switch (codec) {
    case 0:
      return bytes
    case 1:
      return bounded(() => gunzipSync(bytes, { maxOutputLength: mostUnpackedBytes }))
    case 4:
      return bounded(() => zstdDecompressSync(bytes, { maxOutputLength: mostUnpackedBytes }))
    default:
      throw new LogError(
        'record_invalid',
        'a batch is compressed with Snappy or LZ4: set compression.type of the topic to uncompressed, zstd or gzip, and have what is stored already sent again',
      )
  }
}

function bounded(unpack: () => Buffer): Buffer | undefined {
  try {
    return unpack()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw error
  }
}
