import type { BitSource } from '../../random/bit-source.ts'
import { compare, integer, powerOfTwo, type Rational, ratio, toNumber } from '../../rational.ts'
import { numberScaleLimit, toSafe } from '../sampler.ts'
import { negativeLogarithm, prepareLogarithm } from './logarithm.ts'
import { geometricOf, type Prefix, usualStep } from './prefix.ts'

const smallestScale = ratio(1n, 1n << 20n)
const largestScale = integer(numberScaleLimit)

/** Whether the lazy samplers are proved for this scale: 2^-20 to 2^36. */
export const lazyTakes = (scale: Rational): boolean =>
  compare(scale, smallestScale) >= 0 && compare(scale, largestScale) <= 0

/** U below 2^-43: all that is known when the first 43 bits are zero. */
export const deepPrefix: Prefix = { value: 0n, length: 43 }

/** The prefix that j and the 52 bits after the first one stand for. */
export const prefixOf = (j: number, high: number, low: number): Prefix => ({
  value: (1n << 52n) | (BigInt(high) << 32n) | BigInt(low),
  length: 52 + j,
})

/**
 * A discrete Laplace as a signed geometric magnitude floor(-scale ln U), refusing the second zero. The first word holds 11 bits that
 * place U's first one, the sign, and 20 bits of the 52 after that one; the second word holds the other 32.
 *
 * The magnitude is read off in doubles when it is certain. With L = -ln U < 30.5, L' its double (off by at most 2^-47), t the scale
 * and t' its double (off by at most 2^-52 t), the double product differs from t L by at most
 * t (2^-47 + 30.5 * 2^-52 + 30.6 * 2^-53) < 2^-45.5 t, and adding or subtracting the margin rounds by less than 2^-48 t. So with a margin of
 * 2^-44 t the true t L lies strictly between the two ends; when both have one floor it is the answer for every continuation of U, and
 * when not, as for a lower end below 0, `geometricOf` draws more bits.
 */
export const lazyLaplace = (scale: Rational, source: BitSource): (() => number) => {
  prepareLogarithm()
  const approximate = toNumber(scale, 'down')
  const margin = approximate * powerOfTwo(-44)
  const word = source.word

  const undecided = (prefix: Prefix): number => toSafe(geometricOf(prefix, scale, source, usualStep))

  return () => {
    for (;;) {
      const first = word()
      const low = word()
      const negative = (first & 0x100000) !== 0
      const high = first & 0xfffff
      const place = first >>> 21
      let j = Math.clz32(place) - 20
      if (place === 0) {
        const more = word()
        j = more === 0 ? 0 : 12 + Math.clz32(more)
      }
      let magnitude: number
      if (j === 0) magnitude = undecided(deepPrefix)
      else {
        const product = approximate * negativeLogarithm(j, high, low)
        magnitude = Math.floor(product - margin)
        if (product + margin >= magnitude + 1) magnitude = undecided(prefixOf(j, high, low))
      }
      if (!negative) return magnitude
      if (magnitude !== 0) return -magnitude
    }
  }
}
