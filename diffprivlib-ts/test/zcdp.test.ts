import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  add,
  compare,
  decimal,
  div,
  format,
  fromDouble,
  integer,
  mul,
  one,
  type Rational,
  ratio,
  sub,
  toDecimal,
  toNumber,
} from '../src/rational.ts'
import { approxDpToRho, gaussianRho, gaussianSigma2, pureDpToRho, zcdpToDelta, zcdpToEpsilon } from '../src/zcdp.ts'
import { agrees, input, vectorsOf } from './helpers/vectors.ts'

describe('known answers', () => {
  for (const vector of vectorsOf('zcdp_to_epsilon'))
    it(`${vector.id} (${vector.source})`, () => {
      const epsilon = toNumber(zcdpToEpsilon(input(vector, 'rho'), input(vector, 'delta')), 'up')
      assert.ok(agrees(vector, epsilon, vector.expected as number), `got ${epsilon}`)
    })

  for (const vector of vectorsOf('zcdp_to_delta'))
    it(`${vector.id} (${vector.source})`, () => {
      const delta = toNumber(zcdpToDelta(input(vector, 'rho'), input(vector, 'epsilon')), 'up')
      assert.ok(agrees(vector, delta, vector.expected as number), `got ${delta}`)
    })

  for (const vector of vectorsOf('approx_dp_to_rho'))
    it(`${vector.id} (${vector.source})`, () => {
      const rho = toNumber(approxDpToRho(input(vector, 'epsilon'), input(vector, 'delta')), 'down')
      assert.ok(agrees(vector, rho, vector.expected as number), `got ${rho}`)
    })
})

describe('the cap of a household-day', () => {
  const delta = decimal('1e-6')

  it('rho 0.02435597 is at most epsilon 1 at delta 1e-6, rounded up', () => {
    const epsilon = zcdpToEpsilon(decimal('0.02435597'), delta)
    assert.ok(compare(epsilon, one) <= 0)
    assert.equal(toDecimal(epsilon, 10, 'up'), '0.9999999921')
  })

  it('rho 0.024356, the same rounded up, is above it', () => {
    assert.equal(compare(zcdpToEpsilon(decimal('0.024356'), delta), one), 1)
  })

  it('the largest rho for epsilon 1 lies between the two', () => {
    const rho = approxDpToRho(one, delta)
    assert.ok(compare(rho, decimal('0.02435597')) > 0 && compare(rho, decimal('0.024356')) < 0)
  })

  it('over 2, 7, 30 and 365 days it costs 1.45, 2.87, 6.48 and 29.80 to the nearest hundredth, here rounded up', () => {
    const day = decimal('0.02435597')
    const figures = [2, 7, 30, 365].map((days) => toDecimal(zcdpToEpsilon(mul(day, integer(days)), delta), 2, 'up'))
    assert.deepEqual(figures, ['1.46', '2.87', '6.49', '29.81'])
  })
})

describe('directed rounding', () => {
  /** The bound at one order, in doubles: above the tight value except for their own error. */
  const boundAt = (rho: number, delta: number, alpha: number) =>
    alpha * rho + Math.log1p(-1 / alpha) - Math.log(delta * alpha) / (alpha - 1)

  for (const [rho, delta] of [
    ['1e-9', '1e-9'],
    ['0.0001', '1e-12'],
    ['0.5', '0.1'],
    ['3', '1e-300'],
    ['1000', '1e-6'],
  ] as const)
    it(`no order beats the epsilon of rho ${rho} and delta ${delta}`, () => {
      const epsilon = toNumber(zcdpToEpsilon(decimal(rho), decimal(delta)), 'up')
      let best = Infinity
      for (let i = -400; i <= 400; i++) best = Math.min(best, boundAt(Number(rho), Number(delta), 1 + 10 ** (i / 40)))
      assert.ok(epsilon <= best * (1 + 1e-12))
      assert.ok(epsilon > 0.98 * best)
    })

  it('there and back never gains', () => {
    for (const text of ['1e-7', '0.001', '0.02435597', '0.7', '25']) {
      const rho = decimal(text)
      const epsilon = zcdpToEpsilon(rho, decimal('1e-6'))
      const back = approxDpToRho(epsilon, decimal('1e-6'))
      const gap = sub(back, rho)
      // Epsilon was rounded up, so the rho it allows may exceed the first only by that rounding.
      assert.ok(compare(gap, mul(rho, ratio(1n, 1n << 60n))) <= 0)
      assert.ok(compare(gap, mul(rho, ratio(-1n, 1n << 60n))) >= 0)
      const delta = zcdpToDelta(rho, epsilon)
      assert.ok(compare(delta, decimal('1.000000000000001e-6')) <= 0)
    }
  })

  it('more rho is never less epsilon, over steps of one unit in the last place', () => {
    let before: Rational | undefined
    let rho = 0.0243
    for (let i = 0; i < 20; i++) {
      const epsilon = zcdpToEpsilon(fromDouble(rho), decimal('1e-6'))
      if (before) assert.ok(compare(epsilon, before) > 0)
      before = epsilon
      rho += 2 ** -58
    }
  })
})

describe('exact relations', () => {
  it('rho and sigma^2 of a Gaussian are inverse, as fractions', () => {
    const squared = mul(integer(10_000), integer(10_000))
    const rho = div(decimal('0.02435597'), integer(4))
    const sigma2 = gaussianSigma2(squared, rho)
    assert.equal(format(sigma2), '20000000000000000/2435597')
    assert.deepEqual(gaussianRho(squared, sigma2), rho)
  })

  it('a pure epsilon costs half its square', () => assert.equal(format(pureDpToRho(ratio(1n, 2n))), '1/8'))
})

describe('edges', () => {
  it('no rho is no epsilon and no delta', () => {
    assert.equal(format(zcdpToEpsilon(integer(0), decimal('1e-6'))), '0')
    assert.equal(format(zcdpToDelta(integer(0), integer(1))), '0')
  })

  it('delta never exceeds one', () => {
    assert.ok(compare(zcdpToDelta(integer(1000), integer(0)), one) <= 0)
  })

  it('tiny budgets at a generous delta are no epsilon at all', () => {
    assert.equal(format(zcdpToEpsilon(decimal('1e-6'), decimal('0.5'))), '0')
  })

  it('extreme but legal parameters are answered', () => {
    for (const [rho, delta] of [
      ['1e-300', '1e-300'],
      ['1e12', '1e-3'],
      ['1', '1e-5000'],
    ] as const)
      assert.ok(compare(zcdpToEpsilon(decimal(rho), decimal(delta)), integer(0)) > 0)
  })

  const refusals: readonly [string, () => unknown, RegExp][] = [
    ['a negative rho', () => zcdpToEpsilon(decimal('-0.1'), decimal('0.1')), /rho must not be negative/],
    ['delta 0', () => zcdpToEpsilon(one, integer(0)), /delta must lie strictly between 0 and 1/],
    ['delta 1', () => zcdpToEpsilon(one, one), /delta must lie strictly between 0 and 1/],
    ['a negative epsilon', () => zcdpToDelta(one, decimal('-1')), /epsilon must not be negative/],
    ['epsilon 0 for a rho', () => approxDpToRho(integer(0), decimal('0.1')), /epsilon must be greater than 0/],
    ['sigma^2 of 0', () => gaussianRho(one, integer(0)), /sigma\^2 must be greater than 0/],
    ['a sensitivity of 0', () => gaussianSigma2(integer(0), one), /sensitivity must be greater than 0/],
    ['a rho of 0 for a sigma^2', () => gaussianSigma2(one, integer(0)), /rho must be greater than 0/],
    ['a delta past all digits', () => zcdpToDelta(one, decimal('1e6')), /too extreme/],
    ['an epsilon past all digits', () => zcdpToDelta(one, decimal('1e400')), /too extreme/],
    ['a negative pure epsilon', () => pureDpToRho(decimal('-1')), /epsilon must not be negative/],
  ]
  for (const [what, call, sentence] of refusals) it(`refuses ${what}`, () => assert.throws(call, sentence))

  it('adds up: rho of parts is rho of the whole', () => {
    const part = gaussianRho(one, integer(100))
    assert.equal(format(add(part, part)), '1/100')
  })
})
