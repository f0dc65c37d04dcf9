// Security header and AES-GCM of DLMS (Green Book 9.2.7, suites 0, 1, 2):
//   control (1): bits 0-3 suite, 4 authenticated, 5 encrypted, 6 broadcast key, 7 compressed | invocation counter (4) | text | tag (12, if authenticated)
//   nonce: system title of the sender (8), invocation counter (4)
//   associated data: control and AK when encrypted and authenticated; control, AK and the whole text when only authenticated; none and no tag when only encrypted
import { createDecipheriv, type KeyObject } from 'node:crypto'
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

interface Cached {
  readonly aad: Buffer | undefined
  readonly encryptionSize: number | undefined
}

// Per meter: the associated data with room for the control byte. Exporting AK once is what allows one call per frame without a copy of it.
const cache = new WeakMap<MeterKeys, Cached>()
const nonce = Buffer.alloc(titleLength + 4)
const options = { authTagLength: tagLength }

function cachedFor(keys: MeterKeys): Cached {
  const known = cache.get(keys)
  if (known !== undefined) return known
  const ak = keys.authentication?.export()
  // A buffer of its own: the pool that Node cuts small buffers from is shared with everything else in the process.
  const aad = ak === undefined ? undefined : Buffer.alloc(1 + ak.length)
  if (ak !== undefined) aad?.set(ak, 1)
  ak?.fill(0)
  const made = { aad, encryptionSize: keys.encryption.symmetricKeySize }
  cache.set(keys, made)
  return made
}

/**
 * Decrypts and verifies `bytes[textAt..textEnd)`, behind which the tag lies if the control byte says that there is one, and gives the plaintext.
 * Without an authentication key in `keys` a tag is not looked at; whoever calls must tell so. Refuses with `suite_unsupported`, `key_unknown` (no
 * key of the kind that the control byte asks for) or `authentication_failed`; compressed text is `compression_unsupported`, after its tag.
 * @param title system title of the sender, 8 bytes.
 */
export function open(
  bytes: Uint8Array,
  control: number,
  counter: number,
  textAt: number,
  textEnd: number,
  title: Uint8Array,
  keys: MeterKeys,
  dedicated: boolean,
): Uint8Array {
  const suite = control & 0x0f
  if (suite > 2) refuse('suite_unsupported', textAt)
  const cached = cachedFor(keys)
  const broadcast = (control & securityBit.broadcast) !== 0
  const key = dedicated ? keys.dedicated : broadcast ? keys.broadcast : keys.encryption
  if (key === undefined) return refuse('key_unknown', textAt)
  const size = key === keys.encryption ? cached.encryptionSize : key.symmetricKeySize
  if (size !== (suite === 2 ? 32 : 16)) refuse('key_unknown', textAt)
  const authenticated = (control & securityBit.authenticated) !== 0
  const encrypted = (control & securityBit.encrypted) !== 0
  const { aad } = cached
  const text = bytes.subarray(textAt, textEnd)
  let plaintext: Uint8Array = text
  if (authenticated && aad !== undefined) {
    aad[0] = control
    const decipher = createDecipheriv(cipherOf(suite), key, nonceOf(title, counter), options)
    decipher.setAAD(aad)
    if (!encrypted) decipher.setAAD(text)
    decipher.setAuthTag(bytes.subarray(textEnd, textEnd + tagLength))
    if (encrypted) plaintext = decipher.update(text)
    try {
      decipher.final()
    } catch {
      refuse('authentication_failed', textEnd)
    }
  } else if (encrypted) {
    // Without a tag there is nothing to finish: GCM is then counter mode, and `final` would ask for a tag.
    plaintext = createDecipheriv(cipherOf(suite), key, nonceOf(title, counter), options).update(text)
  }
  if ((control & securityBit.compressed) !== 0) refuse('compression_unsupported', textAt)
  return plaintext
}

function cipherOf(suite: number): 'aes-256-gcm' | 'aes-128-gcm' {
  return suite === 2 ? 'aes-256-gcm' : 'aes-128-gcm'
}

// One nonce buffer serves all frames: it is copied into the cipher before this returns to anybody.
function nonceOf(title: Uint8Array, counter: number): Buffer {
  for (let k = 0; k < titleLength; k++) nonce[k] = title[k] as number
  nonce[8] = counter >>> 24
  nonce[9] = counter >>> 16
  nonce[10] = counter >>> 8
  nonce[11] = counter
  return nonce
}
