// HDLC frames of IEC 62056-46 (frame type 3), between two 0x7E flags:
//   format (2: type 1010, segmentation bit, 11-bit length) | destination (1, 2 or 4) | source (1, 2 or 4) | control (1)
//   | HCS (2, only with an information field) | information | FCS (2)
// The length counts everything between the flags. There is no byte stuffing, so 0x7E inside is data, and one flag may end a frame and begin the next.
import { crcGood, crcRun } from './crc.ts'
import type { DecodeReason } from './reasons.ts'

/** The flag that opens and closes a frame. */
export const hdlcFlag = 0x7e

/** Longest frame with both flags, in bytes: the length field has 11 bits. */
export const hdlcMaximum = 2047 + 2

/** Where the fields of a frame lie. Offsets are into the bytes that were inspected. */
export interface HdlcFrame {
  /** Offset of the format field, one after the opening flag. */
  at: number
  /** Value of the length field. */
  length: number
  /** More segments of the same message follow. */
  segmented: boolean
  destinationAt: number
  sourceAt: number
  controlAt: number
  control: number
  /** Information field `[informationAt, informationEnd)`; equal if there is none. */
  informationAt: number
  informationEnd: number
}

/** A blank frame description, to be filled by `inspectHdlc`. */
export function hdlcFrame(): HdlcFrame {
  return {
    at: 0,
    length: 0,
    segmented: false,
    destinationAt: 0,
    sourceAt: 0,
    controlAt: 0,
    control: 0,
    informationAt: 0,
    informationEnd: 0,
  }
}

/** What an inspection says: `undefined` for a good frame, `incomplete` if more bytes may complete it, or why it is refused. */
export type Inspection = DecodeReason | 'incomplete' | undefined

/**
 * Looks at the frame whose format field is at `at` and fills `frame`. The header check is tested as soon as the header is there, so a
 * false start never makes a reader wait for a length that it only claims; the frame check runs only over a frame whose closing flag is in place.
 * @param most longest frame with both flags in bytes; a good header that announces more is `frame_oversize` before the rest has come.
 */
export function inspectHdlc(
  bytes: Uint8Array,
  at: number,
  end: number,
  frame: HdlcFrame,
  most: number = hdlcMaximum,
): Inspection {
  if (end - at < 2) return end - at === 1 && ((bytes[at] as number) & 0xf0) !== 0xa0 ? 'frame_missing' : 'incomplete'
  const format = bytes[at] as number
  if ((format & 0xf0) !== 0xa0) return 'frame_missing'
  const length = ((format & 0x07) << 8) | (bytes[at + 1] as number)
  frame.at = at
  frame.length = length
  frame.segmented = (format & 0x08) !== 0
  if (length < 7) return 'frame_length_mismatch'
  const destinationAt = at + 2
  const sourceAt = addressEnd(bytes, destinationAt, end)
  if (sourceAt <= 0) return sourceAt === 0 ? 'incomplete' : 'frame_missing'
  const controlAt = addressEnd(bytes, sourceAt, end)
  if (controlAt <= 0) return controlAt === 0 ? 'incomplete' : 'frame_missing'
  if (controlAt >= end) return 'incomplete'
  frame.destinationAt = destinationAt
  frame.sourceAt = sourceAt
  frame.controlAt = controlAt
  frame.control = bytes[controlAt] as number
  const headerEnd = controlAt + 1
  const header = headerEnd - at
  const closing = at + length
  let register: number
  let checkedTo: number
  if (length === header + 2) {
    frame.informationAt = headerEnd
    register = crcRun(bytes, at, headerEnd)
    checkedTo = headerEnd
  } else {
    if (length < header + 5) return 'frame_length_mismatch'
    if (headerEnd + 2 > end) return 'incomplete'
    register = crcRun(bytes, at, headerEnd + 2)
    if (register !== crcGood) return 'hcs_mismatch'
    if (length + 2 > most) return 'frame_oversize'
    frame.informationAt = headerEnd + 2
    checkedTo = headerEnd + 2
  }
  frame.informationEnd = closing - 2
  if (closing >= end) return 'incomplete'
  if (bytes[closing] !== hdlcFlag) return 'frame_length_mismatch'
  return crcRun(bytes, checkedTo, closing, register) === crcGood ? undefined : 'fcs_mismatch'
}

// Returns the offset after an address; 0 if bytes are missing, -1 if no byte ends it within 1, 2 or 4 bytes.
function addressEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0
  if ((bytes[at] as number) & 1) return at + 1
  if (at + 1 >= end) return 0
  if ((bytes[at + 1] as number) & 1) return at + 2
  if (at + 2 >= end) return 0
  if ((bytes[at + 2] as number) & 1) return -1
  if (at + 3 >= end) return 0
  return (bytes[at + 3] as number) & 1 ? at + 4 : -1
}

/** Whether the control byte announces user data: an unnumbered information frame or a numbered information frame. */
export function carriesData(control: number): boolean {
  return (control & 1) === 0 || (control & 0xef) === 0x03
}

/** Send sequence number of an information frame, 0 to 7; -1 for unnumbered information, which has none. */
export function sendSequence(control: number): number {
  return (control & 1) === 0 ? (control >> 1) & 7 : -1
}
