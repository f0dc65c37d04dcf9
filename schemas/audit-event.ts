import { asBuffer, avroCodec } from './avro.ts'
import type { Codec, EpochMs } from './codec.ts'

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

/** Codec of `audit`. */
export const auditEventCodec: Codec<AuditEvent> = avroCodec<AuditEvent, AuditEvent>('audit-event', {
  toFields: (value) => ({ ...value, prev: asBuffer(value.prev), hash: asBuffer(value.hash) }),
  fromFields: ({ seq, prev, hash, at, event, actor, subject, count }) => ({
    seq,
    prev,
    hash,
    at,
    event,
    actor,
    subject,
    count,
  }),
})
