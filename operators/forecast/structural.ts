import { advance, filter, project, type StateSpace } from './kalman.ts'
import { type FittedModel, type ForecastModel, type History, meanOf, type Prediction, windowsOf } from './model.ts'

const dailyHarmonics = 8
const weekendHarmonics = 3
const daysForWeekends = 14

/** Parameters as parts of the variance of the load; rates are per day. */
interface Shape {
  /** Drift of the slow level. */
  readonly level: number
  /** Variance of the deviation that fades within hours: weather, events. */
  readonly deviation: number
  /** Drift of the daily profile. */
  readonly profile: number
  /** What a window has of its own. */
  readonly rough: number
}

const choices: { readonly [K in keyof Shape]: readonly number[] } = {
  level: [0.000_5, 0.005, 0.03],
  deviation: [0.01, 0.05, 0.2],
  profile: [0.000_2, 0.002, 0.02],
  rough: [0.000_5, 0.005, 0.03],
}
const begin: Shape = { level: 0.005, deviation: 0.05, profile: 0.002, rough: 0.005 }

/** How much of a deviation is left after an hour. */
const keptPerHour = 0.93

/**
 * Structural time series (Harvey 1989): slow level + fading deviation + daily profile in Fourier terms and, from two
 * weeks on, another profile for weekends. A Kalman filter weighs each value by its known noise variance, so it smooths
 * exactly as much as the noise asks for. The four drift parameters are those of a small grid with the best likelihood on
 * released values. Needs two days.
 */
export function structural(): ForecastModel {
  return {
    name: 'structural_fourier',
    fit: (history) => {
      if (seen(history) < 1.9 * windowsOf(1, history.stepMs)) return undefined
      const weekends = history.wh.length >= windowsOf(daysForWeekends, history.stepMs)
      const shape = bestShape(history, weekends)
      return { predict: (now, steps) => predict(now, steps, shape, weekends) } satisfies FittedModel
    },
  }
}

function predict(history: History, steps: number, shape: Shape, weekends: boolean): Prediction {
  const { wh, noise } = history
  const model = stateSpace(history, shape, weekends)
  const n = model.decay.length
  const features = featuresOf(history, wh.length + steps, weekends)
  const rough = shape.rough * loadVariance(history)
  const { mean: states, covariance } = filter(model, features, wh, (step) => noise[step]! + rough)
  const mean = new Float64Array(steps)
  const variance = new Float64Array(steps)
  const product = new Float64Array(n)
  for (let step = 0; step < steps; step++) {
    advance(model, states, covariance)
    const at = wh.length + step
    const seenAt = project(features.subarray(at * n, (at + 1) * n), states, covariance, product)
    mean[step] = seenAt.expected
    variance[step] = seenAt.variance + rough
  }
  return { mean, variance }
}

/** One pass over the parameters, each set to the choice of best likelihood while the others stand. */
function bestShape(history: History, weekends: boolean): Shape {
  const { wh, noise, stepMs } = history
  const features = featuresOf(history, wh.length, weekends)
  const unit = loadVariance(history)
  const likelihood = (shape: Shape): number => {
    const rough = shape.rough * unit
    const model = stateSpace(history, shape, weekends)
    return filter(model, features, wh, (step) => noise[step]! + rough, windowsOf(1, stepMs)).logLikelihood
  }
  let best = begin
  let reached = likelihood(best)
  for (const name of ['deviation', 'rough', 'profile', 'level'] as const) {
    for (const value of choices[name]) {
      if (value === best[name]) continue
      const shape = { ...best, [name]: value }
      const found = likelihood(shape)
      if (found <= reached) continue
      best = shape
      reached = found
    }
  }
  return best
}

const stateCount = (weekends: boolean): number => 2 + 2 * dailyHarmonics + (weekends ? 1 + 2 * weekendHarmonics : 0)

function stateSpace(history: History, shape: Shape, weekends: boolean): StateSpace {
  const n = stateCount(weekends)
  const unit = loadVariance(history)
  const perDay = windowsOf(1, history.stepMs)
  const kept = keptPerHour ** (history.stepMs / 3_600_000)
  const decay = new Float64Array(n).fill(1)
  const drift = new Float64Array(n)
  const initial = new Float64Array(n)
  const spread = new Float64Array(n)
  initial[0] = meanOf(history.wh.subarray(0, perDay))
  spread[0] = 2 * unit
  drift[0] = (shape.level * unit) / perDay
  decay[1] = kept
  spread[1] = shape.deviation * unit
  drift[1] = spread[1] * (1 - kept * kept)
  for (let k = 1; k <= dailyHarmonics; k++) {
    for (const at of [2 * k, 2 * k + 1]) {
      spread[at] = (2 * unit) / (k * k)
      drift[at] = (shape.profile * unit) / (perDay * k)
    }
  }
  for (let at = 2 + 2 * dailyHarmonics, k = 0; at < n; at++) {
    // Level first, then two terms per harmonic.
    spread[at] = (0.2 * unit) / (1 + k) ** 2
    drift[at] = (0.1 * shape.profile * unit) / perDay
    k += (at - 2 - 2 * dailyHarmonics) % 2 === 0 ? 1 : 0
  }
  return { decay, drift, initial, spread }
}

function featuresOf({ start, stepMs, calendar }: History, steps: number, weekends: boolean): Float64Array {
  const n = stateCount(weekends)
  const features = new Float64Array(steps * n)
  for (let step = 0; step < steps; step++) {
    const { phase, weekend } = calendar(start + step * stepMs)
    const row = features.subarray(step * n, (step + 1) * n)
    row[0] = 1
    row[1] = 1
    harmonics(row, 2, dailyHarmonics, phase)
    if (!weekends || !weekend) continue
    row[2 + 2 * dailyHarmonics] = 1
    harmonics(row, 3 + 2 * dailyHarmonics, weekendHarmonics, phase)
  }
  return features
}

function harmonics(row: Float64Array, from: number, count: number, phase: number): void {
  for (let k = 1; k <= count; k++) {
    row[from + 2 * (k - 1)] = Math.cos(2 * Math.PI * k * phase)
    row[from + 2 * (k - 1) + 1] = Math.sin(2 * Math.PI * k * phase)
  }
}

/** Variance of the load itself: of what was released, less its known noise. Never nothing. */
function loadVariance({ wh, noise }: History): number {
  const mean = meanOf(wh)
  const spread = meanOf(wh.map((value) => (value - mean) ** 2))
  const known = meanOf(noise.map((variance, i) => (Number.isNaN(wh[i]!) ? Number.NaN : variance)))
  return Math.max(spread - known, (0.05 * mean) ** 2, known / 1_000, 1)
}

function seen({ wh }: History): number {
  return wh.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0)
}
