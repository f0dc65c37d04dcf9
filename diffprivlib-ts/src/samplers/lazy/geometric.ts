import type { BitSource } from '../../random/bit-source.ts'
import { compare, integer, powerOfTwo, type Rational, ratio, toNumber } from '../../rational.ts'
import { numberScaleLimit, toSafe } from '../sampler.ts'
import type { LazyExponential } from './exponential.ts'
import { geometricOf, usualStep } from './prefix.ts'

const smallestScale = ratio(1n, 1n << 20n)
const largestScale = integer(numberScaleLimit)

/** Whether the lazy geometric is proved for this scale: 2^-20 to 2^36. */
export const lazyTakes = (scale: Rational): boolean =>
  compare(scale, smallestScale) >= 0 && compare(scale, largestScale) <= 0

/**
 * A geometric as floor(-scale ln U). It leaves the last U known, for its fair bit: the caller forgets it.
 *
 * Read off in doubles when it is certain. With L = -ln U < 30.5, L' its double (off by at most 2^-47), t the scale and t' its double (off by
 * at most 2^-52 t), the double product differs from t L by at most t (2^-47 + 30.5 * 2^-52 + 30.6 * 2^-53) < 2^-45.5 t, and adding or
 * subtracting the margin rounds by less than 2^-48 t. So with a margin of 2^-44 t the true t L lies strictly between the two ends; when both
 * have one floor it is the answer for every continuation of U, and when not, as for a lower end below 0 and for L' not a number,
 * `geometricOf` draws more bits.
 */
export const lazyGeometric = (scale: Rational, exponential: LazyExponential, source: BitSource): (() => number) => {
  const approximate = toNumber(scale, 'down')
  const margin = approximate * powerOfTwo(-44)
  const { next, prefix } = exponential
  return () => {
    const product = approximate * next()
    const size = Math.floor(product - margin)
    return product + margin < size + 1 ? size : toSafe(geometricOf(prefix(), scale, source, usualStep))
  }
}
