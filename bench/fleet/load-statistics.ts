/** What a set of household loads looks like, for a comparison of a synthetic set with a real one. */
export interface LoadStatistics {
  readonly homes: number
  readonly meanDayKwh: number
  /** Quantiles at `quantileLevels`. */
  readonly halfHourWh: readonly number[]
  readonly dayWh: readonly number[]
  /** Root of the sum of squares over a household-day, in Wh. */
  readonly dayNormWh: readonly number[]
  readonly homeMeanDayWh: readonly number[]
  /** Mean over homes of the autocorrelation at lags of 1 and 2 intervals, a day and a week. */
  readonly autocorrelation: readonly [number, number, number, number]
  /** Share of the day's energy of all homes between 16:00 and 21:00 UTC, and between 00:00 and 06:00. */
  readonly eveningShare: number
  readonly nightShare: number
  readonly weekendRatio: number
  /** Mean of December to February over mean of June to August; NaN if either is missing. */
  readonly winterRatio: number
  /** Peak of the sum over sum of the homes' peaks in a day, median over days. */
  readonly coincidence: number
  /** Within-home standard deviation of daily energy over its mean, median over homes. */
  readonly dayVariation: number
}

/** Levels of all quantiles in a comparison. */
export const quantileLevels = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const

/** The values of a sorted copy at `levels`. */
export function quantilesOf(values: readonly number[], levels: readonly number[] = quantileLevels): readonly number[] {
  const sorted = Float64Array.from(values).sort()
  return levels.map((level) => sorted[Math.floor(level * (sorted.length - 1))] ?? Number.NaN)
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const median = (values: readonly number[]): number => quantilesOf(values, [0.5])[0] as number

/**
 * Measures homes' half-hourly series (-1: no reading) that begin at `start`, a UTC midnight. Days with a missing
 * reading are left out of everything that is about whole days.
 */
export function loadStatistics(homes: readonly Int32Array[], start: number): LoadStatistics {
  const perDay = 48
  const days = Math.floor((homes[0]?.length ?? 0) / perDay)
  const halfHourWh: number[] = []
  const dayWh: number[] = []
  const dayNormWh: number[] = []
  const homeMeanDayWh: number[] = []
  const variation: number[] = []
  const profile = new Float64Array(perDay)
  const week = { end: [] as number[], work: [] as number[] }
  const season = { winter: [] as number[], summer: [] as number[] }
  const sumOfDay = new Float64Array(days * perDay)
  const peaksOfDay = new Float64Array(days)
  for (const series of homes) {
    const own: number[] = []
    for (const value of series) if (value >= 0) halfHourWh.push(value)
    for (let day = 0; day < days; day++) {
      const values = series.subarray(day * perDay, (day + 1) * perDay)
      if (values.includes(-1)) continue
      let sum = 0
      let squares = 0
      let peak = 0
      values.forEach((value, i) => {
        sum += value
        squares += value * value
        peak = Math.max(peak, value)
        profile[i] = (profile[i] as number) + value
        sumOfDay[day * perDay + i] = (sumOfDay[day * perDay + i] as number) + value
      })
      peaksOfDay[day] = (peaksOfDay[day] as number) + peak
      own.push(sum)
      dayNormWh.push(Math.sqrt(squares))
      const date = new Date(start + day * 86_400_000)
      ;(date.getUTCDay() % 6 === 0 ? week.end : week.work).push(sum)
      const month = date.getUTCMonth()
      if (month === 11 || month < 2) season.winter.push(sum)
      else if (month >= 5 && month <= 7) season.summer.push(sum)
    }
    if (own.length === 0) continue
    dayWh.push(...own)
    const level = mean(own)
    homeMeanDayWh.push(level)
    variation.push(Math.sqrt(mean(own.map((value) => (value - level) ** 2))) / level)
  }
  const total = profile.reduce((sum, value) => sum + value, 0)
  const share = (from: number, to: number): number => profile.subarray(from, to).reduce((sum, v) => sum + v, 0) / total
  return {
    homes: homes.length,
    meanDayKwh: mean(dayWh) / 1_000,
    halfHourWh: quantilesOf(halfHourWh),
    dayWh: quantilesOf(dayWh),
    dayNormWh: quantilesOf(dayNormWh),
    homeMeanDayWh: quantilesOf(homeMeanDayWh),
    autocorrelation: [1, 2, 48, 336].map((lag) => meanAutocorrelation(homes, lag)) as [number, number, number, number],
    eveningShare: share(32, 42),
    nightShare: share(0, 12),
    weekendRatio: mean(week.end) / mean(week.work),
    winterRatio: mean(season.winter) / mean(season.summer),
    coincidence: median(
      Array.from(peaksOfDay, (peaks, day) => Math.max(...sumOfDay.subarray(day * perDay, (day + 1) * perDay)) / peaks),
    ),
    dayVariation: median(variation),
  }
}

function meanAutocorrelation(homes: readonly Int32Array[], lag: number): number {
  const perHome: number[] = []
  for (const series of homes) {
    let n = 0
    let sum = 0
    for (const value of series) {
      if (value < 0) continue
      n++
      sum += value
    }
    const level = sum / n
    let together = 0
    let alone = 0
    for (let i = 0; i + lag < series.length; i++) {
      const here = series[i] as number
      const there = series[i + lag] as number
      if (here < 0 || there < 0) continue
      together += (here - level) * (there - level)
      alone += (here - level) ** 2
    }
    if (alone > 0) perHome.push(together / alone)
  }
  return mean(perHome)
}
