// The ciphered layer: header, title, keys, policy, replay check, decryption. Order matters: everything cheap is refused before a key is used.
import type { Ciphered, DecodeContext, Protection } from './types.ts'
import { apduTag, outOfScope, serviceCiphering } from './wire/apdu/tags.ts'
import { open, securityBit, tagLength, titleLength } from './wire/cipher.ts'
import { cursor, lengthPrefix, skip, u8, u32 } from './wire/cursor.ts'
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

/**
 * A ciphered layer on its way: filled as far as it was read, so that a refusal can name it. One object a frame: once the frame is decided it is
 * handed out as `Ciphered` and not changed again.
 */
export interface Layer extends Writable<Ciphered> {
  /** The title that counts: the one carried, else the one bound to the connection. */
  title: Uint8Array | undefined
  /** Tag that the plaintext must begin with; -1 if any plain APDU may be inside. */
  inner: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Where the layer is kept while it is being read. */
export interface LayerHolder {
  layer: Layer | undefined
}

/** Whether an APDU with this tag is ciphered in a way that this decoder opens. */
export function isCiphered(tag: number): boolean {
  return tag === apduTag.generalGlo || tag === apduTag.generalDed || serviceCiphering.has(tag)
}

/**
 * Opens the ciphered APDU in `bytes[at..end)` and puts the layer into `holder`. The plaintext stays `undefined`, with tag `unopened`, if the replay
 * check knows the frame, or for a peek.
 */
export function openLayer(
  bytes: Uint8Array,
  at: number,
  end: number,
  context: DecodeContext,
  minimum: number,
  serviceMinimum: number,
  peek: boolean,
  holder: LayerHolder,
): Layer {
  const tag = bytes[at] as number
  if (outOfScope.has(tag)) refuse('apdu_out_of_scope', at)
  const general = tag === apduTag.generalGlo || tag === apduTag.generalDed
  const service = general ? undefined : serviceCiphering.get(tag)
  const c = cursor(bytes, at + 1, end)
  let carried: Uint8Array | undefined
  if (general) {
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
  const control = u8(c)
  const invocationCounter = u32(c)
  const textAt = c.at
  const textEnd = (control & securityBit.authenticated) === 0 ? end : end - tagLength
  if (textEnd < textAt) refuse('axdr_truncated', textAt)
  const bits = control & 0x30
  const explicit = carried !== undefined && carried.length > 0 ? carried : undefined
  const layer: Layer = {
    wrapper: service?.name ?? (tag === apduTag.generalGlo ? 'general-glo-ciphering' : 'general-ded-ciphering'),
    control,
    invocationCounter,
    systemTitle: carried,
    tag: 'unopened',
    replay: 'unchecked',
    plaintext: undefined,
    title: explicit ?? context.systemTitle,
    inner: service?.inner ?? -1,
  }
  holder.layer = layer
  const least = service === undefined ? minimum : serviceMinimum
  if ((bits & least) !== least) refuse('protection_too_weak', at)
  if (peek) return layer
  const bound = context.systemTitle
  if (context.strictTitle === true && explicit !== undefined && bound !== undefined && !sameTitle(explicit, bound)) {
    refuse('title_mismatch', at)
  }
  const keys = context.keys(layer.title)
  if (keys === undefined) return refuse('key_unknown', at)
  layer.title ??= keys.systemTitle
  const { title } = layer
  if (title === undefined || title.length !== titleLength) return refuse('title_missing', at)
  // With a tag demanded by policy, a missing authentication key is a missing key: never "accepted, unverified".
  if ((least & securityBit.authenticated) !== 0 && keys.authentication === undefined) refuse('key_unknown', at)
  if (context.replay !== undefined) {
    // The last bytes of the tag (of the text, where there is no tag): they tell a repetition from other content under the same counter.
    const digest = ((bytes[end - 2] as number) << 8) | (bytes[end - 1] as number)
    layer.replay = context.replay(title, (control & securityBit.broadcast) !== 0, invocationCounter, digest)
    if (layer.replay === 'replayed') refuse('invocation_counter_replayed', at)
    if (layer.replay === 'duplicate') return layer
  }
  const dedicated = tag === apduTag.generalDed || service?.dedicated === true
  layer.plaintext = open(bytes, control, invocationCounter, textAt, textEnd, title, keys, dedicated)
  layer.tag =
    (control & securityBit.authenticated) === 0
      ? 'absent'
      : keys.authentication === undefined
        ? 'unverified'
        : 'verified'
  return layer
}

// Quirk of a real client: an encrypted, unauthenticated request announces the 12 bytes of the tag that it does not send. Requests carry no
// values, so nothing can be cut from them unseen; in any answer the same difference means lost bytes.
function countsAbsentTag(bytes: Uint8Array, at: number, end: number, tag: number, announced: number): boolean {
  const request = tag === apduTag.gloInitiateRequest || tag === 0xc8 || tag === 0xd0
  const bits = at < end ? (bytes[at] as number) & 0x30 : 0
  return request && bits === securityBit.encrypted && announced === end - at + tagLength
}

function sameTitle(first: Uint8Array, second: Uint8Array): boolean {
  if (first.length !== second.length) return false
  for (let k = 0; k < first.length; k++) if (first[k] !== second[k]) return false
  return true
}
