import type { BitSource } from '../../random/bit-source.ts'
import { compare, div, integer, mul, one, powerOfTwo, type Rational, toNumber } from '../../rational.ts'
import { acceptanceExponent, proposalScale } from '../canonne-kamath-steinke.ts'
import { numberScaleLimit } from '../sampler.ts'
import { deepPrefix, lazyLaplace, prefixOf } from './laplace.ts'
import { negativeLogarithm, prepareLogarithm } from './logarithm.ts'
import { acceptsOf, type Prefix, usualStep } from './prefix.ts'

/** Whether the lazy Gaussian is proved for this sigma^2: from 1 to the square of the largest proposal scale. */
export const lazyTakesGaussian = (sigma2: Rational): boolean =>
  compare(sigma2, one) >= 0 && proposalScale(sigma2) <= BigInt(numberScaleLimit)

/**
 * A discrete Gaussian by rejection from a discrete Laplace of scale t = floor(sigma) + 1: y is accepted when U <= exp(-g) with
 * g = (|y| - sigma^2/t)^2 / (2 sigma^2), that is when -ln U >= g (Canonne, Kamath and Steinke, 2020, algorithm 3).
 *
 * Decided in doubles when it is certain, for |y| <= 31 t. As 1 <= sigma < t <= 2 sigma, both |y| and the difference d = |y| - sigma^2/t are
 * at most 62 sigma. sigma^2/t <= sigma as a double is off by 2^-52 sigma and the difference rounds by 2^-53 62 sigma, together 2^-47 sigma. So
 * d^2 / (2 sigma^2) is off by at most 62 * 2^-47 (1 + 2^-52), its two products and the double of 1 / (2 sigma^2) by a relative 2^-51, and
 * g <= 1922: together less than 2^-39.4. -ln U is off by 2^-47 and their difference, below 2048, rounds by 2^-43. A margin of 2^-38 covers
 * the sum; inside it `acceptsOf` draws more bits.
 */
export const lazyGaussian = (sigma2: Rational, source: BitSource): (() => number) => {
  prepareLogarithm()
  const scale = proposalScale(sigma2)
  const proposal = lazyLaplace(integer(scale), source)
  const centre = toNumber(div(sigma2, integer(scale)), 'down')
  const inverse = toNumber(div(one, mul(integer(2n), sigma2)), 'down')
  const reach = 31 * Number(scale)
  const margin = powerOfTwo(-38)
  const word = source.word

  const undecided = (y: number, prefix: Prefix): boolean =>
    acceptsOf(prefix, acceptanceExponent(BigInt(y), scale, sigma2), source, usualStep)

  return () => {
    for (;;) {
      const y = proposal()
      const first = word()
      const low = word()
      const high = first & 0xfffff
      const place = first >>> 21
      let j = Math.clz32(place) - 20
      if (place === 0) {
        const more = word()
        j = more === 0 ? 0 : 12 + Math.clz32(more)
      }
      const size = y < 0 ? -y : y
      if (j === 0 || size > reach) {
        if (undecided(y, j === 0 ? deepPrefix : prefixOf(j, high, low))) return y
        continue
      }
      const distance = size - centre
      const difference = negativeLogarithm(j, high, low) - distance * distance * inverse
      if (difference > margin) return y
      if (difference >= -margin && undecided(y, prefixOf(j, high, low))) return y
    }
  }
}
