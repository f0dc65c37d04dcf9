import type { EpochMs } from '../../schemas/codec.ts'
import type { ForecastPublic } from '../../schemas/forecast-public.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import type { Accumulating, Spec } from '../contract/operator.ts'
import { localDay } from '../window/local-day.ts'
import type { ForecastModel, History, Prediction } from './model.ts'
import { type Contender, calibration, choose, contend, startDay } from './rolling.ts'
import { seasonalNaive } from './seasonal-naive.ts'
import { historyOf, observe, type Series, seriesFrom } from './series.ts'
import { structural } from './structural.ts'

export type { ForecastModel } from './model.ts'
export { seasonalNaive } from './seasonal-naive.ts'
export { structural } from './structural.ts'

export const forecastSpec = { name: 'forecast', drops: [], rejects: [] } as const satisfies Spec

export interface ForecastOptions {
  /** IANA time zone that decides the local day. Required. */
  readonly timeZone: string
  /** Models that contend for each series, the first of them preferred while none has been tried. Default: seasonal naive by day and by week, structural. */
  readonly models?: readonly ForecastModel[]
  /** How far ahead, in milliseconds. Default 36 h. */
  readonly horizonMs?: number
}

/** One group and channel. */
interface Forecasted {
  readonly series: Series
  readonly contenders: readonly Contender[]
  /** End of the newest window seen at the start of a local day. */
  dayStarted: EpochMs
}

export interface ForecastState {
  readonly byName: Map<string, Forecasted>
}

/** Standard normal quantiles at 5, 25, 50, 75 and 95 %. */
const quantiles = [-1.644_853_627, -0.674_489_75, 0, 0.674_489_75, 1.644_853_627] as const

/**
 * Forecasts each released group from released values alone; post-processing, which costs no budget. Once per full hour of
 * released windows and group it emits the quantiles of the values that will be released, their known noise included, in
 * the step of the series. The model is the one that did best on the last seven days, each predicted from its start.
 *
 * *State*: nothing but what load.public says, so it is rebuilt by reading load.public again from its first record. Before
 * a series has a day it has no forecast, and a withheld one never has.
 */
export function forecast(options: ForecastOptions): Accumulating<LoadPublic, ForecastPublic, ForecastState> {
  const { timeZone, models = [seasonalNaive(1), seasonalNaive(7), structural()], horizonMs = 36 * 3_600_000 } = options
  return {
    spec: forecastSpec,
    restore: () => ({ byName: new Map() }),
    process: (batch, state, out) => {
      for (const from of batch) {
        const record = from.value
        if (record.rawWh === null) continue
        const name = seriesName(record)
        const known = state.byName.get(name) ?? {
          series: seriesFrom(record),
          contenders: models.map(contend),
          dayStarted: 0,
        }
        state.byName.set(name, known)
        if (!observe(known.series, record) || record.phase !== 'preliminary') continue
        const end = record.window + record.windowSeconds * 1_000
        beginDay(known, end, timeZone)
        if (end % 3_600_000 !== 0) continue
        const history = historyOf(known.series, end, timeZone)
        for (const contender of known.contenders) contender.fitted ??= contender.model.fit(history)
        const made = make(known, record, history, horizonMs)
        if (made) out.emit(from, made)
      }
      return 'done'
    },
    changed: () => [],
  }
}

const seriesName = ({ level, group, channel }: Pick<LoadPublic, 'level' | 'group' | 'channel'>): string =>
  `${level}/${group}/${channel}`

/** When the last window of a local day has come, or the first one after a gap. */
function beginDay(known: Forecasted, end: EpochMs, timeZone: string): void {
  const day = localDay(timeZone, end)
  if (known.dayStarted >= day.start) return
  known.dayStarted = day.start
  if (end !== day.start) return
  const history = historyOf(known.series, end, timeZone)
  const steps = Math.round((day.end - day.start) / known.series.stepMs)
  for (const contender of known.contenders) startDay(contender, history, end, steps)
}

function make(
  { series, contenders }: Forecasted,
  record: LoadPublic,
  history: History,
  horizonMs: number,
): ForecastPublic | undefined {
  const chosen = choose(contenders)
  if (!chosen?.fitted) return undefined
  const prediction = chosen.fitted.predict(history, Math.round(horizonMs / series.stepMs))
  return {
    level: record.level,
    group: record.group,
    channel: record.channel,
    model: chosen.model.name,
    start: record.window + record.windowSeconds * 1_000,
    windowSeconds: record.windowSeconds,
    quantilesWh: quantilesOf(prediction, calibration(chosen), series.nextNoise),
    ledgerSeq: record.ledgerSeq,
    windows: history.wh.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0),
  }
}

function quantilesOf({ mean, variance }: Prediction, factor: number, noise: number): number[][] {
  return Array.from(mean, (middle, step) => {
    const deviation = Math.sqrt(factor * variance[step]! + noise)
    return quantiles.map((z) => Math.round(middle + z * deviation))
  })
}
