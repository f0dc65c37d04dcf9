import type { ByteWriter } from './writer.ts'

/**
 * A-XDR data as meters send it (IEC 62056-6-2, 4.1.5; IEC 62056-5-3, A-XDR of IEC 61334-6): a type tag, then the value,
 * big-endian; strings, arrays and structures with a length in the short or long form.
 */
const tag = {
  null: 0,
  array: 1,
  structure: 2,
  doubleLongUnsigned: 6,
  octetString: 9,
  integer: 15,
  unsigned: 17,
  longUnsigned: 18,
  enumeration: 22,
} as const

/** Writes a length: one byte below 128, else 0x81 or 0x82 and the bytes of the number. */
export function writeLength(out: ByteWriter, length: number): void {
  if (length < 0x80) {
    out.u8(length)
  } else if (length < 0x100) {
    out.u8(0x81)
    out.u8(length)
  } else {
    out.u8(0x82)
    out.u16(length)
  }
}

/** Bytes that `writeLength` needs. */
export function lengthOfLength(length: number): number {
  return length < 0x80 ? 1 : length < 0x100 ? 2 : 3
}

/** null-data: no bytes after the tag. */
export function writeNull(out: ByteWriter): void {
  out.u8(tag.null)
}

/** Head of an array; its elements follow. */
export function writeArray(out: ByteWriter, elements: number): void {
  out.u8(tag.array)
  writeLength(out, elements)
}

/** Head of a structure; its elements follow. */
export function writeStructure(out: ByteWriter, elements: number): void {
  out.u8(tag.structure)
  writeLength(out, elements)
}

/** octet-string. */
export function writeOctets(out: ByteWriter, bytes: Uint8Array): void {
  out.u8(tag.octetString)
  writeLength(out, bytes.length)
  out.bytes(bytes)
}

/** int8. */
export function writeInteger(out: ByteWriter, value: number): void {
  out.u8(tag.integer)
  out.u8(value)
}

/** uint8. */
export function writeUnsigned(out: ByteWriter, value: number): void {
  out.u8(tag.unsigned)
  out.u8(value)
}

/** uint16. */
export function writeLongUnsigned(out: ByteWriter, value: number): void {
  out.u8(tag.longUnsigned)
  out.u16(value)
}

/** uint32. */
export function writeDoubleLongUnsigned(out: ByteWriter, value: number): void {
  out.u8(tag.doubleLongUnsigned)
  out.u32(value)
}

/** enum, one byte. */
export function writeEnum(out: ByteWriter, value: number): void {
  out.u8(tag.enumeration)
  out.u8(value)
}
