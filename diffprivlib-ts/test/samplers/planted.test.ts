// Each check of this folder must fail for a sampler that is wrong in a way that samplers have been wrong.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { discreteLaplaceLaw } from '../../src/laws/discrete-laplace-law.ts'
import { wideBits } from '../../src/random/bit-source.ts'
import { bitLength, decimal, div, integer, ratio, sub, toNumber } from '../../src/rational.ts'
import { type Coin, squared } from '../../src/samplers/bernoulli.ts'
import {
  gaussianAttempt,
  geometricAttempt,
  laplaceAttempt,
  proposalScale,
} from '../../src/samplers/canonne-kamath-steinke.ts'
import { negativeLogarithm, prepareLogarithm } from '../../src/samplers/lazy/logarithm.ts'
import { acceptsOf, geometricOf } from '../../src/samplers/lazy/prefix.ts'
import { wideAttempt } from '../../src/samplers/lazy/wide.ts'
import {
  checkCoin,
  checkExp,
  checkExpBelowOne,
  checkGaussian,
  checkGeometric,
  checkLaplace,
  checkLazyCoin,
  checkLazyGaussian,
  checkLazyGeometric,
  checkUniform,
  checkWide,
} from './paths.ts'
import { gaussianFaults, laplaceFaults, type Maker } from './word-coupling.ts'

const one = integer(1)
const two = integer(2)
const half = ratio(1n, 2n)

/** A float Laplace over the same words: an inverse of the distribution function in doubles that never asks for more bits. */
const floatLaplace =
  (log: (u: number) => number): Maker =>
  (scale, { word }) => {
    const t = toNumber(scale, 'down')
    return () => {
      for (;;) {
        const first = word()
        const low = word()
        const place = first >>> 21
        const j = place === 0 ? 12 + Math.clz32(word()) : Math.clz32(place) - 20
        const u = (1 + (first & 0xfffff) / 2 ** 20 + low / 2 ** 52) / 2 ** j
        const size = Math.floor(-t * log(u))
        if ((first & 0x100000) === 0) return size
        if (size !== 0) return -size
      }
    }
  }

/** The proved logarithm without its margin. */
const bareLaplace: Maker = (scale, { word }) => {
  prepareLogarithm()
  const t = toNumber(scale, 'down')
  return () => {
    const first = word()
    const low = word()
    const place = first >>> 21
    const j = place === 0 ? 12 + Math.clz32(word()) : Math.clz32(place) - 20
    return Math.floor(t * negativeLogarithm(j, first & 0xfffff, low)) * ((first & 0x100000) === 0 ? 1 : -1) || 0
  }
}

const floatGaussian: Maker = (sigma2, source) => {
  const scale = proposalScale(sigma2)
  const laplace = floatLaplace(Math.log)(integer(scale), source)
  const variance = toNumber(sigma2, 'down')
  return () => {
    for (;;) {
      const y = laplace()
      const first = source.word()
      const low = source.word()
      const place = first >>> 21
      const j = place === 0 ? 12 + Math.clz32(source.word()) : Math.clz32(place) - 20
      const u = (1 + (first & 0xfffff) / 2 ** 20 + low / 2 ** 52) / 2 ** j
      if (u < Math.exp(-((Math.abs(y) - variance / Number(scale)) ** 2) / (2 * variance))) return y
    }
  }
}

const oddCoins = (coin: Coin, x: typeof one): boolean => {
  let k = 1n
  while (coin(div(x, integer(k)))) k += 1n
  return k % 2n === 0n
}

const planted: readonly { readonly bug: string; readonly finds: () => readonly string[] }[] = [
  {
    bug: 'a uniform integer by remainder',
    finds: () => checkUniform((source, bound) => wideBits(source, bitLength(bound) + 2) % bound, 10n),
  },
  {
    bug: 'a uniform integer that can reach its bound',
    finds: () =>
      checkUniform((source, bound) => {
        const candidate = wideBits(source, bitLength(bound))
        return candidate <= bound ? candidate : undefined
      }, 10n),
  },
  {
    bug: 'a coin that compares with at most instead of below',
    finds: () => checkCoin((source, p) => wideBits(source, bitLength(p.den - 1n)) <= p.num, ratio(1n, 4n)),
  },
  { bug: 'an exponential coin of the other parity', finds: () => checkExpBelowOne(oddCoins, half) },
  {
    bug: 'an exponential coin that forgets the fraction',
    finds: () => checkExp((coin) => coin(one) && coin(one), ratio(7n, 3n)),
  },
  {
    bug: 'a geometric of half the scale',
    finds: () => checkGeometric((bricks, scale) => geometricAttempt(bricks, div(scale, two)), one),
  },
  {
    bug: 'a geometric that keeps all of its low bits',
    finds: () => checkWide((bricks, low) => wideAttempt({ ...bricks, decays: () => true }, low), one, 2),
  },
  {
    bug: 'a geometric that leaves out one of its low bits',
    finds: () =>
      checkWide((bricks, low) => wideAttempt({ ...bricks, bits: (n) => bricks.bits(n - 1) * 2n }, low), one, 2),
  },
  {
    bug: 'a discrete Laplace that counts zero twice',
    finds: () =>
      checkLaplace(
        (bricks, scale) => {
          const size = geometricAttempt(bricks, scale)
          return size === undefined ? undefined : bricks.uniformBelow(2n) === 1n ? -size : size
        },
        one,
        discreteLaplaceLaw(one).probability,
      ),
  },
  {
    bug: 'a discrete Laplace of half the scale',
    finds: () =>
      checkLaplace(
        (bricks, scale) => laplaceAttempt(bricks, div(scale, two)),
        one,
        discreteLaplaceLaw(one).probability,
      ),
  },
  {
    bug: 'a discrete Laplace with its tail cut at 24 scales, a mass of 2^-34',
    finds: () =>
      checkLaplace(
        (bricks, scale) => {
          const value = laplaceAttempt(bricks, scale)
          return value !== undefined && (value > 24n || value < -24n) ? undefined : value
        },
        one,
        discreteLaplaceLaw(one).probability,
      ),
  },
  {
    bug: 'a discrete Gaussian of half the scale',
    finds: () =>
      checkGaussian(
        (bricks, laplace) => gaussianAttempt(bricks, laplace, 2n, div(one, integer(4))),
        discreteLaplaceLaw(two).probability,
        one,
      ),
  },
  {
    bug: 'a discrete Gaussian accepted around sigma instead of sigma^2/t',
    finds: () =>
      checkGaussian(
        ({ bernoulliExp }, laplace) => {
          const y = laplace()
          const distance = sub(integer(y < 0n ? -y : y), one)
          return bernoulliExp(div(squared(distance), two)) ? y : undefined
        },
        discreteLaplaceLaw(two).probability,
        one,
      ),
  },
  {
    bug: 'a discrete Gaussian with its tail cut at 6 sigma, a mass of 2^-29',
    finds: () =>
      checkLazyGaussian(
        (prefix, source, step) => {
          const size = geometricOf(prefix, two, source, step)
          return size > 6n ? 6n : size
        },
        (y) => (prefix, source, step) => acceptsOf(prefix, div(squared(sub(integer(y), half)), two), source, step),
        one,
      ),
  },
  {
    bug: 'a lazy geometric of half the scale',
    finds: () => checkLazyGeometric((prefix, source, step) => geometricOf(prefix, half, source, step), one),
  },
  {
    bug: 'a lazy geometric that settles for 40 bits',
    finds: () =>
      checkLazyGeometric(
        (prefix, source, step) => (prefix.length >= 40 ? 27n : geometricOf(prefix, one, source, step)),
        one,
      ),
  },
  {
    bug: 'a lazy coin that settles for 20 bits',
    finds: () =>
      checkLazyCoin((prefix, source, step) => prefix.length >= 20 || acceptsOf(prefix, half, source, step), half),
  },
  { bug: 'a float Laplace by Math.log', finds: () => laplaceFaults(floatLaplace(Math.log), decimal('1000'), 400, 3) },
  {
    bug: 'the proved logarithm used without its margin',
    finds: () => laplaceFaults(bareLaplace, decimal('1000'), 400, 4),
  },
  { bug: 'a float Gaussian by Math.exp', finds: () => gaussianFaults(floatGaussian, decimal('1e6'), 400, 5) },
]

describe('planted sampler bugs are found', () => {
  for (const { bug, finds } of planted) it(bug, () => assert.notDeepEqual(finds(), []))
})
