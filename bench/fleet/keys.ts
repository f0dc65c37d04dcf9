import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { KeyPurpose, Keyring, MeterKeys } from '../../operators/contract/keyring.ts'

/** Suite 0 keys have 128 bits, suite 2 keys 256; the reference says which. */
export function keyReference(suite: 0 | 2, systemTitle: string): string {
  return `suite${suite}:${systemTitle}`
}

/** The keys of one simulated meter, as the meter itself holds them. */
export interface MeterSecrets {
  readonly encryption: KeyObject
  readonly authentication: Uint8Array
}

/**
 * The keys of one meter from the fleet's seed, so that a million meters need no storage: HMAC-SHA-512 over the
 * reference, first half for encryption, second half for authentication. `undefined` if the reference is not one of ours.
 * Worth nothing in production: whoever knows the seed knows every key.
 */
export function meterSecrets(seed: number, keyRef: string): MeterSecrets | undefined {
  const size = keyRef.startsWith('suite0:') ? 16 : keyRef.startsWith('suite2:') ? 32 : undefined
  if (size === undefined) return undefined
  const bytes = createHmac('sha512', masterKey(seed)).update(keyRef).digest()
  return {
    encryption: createSecretKey(bytes.subarray(0, size)),
    authentication: Uint8Array.from(bytes.subarray(32, 32 + size)),
  }
}

const masters = new Map<number, KeyObject>()

function masterKey(seed: number): KeyObject {
  let key = masters.get(seed)
  if (key === undefined) {
    key = createSecretKey(Buffer.from(`meterveil simulated fleet ${seed}`, 'utf8'))
    masters.set(seed, key)
  }
  return key
}

/** A map that forgets what has not been used for long. */
export interface RecentlyUsed<V> {
  readonly get: (key: string) => V | undefined
  readonly set: (key: string, value: V) => void
}

/**
 * Keeps between `limit` / 2 and `limit` entries, the ones used last: two generations, the older of which is let go when
 * the younger is full. A hit costs one look-up, with no reordering.
 */
export function recentlyUsed<V>(limit: number): RecentlyUsed<V> {
  let young = new Map<string, V>()
  let old = new Map<string, V>()
  const set = (key: string, value: V): void => {
    if (young.size >= limit / 2) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }
  return {
    get: (key) => {
      const value = young.get(key)
      if (value !== undefined) return value
      const kept = old.get(key)
      if (kept !== undefined) set(key, kept)
      return kept
    },
    set,
  }
}

/**
 * The key ring that fits a fleet of the same seed. Keeps the `limit` meters used last as `KeyObject`s (about 400 bytes
 * each) and makes the others anew. Prints as `<redacted>`.
 */
export function fleetKeyring(seed: number, limit = 131_072): Keyring {
  const meters = recentlyUsed<MeterKeys>(limit)
  const derivedKeys = recentlyUsed<KeyObject>(256)

  const meterKeys = (keyRef: string): MeterKeys | undefined => {
    const known = meters.get(keyRef)
    if (known !== undefined) return known
    const secrets = meterSecrets(seed, keyRef)
    if (secrets === undefined) return undefined
    const keys = { encryption: secrets.encryption, authentication: createSecretKey(secrets.authentication) }
    meters.set(keyRef, keys)
    return keys
  }
  const derived = (purpose: KeyPurpose, epoch: string): KeyObject => {
    const name = `${purpose}\n${epoch}`
    const known = derivedKeys.get(name)
    if (known !== undefined) return known
    const key = createSecretKey(createHmac('sha256', masterKey(seed)).update(`derived\n${name}`).digest())
    derivedKeys.set(name, key)
    return key
  }
  const redacted = () => '<redacted>'
  return Object.defineProperties({ meterKeys, derived } as Keyring, {
    toString: { value: redacted },
    toJSON: { value: redacted },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: redacted },
  })
}
