import { createCipheriv, createDecipheriv, createHash, type KeyObject, randomBytes } from 'node:crypto'
import { HaltError } from '../../operators/contract/halt.ts'
import type { Keyring } from '../../operators/contract/keyring.ts'
import { reasons } from '../../operators/contract/reasons.ts'
import type { RejectedFrame } from '../../schemas/rejected-frame.ts'
import type { Rejection } from './chain.ts'

const nonceLength = 12
const tagLength = 16
const digestLength = 32

/**
 * Bytes of a refused value that its dead letter holds at the most: a value may be as long as a record can be, and a dead
 * letter longer than that could not be written, by any start.
 */
export const mostSealedBytes = 65_536

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

/** What a dead letter holds: the refused value, or its beginning with what tells the whole of it. */
export interface OpenedLetter {
  readonly bytes: Uint8Array
  /** Length of the whole value, and its SHA-256; undefined where `bytes` is the whole value. */
  readonly cutFrom: { readonly length: number; readonly sha256: Uint8Array } | undefined
}

/** Opens a dead letter. Throws where the key or the bytes are not the ones it was sealed with. */
export function openDeadLetter(
  keyring: Keyring,
  { sealed, fullLength }: Pick<RejectedFrame, 'sealed' | 'fullLength'>,
): OpenedLetter {
  const opened = unseal(keyring, sealed)
  if (fullLength === null) return { bytes: opened, cutFrom: undefined }
  const at = opened.length - digestLength
  return { bytes: opened.subarray(0, at), cutFrom: { length: fullLength, sha256: opened.subarray(at) } }
}

/** The digest is sealed too: in the clear it would let anyone check a guess at the value. */
const sealable = (raw: Uint8Array): Uint8Array =>
  raw.length <= mostSealedBytes
    ? raw
    : Buffer.concat([raw.subarray(0, mostSealedBytes), createHash('sha256').update(raw).digest()])

function deadLetterKey(keyring: Keyring): KeyObject {
  const key = keyring.derived('dead_letter', 'current')
  if (!key)
    throw new HaltError(
      'the key ring has no dead-letter key',
      'Put the master key in the key ring folder and start again.',
    )
  return key
}

/** The dead letter of one rejection. `raw` is the record's value as it came in; at most `mostSealedBytes` are kept. */
export function deadLetter(
  { from, reason, stage, byteOffset, through }: Rejection,
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
    sealed: seal(sealable(raw)),
    fullLength: raw.length > mostSealedBytes ? raw.length : null,
    lastOffset: through === undefined ? null : Number(through),
  }
}
