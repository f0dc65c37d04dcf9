// The integer samplers of Canonne, Kamath and Steinke, "The discrete Gaussian for differential privacy" (2020, arXiv 2004.00010),
// algorithms 1 to 3, on bigint for every scale. Each is one attempt over the samplers below it, which are passed in, so that a test can
// put an exact choice in their place and enumerate every path.
import { integerSqrt } from '../numeric/fixed-point.ts'
import type { BitSource } from '../random/bit-source.ts'
import { integer, type Rational, ratio, toInteger } from '../rational.ts'
import { integerBernoulliExp } from './bernoulli.ts'
import { untilAccepted } from './rejection.ts'
import { uniformBelow } from './uniform.ts'

/** The lower samplers that the attempts need. */
export interface Bricks {
  readonly uniformBelow: (bound: bigint) => bigint
  readonly bernoulliExp: (exponent: Rational) => boolean
  /** How often a coin of bias exp(-1) succeeds before it fails. */
  readonly unitGeometric: () => bigint
}

/** The bricks over real bits. */
export const bricksOf = (source: BitSource): Bricks => {
  const unit = integer(1n)
  return {
    uniformBelow: (bound) => uniformBelow(source, bound),
    bernoulliExp: (exponent) => integerBernoulliExp(source, exponent),
    unitGeometric: () => {
      let successes = 0n
      while (integerBernoulliExp(source, unit)) successes += 1n
      return successes
    },
  }
}

/** One try at a geometric with P[k] proportional to exp(-k/scale): the low part is uniform, the high part geometric. */
export const geometricAttempt = (bricks: Bricks, scale: Rational): bigint | undefined => {
  const low = bricks.uniformBelow(scale.num)
  if (!bricks.bernoulliExp(ratio(low, scale.num))) return undefined
  return (low + scale.num * bricks.unitGeometric()) / scale.den
}

/** One try at a discrete Laplace: a geometric magnitude under a fair sign, refusing the second zero. */
export const laplaceAttempt = (bricks: Bricks, scale: Rational): bigint | undefined => {
  const magnitude = geometricAttempt(bricks, scale)
  if (magnitude === undefined) return undefined
  const negative = bricks.uniformBelow(2n) === 1n
  if (negative && magnitude === 0n) return undefined
  return negative ? -magnitude : magnitude
}

/** floor(sqrt(sigma2)) + 1: the scale of the discrete Laplace that the Gaussian is cut from. */
export const proposalScale = (sigma2: Rational): bigint => integerSqrt(toInteger(sigma2, 'down')) + 1n

/** The exponent of acceptance for a proposal `y` of scale t: (|y| - sigma2/t)^2 / (2 sigma2), over one denominator. */
export const acceptanceExponent = (y: bigint, scale: bigint, { num, den }: Rational): Rational => {
  const distance = (y < 0n ? -y : y) * scale * den - num
  return ratio(distance * distance, 2n * num * den * scale * scale)
}

/** One try at a discrete Gaussian of parameter sigma2, from a discrete Laplace proposal of integer scale. */
export const gaussianAttempt = (
  bricks: Bricks,
  laplace: () => bigint,
  scale: bigint,
  sigma2: Rational,
): bigint | undefined => {
  const y = laplace()
  return bricks.bernoulliExp(acceptanceExponent(y, scale, sigma2)) ? y : undefined
}

/** A geometric by the paper's algorithm: P[k] = (1 - a) a^k with a = exp(-1/scale). */
export const integerGeometric = (source: BitSource, scale: Rational): (() => bigint) => {
  const bricks = bricksOf(source)
  return () => untilAccepted(() => geometricAttempt(bricks, scale))
}

/** A discrete Laplace by the paper's algorithm 2: P[k] proportional to exp(-|k|/scale). */
export const integerLaplace = (source: BitSource, scale: Rational): (() => bigint) => {
  const bricks = bricksOf(source)
  return () => untilAccepted(() => laplaceAttempt(bricks, scale))
}

/** A discrete Gaussian by the paper's algorithm 3: P[k] proportional to exp(-k^2 / (2 sigma2)). */
export const integerGaussian = (source: BitSource, sigma2: Rational): (() => bigint) => {
  const bricks = bricksOf(source)
  const scale = proposalScale(sigma2)
  const laplace = integerLaplace(source, integer(scale))
  return () => untilAccepted(() => gaussianAttempt(bricks, laplace, scale, sigma2))
}
