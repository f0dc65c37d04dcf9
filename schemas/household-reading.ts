import { asBuffer, avroCodec } from './avro.ts'
import type { Codec } from './codec.ts'
import type { IntervalReading } from './interval-reading.ts'

/**
 * `household.readings` (pseudonymous, still personal data): one frame's accepted intervals of one local date under that
 * date's pseudonym. Carries no arrival time and no register total.
 */
export interface HouseholdReading {
  /** 16 bytes: HMAC-SHA-256 under the key of (purpose, local date), cut to 128 bits. */
  readonly pseudonym: Uint8Array
  /** Local date of the intervals, `YYYY-MM-DD`. */
  readonly date: string
  readonly zone: string
  /** Generalised attributes; `*` where suppressed. */
  readonly area: string
  readonly tariff: string
  readonly heating: string
  readonly dwelling: string
  readonly intervals: readonly Omit<IntervalReading, 'registerWh'>[]
}

/** Codec of `household.readings`. */
export const householdReadingCodec: Codec<HouseholdReading> = avroCodec<HouseholdReading, HouseholdReading>(
  'household-reading',
  {
    toFields: ({ pseudonym, date, zone, area, tariff, heating, dwelling, intervals }) => ({
      pseudonym: asBuffer(pseudonym),
      date,
      zone,
      area,
      tariff,
      heating,
      dwelling,
      intervals,
    }),
    fromFields: ({ pseudonym, date, zone, area, tariff, heating, dwelling, intervals }) => ({
      pseudonym,
      date,
      zone,
      area,
      tariff,
      heating,
      dwelling,
      intervals: intervals.map(({ channel, start, durationSeconds, energyWh, quality }) => ({
        channel,
        start,
        durationSeconds,
        energyWh,
        quality,
      })),
    }),
  },
)
