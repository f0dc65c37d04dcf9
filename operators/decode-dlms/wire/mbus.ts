// Wired M-Bus long frames as DLMS/COSEM uses them (EN 13757-2, EN 13757-3 annex):
//   68 L L 68 | C (53) | A (FF) | CI (low nibble: sequence, bit 4: final) | STSAP | DTSAP | data | sum of the bytes after 68 | 16
// L counts from C to the last data byte. Some meters send 256 to 260 bytes and let the length byte wrap: a value below 5 cannot be a
// real length (the header alone is 5), so it means 256 + L.
import type { Inspection } from './hdlc.ts'

/** First and fourth byte of a long frame. */
export const mbusStart = 0x68

/** Longest frame in bytes: a length of 260 with start, check and stop. */
export const mbusMaximum = 260 + 6

/** Where the fields of a frame lie. Offsets are into the bytes that were inspected. */
export interface MbusFrame {
  /** Offset of the first start byte. */
  at: number
  /** Bytes from C to the last data byte, after undoing the wrap. */
  length: number
  /** The length byte on the wire was below 5. */
  wrapped: boolean
  sequence: number
  final: boolean
  dataAt: number
  dataEnd: number
}

/** A blank frame description, to be filled by `inspectMbus`. */
export function mbusFrame(): MbusFrame {
  return { at: 0, length: 0, wrapped: false, sequence: 0, final: false, dataAt: 0, dataEnd: 0 }
}

/**
 * Looks at the frame that starts at `at` and fills `frame`; the sum runs only over a frame whose stop byte is in place.
 * @param most longest frame in bytes; one that announces more is `frame_oversize` before the rest has come.
 */
export function inspectMbus(
  bytes: Uint8Array,
  at: number,
  end: number,
  frame: MbusFrame,
  most: number = mbusMaximum,
): Inspection {
  if (end - at < 4) return 'incomplete'
  const claimed = bytes[at + 1] as number
  if (bytes[at] !== mbusStart || bytes[at + 3] !== mbusStart || bytes[at + 2] !== claimed) return 'frame_missing'
  const wrapped = claimed < 5
  const length = wrapped ? claimed + 256 : claimed
  frame.at = at
  frame.length = length
  frame.wrapped = wrapped
  if (length + 6 > most) return 'frame_oversize'
  const checkAt = at + 4 + length
  if (checkAt + 2 > end) return 'incomplete'
  const control = bytes[at + 6] as number
  frame.sequence = control & 0x0f
  frame.final = (control & 0x10) !== 0
  frame.dataAt = at + 9
  frame.dataEnd = checkAt
  if (bytes[checkAt + 1] !== 0x16) return 'frame_length_mismatch'
  return sumOf(bytes, at + 4, checkAt) === bytes[checkAt] ? undefined : 'checksum_mismatch'
}

function sumOf(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0
  for (let at = from; at < to; at++) sum += bytes[at] as number
  return sum & 0xff
}
