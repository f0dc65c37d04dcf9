// initiate-response: 08 | quality of service (OPTIONAL: 00, or 01 and one byte) | version (1) | 5F 1F 04 00 conformance (3) | server max PDU (2) | VAA name (2)
import { type Cursor, finish, skip, u8, u16 } from '../cursor.ts'
import { refuse } from '../reasons.ts'
import type { Message } from './message.ts'

/** Reads an initiate-response; the cursor stands after its tag. */
export function readInitiateResponse(c: Cursor): Message {
  if (u8(c) !== 0) skip(c, 1)
  const dlmsVersion = u8(c)
  const at = c.at
  // Conformance is a bit string of 24 bits under application tag 31, coded in BER; some meters leave the second tag byte out.
  if (u8(c) !== 0x5f) refuse('axdr_unknown_type', at)
  const second = u8(c)
  const length = second === 0x1f ? u8(c) : second
  if (length !== 4 || u8(c) !== 0) refuse('axdr_unknown_type', at)
  const conformance = (u8(c) << 16) | u16(c)
  const maxPdu = u16(c)
  const vaaName = u16(c)
  finish(c)
  return { kind: 'initiate-response', dlmsVersion, conformance, maxPdu, vaaName }
}
