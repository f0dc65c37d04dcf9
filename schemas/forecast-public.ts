import { avroCodec } from './avro.ts'
import type { Codec, EpochMs } from './codec.ts'
import type { Channel } from './interval-reading.ts'
import type { Level } from './register-entry.ts'

/** `forecast.public` (released): one group's forecast, made from released records only; it costs no budget. */
export interface ForecastPublic {
  readonly level: Level
  readonly group: string
  readonly channel: Channel
  readonly model: string
  /** Start of the first forecast window, UTC, and the step. */
  readonly start: EpochMs
  readonly windowSeconds: number
  /**
   * Per step: quantiles 5, 25, 50, 75, 95 of the final `rawWh` of the group in Wh, the known noise of its two draws included.
   * A preliminary value lies outside them where much comes late.
   */
  readonly quantilesWh: readonly (readonly number[])[]
  /** Ledger sequence of the newest released record it used. */
  readonly ledgerSeq: number
  /** How many released windows it was fitted on. */
  readonly windows: number
}

/** Codec of `forecast.public`. */
export const forecastPublicCodec: Codec<ForecastPublic> = avroCodec<ForecastPublic, ForecastPublic>('forecast-public', {
  toFields: (value) => value,
  fromFields: ({ level, group, channel, model, start, windowSeconds, quantilesWh, ledgerSeq, windows }) => ({
    level,
    group,
    channel,
    model,
    start,
    windowSeconds,
    quantilesWh,
    ledgerSeq,
    windows,
  }),
})
