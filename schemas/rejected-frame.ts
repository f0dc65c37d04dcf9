import { asBuffer, avroCodec } from './avro.ts'
import type { Codec, EpochMs } from './codec.ts'

/** `meter.rejected` (identified): one refused frame or reading, or a meter's event, with the frame sealed. */
export interface RejectedFrame {
  readonly kind: 'rejected' | 'event'
  /** Closed reason, see operators/contract/reasons.ts. */
  readonly reason: string
  /** Operator that refused it. */
  readonly stage: string
  readonly byteOffset: number | null
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly receivedAt: EpochMs
  /** AES-256-GCM under the dead-letter key: 12-byte nonce, ciphertext, 16-byte tag. Holds the whole value unless `fullLength` says more. */
  readonly sealed: Uint8Array
  /**
   * Bytes of the refused value where it is longer than a dead letter holds: `sealed` then is of its first 65,536 bytes
   * followed by the SHA-256 of the whole. Null where `sealed` holds the whole value.
   */
  readonly fullLength: number | null
  /**
   * Last offset of what was refused, where that is a whole batch of the log from `offset` on: `sealed` then is of the batch as
   * stored. Null where it is one record.
   */
  readonly lastOffset: number | null
}

/** Codec of `meter.rejected`. */
export const rejectedFrameCodec: Codec<RejectedFrame> = avroCodec<RejectedFrame, RejectedFrame>('rejected-frame', {
  toFields: (value) => ({ ...value, sealed: asBuffer(value.sealed) }),
  fromFields: ({
    kind,
    reason,
    stage,
    byteOffset,
    topic,
    partition,
    offset,
    receivedAt,
    sealed,
    fullLength,
    lastOffset,
  }) => ({
    kind,
    reason,
    stage,
    byteOffset,
    topic,
    partition,
    offset,
    receivedAt,
    sealed,
    fullLength,
    lastOffset,
  }),
})
