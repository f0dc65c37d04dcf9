import { isUtf8 } from 'node:buffer'
import type { AcceptedBatch } from './accepted-batch.ts'
import { CodecError } from './codec.ts'

/*
 * Reads encoded records of `meter.accepted` where they lie. A rebuild goes through every cell of a horizon, of which it
 * keeps the newest value only: making objects of all of them would take most of its time.
 */

/** What a link says of itself and its place in the chain, without its cells. The hashes are copies. */
export type LinkHead = Omit<AcceptedBatch, 'tables'>

/** Told of cells in the order in which they are written. */
export interface CellSink {
  /** The cells that follow are of this table. */
  readonly table: (name: string) => void
  /** One cell: its value is what stands in the record from byte `from` up to byte `to`. */
  readonly cell: (index: number, day: number, from: number, to: number) => void
}

const hashBytes = 32
const record = 'accepted-batch'
const kinds = ['batch', 'marker'] as const

/**
 * Where the hash of a link stands in its encoding: behind kind, seq and prev, which come first in every version of the
 * schema, so that a link is verified as it was written. Throws `CodecError` on bytes that end before.
 */
export function hashPlace(body: Uint8Array): number {
  const scan = scanner(body)
  scan.long()
  scan.long()
  scan.skip(hashBytes)
  const at = scan.at()
  scan.skip(hashBytes)
  return at
}

/** Reads everything of a record but its cells; throws `CodecError` on bytes that the schema does not describe. */
export function readHead(body: Uint8Array): LinkHead {
  return headOf(scanner(body))
}

/**
 * Tells the cells of a record. Throws `CodecError` on any bytes that the schema does not describe, by then perhaps having
 * told some of them. Work is linear in the bytes, and nothing is allocated by what they claim.
 */
export function scanCells(body: Uint8Array, sink: CellSink): void {
  const scan = scanner(body)
  headOf(scan)
  scan.tables(sink)
}

function headOf(scan: Scanner): LinkHead {
  const kind = kinds[scan.long()]
  if (kind === undefined) return scan.refuse('an enum names no symbol')
  const seq = scan.long()
  const prev = scan.take(hashBytes)
  const hash = scan.take(hashBytes)
  const inFrom = BigInt(scan.long())
  const inTo = BigInt(scan.long())
  return { kind, seq, prev, hash, inFrom, inTo, floor: scan.long(), progress: scan.long() }
}

interface Scanner {
  readonly at: () => number
  readonly long: () => number
  readonly skip: (length: number) => void
  readonly take: (length: number) => Uint8Array
  readonly tables: (sink: CellSink) => void
  readonly refuse: (detail: string) => never
}

/** Avro 1.11 specification, "Binary Encoding". */
function scanner(bytes: Uint8Array): Scanner {
  const { length } = bytes
  let at = 0

  const refuse = (detail: string): never => {
    throw new CodecError(record, `${detail} at byte ${at}`)
  }
  const skip = (count: number): void => {
    if (count < 0 || count > length - at) refuse('a value is longer than what is left')
    at += count
  }
  /** The rest of a zig-zag number whose first byte was `first`. */
  const rest = (first: number, maxBytes: number): number => {
    let value = first & 0x7f
    for (let scale = 128, read = 1; ; scale *= 128, read += 1) {
      if (read === maxBytes) refuse('a number is too long')
      const byte = bytes[at]
      if (byte === undefined) return refuse('the record ends inside a number')
      at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }
  const number = (maxBytes: number): number => {
    const first = bytes[at]
    if (first === undefined) return refuse('the record ends inside a number')
    at += 1
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    const second = bytes[at]
    if (second !== undefined && second < 0x80) {
      at += 1
      const value = (first & 0x7f) | (second << 7)
      return (value >>> 1) ^ -(value & 1)
    }
    const third = bytes[at + 1]
    if (third !== undefined && third < 0x80) {
      at += 2
      const value = (first & 0x7f) | ((second! & 0x7f) << 7) | (third << 14)
      return (value >>> 1) ^ -(value & 1)
    }
    return rest(first, maxBytes)
  }
  const long = (): number => {
    const value = number(10)
    if (value > maxLong || value < -maxLong) refuse('a number exceeds 53 bits')
    return value
  }
  const int = (): number => {
    const value = number(5)
    if (value > 0x7fffffff || value < -0x80000000) refuse('a number exceeds 32 bits')
    return value
  }
  const text = (): string => {
    const size = long()
    const from = at
    skip(size)
    const part = bytes.subarray(from, at)
    if (!isUtf8(part)) refuse('a text is not UTF-8')
    return Buffer.from(part.buffer, part.byteOffset, part.length).toString()
  }
  /** Items of the next block of an array; 0 at its end. Every item takes a byte at least. */
  const block = (): number => {
    let count = long()
    if (count < 0) {
      count = -count
      if (long() < 0) refuse('a block size is negative')
    }
    if (count > length - at) refuse('an array has more items than bytes are left')
    return count
  }
  const cells = (sink: CellSink): void => {
    for (let count = block(); count > 0; count = block()) {
      for (let item = 0; item < count; item++) {
        const index = int()
        const day = int()
        const size = number(10)
        const from = at
        if (size < 0 || size > length - from) refuse('a value is longer than what is left')
        at = from + size
        sink.cell(index, day, from, at)
      }
    }
  }
  return {
    at: () => at,
    long,
    skip,
    take: (count) => {
      const from = at
      skip(count)
      return new Uint8Array(bytes.subarray(from, at))
    },
    tables: (sink) => {
      for (let count = block(); count > 0; count = block()) {
        for (let item = 0; item < count; item++) {
          sink.table(text())
          cells(sink)
        }
      }
      if (at !== length) refuse('bytes follow the record')
    },
    refuse,
  }
}

/** As every codec of ours: avsc refuses the last few safe integers as well. */
const maxLong = 9_007_199_254_740_990
