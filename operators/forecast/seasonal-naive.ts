import { type ForecastModel, type History, meanOf, type Prediction, windowsOf } from './model.ts'

/** Change from one season to the next that is assumed while none could be seen: this part of the mean load. */
const assumedChange = 0.2

/**
 * The value of the same window one season ago (1 or 7 days), or the newest season there is for windows further ahead.
 * Its variance: how much the load changed from season to season so far, beyond the known noise, plus the noise in the
 * value that is repeated. Needs one season.
 */
export function seasonalNaive(days: 1 | 7): ForecastModel {
  const fit: ForecastModel['fit'] = (history) => {
    const lag = windowsOf(days, history.stepMs)
    if (history.wh.length < lag || missing(history, lag) > lag / 10) return undefined
    const change = changeVariance(history, lag)
    return { predict: (now, steps) => predict(now, steps, lag, change) }
  }
  return { name: days === 1 ? 'seasonal_naive_day' : 'seasonal_naive_week', fit }
}

function predict({ wh, noise }: History, steps: number, lag: number, change: number): Prediction {
  const mean = new Float64Array(steps)
  const variance = new Float64Array(steps)
  for (let step = 0; step < steps; step++) {
    const seasons = Math.floor(step / lag) + 1
    let at = wh.length + step - seasons * lag
    let back = seasons
    // Where that window was not released, an older season stands in.
    while (at >= 0 && Number.isNaN(wh[at]!)) {
      at -= lag
      back += 1
    }
    if (at < 0) at = nearest(wh, wh.length + step - seasons * lag)
    mean[step] = wh[at]!
    variance[step] = noise[at]! + back * change
  }
  return { mean, variance }
}

/** Mean squared change over a season beyond what the noise of the two values explains. */
function changeVariance({ wh, noise }: History, lag: number): number {
  let sum = 0
  let count = 0
  for (let at = lag; at < wh.length; at++) {
    const difference = wh[at]! - wh[at - lag]!
    if (Number.isNaN(difference)) continue
    sum += difference * difference - noise[at]! - noise[at - lag]!
    count += 1
  }
  const prior = (assumedChange * meanOf(wh)) ** 2
  // The assumption weighs as much as a quarter of a season seen.
  const weight = lag / 4
  return Math.max((sum + weight * prior) / (count + weight), prior / 100)
}

function missing({ wh }: History, lag: number): number {
  return wh.subarray(wh.length - lag).reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0)
}

function nearest(wh: Float64Array, from: number): number {
  for (let distance = 1; distance < wh.length; distance++) {
    for (const at of [from - distance, from + distance]) {
      if (at >= 0 && at < wh.length && !Number.isNaN(wh[at]!)) return at
    }
  }
  return wh.findIndex((value) => !Number.isNaN(value))
}
