// Distribution functions in doubles, good to about 12 digits, from the elementary functions of numeric/double.ts.
import { exp, ln } from '../numeric/double.ts'

const halfLnTwoPi = 0.9189385332046727

/** ln Gamma(x) for x > 0: Stirling's series above 12, the recurrence below. */
export const lnGamma = (x: number): number => {
  let shift = 0
  let at = x
  while (at < 12) {
    shift += ln(at)
    at += 1
  }
  const inverse = 1 / at
  const square = inverse * inverse
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))
  return (at - 0.5) * ln(at) - at + halfLnTwoPi + series - shift
}

/** The continued fraction of the incomplete beta function, by Lentz's method. */
const betaFraction = (x: number, a: number, b: number): number => {
  const tiny = 1e-300
  const guard = (value: number) => (value < tiny && value > -tiny ? tiny : value)
  let c = 1
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1))
  let result = d
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / guard(1 + even * d)
    c = guard(1 + even / c)
    result *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / guard(1 + odd * d)
    c = guard(1 + odd / c)
    const change = d * c
    result *= change
    if (Math.abs(change - 1) < 1e-15) break
  }
  return result
}

/** I_x(a, b), the regularised incomplete beta function, for 0 <= x <= 1 and positive a and b. */
export const incompleteBeta = (x: number, a: number, b: number): number => {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * ln(x) + b * ln(1 - x))
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b
}

/** P[Z > x] for a standard normal Z. */
export const normalTail = (x: number): number => {
  if (x < 0) return 1 - normalTail(-x)
  const density = 0.3989422804014327 * exp((-x * x) / 2)
  if (x < 3) {
    let term = x
    let sum = x
    for (let odd = 3; term > sum * 1e-17; odd += 2) {
      term *= (x * x) / odd
      sum += term
    }
    return 0.5 - density * sum
  }
  let fraction = 0
  for (let k = 200; k >= 1; k--) fraction = k / (x + fraction)
  return density / (x + fraction)
}

/** The x with P[Z <= x] = probability, by bisection; the infinities at 0 and 1. */
export const normalQuantile = (probability: number): number => {
  if (probability <= 0) return -Infinity
  if (probability >= 1) return Infinity
  if (probability > 0.5) return -normalQuantile(1 - probability)
  let [low, high] = [-39, 0]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (normalTail(-middle) < probability) low = middle
    else high = middle
  }
  return (low + high) / 2
}
