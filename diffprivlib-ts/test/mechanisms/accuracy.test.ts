// Bias, variance, mean square and intervals against sums over the exact law, and what the calibrations promise.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { statedL1, statedL2, statedUtility } from '../../src/bounding.ts'
import {
  boundedDomainHalfWidth,
  boundedDomainMoments,
  boundedDomainProbability,
  boundedDomainRatio,
  foldedMoments,
  type Moments,
  truncatedMoments,
} from '../../src/laws/bounded-laplace-law.ts'
import { boundedNoiseLaw, boundedTop, uniformNoiseLaw } from '../../src/laws/bounded-noise-law.ts'
import { discreteGaussianLaw } from '../../src/laws/discrete-gaussian-law.ts'
import type { NoiseLaw } from '../../src/laws/law.ts'
import { roundedGaussianLaw } from '../../src/laws/rounded-gaussian-law.ts'
import { staircaseLaw } from '../../src/laws/staircase-law.ts'
import { widenedL1, widenedL2 } from '../../src/mechanisms/grid.ts'
import * as mechanisms from '../../src/mechanisms/index.ts'
import { compare, decimal, format, integer, parse, ratio, toNumber } from '../../src/rational.ts'

const near = (actual: number, expected: number, slack = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= slack * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`)

const reach = 3000

/** E[Y - x], Var[Y] and E[(Y - x)^2] of a discrete Laplace moved into a domain, summed term by term. */
const summed = (scale: number, x: number, moved: (y: number) => number | undefined) => {
  let [mass, first, second] = [0, 0, 0]
  for (let n = -reach; n <= reach; n++) {
    const y = moved(x + n)
    if (y === undefined) continue
    const weight = Math.exp(-Math.abs(n) / scale)
    mass += weight
    first += weight * (y - x)
    second += weight * (y - x) ** 2
  }
  const bias = first / mass
  return { bias, mse: second / mass, variance: second / mass - bias ** 2 }
}

const assertMoments = (moments: Moments, expected: ReturnType<typeof summed>): void => {
  for (const name of ['bias', 'variance', 'mse'] as const)
    near(toNumber(moments[name].upper, 'up'), expected[name], 1e-8)
}

const folded = (lower: number, upper: number) => (y: number) => {
  let inside = y
  while (inside < lower || inside > upper) inside = inside < lower ? 2 * lower - inside : 2 * upper - inside
  return inside
}

describe('the moments of noise in a domain', () => {
  for (const [scale, upper, x] of [
    [3.5, 12, 3],
    [0.4, 5, 0],
    [40, 10, 5],
    [7, 1, 1],
  ] as const) {
    const t = decimal(String(scale))
    const [below, above] = [BigInt(x), BigInt(upper - x)]
    it(`truncated: scale ${scale}, 0 .. ${upper}, at ${x}`, () =>
      assertMoments(
        truncatedMoments(t, below, above),
        summed(scale, x, (y) => Math.min(upper, Math.max(0, y))),
      ))
    it(`folded: scale ${scale}, 0 .. ${upper}, at ${x}`, () =>
      assertMoments(foldedMoments(t, integer(below), integer(above)), summed(scale, x, folded(0, upper))))
    it(`folded at half numbers: scale ${scale}, -1/2 .. ${upper}, at ${x}`, () =>
      assertMoments(
        foldedMoments(t, ratio(2n * below + 1n, 2n), integer(above)),
        summed(scale, x, folded(-0.5, upper)),
      ))
    it(`drawn again: scale ${scale}, 0 .. ${upper}, at ${x}`, () =>
      assertMoments(
        boundedDomainMoments(t, below, above),
        summed(scale, x, (y) => (y < 0 || y > upper ? undefined : y)),
      ))
  }

  it('a point in the middle has no bias', () => {
    const { bias } = foldedMoments(integer(3), integer(6), integer(6))
    assert.ok(toNumber(bias.upper, 'up') < 1e-300 && toNumber(bias.lower, 'down') > -1e-300)
  })
})

describe('the interval of noise in a domain', () => {
  for (const [scale, span] of [
    [3, 10n],
    [2, 40n],
    [50, 21n],
  ] as const)
    it(`covers at every point, and the next smaller one does not: scale ${scale}, span ${span}`, () => {
      const confidence = 0.9
      const covers = (h: bigint): boolean => {
        for (let x = 0n; x <= span; x++) {
          let covered = 0
          for (let k = -h; k <= h; k++)
            covered += toNumber(boundedDomainProbability(integer(scale), x, span - x, k).lower, 'down')
          if (covered < confidence - 1e-12) return false
        }
        return true
      }
      const h = boundedDomainHalfWidth(integer(scale), span, decimal('0.9'))
      assert.ok(covers(h))
      assert.ok(!covers(h - 1n))
    })
})

describe('the laws of additive noise', () => {
  const laws: readonly [string, NoiseLaw, number][] = [
    ['rounded Gaussian', roundedGaussianLaw(decimal('2.5')), 40],
    ['staircase', staircaseLaw({ epsilon: decimal('1.5'), width: 5n, riser: 2n }), 200],
    ['bounded noise', boundedNoiseLaw(integer(4), 15n), 15],
    ['uniform', uniformNoiseLaw(9n), 9],
  ]
  for (const [name, law, last] of laws)
    it(`of the ${name} have one mass, tail, variance and interval`, () => {
      const p = (k: number) => toNumber(law.probability(BigInt(k)).lower, 'down')
      let [mass, second] = [p(0), 0]
      const tails: number[] = []
      for (let k = 1; k <= last; k++) {
        near(p(k), p(-k), 1e-14)
        tails.push(1 - mass)
        mass += 2 * p(k)
        second += 2 * k * k * p(k)
      }
      near(mass, 1, 1e-9)
      near(toNumber(law.variance().upper, 'up'), second, 1e-8)
      for (const [h, tail] of tails.entries()) near(toNumber(law.tail(BigInt(h)).upper, 'up'), tail, 1e-9)
      const h = Number(law.halfWidth(decimal('0.8')))
      assert.ok((tails[h] ?? 0) <= 0.2 + 1e-12)
      assert.ok(h === 0 || tails[h - 1]! > 0.2)
    })
})

describe('the calibrations', () => {
  it('bounded domain: no pair of points and no output is told apart by more than epsilon', () => {
    const neighbours = 'add-remove'
    const sensitivity = statedL1({ neighbours, l1: integer(3), because: 'x' })
    const mechanism = mechanisms.laplaceBoundedDomain({
      neighbours,
      sensitivity,
      epsilon: decimal('0.7'),
      grid: integer(1),
      lower: integer(0),
      upper: integer(12),
    })
    const scale = parse(mechanism.facts.parameters['scale']!)
    const p = (x: bigint, y: bigint) => toNumber(boundedDomainProbability(scale, x, 12n - x, y - x).lower, 'down')
    let worst = 0
    for (let x = 0n; x <= 12n; x++)
      for (let other = 0n; other <= 12n; other++)
        for (let y = 0n; y <= 12n; y++) {
          const distance = x > other ? x - other : other - x
          if (distance <= 3n) worst = Math.max(worst, Math.log(p(x, y) / p(other, y)))
        }
    assert.ok(worst <= 0.7 && worst > 0.7 - 1e-9, `${worst}`)
    near(Math.log(toNumber(boundedDomainRatio(scale, 12n, 3n).upper, 'up')), 0.7)
  })

  it('bounded noise: the reach is the least whose delta is kept', () => {
    const neighbours = 'add-remove'
    const sensitivity = statedL1({ neighbours, l1: integer(3), because: 'x' })
    const delta = decimal('1e-4')
    const mechanism = mechanisms.laplaceBoundedNoise({
      neighbours,
      sensitivity,
      epsilon: integer(1),
      delta,
      grid: integer(1),
    })
    const top = BigInt(mechanism.facts.parameters['reach']!)
    const deltaOf = (r: bigint) => boundedTop(integer(3), r, r - 3n).upper
    assert.ok(compare(deltaOf(top), delta) <= 0)
    assert.ok(compare(deltaOf(top - 1n), delta) > 0)
  })

  it('staircase: neighbours differ by at most epsilon everywhere', () => {
    const law = staircaseLaw({ epsilon: integer(1), width: 4n, riser: 1n })
    const p = (k: bigint) => toNumber(law.probability(k).lower, 'down')
    for (let k = -30n; k <= 30n; k++)
      for (let shift = 1n; shift <= 4n; shift++) assert.ok(Math.log(p(k) / p(k + shift)) <= 1 + 1e-12)
  })

  it('the delta of a discrete Gaussian is not monotone in sigma, so no search over it is made', () => {
    // delta = P[X > epsilon s - 1/2] - e^epsilon P[X > epsilon s + 1/2] for sensitivity 1 and s = sigma^2 (Canonne, Kamath and Steinke, theorem 7).
    const delta = (sigma2: number, epsilon: number): number => {
      const law = discreteGaussianLaw(decimal(sigma2.toFixed(6)))
      const beyond = (x: number) => {
        // P[X > x] is half of P[|X| > floor(x)] for x >= 0.
        return toNumber(law.tail(BigInt(Math.floor(x))).upper, 'up') / 2
      }
      return beyond(epsilon * sigma2 - 0.5) - Math.exp(epsilon) * beyond(epsilon * sigma2 + 0.5)
    }
    const epsilon = 3
    near(delta(4, epsilon), 4.009028185478357e-10, 1e-17)
    const rises: number[] = []
    for (let sigma2 = 1; sigma2 < 6; sigma2 += 0.02)
      if (delta(sigma2 + 0.02, epsilon) > delta(sigma2, epsilon) * (1 + 1e-6)) rises.push(sigma2)
    assert.ok(rises.length > 20, `${rises.length} rises`)
    const neighbours = 'add-remove'
    const sensitivity = statedL2({ neighbours, l2Squared: integer(1), because: 'x' })
    const mechanism = mechanisms.gaussianDiscrete({
      neighbours,
      sensitivity,
      epsilon: integer(3),
      delta: decimal('1e-5'),
    })
    const { loss } = mechanism
    assert.equal(loss.kind, 'zcdp')
    assert.ok(delta(toNumber(parse(mechanism.facts.parameters['sigma2']!), 'down'), epsilon) <= 1e-5)
  })

  it('the widened sensitivity is never below what rounding can move', () => {
    const l1 = statedL1({ neighbours: 'add-remove', l1: decimal('0.25'), because: 'x' })
    const l2 = statedL2({ neighbours: 'add-remove', l2Squared: decimal('0.0625'), because: 'x' })
    const grid = decimal('0.1')
    assert.equal(format(widenedL1(l1, grid, 1)), '3')
    assert.equal(format(widenedL1(l1, grid, 4)), '13/2')
    assert.equal(format(widenedL2(l2, grid, 1)), '9')
    near(toNumber(widenedL2(l2, grid, 4), 'up'), (2.5 + 2) ** 2)
    assert.equal(format(widenedL1(statedL1({ neighbours: 'add-remove', l1: integer(1), because: 'x' }), grid, 1)), '10')
  })

  it('a monotonic utility is worth a factor of two, and is refused under replace-one', () => {
    assert.throws(
      () => statedUtility({ neighbours: 'replace-one', sensitivity: integer(1), monotonic: true, because: 'x' }),
      /under add-remove only/,
    )
  })
})
