/** A state space model whose states evolve apart: x' = decay * x + drift noise, seen as y = features . x + noise. */
export interface StateSpace {
  readonly decay: Float64Array
  /** Variance of each state's drift per step. */
  readonly drift: Float64Array
  /** Mean and variance of each state before the first step. */
  readonly initial: Float64Array
  readonly spread: Float64Array
}

/** What is known of the states after some steps: mean, and covariance row by row. */
export interface Belief {
  readonly mean: Float64Array
  readonly covariance: Float64Array
}

export interface Filtered extends Belief {
  /** Log-likelihood of the values seen, without its constant. */
  readonly logLikelihood: number
}

/**
 * Kalman filter (Kalman 1960) over scalar values. `features` holds one row of weights per step; NaN values are stepped
 * over. `noise` is the variance of each value around its mean. `burnIn` values do not count for the likelihood.
 */
export function filter(
  model: StateSpace,
  features: Float64Array,
  values: Float64Array,
  noise: (step: number) => number,
  burnIn = 0,
): Filtered {
  const n = model.decay.length
  const mean = model.initial.slice()
  const covariance = new Float64Array(n * n)
  for (let i = 0; i < n; i++) covariance[i * n + i] = model.spread[i]!
  const gain = new Float64Array(n)
  let logLikelihood = 0
  for (let step = 0; step < values.length; step++) {
    if (step > 0) advance(model, mean, covariance)
    const value = values[step]!
    if (Number.isNaN(value)) continue
    const row = features.subarray(step * n, (step + 1) * n)
    const { expected, variance } = project(row, mean, covariance, gain)
    const total = variance + noise(step)
    const surprise = value - expected
    for (let i = 0; i < n; i++) mean[i]! += (gain[i]! * surprise) / total
    for (let i = 0; i < n; i++) {
      const factor = gain[i]! / total
      for (let j = 0; j < n; j++) covariance[i * n + j]! -= factor * gain[j]!
    }
    if (step >= burnIn) logLikelihood -= 0.5 * (Math.log(total) + (surprise * surprise) / total)
  }
  return { mean, covariance, logLikelihood }
}

/** Mean and variance of what the next steps show, without noise. `features` holds one row per step. */
export function project(
  row: Float64Array,
  mean: Float64Array,
  covariance: Float64Array,
  /** Receives covariance x row. */
  product: Float64Array,
): { expected: number; variance: number } {
  const n = mean.length
  let expected = 0
  let variance = 0
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += covariance[i * n + j]! * row[j]!
    product[i] = sum
    expected += row[i]! * mean[i]!
    variance += row[i]! * sum
  }
  return { expected, variance: Math.max(variance, 0) }
}

/** One step of time without a value. Changes its arguments. */
export function advance({ decay, drift }: StateSpace, mean: Float64Array, covariance: Float64Array): void {
  const n = decay.length
  for (let i = 0; i < n; i++) {
    mean[i]! *= decay[i]!
    for (let j = 0; j < n; j++) covariance[i * n + j]! *= decay[i]! * decay[j]!
    covariance[i * n + i]! += drift[i]!
  }
}
