import { createSecretKey } from 'node:crypto'
import type { Keyring } from '../../operators/contract/keyring.ts'
import { redactedKeyring } from './redacted-keyring.ts'

export interface MemoryKeys {
  /** 32 bytes that derived keys come from; without it no derived key exists, and pipelines fail closed. */
  readonly master?: Uint8Array
  /** Meter keys of 16 or 32 bytes by reference. Default none. */
  readonly meters?: Iterable<{
    readonly ref: string
    readonly encryption: Uint8Array
    readonly authentication?: Uint8Array
  }>
}

/** A keyring over keys made in the process: for tests, simulations and benches. Never for keys of real meters. */
export function memoryKeyring({ master, meters = [] }: MemoryKeys): Keyring {
  const keys = new Map(
    Array.from(meters, ({ ref, encryption, authentication }) => [
      ref,
      {
        encryption: createSecretKey(encryption),
        authentication: authentication === undefined ? undefined : createSecretKey(authentication),
      },
    ]),
  )
  return redactedKeyring(master === undefined ? undefined : createSecretKey(master), keys)
}
