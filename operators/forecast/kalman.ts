/**
 * A state space model whose states evolve apart: x' = decay * x + drift noise, seen as y = features . x + noise of variance
 * 1. With a fixed noise variance, what is known of the states depends on features alone and not on any value (Kalman 1960):
 * it is worked out once for all series that have features in common.
 */
export interface StateSpace {
  readonly decay: Float64Array
  /** Variance of each state's drift per step, in units of the noise variance like all that follow. */
  readonly drift: Float64Array
  /** Variance of each state before the first step. */
  readonly spread: Float64Array
}

/** Covariance of the states before the first step, row by row. */
export function firstCovariance({ spread }: StateSpace): Float64Array {
  const n = spread.length
  const covariance = new Float64Array(n * n)
  for (let i = 0; i < n; i++) covariance[i * n + i] = spread[i]!
  return covariance
}

/** One step of time without a value. Changes the covariance. */
export function advance({ decay, drift }: StateSpace, covariance: Float64Array): void {
  const n = decay.length
  for (let i = 0; i < n; i++) {
    const kept = decay[i]!
    if (kept === 1) continue
    for (let j = 0; j < n; j++) {
      covariance[i * n + j]! *= kept
      covariance[j * n + i]! *= kept
    }
  }
  for (let i = 0; i < n; i++) covariance[i * n + i]! += drift[i]!
}

/** Variance of what the next value shows, without noise; `product` receives covariance x features. */
export function project(features: Float64Array, covariance: Float64Array, product: Float64Array): number {
  const n = features.length
  let variance = 0
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += covariance[i * n + j]! * features[j]!
    product[i] = sum
    variance += features[i]! * sum
  }
  return Math.max(variance, 0)
}

/** What a surprise of 1 adds to each state, written to `gain`; takes the certainty of one value into the covariance. */
export function takeIn(features: Float64Array, covariance: Float64Array, gain: Float64Array): void {
  const n = features.length
  const total = project(features, covariance, gain) + 1
  for (let i = 0; i < n; i++) {
    const weight = gain[i]! / total
    for (let j = 0; j < n; j++) covariance[i * n + j]! -= weight * gain[j]!
  }
  for (let i = 0; i < n; i++) gain[i]! /= total
}
