// TCP/UDP wrapper of IEC 62056-47 (port 4059): version (2, 0001) | source (2) | destination (2) | length (2) | APDU
import { uint16At } from './cursor.ts'
import type { Inspection } from './hdlc.ts'

/** Length of the header in bytes. */
export const wrapperHeader = 8

/** Looks at the wrapper at `at`: version, and whether the announced APDU is there. The APDU is `[at + 8, at + 8 + length)`. */
export function inspectWrapper(bytes: Uint8Array, at: number, end: number): Inspection {
  if (end - at < wrapperHeader) {
    const wrong = (end - at > 0 && bytes[at] !== 0) || (end - at > 1 && bytes[at + 1] !== 1)
    return wrong ? 'frame_missing' : 'incomplete'
  }
  if (uint16At(bytes, at) !== 1) return 'frame_missing'
  return at + wrapperHeader + uint16At(bytes, at + 6) > end ? 'incomplete' : undefined
}

/** Length of the APDU that the wrapper at `at` announces; its eight bytes must be there. */
export function wrapperLength(bytes: Uint8Array, at: number): number {
  return uint16At(bytes, at + 6)
}
