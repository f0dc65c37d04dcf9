import type { EpochMs } from './codec.ts'

/** `audit` (aggregate): one key use, release, policy change or restricted read: classes and counts, never a meter. */
export interface AuditEvent {
  readonly seq: number
  readonly prev: Uint8Array
  readonly hash: Uint8Array
  readonly at: EpochMs
  readonly event: 'key_use' | 'release' | 'policy_change' | 'restricted_read'
  readonly actor: string
  readonly subject: string
  readonly count: number
}
