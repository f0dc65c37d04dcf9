// A P1 telegram (DSMR, Luxembourg): an identification line that begins with "/", data lines, "!" and a checksum. It is text, not A-XDR.
import type { Message } from './message.ts'

const exclamation = 0x21

/** Takes the rest as a P1 telegram; it is complete if a line begins with the end mark. The text is not interpreted further. */
export function readP1Text(bytes: Uint8Array, start: number, end: number): Message {
  let mark = -1
  for (let at = end - 1; at > start; at--) {
    if (bytes[at] === exclamation && bytes[at - 1] === 0x0a) {
      mark = at
      break
    }
  }
  return { kind: 'p1-telegram', bytes: bytes.subarray(start, end), complete: mark >= 0 }
}
