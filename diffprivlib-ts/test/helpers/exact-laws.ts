import { discreteGaussianLaw } from '../../src/laws/discrete-gaussian-law.ts'
import type { Bounds } from '../../src/laws/law.ts'
import { expNegativeRational } from '../../src/numeric/fixed-point.ts'
import { compare, div, integer, one, type Rational, ratio, sub, zero } from '../../src/rational.ts'
import { geometricBounds } from './agreement.ts'

const precision = 200

/** exp(-x) between certified fractions. */
export const expBounds = (x: Rational): Bounds => {
  const { lower, upper, shift } = expNegativeRational(x, precision)
  return {
    lower: ratio(lower, 1n << BigInt(precision + shift)),
    upper: ratio(upper, 1n << BigInt(precision + shift)),
  }
}

/** A coin of bias exp(-x). */
export const expCoin =
  (x: Rational) =>
  (outcome: boolean): Bounds => {
    const { lower, upper } = expBounds(x)
    return outcome ? { lower, upper } : { lower: sub(one, upper), upper: sub(one, lower) }
  }

/** The geometric with P[X >= k] = exp(-k/scale). */
export const geometricLaw = (scale: Rational): ((k: bigint) => Bounds) =>
  geometricBounds((k) => expBounds(div(integer(k), scale)))

/** The outcomes -reach .. reach. */
export const around = (reach: bigint): readonly bigint[] =>
  Array.from({ length: Number(2n * reach + 1n) }, (_, i) => BigInt(i) - reach)

/** The outcomes 0 .. reach. */
export const upTo = (reach: bigint): readonly bigint[] =>
  Array.from({ length: Number(reach + 1n) }, (_, i) => BigInt(i))

/** The discrete Gaussian's probability of k. */
export const gaussianLaw = (sigma2: Rational): ((k: bigint) => Bounds) => {
  const law = discreteGaussianLaw(sigma2)
  return (k) => law.probability(k)
}

/** Uniform on 0 .. bound - 1. */
export const uniformLaw =
  (bound: bigint) =>
  (k: bigint): Bounds => {
    const share = k >= 0n && compare(integer(k), integer(bound)) < 0 ? ratio(1n, bound) : zero
    return { lower: share, upper: share }
  }
