// The closed set of reasons for which the decoder refuses bytes: a part of the project's reasons, so each has its sentence and advice there.
// A reason is a bounded metric label: it never carries bytes, keys, titles or meter numbers.
import type { Reason } from '../../contract/reasons.ts'

/** Every reason that the decoder can give. */
export const decodeReasons = [
  'frame_missing',
  'frame_truncated',
  'frame_length_mismatch',
  'frame_oversize',
  'hcs_mismatch',
  'fcs_mismatch',
  'checksum_mismatch',
  'segment_missing',
  'segment_expired',
  'block_missing',
  'apdu_unknown_tag',
  'apdu_trailing_bytes',
  'apdu_out_of_scope',
  'axdr_unknown_type',
  'axdr_truncated',
  'axdr_too_deep',
  'axdr_budget',
  'length_invalid',
  'key_unknown',
  'title_missing',
  'title_mismatch',
  'authentication_failed',
  'protection_too_weak',
  'compression_unsupported',
  'suite_unsupported',
  'invocation_counter_replayed',
  'obis_unmapped',
  'profile_ambiguous',
  'time_missing',
  'time_invalid',
  'unit_unexpected',
  'value_out_of_range',
] as const satisfies readonly Reason[]

/** One closed reason for which a frame, an APDU or a reading is refused. */
export type DecodeReason = (typeof decodeReasons)[number]

/**
 * The one exception of the wire code. It is caught at the boundary (`decode`, `intervalReadings`) and never leaves the operator.
 * Its message is the reason alone, so that no payload can reach a log.
 */
export class WireError extends Error {
  /** The closed reason. */
  readonly reason: DecodeReason
  /** Offset in the bytes of the layer that was being read; 0 if the whole unit is meant. */
  readonly byteOffset: number

  constructor(reason: DecodeReason, byteOffset: number) {
    // Nobody reads where it was thrown, and walking the stack costs more than decoding a short frame: refusing must not be the dear case.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(reason)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'WireError'
    this.reason = reason
    this.byteOffset = byteOffset
  }
}

/** Refuses with a closed reason; typed `never` so that callers need no unreachable return. */
export function refuse(reason: DecodeReason, byteOffset: number): never {
  throw new WireError(reason, byteOffset)
}
