// Goodness of fit of the samplers behind the mechanisms, by chi-square, also at scales that goodness.stat.ts leaves out. False-alarm rate at most
// 1e-9 each (helpers/chi-square.ts); seeds are fixed. MV_DRAWS sets the number of draws (default 1,000,000), of which most take a part.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { boundedNoiseLaw } from '../../src/laws/bounded-noise-law.ts'
import { discreteLaplaceLaw } from '../../src/laws/discrete-laplace-law.ts'
import type { NoiseLaw } from '../../src/laws/law.ts'
import { roundedGaussianLaw } from '../../src/laws/rounded-gaussian-law.ts'
import { staircaseLaw } from '../../src/laws/staircase-law.ts'
import { decimal, integer, type Rational, ratio, toNumber } from '../../src/rational.ts'
import { bernoulli, bernoulliExp } from '../../src/samplers/bernoulli.ts'
import { geometricSampler } from '../../src/samplers/geometric.ts'
import { roundedGaussianSampler } from '../../src/samplers/rounded-gaussian.ts'
import { selectionSampler } from '../../src/samplers/selection.ts'
import { sphericalSampler } from '../../src/samplers/spherical-laplace.ts'
import { staircaseSampler } from '../../src/samplers/staircase.ts'
import { truncatedLaplaceSampler } from '../../src/samplers/truncated-laplace.ts'
import { seededBits } from '../../src/testing/index.ts'
import { chiSquare, criticalValue } from '../helpers/chi-square.ts'

const draws = Number(process.env['MV_DRAWS'] ?? 1_000_000)

type Fit = ReturnType<typeof chiSquare>

const assertFits = ({ statistic, degrees }: Fit) =>
  assert.ok(
    statistic <= criticalValue(degrees),
    `chi-square ${statistic} on ${degrees} degrees, limit ${criticalValue(degrees)}`,
  )

const caught = ({ statistic, degrees }: Fit) => assert.ok(statistic > criticalValue(degrees), `chi-square ${statistic}`)

/** Cells of about a tenth of `width` on either side of 0, up to six widths, against a distribution of magnitudes. */
const fit = (draw: () => number, above: (h: bigint) => number, width: number, count: number): Fit => {
  const borders = [...new Set(Array.from({ length: 60 }, (_, i) => Math.floor((i * width) / 10)))]
  const counts = new Array<number>(2 * borders.length).fill(0)
  for (let i = 0; i < count; i++) {
    const value = draw()
    const size = Math.abs(value)
    const cell = borders.findIndex((border) => size <= border)
    if (cell >= 0) counts[2 * cell + (value < 0 ? 1 : 0)]! += 1
  }
  const masses = borders.map((border, i) => (i === 0 ? 1 : above(BigInt(borders[i - 1]!))) - above(BigInt(border)))
  const cells = masses.flatMap((mass, i) => (i === 0 ? [mass, 0] : [mass / 2, mass / 2]))
  return chiSquare(counts, cells, count)
}

const tailOf = (law: NoiseLaw) => (h: bigint) => toNumber(law.tail(h).upper, 'up')
const numbers = (sampler: { readonly next: () => bigint }) => () => Number(sampler.next())

describe('chi-square of the samplers behind the mechanisms', () => {
  for (const [i, sigma2] of ['1', '30', '1e10', '1e24'].entries())
    it(`rounded Gaussian of sigma^2 ${sigma2}`, () => {
      const law = roundedGaussianLaw(decimal(sigma2))
      const sampler = roundedGaussianSampler(decimal(sigma2), seededBits(700 + i))
      assertFits(fit(numbers(sampler), tailOf(law), Math.sqrt(Number(sigma2)), draws / [5, 5, 5, 20][i]!))
    })

  for (const [i, [epsilon, width, riser]] of (
    [
      ['1', 4n, 1n],
      ['0.1', 10n, 5n],
      ['5', 1_000_000_000n, 76_000_000n],
    ] as const
  ).entries())
    it(`staircase of epsilon ${epsilon} and width ${width}`, () => {
      const shape = { epsilon: decimal(epsilon), width, riser }
      const sampler = staircaseSampler(shape, seededBits(720 + i))
      assertFits(fit(numbers(sampler), tailOf(staircaseLaw(shape)), Number(width) / Number(epsilon), draws / 20))
    })

  for (const [i, [scale, reach]] of (
    [
      ['100', 30n],
      ['10', 200n],
    ] as const
  ).entries())
    it(`Laplace of scale ${scale} kept within ${reach}`, () => {
      const sampler = truncatedLaplaceSampler(decimal(scale), { below: reach, above: reach }, seededBits(740 + i))
      assertFits(
        fit(numbers(sampler), tailOf(boundedNoiseLaw(decimal(scale), reach)), Math.min(Number(scale), 5), draws / 10),
      )
    })

  for (const [i, scale] of ['3', '40', '1e9'].entries())
    it(`geometric of scale ${scale}`, () => {
      const sampler = geometricSampler(decimal(scale), seededBits(750 + i))
      const unit = Math.max(Number(scale), 1)
      const bins = 60
      const counts = new Array<number>(bins).fill(0)
      const count = draws / 20
      const step = Math.ceil(unit / 10)
      for (let n = 0; n < count; n++) {
        const bin = Math.floor(Number(sampler.next()) / step)
        if (bin < bins) counts[bin]! += 1
      }
      const survival = (k: number) => Math.exp(-(k * step) / Number(scale))
      assertFits(
        chiSquare(
          counts,
          counts.map((_, k) => survival(k) - survival(k + 1)),
          count,
        ),
      )
    })

  it('a geometric of a tiny scale gives 0', () => {
    const sampler = geometricSampler(decimal('0.001'), seededBits(755))
    for (let i = 0; i < 1000; i++) assert.equal(sampler.next(), 0n)
  })

  it('coins of bias 0, 1, tiny, and exp(-x)', () => {
    const source = seededBits(760)
    const share = (coin: () => boolean, count: number) => {
      let hits = 0
      for (let i = 0; i < count; i++) if (coin()) hits += 1
      return hits
    }
    assert.equal(
      share(() => bernoulli(source, integer(0)), 10_000),
      0,
    )
    assert.equal(
      share(() => bernoulli(source, integer(1)), 10_000),
      10_000,
    )
    assert.equal(
      share(() => bernoulli(source, ratio(1n, 1n << 200n)), 10_000),
      0,
    )
    assert.equal(
      share(() => bernoulliExp(source, integer(0)), 10_000),
      10_000,
    )
    assert.equal(
      share(() => bernoulliExp(source, decimal('1e9')), 10_000),
      0,
    )
    const count = draws / 10
    for (const [bias, coin] of [
      [1 / 3, () => bernoulli(source, ratio(1n, 3n))],
      [Math.exp(-0.3), () => bernoulliExp(source, decimal('0.3'))],
      [Math.exp(-2.5), () => bernoulliExp(source, decimal('2.5'))],
    ] as const) {
      // 6.1 standard deviations: one-sided 5.3e-10.
      assert.ok(Math.abs(share(coin, count) - bias * count) <= 6.1 * Math.sqrt(count * bias * (1 - bias)))
    }
  })

  it('a choice among weights of every size', () => {
    const exponents: readonly Rational[] = ['0', '0.2', '1', '2.5', '4', '7'].map(decimal)
    const weights = [1n, 2n, 3n, 50n, 1n, 1000n]
    const sample = selectionSampler(
      exponents.map((exponent, i) => ({ exponent, weight: weights[i]! })),
      seededBits(770),
    )
    const masses = exponents.map((exponent, i) => Number(weights[i]!) * Math.exp(-toNumber(exponent, 'down')))
    const total = masses.reduce((a, b) => a + b)
    const counts = masses.map(() => 0)
    const count = draws / 10
    for (let i = 0; i < count; i++) counts[sample()]! += 1
    const { statistic } = chiSquare(counts, masses.map((mass) => mass / total).slice(0, -1), count)
    // Five degrees: P[chi-square > 52] is 5.4e-10.
    assert.ok(statistic <= 52, `chi-square ${statistic}`)
  })

  it('the coordinates of a spherical Laplace in one and three dimensions', () => {
    const source = seededBits(780)
    const scale = integer(50)
    const count = draws / 100
    const along = (dimension: number) => {
      const noisy = sphericalSampler(dimension, scale, source)
      const centre = new Array<Rational>(dimension).fill(integer(0))
      return () => Number(noisy(centre)[0])
    }
    // In one dimension P[|b| > x] = e^-x; the marginal in three is (1 + |x|) e^-|x| / 4, so that P[|b_1| > x] = (2 + x) e^-x / 2.
    const at = (h: bigint) => (Number(h) + 0.5) / 50
    const line = (h: bigint) => Math.exp(-at(h))
    const space = (h: bigint) => ((2 + at(h)) * Math.exp(-at(h))) / 2
    assertFits(fit(along(1), line, 50, count))
    assertFits(fit(along(3), space, 50, count))
    caught(fit(along(3), line, 50, count))
  })
})

describe('chi-square finds planted bugs of these samplers', () => {
  it('a rounded Gaussian of a fifth more variance', () => {
    const law = roundedGaussianLaw(integer(1))
    const sampler = roundedGaussianSampler(decimal('1.2'), seededBits(790))
    caught(fit(numbers(sampler), tailOf(law), 1, draws / 50))
  })

  it('a staircase of half the scale', () => {
    const shape = { epsilon: integer(1), width: 4n, riser: 1n }
    const sampler = staircaseSampler({ ...shape, epsilon: integer(2) }, seededBits(791))
    caught(fit(numbers(sampler), tailOf(staircaseLaw(shape)), 4, draws / 20))
  })

  it('a tail cut at two scales', () => {
    const law = discreteLaplaceLaw(integer(10))
    const sampler = truncatedLaplaceSampler(integer(10), { below: 20n, above: 20n }, seededBits(792))
    caught(fit(numbers(sampler), tailOf(law), 10, draws / 10))
  })
})
