import type { ForecastPublic } from '../../schemas/forecast-public.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import type { Accumulating, Spec } from '../contract/operator.ts'
import { exponentialSmoothing } from './exponential-smoothing.ts'
import { type Forecaster, forecaster } from './forecaster.ts'
import type { ForecastModel } from './model.ts'
import type { Weather } from './moments.ts'
import { type SealCollector, sealCollector } from './seals.ts'
import { seasonalNaive } from './seasonal-naive.ts'
import { shareOfWhole } from './share-of-whole.ts'
import { structural } from './structural.ts'
import type { ParentOf } from './tree.ts'

export { exponentialSmoothing } from './exponential-smoothing.ts'
export type { ForecastModel } from './model.ts'
export { seasonalNaive } from './seasonal-naive.ts'
export { shareOfWhole } from './share-of-whole.ts'
export { structural } from './structural.ts'
export { ForecastDataError, readHolidays, readWeather } from './surroundings.ts'

export const forecastSpec = { name: 'forecast', drops: [], rejects: [] } as const satisfies Spec

export interface ForecastOptions {
  /** IANA time zone that decides the local day. Required. */
  readonly timeZone: string
  /** Local dates, `YYYY-MM-DD`, that are lived like Sundays: see `readHolidays`. Default none. */
  readonly holidays?: ReadonlySet<string>
  /** Outdoor temperature in degrees Celsius, observed or forecast, where it is known: see `readWeather`. Default none. */
  readonly weather?: Weather
  /**
   * Name of the group above, for records that do not name it themselves: older ones. Forecasts of groups without it are not
   * made to add up. Default: none is known.
   */
  readonly parentOf?: ParentOf
  /** Models that contend for each series, the first of them preferred while none has been tried. Default: all that are here. */
  readonly models?: readonly ForecastModel[]
  /** How far ahead, in milliseconds. Default 36 h. */
  readonly horizonMs?: number
  /** Between two forecasts of a group, in milliseconds, counted from local midnight. Default 1 h. */
  readonly everyMs?: number
}

export interface ForecastState {
  readonly seals: SealCollector
  readonly forecaster: Forecaster
}

/**
 * Forecasts each released group from released values alone; post-processing, which costs no budget. Once per full hour of
 * released windows it emits for each group the quantiles of the final values to come, the known noise of both their draws
 * included, in the step of the series. Medians add up over the levels wherever all parts of a whole are released; the
 * records say what is part of what. A group that moves to another whole is forecast on from what is known of it, one that
 * becomes a part begins anew. The model is the one that did best on the last days, each predicted from its start and
 * compared with what is known when it ends. The quantiles are as far apart as it took lately for them to hold as many of
 * the final values as they say, by time of day, and never nearer than the known noise.
 *
 * *State*: nothing but what load.public says, so it is rebuilt by reading load.public again from its first record. Before
 * a series has a day it has no forecast, and a withheld one never has.
 */
export function forecast(options: ForecastOptions): Accumulating<LoadPublic, ForecastPublic, ForecastState> {
  const {
    models = [seasonalNaive(1), seasonalNaive(7), shareOfWhole(), exponentialSmoothing(), structural()],
    horizonMs = 36 * 3_600_000,
    everyMs = 3_600_000,
    parentOf,
    holidays = new Set<string>(),
    weather,
    timeZone,
  } = options
  return {
    spec: forecastSpec,
    restore: () => ({
      seals: sealCollector(),
      forecaster: forecaster({
        models,
        horizonMs,
        everyMs,
        parentOf: (record) => record.parent ?? parentOf?.(record),
        holidays,
        weather,
        timeZone,
      }),
    }),
    process: (batch, state, out) => {
      for (const from of batch) {
        for (const seal of state.seals.add(from.value)) {
          for (const made of state.forecaster.take(seal)) out.emit(from, made)
        }
      }
      return 'done'
    },
    changed: () => [],
  }
}
