import { writeLength } from './axdr.ts'
import { byteWriter } from './writer.ts'

/** Bytes before the APDU in a wrapper unit. */
export const wrapperHeader = 8

/**
 * Fills in the header of a TCP/UDP wrapper (IEC 62056-47) whose APDU stands at `unit[8]`: version 1, source and
 * destination port 1, length.
 */
export function fillWrapper(unit: Uint8Array): void {
  const length = unit.length - wrapperHeader
  unit[0] = 0
  unit[1] = 1
  unit[2] = 0
  unit[3] = 1
  unit[4] = 0
  unit[5] = 1
  unit[6] = length >>> 8
  unit[7] = length
}

/** A wrapper unit around an APDU. */
export function wrap(apdu: Uint8Array): Uint8Array {
  const unit = new Uint8Array(wrapperHeader + apdu.length)
  unit.set(apdu, wrapperHeader)
  fillWrapper(unit)
  return unit
}

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1
  return crc
})

/** CRC-16/X-25 over bytes [from, to): the check sequence of HDLC (ISO/IEC 13239), sent low byte first. */
export function checkSequence(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffff
  for (let i = from; i < to; i++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 0xff] as number)
  return ~crc & 0xffff
}

const flag = 0x7e
/** Unnumbered information; with the poll/final bit in the last frame of a message. */
const unnumbered = 0x03
const finalBit = 0x10
/** LLC header of the meter's side, in front of the APDU. */
export const logicalLink = Uint8Array.of(0xe6, 0xe7, 0x00)

/** Bytes of an HDLC frame before its information. */
export const hdlcLead = 9
/** Check sequence and closing flag. */
export const hdlcTail = 3

/**
 * HDLC frames of format type 3 (IEC 62056-46) for one message. The information is E6 E7 00 and the APDU, cut into
 * pieces of at most `maxInformation` bytes; every piece but the last has the segmentation bit.
 */
export function hdlcFrames(apdu: Uint8Array, maxInformation: number): readonly Uint8Array[] {
  const information = new Uint8Array(logicalLink.length + apdu.length)
  information.set(logicalLink)
  information.set(apdu, logicalLink.length)
  const frames: Uint8Array[] = []
  for (let from = 0; from < information.length; from += maxInformation) {
    const to = Math.min(from + maxInformation, information.length)
    const frame = new Uint8Array(hdlcLead + to - from + hdlcTail)
    frame.set(information.subarray(from, to), hdlcLead)
    fillHdlc(frame, to < information.length)
    frames.push(frame)
  }
  return frames
}

/**
 * Fills in an HDLC frame whose information stands at `frame[9]`: flag, format (type 3, segmentation bit, length), client
 * address, two-byte meter address, control, header check; after the information the frame check and a flag.
 */
export function fillHdlc(frame: Uint8Array, more: boolean): void {
  const length = frame.length - 2
  frame[0] = flag
  frame[1] = 0xa0 | (more ? 0x08 : 0) | (length >>> 8)
  frame[2] = length
  // client 0x10 as one byte; logical device 1, physical address 0x11 as two
  frame[3] = 0x21
  frame[4] = 0x02
  frame[5] = 0x23
  frame[6] = unnumbered | (more ? 0 : finalBit)
  const header = checkSequence(frame, 1, 7)
  frame[7] = header
  frame[8] = header >>> 8
  const check = checkSequence(frame, 1, length - 1)
  frame[length - 1] = check
  frame[length] = check >>> 8
  frame[length + 1] = flag
}

/**
 * general-block-transfer (IEC 62056-5-3, 7.3.15): 0xE0, block control (last, streaming, window), block number,
 * acknowledged block, length, the next bytes of the APDU. Sent as a stream that asks for no acknowledgement.
 */
export function blocksOf(apdu: Uint8Array, maxBlock: number): readonly Uint8Array[] {
  const blocks: Uint8Array[] = []
  for (let from = 0; from < apdu.length; from += maxBlock) {
    const to = Math.min(from + maxBlock, apdu.length)
    const out = byteWriter(maxBlock + 10)
    out.u8(0xe0)
    out.u8(to === apdu.length ? 0xc0 : 0x40)
    out.u16(blocks.length + 1)
    out.u16(0)
    writeLength(out, to - from)
    out.bytes(apdu.subarray(from, to))
    blocks.push(out.take())
  }
  return blocks
}
