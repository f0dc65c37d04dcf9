import { refuse } from './reasons.ts'

/**
 * A bounded, forward-only place in a byte array. It reads `bytes[at..end)` and nothing else; no function here moves it back.
 * It is a plain object read by functions, so that one decode allocates one of them at most.
 */
export interface Cursor {
  readonly bytes: Uint8Array
  at: number
  readonly end: number
}

/** Opens a cursor over `bytes[start..end)`; the bytes are not copied. */
export function cursor(bytes: Uint8Array, start = 0, end: number = bytes.length): Cursor {
  return { bytes, at: start, end }
}

/** Number of bytes that are left. */
export function remaining(c: Cursor): number {
  return c.end - c.at
}

/** Reads one unsigned byte; refuses with `axdr_truncated` at the end. */
export function u8(c: Cursor): number {
  if (c.at >= c.end) refuse('axdr_truncated', c.at)
  return c.bytes[c.at++] as number
}

/** Reads a big-endian 16-bit unsigned integer. */
export function u16(c: Cursor): number {
  const at = c.at
  if (at + 2 > c.end) refuse('axdr_truncated', at)
  c.at = at + 2
  return ((c.bytes[at] as number) << 8) | (c.bytes[at + 1] as number)
}

/** Reads a big-endian 32-bit unsigned integer. */
export function u32(c: Cursor): number {
  const at = c.at
  if (at + 4 > c.end) refuse('axdr_truncated', at)
  c.at = at + 4
  return uint32At(c.bytes, at)
}

/** Steps over `count` bytes and returns where they began. */
export function skip(c: Cursor, count: number): number {
  const at = c.at
  if (count > c.end - at) refuse('axdr_truncated', at)
  c.at = at + count
  return at
}

/** Takes the next `count` bytes as a view (no copy). */
export function take(c: Cursor, count: number): Uint8Array {
  const at = skip(c, count)
  return c.bytes.subarray(at, at + count)
}

/** Refuses with `apdu_trailing_bytes` unless everything was read. */
export function finish(c: Cursor): void {
  if (c.at !== c.end) refuse('apdu_trailing_bytes', c.at)
}

/**
 * Reads an A-XDR length (IEC 61334-6): below 0x80 itself, 0x81..0x84 then one to four bytes. Longer forms than needed are legal and
 * sent by real meters; 0x80 and more than four bytes are not. It does not compare with what is left, since counts use the same form.
 */
export function lengthPrefix(c: Cursor): number {
  const first = u8(c)
  if (first < 0x80) return first
  const at = c.at - 1
  if (first === 0x80 || first > 0x84) refuse('length_invalid', at)
  let value = 0
  for (let left = first & 0x0f; left > 0; left--) value = value * 256 + u8(c)
  return value
}

/** Reads a length and checks that so many bytes are left, before anything is allocated. */
export function byteLength(c: Cursor): number {
  const at = c.at
  const value = lengthPrefix(c)
  if (value > c.end - c.at) refuse('axdr_truncated', at)
  return value
}

/** Big-endian 16-bit unsigned integer at a checked place. */
export function uint16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

/** Big-endian 32-bit unsigned integer at a checked place. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}
