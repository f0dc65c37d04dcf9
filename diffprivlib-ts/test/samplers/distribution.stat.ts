// Goodness of fit of whole samplers, by chi-square. Each test's false-alarm rate is at most 1e-9 (helpers/chi-square.ts); seeds are fixed, so
// a run that passes passes again. MV_DRAWS sets the number of draws (default 1,000,000).
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { discreteGaussianLaw } from '../../src/laws/discrete-gaussian-law.ts'
import { discreteLaplaceLaw } from '../../src/laws/discrete-laplace-law.ts'
import type { NoiseLaw } from '../../src/laws/law.ts'
import { decimal, div, integer, mul, type Rational, ratio, toNumber } from '../../src/rational.ts'
import { integerGaussian, integerLaplace } from '../../src/samplers/canonne-kamath-steinke.ts'
import { discreteGaussian, discreteLaplace } from '../../src/samplers/index.ts'
import { uniformBelow } from '../../src/samplers/uniform.ts'
import { seededBits, seededGaussian, seededLaplace } from '../../src/testing/index.ts'
import { chiSquare, criticalValue } from '../helpers/chi-square.ts'

const draws = Number(process.env['MV_DRAWS'] ?? 1_000_000)

/** Cell borders h_0 < h_1 < ... up to six scales, at most 60 of them: cells are 0, and (h, h'] on either side. */
const bordersOf = (scale: number): readonly bigint[] =>
  [...new Set(Array.from({ length: 60 }, (_, i) => Math.floor((i * scale) / 10)))].map(BigInt)

const fit = (draw: () => number, law: NoiseLaw, scale: number, count: number) => {
  const borders = bordersOf(scale)
  const sides = borders.slice(1).map((border, i) => {
    const mass = toNumber(law.tail(borders[i]!).upper, 'up') - toNumber(law.tail(border).upper, 'up')
    return mass / 2
  })
  const limits = borders.map(Number)
  const counts = new Array<number>(1 + 2 * sides.length).fill(0)
  for (let i = 0; i < count; i++) {
    const value = draw()
    const size = Math.abs(value)
    if (size > limits.at(-1)!) continue
    let low = 0
    let high = limits.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (limits[middle]! >= size) high = middle
      else low = middle + 1
    }
    counts[low === 0 ? 0 : value > 0 ? low : sides.length + low]! += 1
  }
  return chiSquare(counts, [toNumber(law.probability(0n).lower, 'down'), ...sides, ...sides], count)
}

const assertFits = ({ statistic, degrees }: ReturnType<typeof fit>) =>
  assert.ok(
    statistic <= criticalValue(degrees),
    `chi-square ${statistic} on ${degrees} degrees, limit ${criticalValue(degrees)}`,
  )

const square = (scale: string): Rational => mul(decimal(scale), decimal(scale))

describe('chi-square of the production samplers', () => {
  for (const [i, scale] of ['0.7', '1', '3.5', '40', '10000', '1e6', '1e9'].entries()) {
    it(`discrete Laplace of scale ${scale}`, () => {
      const { nextNumber } = seededLaplace(decimal(scale), seededBits(100 + i))
      assertFits(fit(nextNumber, discreteLaplaceLaw(decimal(scale)), Number(scale), draws))
    })
    it(`discrete Gaussian of sigma ${scale}`, () => {
      const count = scale === '0.7' ? draws / 5 : draws
      const { nextNumber } = seededGaussian(square(scale), seededBits(200 + i))
      assertFits(fit(nextNumber, discreteGaussianLaw(square(scale)), Number(scale), count))
    })
  }

  it('discrete Laplace and Gaussian over secure bits, fresh in every run', () => {
    assertFits(fit(discreteLaplace(decimal('1234')).nextNumber, discreteLaplaceLaw(decimal('1234')), 1234, draws))
    assertFits(fit(discreteGaussian(square('1234')).nextNumber, discreteGaussianLaw(square('1234')), 1234, draws))
  })

  it('the low four bits are uniform at sigma 100,000', () => {
    const { nextNumber } = seededGaussian(decimal('1e10'), seededBits(300))
    const counts = new Array<number>(16).fill(0)
    for (let i = 0; i < draws; i++) counts[nextNumber() & 15]! += 1
    assertFits(chiSquare(counts.slice(0, 15), new Array<number>(15).fill(1 / 16), draws))
  })
})

describe('chi-square of the production samplers of wide scales, as bigints', () => {
  for (const [i, scale] of ['1e12', '1e20', '1e100'].entries()) {
    it(`discrete Laplace of scale ${scale}`, () => {
      const { next } = seededLaplace(decimal(scale), seededBits(800 + i))
      assertFits(fit(() => Number(next()), discreteLaplaceLaw(decimal(scale)), Number(scale), draws / 5))
    })
    it(`discrete Gaussian of sigma ${scale}`, () => {
      const { next } = seededGaussian(square(scale), seededBits(900 + i))
      assertFits(fit(() => Number(next()), discreteGaussianLaw(square(scale)), Number(scale), draws / 5))
    })
  }
})

describe('chi-square of the integer samplers', () => {
  // Every draw of a huge scale costs tens of microseconds of bigint work, so those take fewer.
  for (const [i, scale] of ['1', '25', '1e12', '1e20'].entries()) {
    const count = Number(scale) > 1e6 ? draws / 20 : draws / 5
    it(`discrete Laplace of scale ${scale}`, () => {
      const next = integerLaplace(seededBits(400 + i), decimal(scale))
      assertFits(fit(() => Number(next()), discreteLaplaceLaw(decimal(scale)), Number(scale), count))
    })
    it(`discrete Gaussian of sigma ${scale}`, () => {
      const next = integerGaussian(seededBits(500 + i), square(scale))
      assertFits(fit(() => Number(next()), discreteGaussianLaw(square(scale)), Number(scale), count))
    })
  }

  it('uniform below 1,000', () => {
    const source = seededBits(600)
    const counts = new Array<number>(1000).fill(0)
    for (let i = 0; i < draws; i++) counts[Number(uniformBelow(source, 1000n))]! += 1
    assertFits(chiSquare(counts.slice(0, 999), new Array<number>(999).fill(1 / 1000), draws))
  })
})

describe('chi-square finds planted bugs', () => {
  const scale = decimal('1000')
  const laplace = discreteLaplaceLaw(scale)
  const gaussian = discreteGaussianLaw(mul(scale, scale))
  const caught = ({ statistic, degrees }: ReturnType<typeof fit>) => assert.ok(statistic > criticalValue(degrees))

  it('a halved scale', () => {
    caught(fit(seededLaplace(div(scale, integer(2)), seededBits(1)).nextNumber, laplace, 1000, draws))
    caught(fit(seededGaussian(div(mul(scale, scale), integer(4)), seededBits(2)).nextNumber, gaussian, 1000, draws))
  })

  it('a scale two percent too small', () => {
    const less = mul(scale, ratio(98n, 100n))
    caught(fit(seededLaplace(less, seededBits(3)).nextNumber, laplace, 1000, draws))
    caught(fit(seededGaussian(mul(less, less), seededBits(4)).nextNumber, gaussian, 1000, draws))
  })

  it('a tail cut at three sigma', () => {
    const { nextNumber } = seededGaussian(mul(scale, scale), seededBits(5))
    const cut = () => Math.max(-3000, Math.min(3000, nextNumber()))
    caught(fit(cut, gaussian, 1000, draws))
  })

  it('a uniform integer by remainder of 12 bits', () => {
    const source = seededBits(6)
    const counts = new Array<number>(1000).fill(0)
    for (let i = 0; i < draws; i++) counts[source.bits(12) % 1000]! += 1
    caught(chiSquare(counts.slice(0, 999), new Array<number>(999).fill(1 / 1000), draws))
  })

  it('a Gaussian on a grid of two', () => {
    const { nextNumber } = seededGaussian(decimal('1e10'), seededBits(7))
    const counts = new Array<number>(16).fill(0)
    for (let i = 0; i < draws; i++) counts[nextNumber() & ~1 & 15]! += 1
    caught(chiSquare(counts.slice(0, 15), new Array<number>(15).fill(1 / 16), draws))
  })
})
