import { requireNoiseParameter } from '../limits.ts'
import {
  dividePositive,
  type Enclosure,
  expNegativeRational,
  ln,
  plain,
  subtract,
  times,
  timesPositive,
  timesRational,
} from '../numeric/fixed-point.ts'
import { bitLength, div, divide, integer, one, type Rational } from '../rational.ts'
import { bitsBelowOne, missOf, type NoiseLaw, toBounds } from './law.ts'

/** The law of the discrete Laplace, P[k] = (1 - a)/(1 + a) a^|k| with a = exp(-1/scale). Throws ParameterError unless 2^-1024 <= scale <= 2^1024. */
export const discreteLaplaceLaw = (scale: Rational): NoiseLaw => {
  requireNoiseParameter(scale, 'the scale of a discrete Laplace')
  const scaleBits = Math.max(bitLength(scale.num) - bitLength(scale.den) + 1, 0)
  const unit = (precision: number): Enclosure => ({ lower: 1n << BigInt(precision), upper: 1n << BigInt(precision) })
  /** a^k = exp(-k/scale). */
  const power = (k: bigint, precision: number) => expNegativeRational(div(integer(k), scale), precision)
  const sumWithOne = (a: Enclosure, precision: number): Enclosure => ({
    lower: a.lower + (1n << BigInt(precision)),
    upper: a.upper + (1n << BigInt(precision)),
  })
  return Object.freeze({
    probability: (k: bigint) => {
      const precision = 160 + 2 * scaleBits
      const a = plain(power(1n, precision))
      const weight = dividePositive(subtract(unit(precision), a), sumWithOne(a, precision), precision)
      const decay = power(k < 0n ? -k : k, precision)
      return toBounds(timesPositive(weight, decay, precision), precision, decay.shift)
    },
    tail: (h: bigint) => {
      const precision = 160 + scaleBits
      const a = plain(power(1n, precision))
      const decay = power(h + 1n, precision)
      return toBounds(dividePositive(times(decay, 2n), sumWithOne(a, precision), precision), precision, decay.shift)
    },
    variance: () => {
      const precision = 256 + 4 * scaleBits
      const a = power(1n, precision)
      const complement = subtract(unit(precision), plain(a))
      const square = timesPositive(complement, complement, precision)
      return toBounds(dividePositive(times(a, 2n), square, precision), precision, a.shift)
    },
    halfWidth: (confidence: Rational) => {
      const miss = missOf(confidence)
      const precision = 160 + scaleBits + bitsBelowOne(miss)
      // P[|X| > h] = 2 a^(h+1) / (1 + a) <= miss exactly when h + 1 >= scale * ln(2 / (miss (1 + a))).
      const a = plain(power(1n, precision))
      const sum = sumWithOne(a, precision)
      const lnSum = {
        lower: ln({ num: sum.lower, den: 1n << BigInt(precision) }, precision).lower,
        upper: ln({ num: sum.upper, den: 1n << BigInt(precision) }, precision).upper,
      }
      const needed = timesRational(subtract(ln(div(integer(2n), miss), precision), lnSum), scale)
      const h = divide(needed.upper, one.num << BigInt(precision), 'up') - 1n
      return h < 0n ? 0n : h
    },
  })
}
