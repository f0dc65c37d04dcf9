// AARE: 61 | length | context-specific fields in BER (IEC 62056-5-3, ACSE):
//   A1 application-context-name (OID)  A2 result (INTEGER)  A3 source diagnostic: A1 user or A2 provider (INTEGER)
//   A4 responding AP title (OCTET STRING)  88 acse requirements  89 mechanism name (OID)  AA authentication value  BE user information (OCTET STRING)
// AARQ: 60 | the same form; only the application context is of interest.
import { type Cursor, cursor, finish, remaining, take, u8 } from '../cursor.ts'
import { refuse } from '../reasons.ts'
import type { Aare, Message } from './message.ts'

const contextNames: Readonly<Record<number, string>> = { 1: 'LN', 2: 'SN', 3: 'LN-ciphered', 4: 'SN-ciphered' }

/** Reads an AARE; the cursor stands after its tag. */
export function readAare(c: Cursor): Aare {
  const body = berContent(c)
  finish(c)
  let applicationContext = ''
  let associationResult = -1
  let diagnostic = -1
  let diagnosticSource: 'user' | 'provider' = 'user'
  let respondingTitle: Uint8Array | undefined
  let mechanism: number | undefined
  let userInformation: Uint8Array | undefined
  while (remaining(body) > 0) {
    const tag = u8(body)
    const field = berContent(body)
    if (tag === 0xa1) applicationContext = contextName(field)
    else if (tag === 0xa2) associationResult = berInteger(field)
    else if (tag === 0xa3) {
      diagnosticSource = u8(field) === 0xa2 ? 'provider' : 'user'
      diagnostic = berInteger(berContent(field))
    } else if (tag === 0xa4) respondingTitle = berOctets(field)
    else if (tag === 0x89) mechanism = lastByte(field)
    else if (tag === 0xbe) userInformation = berOctets(field)
  }
  if (associationResult < 0) refuse('axdr_unknown_type', c.at)
  return {
    kind: 'aare',
    applicationContext,
    associationResult,
    diagnostic,
    diagnosticSource,
    respondingTitle,
    mechanism,
    userInformation,
  }
}

/** Reads the application context of an AARQ; the cursor stands after its tag. */
export function readAarq(c: Cursor): Message {
  const body = berContent(c)
  finish(c)
  let applicationContext: string | undefined
  while (remaining(body) > 0) {
    const tag = u8(body)
    const field = berContent(body)
    if (tag === 0xa1) applicationContext = contextName(field)
  }
  return { kind: 'aarq', applicationContext }
}

function berContent(c: Cursor): Cursor {
  const at = c.at
  let length = u8(c)
  if (length >= 0x80) {
    if (length !== 0x81 && length !== 0x82) refuse('length_invalid', at)
    length = length === 0x81 ? u8(c) : (u8(c) << 8) | u8(c)
  }
  if (length > remaining(c)) refuse('axdr_truncated', at)
  const inner = cursor(c.bytes, c.at, c.at + length)
  c.at += length
  return inner
}

function berInteger(c: Cursor): number {
  const at = c.at
  if (u8(c) !== 0x02) refuse('axdr_unknown_type', at)
  const content = berContent(c)
  if (remaining(content) !== 1) refuse('axdr_unknown_type', at)
  return u8(content)
}

function berOctets(c: Cursor): Uint8Array {
  const at = c.at
  if (u8(c) !== 0x04) refuse('axdr_unknown_type', at)
  const content = berContent(c)
  return take(content, remaining(content))
}

function contextName(c: Cursor): string {
  const at = c.at
  if (u8(c) !== 0x06) refuse('axdr_unknown_type', at)
  const last = lastByte(berContent(c))
  return contextNames[last] ?? String(last)
}

function lastByte(c: Cursor): number {
  if (remaining(c) === 0) refuse('axdr_unknown_type', c.at)
  return c.bytes[c.end - 1] as number
}
