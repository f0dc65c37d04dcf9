import type { BitSource } from '../../random/bit-source.ts'
import { compare, div, integer, mul, one, powerOfTwo, type Rational, ratio, toNumber } from '../../rational.ts'
import { acceptanceExponent, proposalScale } from '../canonne-kamath-steinke.ts'
import { numberScaleLimit } from '../sampler.ts'
import { deepPrefix, prefixOf } from './exponential.ts'
import { lazyLaplace } from './laplace.ts'
import { negativeLogarithm, prepareLogarithm } from './logarithm.ts'
import { acceptsOf, type Prefix, usualStep } from './prefix.ts'

/** Whether the lazy Gaussian is proved for this sigma^2: from 1/16 to the square of the largest proposal scale. */
export const lazyTakesGaussian = (sigma2: Rational): boolean =>
  compare(sigma2, smallest) >= 0 && proposalScale(sigma2) <= BigInt(numberScaleLimit)

const smallest = ratio(1n, 16n)

/**
 * A discrete Gaussian by rejection from a discrete Laplace of scale t = floor(sigma) + 1: y is accepted when U <= exp(-g) with
 * g = (|y| - sigma^2/t)^2 / (2 sigma^2), that is when -ln U >= g (Canonne, Kamath and Steinke, 2020, algorithm 3).
 *
 * Decided in doubles when it is certain, for |y| <= 31 t. The two products and the double of 1 / (2 sigma^2) are off by a relative 2^-51 of g, -ln U
 * by 2^-47; d is the difference |y| - sigma^2/t.
 * From sigma = 1 on, sigma < t <= 2 sigma, so that |y| and d are at most 62 sigma. sigma^2/t <= sigma as a double is off by 2^-52 sigma and d
 * rounds by 2^-53 62 sigma, together 2^-47 sigma. So d^2 / (2 sigma^2) is off by at most 62 * 2^-47 (1 + 2^-52), and g <= 1922: with the
 * products less than 2^-39.4, and the difference from -ln U, below 2048, rounds by 2^-43.
 * Below, t = 1, and |y| and d are at most 31. sigma^2 as a double is off by 2^-53 and d rounds by 2^-49, together 2^-48.9. So d^2 is off by at most
 * 62 * 2^-48.9, times 1 / (2 sigma^2) <= 8 less than 2^-39.9, and g <= 7688: with the products less than 2^-37.7, and the difference from
 * -ln U, below 8192, rounds by 2^-41.
 * A margin of 2^-37 covers either sum; inside it `acceptsOf` draws more bits.
 */
export const lazyGaussian = (sigma2: Rational, source: BitSource): (() => number) => {
  prepareLogarithm()
  const scale = proposalScale(sigma2)
  const proposal = lazyLaplace(integer(scale), source)
  const centre = toNumber(div(sigma2, integer(scale)), 'down')
  const inverse = toNumber(div(one, mul(integer(2n), sigma2)), 'down')
  const reach = 31 * Number(scale)
  const margin = powerOfTwo(-37)
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
