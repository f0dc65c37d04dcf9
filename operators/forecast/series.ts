import type { EpochMs } from '../../schemas/codec.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { localDay } from '../window/local-day.ts'
import type { CalendarPoint, History } from './model.ts'

/** How much of the past models are shown. */
export const daysKept = 28

/** The released values of one group and channel, the newest `daysKept` days. */
export interface Series {
  readonly stepMs: number
  /** Start of the first window kept. */
  start: EpochMs
  wh: number[]
  noise: number[]
  /** Variance of the noise in the newest preliminary value: what the next ones will carry. */
  nextNoise: number
}

/** A series that begins with the window of `record`. */
export function seriesFrom({ window, windowSeconds }: LoadPublic): Series {
  return { stepMs: windowSeconds * 1_000, start: window, wh: [], noise: [], nextNoise: 0 }
}

/**
 * Puts a released value into its place; a final value takes that of the preliminary one. Answers false where the record
 * is withheld, older than what is kept, or not on the grid of the series.
 */
export function observe(series: Series, { window, windowSeconds, rawWh, privacy, phase }: LoadPublic): boolean {
  const at = (window - series.start) / series.stepMs
  if (rawWh === null || at < 0 || !Number.isInteger(at) || windowSeconds * 1_000 !== series.stepMs) return false
  while (series.wh.length <= at) {
    series.wh.push(Number.NaN)
    series.noise.push(0)
  }
  series.wh[at] = rawWh
  series.noise[at] = approximately(privacy.sigma2)
  if (phase === 'preliminary') series.nextNoise = series.noise[at]!
  const excess = series.wh.length - (daysKept * 86_400_000) / series.stepMs
  // Cut by whole days, so that the arrays are not moved at every value.
  if (excess >= 86_400_000 / series.stepMs) {
    series.wh.splice(0, excess)
    series.noise.splice(0, excess)
    series.start += excess * series.stepMs
  }
  return true
}

/** What models see of a series up to `end`. */
export function historyOf({ start, stepMs, wh, noise }: Series, end: EpochMs, timeZone: string): History {
  const count = Math.max(0, Math.round((end - start) / stepMs))
  return {
    start,
    stepMs,
    wh: Float64Array.from(wh.slice(0, count)),
    noise: Float64Array.from(noise.slice(0, count)),
    calendar: (at) => calendarPoint(timeZone, at),
  }
}

function calendarPoint(timeZone: string, at: EpochMs): CalendarPoint {
  const { day, start, end } = localDay(timeZone, at)
  // 1970-01-01 was a Thursday.
  const weekday = (((day + 4) % 7) + 7) % 7
  return { phase: (at - start) / (end - start), weekend: weekday === 0 || weekday === 6 }
}

/** An exact fraction as a double: good enough for a filter, which is post-processing. */
function approximately(text: string): number {
  const [numerator, denominator = '1'] = text.split('/')
  return Number(numerator) / Number(denominator)
}
