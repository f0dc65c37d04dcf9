import { createCipheriv, type KeyObject } from 'node:crypto'
import { lengthOfLength } from './axdr.ts'

const generalGloCiphering = 0xdb
const tagLength = 12
const cipherOptions = { authTagLength: tagLength }

/** What a meter needs to protect an APDU; made once per meter. */
export interface Protector {
  /** Bytes of the protected APDU around a plain one of `plainLength` bytes. */
  readonly protectedLength: (plainLength: number) => number
  /**
   * Writes the protected APDU at `target[at]`, under an invocation counter that was never used before with this key.
   */
  readonly protect: (plain: Uint8Array, counter: number, target: Uint8Array, at: number) => void
}

/**
 * general-glo-ciphering (IEC 62056-5-3, 5.3.7 and 7.3.13), authenticated and encrypted:
 * 0xDB, system title with its length, length of the rest, security control (0x30 + suite), invocation counter,
 * ciphertext, 12-byte tag. Nonce: system title and counter. Additional data: security control, authentication key.
 */
export function protectorOf(options: {
  /** 0 is AES-128-GCM, 2 is AES-256-GCM. */
  readonly suite: 0 | 2
  readonly systemTitle: Uint8Array
  readonly encryption: KeyObject
  readonly authentication: Uint8Array
}): Protector {
  const { suite, systemTitle, encryption, authentication } = options
  const algorithm = suite === 2 ? 'aes-256-gcm' : 'aes-128-gcm'
  const control = 0x30 | suite
  const additional = new Uint8Array(1 + authentication.length)
  additional[0] = control
  additional.set(authentication, 1)
  const nonce = new Uint8Array(12)
  nonce.set(systemTitle)

  const protectedLength = (plainLength: number): number => {
    const body = 5 + plainLength + tagLength
    return 10 + lengthOfLength(body) + body
  }
  const protect: Protector['protect'] = (plain, counter, target, from) => {
    nonce[8] = counter >>> 24
    nonce[9] = counter >>> 16
    nonce[10] = counter >>> 8
    nonce[11] = counter
    const cipher = createCipheriv(algorithm, encryption, nonce, cipherOptions)
    cipher.setAAD(additional)
    const ciphered = cipher.update(plain)
    cipher.final()
    const body = 5 + plain.length + tagLength
    let at = from
    target[at++] = generalGloCiphering
    target[at++] = 8
    for (let i = 0; i < 8; i++) target[at++] = nonce[i] as number
    if (body >= 0x100) {
      target[at++] = 0x82
      target[at++] = body >>> 8
    } else if (body >= 0x80) {
      target[at++] = 0x81
    }
    target[at++] = body
    target[at++] = control
    for (let i = 8; i < 12; i++) target[at++] = nonce[i] as number
    target.set(ciphered, at)
    target.set(cipher.getAuthTag(), at + plain.length)
  }
  return { protectedLength, protect }
}
