import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { HaltError } from '../../operators/contract/halt.ts'
import type { Keyring } from '../../operators/contract/keyring.ts'
import { reasons } from '../../operators/contract/reasons.ts'
import type { RejectedFrame } from '../../schemas/rejected-frame.ts'
import type { Rejection } from './chain.ts'

const nonceLength = 12
const tagLength = 16

/** Seals the bytes of a refused record, so that a dead letter shows nothing to who has no key. */
export type Sealer = (bytes: Uint8Array) => Uint8Array

/** AES-256-GCM under the key ring's dead-letter key with a random nonce: nonce, ciphertext, tag. */
export function sealer(keyring: Keyring): Sealer {
  const key = deadLetterKey(keyring)
  return (bytes) => {
    const nonce = randomBytes(nonceLength)
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
    return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
  }
}

/** Opens what `sealer` sealed. Throws where the key or the bytes are not the ones sealed. */
export function unseal(keyring: Keyring, sealed: Uint8Array): Uint8Array {
  const nonce = sealed.subarray(0, nonceLength)
  const decipher = createDecipheriv('aes-256-gcm', deadLetterKey(keyring), nonce, { authTagLength: tagLength })
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength))
  return Buffer.concat([decipher.update(sealed.subarray(nonceLength, sealed.length - tagLength)), decipher.final()])
}

function deadLetterKey(keyring: Keyring): KeyObject {
  const key = keyring.derived('dead_letter', 'current')
  if (!key)
    throw new HaltError(
      'the key ring has no dead-letter key',
      'Put the master key in the key ring folder and start again.',
    )
  return key
}

/** The dead letter of one rejection. `raw` is the record's value as it came in. */
export function deadLetter(
  { from, reason, stage, byteOffset }: Rejection,
  raw: Uint8Array,
  seal: Sealer,
): RejectedFrame {
  const { topic, partition, offset, receivedAt } = from.origin
  return {
    kind: reasons[reason].outcome === 'event' ? 'event' : 'rejected',
    reason,
    stage,
    byteOffset: byteOffset ?? null,
    topic,
    partition,
    offset: Number(offset),
    receivedAt,
    sealed: seal(raw),
  }
}
