// The list of Czech distributors, not A-XDR as a whole:
//   02 02 | 16 enum | 01 count | count x ( 02 02 | class (2) | OBIS (6) | attribute (1) | A-XDR data )
import { type AxdrLimits, nodeCount, readValue, resultNodes } from '../axdr.ts'
import { type Cursor, finish, lengthPrefix, skip, u8, u16 } from '../cursor.ts'
import { obisLength } from '../obis.ts'
import { refuse, WireError } from '../reasons.ts'
import type { UntaggedEntry } from './message.ts'

/** Whether a body opens like this list: structure of two, an enum, an array. */
export function looksUntagged(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at > 5 && bytes[at] === 2 && bytes[at + 1] === 2 && bytes[at + 2] === 0x16 && bytes[at + 4] === 1
}

/** Reads the whole list; if it does not fit to the last byte, refuses with the reason that plain A-XDR gave. */
export function readUntaggedList(c: Cursor, limits: AxdrLimits, plain: WireError): readonly UntaggedEntry[] {
  try {
    skip(c, 5)
    const count = lengthPrefix(c)
    // The smallest entry takes 12 bytes.
    if (count * 12 > c.end - c.at) refuse('axdr_truncated', c.at)
    const entries: UntaggedEntry[] = []
    let nodes = 0
    for (let k = 0; k < count; k++) {
      if (u8(c) !== 2 || u8(c) !== 2) refuse('axdr_unknown_type', c.at)
      const classId = u16(c)
      const obisAt = skip(c, obisLength)
      const attribute = u8(c)
      const value = readValue(c, limits)
      nodes += resultNodes + nodeCount(value)
      if (nodes > limits.elements) refuse('axdr_budget', c.at)
      entries.push({ classId, obisAt, attribute, value })
    }
    finish(c)
    return entries
  } catch (error) {
    throw error instanceof WireError ? plain : error
  }
}
