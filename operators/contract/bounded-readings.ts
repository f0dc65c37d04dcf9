import type { BoundedWh } from '../../schemas/bounded.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { Channel } from '../../schemas/interval-reading.ts'
import type { Level } from '../../schemas/register-entry.ts'

/** The readings of one frame that may feed load, bounded for every level. Identified. */
export interface BoundedReadings {
  readonly groups: Readonly<Record<Level, string>>
  /** How many measuring points the home has that they are of. */
  readonly pointsAtConnection: number
  readonly readings: readonly BoundedReading[]
}

/** One reading and the release window that it belongs to, whole or as one of its equal parts. */
export interface BoundedReading {
  readonly channel: Channel
  /** Start of the interval, UTC, and its length. */
  readonly start: EpochMs
  readonly durationSeconds: number
  /** Start of the release window, UTC, and its length; never shorter than the interval. */
  readonly window: EpochMs
  readonly windowSeconds: number
  /** Local day of the window, as `YYYY-MM-DD` and as days since 1970-01-01. */
  readonly date: string
  readonly day: number
  /** Energy as measured, in whole Wh. */
  readonly exactWh: number
  /** What counts at each level, in whole Wh: never negative, and never above a positive `exactWh`. */
  readonly bounded: Readonly<Record<Level, BoundedWh>>
}
