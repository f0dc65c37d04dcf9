// Security header and AES-GCM of DLMS (Green Book 9.2.7, suites 0, 1, 2):
//   control (1): bits 0-3 suite, 4 authenticated, 5 encrypted, 6 broadcast key, 7 compressed | invocation counter (4) | text | tag (12, if authenticated)
//   nonce: system title of the sender (8), invocation counter (4)
//   associated data: control and AK when encrypted and authenticated; control, AK and the whole text when only authenticated; none and no tag when only encrypted
import { createDecipheriv, type KeyObject } from 'node:crypto'
import { type Cursor, u8, u32 } from './cursor.ts'
import { refuse } from './reasons.ts'

/** Bits of the security control byte. */
export const securityBit = { authenticated: 0x10, encrypted: 0x20, broadcast: 0x40, compressed: 0x80 } as const

/** Length of the authentication tag in bytes. */
export const tagLength = 12

/** Length of a system title in bytes. */
export const titleLength = 8

/** Keys of one meter. All are `KeyObject`s: they print nothing, and raw buffers are several times slower in node:crypto. */
export interface MeterKeys {
  /** Global unicast encryption key: 16 bytes for suites 0 and 1, 32 for suite 2. */
  readonly encryption: KeyObject
  /** Authentication key (AK). Without it a tag cannot be checked: such frames are told as unverified, or refused by policy. */
  readonly authentication?: KeyObject | undefined
  /** Global broadcast encryption key, for the key-set bit. */
  readonly broadcast?: KeyObject | undefined
  /** Dedicated key of the association, for general-ded and ded- services. */
  readonly dedicated?: KeyObject | undefined
  /** System title, for connections whose frames do not carry one. */
  readonly systemTitle?: Uint8Array | undefined
}

/** The security header of a ciphered APDU and where its text lies. */
export interface SecurityHeader {
  readonly control: number
  readonly invocationCounter: number
  /** Text `[textAt, textEnd)`; the tag, if there is one, follows it. */
  readonly textAt: number
  readonly textEnd: number
}

/** Reads the security header of a body that ends with the cursor. */
export function readSecurityHeader(c: Cursor): SecurityHeader {
  const control = u8(c)
  const invocationCounter = u32(c)
  const textEnd = (control & securityBit.authenticated) === 0 ? c.end : c.end - tagLength
  if (textEnd < c.at) refuse('axdr_truncated', c.at)
  return { control, invocationCounter, textAt: c.at, textEnd }
}

interface Cached {
  readonly aad: Buffer | undefined
}

// Per meter: the associated data with room for the control byte. Exporting AK once is what allows one call per frame without a copy of it.
const cache = new WeakMap<MeterKeys, Cached>()
const nonce = Buffer.alloc(titleLength + 4)
const options = { authTagLength: tagLength }

function cachedFor(keys: MeterKeys): Cached {
  const known = cache.get(keys)
  if (known !== undefined) return known
  const ak = keys.authentication?.export()
  const aad = ak === undefined ? undefined : Buffer.concat([Buffer.alloc(1), ak])
  ak?.fill(0)
  const made = { aad }
  cache.set(keys, made)
  return made
}

/** The plaintext and what is known about its origin. */
export interface Opened {
  readonly plaintext: Uint8Array
  /** `verified`: the tag fits. `unverified`: there is a tag, but no authentication key to check it. `absent`: no tag was sent. */
  readonly tag: 'verified' | 'unverified' | 'absent'
}

/**
 * Decrypts and verifies. Refuses with `suite_unsupported`, `key_unknown` (no key of the kind that the control byte asks for) or
 * `authentication_failed`; compressed text is refused with `compression_unsupported`, after its tag has been verified.
 * @param bytes holds the text and the tag at the places that the header names.
 * @param titleBytes system title of the sender at `titleAt`, 8 bytes.
 */
export function open(
  bytes: Uint8Array,
  header: SecurityHeader,
  titleBytes: Uint8Array,
  titleAt: number,
  keys: MeterKeys,
  dedicated: boolean,
): Opened {
  const { control, invocationCounter: counter, textAt, textEnd } = header
  const suite = control & 0x0f
  if (suite > 2) refuse('suite_unsupported', textAt)
  const broadcast = (control & securityBit.broadcast) !== 0
  const key = dedicated ? keys.dedicated : broadcast ? keys.broadcast : keys.encryption
  if (key === undefined || key.symmetricKeySize !== (suite === 2 ? 32 : 16)) return refuse('key_unknown', textAt)
  for (let k = 0; k < titleLength; k++) nonce[k] = titleBytes[titleAt + k] as number
  nonce[8] = counter >>> 24
  nonce[9] = counter >>> 16
  nonce[10] = counter >>> 8
  nonce[11] = counter
  const authenticated = (control & securityBit.authenticated) !== 0
  const encrypted = (control & securityBit.encrypted) !== 0
  const { aad } = cachedFor(keys)
  let opened: Opened
  if (!authenticated) {
    opened = {
      plaintext: encrypted ? decrypt(suite, key, bytes, textAt, textEnd) : bytes.subarray(textAt, textEnd),
      tag: 'absent',
    }
  } else if (aad === undefined) {
    opened = {
      plaintext: encrypted ? decrypt(suite, key, bytes, textAt, textEnd) : bytes.subarray(textAt, textEnd),
      tag: 'unverified',
    }
  } else {
    aad[0] = control
    const decipher = createDecipheriv(suite === 2 ? 'aes-256-gcm' : 'aes-128-gcm', key, nonce, options)
    decipher.setAuthTag(bytes.subarray(textEnd, textEnd + tagLength))
    const text = bytes.subarray(textAt, textEnd)
    decipher.setAAD(encrypted ? aad : Buffer.concat([aad, text]))
    const plaintext = encrypted ? decipher.update(text) : text
    try {
      decipher.final()
    } catch {
      refuse('authentication_failed', textEnd)
    }
    opened = { plaintext, tag: 'verified' }
  }
  if ((control & securityBit.compressed) !== 0) refuse('compression_unsupported', textAt)
  return opened
}

// Without a tag there is nothing to finish: GCM is then counter mode, and `final` would ask for a tag.
function decrypt(suite: number, key: KeyObject, bytes: Uint8Array, textAt: number, textEnd: number): Uint8Array {
  const decipher = createDecipheriv(suite === 2 ? 'aes-256-gcm' : 'aes-128-gcm', key, nonce, options)
  return decipher.update(bytes.subarray(textAt, textEnd))
}
