import { requireNoiseParameter } from '../limits.ts'
import { erfcOfSquare } from '../numeric/erfc.ts'
import { integerSqrt } from '../numeric/fixed-point.ts'
import { add, compare, div, integer, mul, one, type Rational, ratio, sub, toInteger } from '../rational.ts'
import { roundedMass } from '../samplers/rounded-gaussian.ts'
import { type Bounds, missOf, type NoiseLaw, toBounds } from './law.ts'

const precision = 192
const far = ratio(1n, 1n << 1000n)

/**
 * The law of a Gaussian on the reals of variance sigma2, rounded to the nearest integer: P[|X| > h] = erfc((h + 1/2) / (sigma sqrt 2)).
 * Throws ParameterError unless 2^-1024 <= sigma2 <= 2^1024.
 */
export const roundedGaussianLaw = (sigma2: Rational): NoiseLaw => {
  requireNoiseParameter(sigma2, 'sigma^2 of a rounded Gaussian')

  const tail = (h: bigint): Bounds => {
    const edge = 2n * h + 1n
    const { lower, upper, shift } = erfcOfSquare(div(ratio(edge * edge, 8n), sigma2), precision)
    return toBounds({ lower, upper }, precision, shift)
  }

  /** The sum over h >= 0 of (2 h + 1) P[|X| > h], for sigma below 8; past 18 sigma what is left is below 2^-200. */
  const summed = (): Bounds => {
    const last = 18n * (integerSqrt(toInteger(sigma2, 'up')) + 1n)
    let [lower, upper] = [integer(0n), ratio(1n, 1n << 200n)]
    for (let h = 0n; h <= last; h += 1n) {
      const bounds = tail(h)
      lower = add(lower, mul(integer(2n * h + 1n), bounds.lower))
      upper = add(upper, mul(integer(2n * h + 1n), bounds.upper))
    }
    return { lower, upper }
  }

  return Object.freeze({
    probability: (k: bigint) => {
      const { lower, upper, shift } = roundedMass(k < 0n ? -k : k, sigma2, precision)
      return toBounds({ lower, upper }, precision, shift)
    },
    tail,
    variance: () => {
      if (compare(sigma2, integer(64n)) < 0) return summed()
      // Sheppard's sigma^2 + 1/12 is off by less than (4 sigma^2 + 1) exp(-2 pi^2 sigma^2), which is below 2^-1000 of it from sigma^2 = 64 on.
      const sheppard = add(sigma2, ratio(1n, 12n))
      const slack = mul(sheppard, far)
      return { lower: sub(sheppard, slack), upper: add(sheppard, slack) }
    },
    halfWidth: (confidence: Rational) => {
      const miss = missOf(confidence)
      const covers = (h: bigint): boolean => compare(tail(h).upper, miss) <= 0
      let high = integerSqrt(toInteger(sigma2, 'up')) + one.num
      while (!covers(high)) high *= 2n
      let low = -1n
      while (high - low > 1n) {
        const middle = (low + high) >> 1n
        if (covers(middle)) high = middle
        else low = middle
      }
      return high
    },
  })
}
