import { createCipheriv, createDecipheriv, createHmac, type KeyObject } from 'node:crypto'
import { CodecError } from '../../schemas/codec.ts'
import { HaltError } from '../contract/halt.ts'
import type { Keyring } from '../contract/keyring.ts'
import { windowBytes } from './counter-window.ts'
import { meterStateCodec } from './meter-state.ts'

const nonceLength = 12
const tagLength = 16

/**
 * The state of a meter as bytes that any store may hold: parts of a message that wait for the rest name the meter, since its
 * system title stands in the clear before every ciphered message, so they are sealed with AES-256-GCM. The nonce is a keyed
 * hash of what is sealed (as in a synthetic IV, RFC 5297), which keeps the operator free of randomness: equal parts give
 * equal bytes, and nothing else is told. Throws HaltError where the key ring has no key for it, CodecError for other bytes.
 */
export function sealedMeterState(keyring: Pick<Keyring, 'derived'>): typeof meterStateCodec {
  const keyOf = (use: 'cipher' | 'nonce'): KeyObject => {
    const key = keyring.derived('meter_state', use)
    if (key) return key
    throw new HaltError(
      'the key ring has no master key, from which the key for unfinished messages is derived',
      'Put the master key in the key ring folder and start again.',
    )
  }
  return {
    encode: (state) => {
      const bytes = meterStateCodec.encode(state)
      if (!state.pending) return bytes
      const joinsAt = headLength(bytes)
      return Buffer.concat([bytes.subarray(0, joinsAt), seal(keyOf, bytes.subarray(joinsAt))])
    },
    decode: (bytes) => {
      if (((bytes[0] ?? 0) & 2) === 0) return meterStateCodec.decode(bytes)
      const joinsAt = headLength(bytes)
      return meterStateCodec.decode(Buffer.concat([bytes.subarray(0, joinsAt), open(keyOf, bytes.subarray(joinsAt))]))
    },
  }
}

const headLength = (bytes: Uint8Array): number => 1 + (((bytes[0] ?? 0) & 1) === 0 ? 0 : windowBytes)

function seal(keyOf: (use: 'cipher' | 'nonce') => KeyObject, joins: Uint8Array): Uint8Array {
  const nonce = createHmac('sha256', keyOf('nonce')).update(joins).digest().subarray(0, nonceLength)
  const cipher = createCipheriv('aes-256-gcm', keyOf('cipher'), nonce, { authTagLength: tagLength })
  return Buffer.concat([nonce, cipher.update(joins), cipher.final(), cipher.getAuthTag()])
}

function open(keyOf: (use: 'cipher' | 'nonce') => KeyObject, sealed: Uint8Array): Uint8Array {
  if (sealed.length < nonceLength + tagLength) throw new CodecError('meter state', 'sealed joins of another form')
  const end = sealed.length - tagLength
  const nonce = sealed.subarray(0, nonceLength)
  const decipher = createDecipheriv('aes-256-gcm', keyOf('cipher'), nonce, { authTagLength: tagLength })
  decipher.setAuthTag(sealed.subarray(end))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(nonceLength, end)), decipher.final()])
  } catch {
    throw new CodecError('meter state', 'joins that another key sealed')
  }
}
