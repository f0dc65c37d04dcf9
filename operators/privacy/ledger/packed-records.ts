// The public records of one seal, packed. Before compression:
//   version (1 byte) | count | count x ( key length | key in UTF-8 | body length | body )
// with every number an unsigned LEB128. A body is a record's bytes without its last 32: those are the hash of the link
// that carries the pack, which cannot contain itself and is put back when the pack is opened.
import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** One record as it is to be published. */
export interface PackedRecord {
  readonly key: string
  readonly bytes: Uint8Array
}

/** Bytes that are no pack, or no record that can be packed. Carries no content of the bytes. */
export class PackError extends Error {
  override readonly name = 'PackError'
}

/** What a public record holds in place of its ledger hash while the link is being made: 32 zero bytes. */
export const unlinkedHash: Uint8Array = new Uint8Array(32)

const version = 1
const hashLength = 32
const largestPack = 64 * 1_024 * 1_024
const smallestChunk = 256
const largestChunk = 65_536

/**
 * Packs records whose last 32 bytes are `unlinkedHash`. The same records give the same bytes on one build of zlib; what
 * counts is that `unpackRecords` gives them back exactly. Throws PackError where a record ends otherwise.
 */
export function packRecords(records: readonly PackedRecord[]): Uint8Array {
  let most = 1 + longestVarint
  for (const { key, bytes } of records) most += 2 * longestVarint + 3 * key.length + bytes.length
  const pack = Buffer.allocUnsafe(most)
  let end = putVarint(pack, records.length, pack.writeUInt8(version, 0))
  for (const { key, bytes } of records) {
    const cut = bytes.length - hashLength
    if (cut < 0 || Buffer.compare(bytes.subarray(cut), unlinkedHash) !== 0) {
      throw new PackError('a public record must end with the place for its ledger hash')
    }
    end = putVarint(pack, Buffer.byteLength(key, 'utf8'), end)
    end += pack.write(key, end, 'utf8')
    end = putVarint(pack, cut, end)
    pack.set(bytes.subarray(0, cut), end)
    end += cut
  }
  // Records differ in little but noise: more effort takes twice the time and saves a tenth. What comes out of a small
  // pack needs no chunk of the usual 16 KiB, which would take as long as the work.
  const chunkSize = Math.min(largestChunk, Math.max(smallestChunk, end))
  return new Uint8Array(deflateRawSync(pack.subarray(0, end), { level: 1, chunkSize }))
}

/**
 * The packed records in order, each with `hash` as its last 32 bytes. Throws PackError for bytes that are no pack, that
 * go on after the last record, or that hold another number of records than `count`.
 */
export function unpackRecords(packed: Uint8Array, hash: Uint8Array, count: number): PackedRecord[] {
  if (hash.length !== hashLength) throw new PackError('a ledger hash has 32 bytes')
  const reader = readVarints(inflate(packed))
  if (reader.byte() !== version) throw new PackError('the pack has an unknown version')
  if (reader.number() !== count) throw new PackError('the pack holds another number of records than its seal says')
  const records: PackedRecord[] = []
  for (let i = 0; i < count; i++) {
    const key = reader.text(reader.number())
    const body = reader.take(reader.number())
    // From the pool: small arrays of their own cost more than the copy.
    const { buffer, byteOffset, length } = Buffer.allocUnsafe(body.length + hashLength)
    const bytes = new Uint8Array(buffer, byteOffset, length)
    bytes.set(body)
    bytes.set(hash, body.length)
    records.push({ key, bytes })
  }
  if (!reader.atEnd()) throw new PackError('bytes follow the last record of the pack')
  return records
}

function inflate(packed: Uint8Array): Buffer {
  try {
    const chunkSize = Math.min(largestChunk, Math.max(smallestChunk, 4 * packed.length))
    return inflateRawSync(packed, { maxOutputLength: largestPack, chunkSize })
  } catch (cause) {
    throw new PackError('the pack does not decompress', { cause })
  }
}

/** A number below 2^28, as `readVarints` takes them. */
const longestVarint = 4

/** Writes a number at `at`; answers where it ends. */
function putVarint(into: Uint8Array, value: number, at: number): number {
  let rest = value
  let end = at
  while (rest > 0x7f) {
    into[end++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  into[end++] = rest
  return end
}

function readVarints(bytes: Buffer) {
  let at = 0
  const skip = (length: number): number => {
    if (at + length > bytes.length) throw new PackError('the pack ends inside a record')
    at += length
    return at - length
  }
  const byte = (): number => bytes[skip(1)]!
  const take = (length: number): Uint8Array => bytes.subarray(skip(length), at)
  const text = (length: number): string => bytes.toString('utf8', skip(length), at)
  const number = (): number => {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const next = byte()
      value |= (next & 0x7f) << shift
      if (next <= 0x7f) return value
    }
    throw new PackError('a number in the pack is too long')
  }
  return { byte, take, text, number, atEnd: () => at === bytes.length }
}
