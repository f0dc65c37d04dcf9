// A P1 telegram (DSMR, Luxembourg): an identification line that begins with "/", data lines, and a last line of "!" with an optional checksum of
// four hexadecimal digits. It is text, not A-XDR, and often rides in general-glo with a public authentication key that authenticates nobody.
import { refuse } from '../reasons.ts'
import type { Message } from './message.ts'

const exclamation = 0x21
const lineFeed = 0x0a

/** Takes the rest as a P1 telegram, which must end with its last line and fit its checksum, if there is one; the text is not interpreted. */
export function readP1Text(bytes: Uint8Array, start: number, end: number): Message {
  const mark = markOfLastLine(bytes, start, end)
  if (mark < 0) return refuse('frame_truncated', end)
  const digits = Buffer.from(bytes.subarray(mark + 1, mark + 5)).toString('latin1')
  if (/^[0-9A-F]{4}$/.test(digits) && Number.parseInt(digits, 16) !== crc16(bytes, start, mark + 1)) {
    refuse('checksum_mismatch', mark + 1)
  }
  return { kind: 'p1-telegram', bytes: bytes.subarray(start, end) }
}

function markOfLastLine(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[end - 1] !== lineFeed) return -1
  let at = bytes[end - 2] === 0x0d ? end - 2 : end - 1
  let digits = 0
  while (at > start && isHexDigit(bytes[at - 1] as number)) {
    at--
    digits++
  }
  const whole =
    (digits === 0 || digits === 4) && at - 2 > start && bytes[at - 1] === exclamation && bytes[at - 2] === lineFeed
  return whole ? at - 1 : -1
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46)
}

// CRC-16 of the P1 companion standard: polynomial 0x8005 reflected, from zero, over "/" to "!".
function crc16(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0
  for (let at = from; at < to; at++) {
    crc ^= bytes[at] as number
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  }
  return crc
}
