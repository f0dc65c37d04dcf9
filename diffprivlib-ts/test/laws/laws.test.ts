import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { discreteGaussianLaw } from '../../src/laws/discrete-gaussian-law.ts'
import { discreteLaplaceLaw } from '../../src/laws/discrete-laplace-law.ts'
import type { Bounds, NoiseLaw } from '../../src/laws/law.ts'
import {
  add,
  compare,
  decimal,
  div,
  fromDouble,
  integer,
  mul,
  one,
  type Rational,
  ratio,
  sub,
  toInteger,
  toNumber,
  zero,
} from '../../src/rational.ts'
import { middle } from '../helpers/agreement.ts'
import { expBounds } from '../helpers/exact-laws.ts'
import { agrees, input, type Vector, vectorsOf } from '../helpers/vectors.ts'

const number = (bounds: Bounds): number => toNumber(middle(bounds), 'down')
const vector = (family: string, id: string): Vector => {
  const found = vectorsOf(family).find((candidate) => candidate.id === id)
  assert.ok(found, `no vector ${id}`)
  return found
}
const expectAgrees = (v: Vector, actual: number, expected = v.expected as number) =>
  assert.ok(agrees(v, actual, expected), `${v.id}: got ${actual}, expected ${expected}`)

/** P[X > m] = P[|X| > m] / 2 for m >= 0, and one minus its mirror image below. */
const upperTail = (law: NoiseLaw, m: bigint): number =>
  m >= 0n ? number(law.tail(m)) / 2 : 1 - upperTail(law, -m - 1n)

describe('known answers of the discrete Gaussian', () => {
  for (const id of ['discrete_gaussian-01', 'discrete_gaussian-02', 'discrete_gaussian-03'])
    it(`${id}: delta at an epsilon`, () => {
      const v = vector('discrete_gaussian', id)
      const sigma2 = input(v, 'sigma2')
      const epsilon = input(v, 'epsilon')
      const law = discreteGaussianLaw(sigma2)
      // Sensitivity 1: P[X > eps s2 - 1/2] - exp(eps) P[X > eps s2 + 1/2].
      const centre = mul(epsilon, sigma2)
      const half = ratio(1n, 2n)
      const near = upperTail(law, toInteger(sub(centre, half), 'down'))
      const far = upperTail(law, toInteger(add(centre, half), 'down'))
      expectAgrees(v, near - Math.exp(toNumber(epsilon, 'down')) * far)
    })

  for (const id of ['discrete_gaussian-04', 'discrete_gaussian-05'])
    it(`${id}: variance`, () => {
      const v = vector('discrete_gaussian', id)
      expectAgrees(v, number(discreteGaussianLaw(input(v, 'sigma2')).variance()))
    })

  it('discrete_gaussian-06: probabilities, given |X| <= 2', () => {
    const v = vector('discrete_gaussian', 'discrete_gaussian-06')
    const law = discreteGaussianLaw(input(v, 'sigma2'))
    const inside = 1 - number(law.tail(2n))
    for (const [k, expected] of (v.expected as readonly number[]).entries())
      expectAgrees(v, number(law.probability(BigInt(k))) / inside, expected)
  })
})

describe('known answers of the discrete Laplace', () => {
  // A scale of 1 / ln 2 has a = 1/2 only in the limit; the double nearest to it is as good as the tolerance.
  it('discrete_laplace-01: variance at epsilon ln 2', () => {
    const v = vector('discrete_laplace', 'discrete_laplace-01')
    expectAgrees(v, number(discreteLaplaceLaw(fromDouble(1 / Math.LN2)).variance()))
  })

  it('discrete_laplace-02: mean magnitude at scale 1', () => {
    const v = vector('discrete_laplace', 'discrete_laplace-02')
    const law = discreteLaplaceLaw(one)
    let mean = 0
    for (let h = 0n; h < 60n; h++) mean += number(law.tail(h))
    expectAgrees(v, mean)
  })

  it('discrete_laplace-03: law of the privacy loss, sensitivity 1', () => {
    const v = vector('discrete_laplace', 'discrete_laplace-03')
    const [above, below] = v.expected as readonly number[]
    const law = discreteLaplaceLaw(div(one, input(v, 'a')))
    // The loss is +1 for outputs at or below 0 and -1 for those at or above 1.
    expectAgrees(v, 1 - upperTail(law, 0n), above)
    expectAgrees(v, upperTail(law, 0n), below)
  })

  it('discrete_laplace-04: law of the privacy loss, sensitivity 2', () => {
    const v = vector('discrete_laplace', 'discrete_laplace-04')
    const [above, middleMass, below] = v.expected as readonly number[]
    const law = discreteLaplaceLaw(div(one, input(v, 'a')))
    expectAgrees(v, 1 - upperTail(law, 0n), above)
    expectAgrees(v, number(law.probability(1n)), middleMass)
    expectAgrees(v, upperTail(law, 1n), below)
  })
})

describe('known answers of intervals, on a grid fine enough for the continuous law', () => {
  const grid = 10n ** 10n
  const onGrid = (value: Rational) => mul(value, integer(grid))

  for (const id of ['confidence_interval-01', 'confidence_interval-02', 'confidence_interval-03'])
    it(`${id}: Laplace`, () => {
      const v = vector('confidence_interval', id)
      const width = discreteLaplaceLaw(onGrid(input(v, 'lambda'))).halfWidth(sub(one, input(v, 'alpha')))
      const [low, high] = v.expected as readonly number[]
      const centre = toNumber(input(v, 'noised'), 'down')
      expectAgrees(v, centre - Number(width) / Number(grid), low)
      expectAgrees(v, centre + Number(width) / Number(grid), high)
    })

  for (const id of ['confidence_interval-04', 'confidence_interval-05'])
    it(`${id}: Gaussian`, () => {
      const v = vector('confidence_interval', id)
      const sigma = onGrid(input(v, 'sigma'))
      const width = discreteGaussianLaw(mul(sigma, sigma)).halfWidth(sub(one, input(v, 'alpha')))
      const [low, high] = v.expected as readonly number[]
      const centre = toNumber(input(v, 'noised'), 'down')
      expectAgrees(v, centre - Number(width) / Number(grid), low)
      expectAgrees(v, centre + Number(width) / Number(grid), high)
    })

  it('confidence_interval-06: the scale at which P[|X| >= accuracy] = alpha', () => {
    const v = vector('confidence_interval', 'confidence_interval-06')
    const law = discreteLaplaceLaw(fromDouble(v.expected as number))
    const accuracy = toInteger(input(v, 'accuracy'), 'down')
    assert.ok(Math.abs(number(law.tail(accuracy - 1n)) - Number(v.inputs['alpha'])) < 1e-9)
  })
})

describe('a law is one law', () => {
  const laws: readonly [string, NoiseLaw, bigint][] = [
    ...['0.05', '0.7', '1', '9', '100'].map((s): [string, NoiseLaw, bigint] => [
      `discrete Gaussian of sigma^2 ${s}`,
      discreteGaussianLaw(decimal(s)),
      120n,
    ]),
    ...['0.05', '0.7', '1', '9'].map((s): [string, NoiseLaw, bigint] => [
      `discrete Laplace of scale ${s}`,
      discreteLaplaceLaw(decimal(s)),
      400n,
    ]),
  ]
  for (const [name, law, reach] of laws) {
    it(`${name}: probabilities and tails add up to one`, () => {
      let lower = law.tail(reach).lower
      let upper = law.tail(reach).upper
      for (let k = -reach; k <= reach; k++) {
        const { lower: low, upper: high } = law.probability(k)
        lower = add(lower, low)
        upper = add(upper, high)
      }
      assert.ok(compare(lower, one) <= 0 && compare(one, upper) <= 0)
      assert.ok(toNumber(sub(upper, lower), 'up') < 1e-30)
    })

    it(`${name}: the variance is the sum of k^2 P[k]`, () => {
      let sum = zero
      for (let k = 1n; k <= reach; k++) sum = add(sum, mul(integer(2n * k * k), middle(law.probability(k))))
      const { lower, upper } = law.variance()
      const slack = decimal('1e-9')
      assert.ok(compare(sub(lower, slack), sum) <= 0 && compare(sum, add(upper, slack)) <= 0)
    })

    it(`${name}: half-widths are the smallest that hold the confidence`, () => {
      for (const confidence of ['0.001', '0.5', '0.95', '0.999999', '0.9999999999999'].map(decimal)) {
        const h = law.halfWidth(confidence)
        const miss = sub(one, confidence)
        assert.ok(compare(law.tail(h).upper, miss) <= 0)
        if (h > 0n) assert.ok(compare(law.tail(h - 1n).lower, miss) > 0)
      }
    })
  }
})

describe('large discrete Gaussians', () => {
  for (const [name, sigma2] of [
    ['just above the summed range', decimal('65537')],
    ['sigma 1e5', decimal('1e10')],
    ['sigma 1e12', decimal('1e24')],
  ] as const) {
    it(`${name}: half-widths hold the confidence and are at most one too wide`, () => {
      const law = discreteGaussianLaw(sigma2)
      for (const confidence of ['0.001', '0.3', '0.68', '0.69', '0.95', '0.9999999999'].map(decimal)) {
        const h = law.halfWidth(confidence)
        const miss = sub(one, confidence)
        assert.ok(compare(law.tail(h).upper, miss) <= 0)
        // The lower bound of the tail is that of the continuous law one step further out.
        if (h >= 2n) assert.ok(compare(law.tail(h - 2n).lower, miss) > 0)
      }
    })
  }

  it('meet the summed law at the border between the two', () => {
    const below = discreteGaussianLaw(integer(65_536))
    const above = discreteGaussianLaw(add(integer(65_536), decimal('1e-12')))
    for (const confidence of ['0.2', '0.5', '0.68', '0.9', '0.95', '0.99', '0.999999'].map(decimal)) {
      const gap = above.halfWidth(confidence) - below.halfWidth(confidence)
      assert.ok(gap === 0n || gap === 1n)
    }
    for (const h of [0n, 10n, 100n, 255n, 256n, 257n, 1000n]) {
      assert.ok(compare(above.tail(h).upper, below.tail(h).lower) >= 0)
      assert.ok(number(above.tail(h)) - number(below.tail(h)) < 0.002)
    }
  })
})

describe('edges', () => {
  const laws = [discreteGaussianLaw(one), discreteGaussianLaw(decimal('1e10')), discreteLaplaceLaw(one)]
  for (const confidence of ['0', '1', '1.5', '-0.5'])
    it(`refuses a confidence of ${confidence}`, () => {
      for (const law of laws)
        assert.throws(() => law.halfWidth(decimal(confidence)), /a confidence lies strictly between 0 and 1/)
    })

  it('refuses a confidence beyond 1 - 2^-1024, and answers one just inside', () => {
    for (const law of laws) {
      assert.throws(() => law.halfWidth(sub(one, ratio(1n, 1n << 1100n))), /closer to 1 than 2\^-1024/)
      assert.ok(law.halfWidth(sub(one, ratio(1n, 1n << 1000n))) > 30n)
    }
  })

  it('a scale so small that noise all but vanishes still has a law', () => {
    assert.equal(discreteLaplaceLaw(decimal('0.001')).halfWidth(decimal('0.999')), 0n)
    assert.equal(discreteGaussianLaw(decimal('0.0001')).halfWidth(decimal('0.999')), 0n)
    const { lower, upper } = discreteLaplaceLaw(decimal('0.001')).probability(1n)
    const a = expBounds(integer(1000))
    assert.ok(compare(lower, a.upper) <= 0 && compare(upper, zero) > 0)
  })

  it('refuses a scale or sigma^2 that is not positive', () => {
    for (const bad of [zero, decimal('-1')]) {
      assert.throws(() => discreteLaplaceLaw(bad), /the scale of a discrete Laplace must be greater than 0/)
      assert.throws(() => discreteGaussianLaw(bad), /sigma\^2 of a discrete Gaussian must be greater than 0/)
    }
  })
})
