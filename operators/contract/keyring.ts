import type { KeyObject } from 'node:crypto'

/** The two keys of one meter (IEC 62056-5-3): global unicast encryption key and authentication key. */
export interface MeterKeys {
  readonly encryption: KeyObject
  readonly authentication: KeyObject | undefined
}

/** What a derived key is for; purposes never share a key. */
export type KeyPurpose = 'pseudonym' | 'ledger_digest' | 'dead_letter' | 'meter_state'

/**
 * Where keys come from. Every method is synchronous over keys already loaded; a key that is not there is `undefined`,
 * and callers fail closed. Nothing here prints a key: `String(keyring)` and inspection give `<redacted>`.
 */
export interface Keyring {
  readonly meterKeys: (keyRef: string) => MeterKeys | undefined
  /** A 256-bit key for one purpose and epoch; for pseudonyms the epoch is the local date. */
  readonly derived: (purpose: KeyPurpose, epoch: string) => KeyObject | undefined
}
