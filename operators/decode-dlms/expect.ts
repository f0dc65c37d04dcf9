// A captured frame with its keys, as the record of a frame file, to the facts that such a file states under `expect`. It serves
// `meterveil decode --json` and the table tests; the pipeline does not use it.
import { createCipheriv, createSecretKey } from 'node:crypto'
import { type Dump, decodeDump } from './dump.ts'
import { messageFacts, securityFacts } from './expect-message.ts'
import { hdlcFacts, mbusFacts } from './link-facts.ts'
import type { DecodeContext, Decoded, KeyLookup, Refused } from './types.ts'
import { apduTag } from './wire/apdu/tags.ts'
import { tagLength, titleLength } from './wire/cipher.ts'
import { uint16At } from './wire/cursor.ts'
import type { Transport } from './wire/link.ts'
import { wrapperHeader } from './wire/wrapper.ts'

/** The parts of a frame record that a decoder needs. Keys and titles in hexadecimal. */
export interface FrameRecord {
  readonly id: string
  /** `hdlc`, `hdlc-segmented`, `hdlc+gbt`, `mbus`, `wrapper`, `llc`, `apdu` or `axdr`. */
  readonly transport: string
  readonly hex: string
  readonly key?: string | null | undefined
  readonly authKey?: string | null | undefined
  /** Title to use where the APDU carries none. */
  readonly systemTitle?: string | null | undefined
}

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Facts of a record in the shape of the file's `expect`: link facts, messages with values, `error` if the capture is refused somewhere. */
export type Expectation = { readonly [key: string]: Json }

/**
 * Decodes one record with its own keys. A record that holds an authentication key is taken as a meter configured for authenticated encryption
 * of pushes; answers inside an association keep the protection that the association chose, which a single frame does not say.
 * The values of the meter are in the result: print it only where the user has asked for values.
 */
export function expectationOf(record: FrameRecord): Expectation {
  const bytes = Buffer.from(record.hex, 'hex')
  const transport = transportOf(record, bytes)
  const title = record.systemTitle ? Buffer.from(record.systemTitle, 'hex') : undefined
  const context: DecodeContext = {
    transport,
    keys: keysOf(record),
    systemTitle: title,
    minimumProtection: record.key && record.authKey ? pushProtection(record) : 'none',
    serviceProtection: 'none',
  }
  const dump = decodeDump(bytes, context)
  const facts: Record<string, Json> = { ...linkFacts(bytes, transport, dump, record) }
  const messages: Json[] = []
  const told: (readonly [number, string])[] = dump.faults.map(({ reason, at }) => [
    at,
    faultName(reason, transport, dump),
  ])
  for (const { at, decoded } of dump.units) {
    const message = messageOf(decoded, record) ?? cutTelegram(decoded, transport, bytes)
    if (message !== undefined) messages.push(message)
    if (decoded.outcome === 'refused')
      told.push([at, isTelegram(transport, bytes) ? 'no-frame' : refusalName(decoded, transport)])
    if (decoded.outcome === 'refused' && isLoneSegment(decoded, transport, bytes, at)) facts['incomplete'] = 'segment'
  }
  told.sort(([first], [second]) => first - second)
  let error = told[0]?.[1]
  if (facts['incomplete'] === 'segment' && error === 'segment-gap') error = 'segment-incomplete'
  if (dump.pending.segment !== undefined && error === undefined) {
    facts['incomplete'] = 'segment'
    error = transport === 'mbus' ? 'mbus-incomplete' : 'segment-incomplete'
  }
  // A get-response block waits for a request of the client; only a push that stops in the middle is a fault of the capture.
  if (dump.pending.block?.transfer === 'general') error ??= 'gbt-incomplete'
  facts['messages'] = messages
  if (dump.units.some(({ decoded }) => verifiesWithoutAad(decoded, title, record)))
    facts['tagVerifiesOnlyWithEmptyAad'] = true
  if (error !== undefined) facts['error'] = error
  return facts
}

// Plain frames of a meter with keys are traces of an association, not pushes below their protection: the policy speaks of ciphered pushes.
function pushProtection(record: FrameRecord): 'authenticated-encrypted' | 'none' {
  return record.systemTitle ? 'none' : 'authenticated-encrypted'
}

function transportOf(record: FrameRecord, bytes: Uint8Array): Transport {
  if (record.transport.startsWith('hdlc')) return 'hdlc'
  // No APDU begins with 00, but a wrapper does.
  if (record.transport === 'apdu' && bytes[0] === 0 && bytes[1] === 1) return 'wrapper'
  return record.transport as Transport
}

function keysOf(record: FrameRecord): KeyLookup {
  if (!record.key) return () => undefined
  const encryption = createSecretKey(Buffer.from(record.key, 'hex'))
  const authentication = record.authKey ? createSecretKey(Buffer.from(record.authKey, 'hex')) : undefined
  const keys = { encryption, authentication, broadcast: encryption, dedicated: encryption }
  return () => keys
}

function linkFacts(bytes: Uint8Array, transport: Transport, dump: Dump, record: FrameRecord): Record<string, Json> {
  const places = [...dump.units.map((unit) => unit.at), ...dump.faults.map((fault) => fault.at)].sort((a, b) => a - b)
  const facts: Record<string, Json> = {}
  if (transport === 'hdlc') {
    const frames = places.flatMap((at) => hdlcFacts(bytes, at) ?? [])
    // Listed for captures that are frames from end to end, damaged or not; among stray bytes only the good ones are told, by their place.
    const stray = dump.faults.some(({ reason }) => reason === 'apdu_trailing_bytes' || reason === 'frame_missing')
    if (frames.length > 0 && !stray) facts['frames'] = frames.map((frame) => ({ ...frame }))
    const gbt = record.transport === 'hdlc+gbt'
    const blocks = dump.units.filter(({ decoded }) => decoded.path.transferBlock > 0)
    if (blocks.length > 0 && gbt) facts['gbtBlocks'] = blocks.length
    if (gbt && blocks.some(({ decoded }) => decoded.path.restarted)) facts['gbtRestarted'] = true
    facts['validFrames'] = dump.units.map(({ at, length }) => [at, length])
  } else if (transport === 'mbus') {
    const frames = places.flatMap((at) => mbusFacts(bytes, at) ?? [])
    if (frames.length > 0) facts['frames'] = frames.map((frame) => ({ ...frame }) as Json)
  } else if (transport === 'wrapper' && record.transport === 'wrapper' && bytes.length >= wrapperHeader) {
    facts['wrapper'] = {
      version: uint16At(bytes, 0),
      src: uint16At(bytes, 2),
      dst: uint16At(bytes, 4),
      length: uint16At(bytes, 6),
    }
  }
  return facts
}

function messageOf(decoded: Decoded, record: FrameRecord): Json | undefined {
  if (decoded.outcome === 'message' || (decoded.outcome === 'pending' && decoded.content !== undefined)) {
    return decoded.content === undefined ? undefined : messageFacts(decoded.content)
  }
  if (decoded.outcome !== 'refused' || decoded.ciphered === undefined) return undefined
  // Of a refused message the security header is told, if it lies in the layers that the record names.
  const named =
    decoded.path.transferBlock > 0
      ? record.transport === 'hdlc+gbt'
      : record.transport !== 'apdu' || !startsAsWrapper(record)
  return named ? { apdu: decoded.ciphered.wrapper, security: securityFacts(decoded.ciphered) } : undefined
}

// A diagnosis for senders that compute the tag over no associated data at all, which the standard never allows: the key is then right, the meter wrong.
function verifiesWithoutAad(decoded: Decoded, bound: Uint8Array | undefined, record: FrameRecord): boolean {
  if (decoded.outcome !== 'message' || !record.key) return false
  const { ciphered } = decoded.content
  const title = ciphered?.systemTitle ?? bound
  if (ciphered?.tag !== 'unverified' || ciphered.plaintext === undefined || title?.length !== titleLength) return false
  const nonce = Buffer.alloc(titleLength + 4)
  nonce.set(title)
  nonce.writeUInt32BE(ciphered.invocationCounter, titleLength)
  const cipher = createCipheriv('aes-128-gcm', createSecretKey(Buffer.from(record.key, 'hex')), nonce, {
    authTagLength: tagLength,
  })
  cipher.update(ciphered.plaintext)
  cipher.final()
  return record.hex.toLowerCase().includes(cipher.getAuthTag().toString('hex'))
}

function startsAsWrapper(record: FrameRecord): boolean {
  return record.hex.startsWith('0001')
}

function isTelegram(transport: Transport, bytes: Uint8Array): boolean {
  return transport === 'apdu' && bytes[0] === apduTag.p1Text
}

// What is left of a telegram without its last line is still worth a look.
function cutTelegram(decoded: Decoded, transport: Transport, bytes: Uint8Array): Json | undefined {
  if (decoded.outcome !== 'refused' || !isTelegram(transport, bytes)) return undefined
  return { apdu: 'p1-telegram', text: Buffer.from(bytes).toString('latin1') }
}

function isLoneSegment(decoded: Refused, transport: Transport, bytes: Uint8Array, at: number): boolean {
  return (
    transport === 'hdlc' &&
    decoded.reason === 'segment_missing' &&
    decoded.stage === 'link' &&
    hdlcFacts(bytes, at)?.segmented === true
  )
}

function faultName(reason: Dump['faults'][number]['reason'], transport: Transport, dump: Dump): string {
  switch (reason) {
    case 'hcs_mismatch':
      return 'hdlc-hcs'
    case 'fcs_mismatch':
      return 'hdlc-fcs'
    case 'checksum_mismatch':
      return 'mbus-checksum'
    case 'frame_truncated':
      return `${transport}-truncated`
    case 'frame_length_mismatch':
      return `${transport}-length`
    case 'apdu_trailing_bytes':
      return 'trailing-bytes'
    default:
      return dump.units.length === 0 ? 'no-frame' : `${transport}-framing`
  }
}

function refusalName(decoded: Refused, transport: Transport): string {
  switch (decoded.reason) {
    case 'key_unknown':
    case 'title_missing':
      return 'no-key'
    case 'authentication_failed':
      return 'cipher-tag'
    case 'protection_too_weak':
      return 'policy-downgrade'
    case 'segment_missing':
      return transport === 'mbus' ? 'mbus-sequence' : 'segment-gap'
    case 'block_missing':
      return 'gbt-sequence'
    case 'axdr_unknown_type':
      return 'axdr-unknown-tag'
    default:
      return decoded.reason.replaceAll('_', '-')
  }
}
