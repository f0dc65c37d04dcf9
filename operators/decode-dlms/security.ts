// The ciphered layer: header, title, keys, policy, replay check, decryption. Order matters: everything cheap is refused before a key is used.

import type { Ciphered, DecodeContext, Protection } from './types.ts'
import { apduTag, outOfScope, serviceCiphering } from './wire/apdu/tags.ts'
import { open, readSecurityHeader, securityBit, tagLength, titleLength } from './wire/cipher.ts'
import { cursor, lengthPrefix, skip, u8 } from './wire/cursor.ts'
import { refuse } from './wire/reasons.ts'

/** Protection bits of the security control byte by name. */
export const protectionBits: Readonly<Record<Protection, number>> = {
  none: 0,
  authenticated: securityBit.authenticated,
  encrypted: securityBit.encrypted,
  'authenticated-encrypted': securityBit.authenticated | securityBit.encrypted,
}

/** Name of the protection that the bits say. */
export function protectionName(bits: number): Protection {
  if (bits === 0x30) return 'authenticated-encrypted'
  return bits === 0x20 ? 'encrypted' : bits === 0x10 ? 'authenticated' : 'none'
}

/** A ciphered layer that was read, and opened unless the replay check or a peek stopped it. */
export interface Layer {
  readonly ciphered: Ciphered
  /** Protection bits, 0x00 to 0x30. */
  readonly bits: number
  readonly tag: 'verified' | 'unverified' | 'absent'
  /** Tag that the plaintext must begin with; -1 if any plain APDU may be inside. */
  readonly inner: number
  readonly titleHex: () => string
}

/** Whether an APDU with this tag is ciphered in a way that this decoder opens. */
export function isCiphered(tag: number): boolean {
  return tag === apduTag.generalGlo || tag === apduTag.generalDed || serviceCiphering.has(tag)
}

/**
 * Opens the ciphered APDU in `bytes[at..end)`. `seen` is told the layer as soon as its header is read, so that a later refusal can name it.
 * Gives `undefined` if the replay check knows the frame, or for a peek.
 */
export function openLayer(
  bytes: Uint8Array,
  at: number,
  end: number,
  context: DecodeContext,
  minimum: number,
  serviceMinimum: number,
  peek: boolean,
  seen: (layer: Layer) => void,
): Layer | undefined {
  const tag = bytes[at] as number
  if (outOfScope.has(tag)) refuse('apdu_out_of_scope', at)
  const service = serviceCiphering.get(tag)
  const c = cursor(bytes, at + 1, end)
  let carried: Uint8Array | undefined
  if (service === undefined) {
    const titleLengthAt = c.at
    const length = u8(c)
    if (length !== 0 && length !== titleLength) refuse('length_invalid', titleLengthAt)
    const titleAt = skip(c, length)
    carried = bytes.subarray(titleAt, titleAt + length)
  }
  const lengthAt = c.at
  const announced = lengthPrefix(c)
  const bodyEnd = c.at + announced
  if (bodyEnd < end) refuse('apdu_trailing_bytes', bodyEnd)
  if (bodyEnd > end && !countsAbsentTag(bytes, c.at, end, tag, announced)) refuse('axdr_truncated', lengthAt)
  const header = readSecurityHeader(c)
  const { control, invocationCounter } = header
  const bits = control & 0x30
  const wrapper = service?.name ?? (tag === apduTag.generalGlo ? 'general-glo-ciphering' : 'general-ded-ciphering')
  const inner = service?.inner ?? -1
  const explicit = carried !== undefined && carried.length > 0 ? carried : undefined
  let title = explicit ?? context.systemTitle
  const layer = (ciphered: Ciphered, tagSeen: Layer['tag']): Layer => ({
    ciphered,
    bits,
    tag: tagSeen,
    inner,
    titleHex: () => (title === undefined ? '' : Buffer.from(title).toString('hex')),
  })
  const unopened: Ciphered = {
    wrapper,
    control,
    invocationCounter,
    systemTitle: carried,
    tag: 'unopened',
    replay: 'unchecked',
    plaintext: undefined,
  }
  seen(layer(unopened, 'absent'))
  const least = service === undefined ? minimum : serviceMinimum
  if ((bits & least) !== least) refuse('protection_too_weak', at)
  if (peek) return undefined
  if (
    context.strictTitle === true &&
    explicit !== undefined &&
    context.systemTitle !== undefined &&
    !sameTitle(explicit, context.systemTitle)
  ) {
    refuse('title_mismatch', at)
  }
  const keys = context.keys(title)
  if (keys === undefined) return refuse('key_unknown', at)
  title ??= keys.systemTitle
  if (title === undefined || title.length !== titleLength) return refuse('title_missing', at)
  // With a tag demanded by policy, a missing authentication key is a missing key: never "accepted, unverified".
  if ((least & securityBit.authenticated) !== 0 && keys.authentication === undefined) refuse('key_unknown', at)
  // The last bytes of the tag (of the text, where there is no tag): they tell a repetition from other content under the same counter.
  const digest = ((bytes[end - 2] as number) << 8) | (bytes[end - 1] as number)
  const replay = context.replay?.(title, (control & securityBit.broadcast) !== 0, invocationCounter, digest) ?? 'unchecked'
  if (replay === 'replayed') refuse('invocation_counter_replayed', at)
  if (replay === 'duplicate') {
    seen(layer({ ...unopened, replay }, 'absent'))
    return undefined
  }
  const dedicated = tag === apduTag.generalDed || service?.dedicated === true
  const opened = open(bytes, header, title, 0, keys, dedicated)
  const done = layer(
    { wrapper, control, invocationCounter, systemTitle: carried, tag: opened.tag, replay, plaintext: opened.plaintext },
    opened.tag,
  )
  seen(done)
  return done
}

// Quirk of a real client: an encrypted, unauthenticated request announces the 12 bytes of the tag that it does not send. Requests carry no
// values, so nothing can be cut from them unseen; in any answer the same difference means lost bytes.
function countsAbsentTag(bytes: Uint8Array, at: number, end: number, tag: number, announced: number): boolean {
  const request = tag === apduTag.gloInitiateRequest || tag === 0xc8 || tag === 0xd0
  return (
    request &&
    at < end &&
    ((bytes[at] as number) & 0x30) === securityBit.encrypted &&
    announced === end - at + tagLength
  )
}

function sameTitle(first: Uint8Array, second: Uint8Array): boolean {
  if (first.length !== second.length) return false
  for (let k = 0; k < first.length; k++) if (first[k] !== second[k]) return false
  return true
}
