import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import type { Keyring, MeterKeys } from '../../operators/contract/keyring.ts'

const redacted = '<redacted>'
const derivedBytes = 32
/** Epochs are dates, so this is years of them; the oldest is derived anew. */
const maxCached = 4_096

/**
 * A keyring over keys already loaded. Derived keys are HKDF-SHA-256 (RFC 5869) of the master key, with purpose and epoch
 * in the info, so that no two purposes and no two epochs share a key; without a master key there is none.
 * Inspection, `String` and JSON of it give `<redacted>`.
 */
export function redactedKeyring(master: KeyObject | undefined, meters: ReadonlyMap<string, MeterKeys>): Keyring {
  const derived = new Map<string, KeyObject>()
  const keyring: Keyring = {
    meterKeys: (keyRef) => meters.get(keyRef),
    derived: (purpose, epoch) => {
      if (master === undefined) return undefined
      const info = `meterveil v1\0${purpose}\0${epoch}`
      const known = derived.get(info)
      if (known !== undefined) return known
      const bytes = Buffer.from(hkdfSync('sha256', master, '', info, derivedBytes))
      const key = createSecretKey(bytes)
      bytes.fill(0)
      const oldest = derived.keys().next()
      if (derived.size >= maxCached && !oldest.done) derived.delete(oldest.value)
      derived.set(info, key)
      return key
    },
  }
  const says = { value: () => redacted }
  return Object.freeze(Object.defineProperties(keyring, { toString: says, toJSON: says, [inspect.custom]: says }))
}
