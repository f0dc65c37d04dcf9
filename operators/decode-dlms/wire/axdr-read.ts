// Reading single values from a tape: numbers without loss, strings, and a whole tree for those who want one.
import { type AxdrValue, isContainer, nextOf, offsetOf, sizeOf, tagOf } from './axdr.ts'
import { axdrName, axdrTag } from './axdr-types.ts'
import { uint16At, uint32At } from './cursor.ts'

/** Whether a tag is one of the integer types (bcd and enum are not: they carry codes, not quantities). */
export function isInteger(tag: number): boolean {
  return (tag >= 5 && tag <= 6) || (tag >= 15 && tag <= 18) || tag === 20 || tag === 21 || (tag >= 28 && tag <= 33)
}

/** A 64-bit or smaller integer as a number when it is exact (up to 2^53), else as a bigint; `undefined` for any other type. */
export function integerAt(bytes: Uint8Array, tag: number, at: number): number | bigint | undefined {
  switch (tag) {
    case axdrTag.doubleLong:
    case axdrTag.deltaDoubleLong:
      return uint32At(bytes, at) | 0
    case axdrTag.doubleLongUnsigned:
    case axdrTag.deltaDoubleLongUnsigned:
      return uint32At(bytes, at)
    case axdrTag.integer:
    case axdrTag.deltaInteger:
      return ((bytes[at] as number) << 24) >> 24
    case axdrTag.long:
    case axdrTag.deltaLong:
      return (uint16At(bytes, at) << 16) >> 16
    case axdrTag.unsigned:
    case axdrTag.deltaUnsigned:
      return bytes[at] as number
    case axdrTag.longUnsigned:
    case axdrTag.deltaLongUnsigned:
      return uint16At(bytes, at)
    case axdrTag.long64:
      return narrow(uint32At(bytes, at) | 0, uint32At(bytes, at + 4))
    case axdrTag.long64Unsigned:
      return narrow(uint32At(bytes, at), uint32At(bytes, at + 4))
    default:
      return undefined
  }
}

function narrow(high: number, low: number): number | bigint {
  const value = high * 4_294_967_296 + low
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low)
}

/** IEEE 754 value of a float32 or float64 at a checked place. */
export function floatAt(bytes: Uint8Array, tag: number, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, tag === axdrTag.float32 ? 4 : 8)
  return tag === axdrTag.float32 ? view.getFloat32(0) : view.getFloat64(0)
}

/** Bits in the order of transmission, as `0` and `1`. */
export function bitsAt(bytes: Uint8Array, at: number, bits: number): string {
  let text = ''
  for (let bit = 0; bit < bits; bit++) text += (((bytes[at + (bit >> 3)] as number) >> (7 - (bit & 7))) & 1).toString()
  return text
}

/** Lower-case hexadecimal of `bytes[at..at + length)`. */
export function hexAt(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('hex')
}

/** A value as a tree. Types that only differ in width keep their own name, so that an encoder can give back the same bytes. */
export type DataTree =
  | { readonly type: 'array' | 'structure' | 'compact-array'; readonly elements: readonly DataTree[] }
  | { readonly type: 'null-data' }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'bit-string'; readonly value: string }
  | {
      readonly type: 'octet-string' | 'visible-string' | 'utf8-string' | 'date-time' | 'date' | 'time'
      readonly value: Uint8Array
    }
  | { readonly type: 'float32' | 'float64'; readonly value: number }
  | { readonly type: 'bcd' | 'enum'; readonly value: number }
  | { readonly type: IntegerType; readonly value: number | bigint }

/** Names of the integer types. */
export type IntegerType =
  | 'double-long'
  | 'double-long-unsigned'
  | 'integer'
  | 'long'
  | 'unsigned'
  | 'long-unsigned'
  | 'long64'
  | 'long64-unsigned'
  | 'delta-integer'
  | 'delta-long'
  | 'delta-double-long'
  | 'delta-unsigned'
  | 'delta-long-unsigned'
  | 'delta-double-long-unsigned'

/** Materialises a node and everything inside it. Depth is bounded, since the tape was read within limits. */
export function dataTree(value: AxdrValue, node = value.root): DataTree {
  return treeAt(value.bytes, value.words, node)
}

function treeAt(bytes: Uint8Array, words: Int32Array, node: number): DataTree {
  const tag = tagOf(words, node)
  const at = offsetOf(words, node)
  // The two types that pushes are made of come first.
  if (tag === axdrTag.doubleLongUnsigned) return { type: 'double-long-unsigned', value: uint32At(bytes, at) }
  const size = sizeOf(words, node)
  if (tag === axdrTag.octetString) return { type: 'octet-string', value: viewOf(bytes, at, size) }
  if (isContainer(tag)) {
    const elements: DataTree[] = []
    const end = nextOf(words, node)
    for (let child = node + 1; child < end; child = nextOf(words, child)) elements.push(treeAt(bytes, words, child))
    return { type: axdrName[tag] as 'array' | 'structure' | 'compact-array', elements }
  }
  switch (tag) {
    case axdrTag.nullData:
      return { type: 'null-data' }
    case axdrTag.boolean:
      return { type: 'boolean', value: bytes[at] !== 0 }
    case axdrTag.bitString:
      return { type: 'bit-string', value: bitsAt(bytes, at, size) }
    case axdrTag.float32:
    case axdrTag.float64:
      return { type: axdrName[tag] as 'float32' | 'float64', value: floatAt(bytes, tag, at) }
    case axdrTag.bcd:
    case axdrTag.enum:
      return { type: axdrName[tag] as 'bcd' | 'enum', value: bytes[at] as number }
    case axdrTag.visibleString:
    case axdrTag.utf8String:
    case axdrTag.dateTime:
    case axdrTag.date:
    case axdrTag.time:
      return { type: axdrName[tag] as 'visible-string', value: viewOf(bytes, at, size) }
    default:
      return { type: axdrName[tag] as IntegerType, value: integerAt(bytes, tag, at) as number | bigint }
  }
}

function viewOf(bytes: Uint8Array, at: number, size: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, size)
}
