import type { IntervalReading } from '../../schemas/interval-reading.ts'
import type { Protection, RegisterEntry } from '../../schemas/register-entry.ts'

/** The interval readings of one frame, between its decoding and the sinks. Identified. */
export interface MeterReadings {
  readonly entry: RegisterEntry
  readonly readings: readonly IntervalReading[]
  readonly trust: ReadingTrust
}

/** How far the frame that carried the readings can be trusted. */
export interface ReadingTrust {
  /** The protection that the APDU carried. */
  readonly protection: Protection
  /** Whether an authentication tag was there and right. */
  readonly tagVerified: boolean
  /** Invocation counter of the APDU; `null` where it carries none. */
  readonly counter: number | null
}
