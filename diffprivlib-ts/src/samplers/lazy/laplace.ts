import type { BitSource } from '../../random/bit-source.ts'
import { powerOfTwo, type Rational, toNumber } from '../../rational.ts'
import { toSafe } from '../sampler.ts'
import { deepPrefix, prefixOf } from './exponential.ts'
import { negativeLogarithm, prepareLogarithm } from './logarithm.ts'
import { geometricOf, type Prefix, usualStep } from './prefix.ts'

/**
 * A discrete Laplace as a signed geometric magnitude floor(-scale ln U), refusing the second zero. The sign is the fair bit that is drawn with
 * U. The words and the margin are those of `lazyExponential` and `lazyGeometric`, written out here, where a call would cost half of the speed.
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
