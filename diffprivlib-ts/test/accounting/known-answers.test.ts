import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kairouzOhViswanathEpsilon, optimalComposition } from '../../src/accounting/approximate.ts'
import { budgetAccountant } from '../../src/accounting/budget-accountant.ts'
import { analyticGaussianSigma2, gaussianToDelta, gaussianToEpsilon } from '../../src/accounting/gaussian.ts'
import { pldToDelta, pldToEpsilon } from '../../src/accounting/pld.ts'
import { openPrivacyAccount } from '../../src/accounting/privacy-account.ts'
import { boundedRangeKl, gaussianRenyi, renyiToEpsilon } from '../../src/accounting/renyi.ts'
import { tallyOf } from '../../src/accounting/tally.ts'
import { budgetDistribution, windowSpent } from '../../src/accounting/w-event.ts'
import { BudgetExceededError } from '../../src/errors.ts'
import { ln } from '../../src/numeric/fixed-point.ts'
import { leastWhere } from '../../src/numeric/search.ts'
import {
  compare,
  decimal,
  div,
  fromDouble,
  integer,
  mul,
  one,
  type Rational,
  ratio,
  toNumber,
  zero,
} from '../../src/rational.ts'
import { laplaces, pures } from '../helpers/losses.ts'
import { binomialInterval, kolmogorovSmirnov, normalTwoSided } from '../helpers/thresholds.ts'
import { agrees, type FreeVector, freeVectorsOf, real } from '../helpers/vectors.ts'

const up = (value: Rational): number => toNumber(value, 'up')
const of = (vector: FreeVector, name: string): Rational => real(vector.inputs[name])

const check = (vector: FreeVector, actual: number, expected = vector.expected as number): void =>
  assert.ok(agrees(vector, actual, expected), `${vector.id}: got ${actual}, expected ${expected}`)

const each = (family: string, run: (vector: FreeVector) => void): void => {
  for (const vector of freeVectorsOf(family)) it(`${vector.id} (${vector.source})`, () => run(vector))
}

describe('gaussian_delta', () =>
  each('gaussian_delta', (vector) => {
    const sigma = of(vector, 'sigma')
    const linf = of(vector, 'linf')
    const muSquared = div(mul(of(vector, 'l0'), mul(linf, linf)), mul(sigma, sigma))
    check(vector, up(gaussianToDelta(muSquared, of(vector, 'epsilon'))))
  }))

describe('gaussian_sigma', () =>
  each('gaussian_sigma', (vector) => {
    const delta = of(vector, 'delta')
    const { output } = vector.inputs
    if (output === 'epsilon') {
      const muSquared =
        'rho' in vector.inputs
          ? mul(integer(2), of(vector, 'rho'))
          : div(one, mul(of(vector, 'sigma'), of(vector, 'sigma')))
      return check(vector, up(gaussianToEpsilon(muSquared, delta)))
    }
    const sigma2 = up(analyticGaussianSigma2(one, of(vector, 'epsilon'), delta))
    return check(vector, output === 'sigma' ? Math.sqrt(sigma2) : sigma2)
  }))

/** The smallest scale of k Laplace releases on the reals that stay at epsilon and delta. */
const laplaceScale = (epsilon: Rational, delta: Rational, count: bigint): number =>
  up(
    leastWhere(
      (scale) =>
        compare(scale, one) >= 0 && compare(pldToEpsilon(laplaces(div(one, scale), count), delta), epsilon) <= 0,
    ),
  )

const composition: Readonly<Record<string, (vector: FreeVector) => void>> = {
  'composition-01': (vector) => {
    const { epsilon, delta } = vector.expected as { epsilon: number; delta: number }
    check(vector, up(kairouzOhViswanathEpsilon(pures(decimal('0.05'), 20n), decimal('0.001'))), epsilon)
    const accountant = budgetAccountant({ neighbours: 'replace-one', epsilon: 1, delta: 0.001, slack: 0.001 })
    for (let i = 0; i < 20; i++) accountant.spend(0.05)
    check(vector, up(accountant.total().epsilon), epsilon)
    check(vector, up(accountant.total().delta), delta)
  },
  'composition-02': (vector) => {
    const { epsilon, delta } = vector.expected as { epsilon: number; delta: number }
    const left = budgetAccountant({ neighbours: 'add-remove', epsilon: 1 }).remaining(10)
    check(vector, up(left.epsilon), epsilon)
    check(vector, up(left.delta), delta)
  },
  'composition-03': (vector) => {
    const accountant = budgetAccountant({ neighbours: 'add-remove', epsilon: 10, delta: '0.999' })
    for (const [epsilon, delta] of vector.inputs['spends'] as [number, number][]) accountant.spend(epsilon, delta)
    const { epsilon, delta } = vector.expected as { epsilon: number; delta: number }
    check(vector, up(accountant.total().epsilon), epsilon)
    check(vector, up(accountant.total().delta), delta)
  },
  'composition-04': (vector) => check(vector, up(optimalComposition(equalParts(vector)))),
  'composition-05': (vector) => {
    assert.equal(vector.expected, null)
    assert.throws(() => optimalComposition(equalParts(vector)), /more than the total delta/)
  },
  'composition-06': (vector) =>
    check(vector, 21 * laplaceScale(of(vector, 'epsilon'), zero, BigInt(Number(vector.inputs['k'])))),
  'composition-07': (vector) =>
    check(vector, laplaceScale(of(vector, 'epsilon'), of(vector, 'delta'), BigInt(Number(vector.inputs['k'])))),
  'composition-08': (vector) => {
    // A search over the scale would take half a minute; the two ends of the tolerance take two evaluations.
    const at = (factor: number) => {
      const scale = fromDouble(((vector.expected as number) * factor) / Math.SQRT2)
      return compare(pldToEpsilon(laplaces(div(one, scale), 100n), decimal('1e-12')), one)
    }
    assert.ok(at(1 + 1e-3) < 0 && at(1 - 1e-3) > 0)
    assert.ok(at(1 - 3e-7) > 0, 'a stddev below the certified bracket passes')
  },
  'composition-09': (vector) => check(vector, laplaceEpsilon(vector)),
  'composition-10': (vector) => check(vector, laplaceEpsilon(vector)),
  'composition-11': (vector) => check(vector, gaussianEpsilon(vector)),
  'composition-12': (vector) => check(vector, gaussianEpsilon(vector)),
  'composition-13': (vector) => {
    const tally = tallyOf(
      (vector.inputs['events'] as [number, number][]).map(([epsilon, delta]) => ({
        kind: 'approximate',
        neighbours: 'add-remove',
        epsilon: real(epsilon),
        delta: real(delta),
      })),
    )
    check(vector, up(pldToDelta(tally, of(vector, 'epsilon'))))
  },
  'composition-14': (vector) => {
    const loss = (epsilon: Rational) =>
      ({ kind: 'laplace', neighbours: 'add-remove', epsilon, steps: 1n << 40n }) as const
    check(
      vector,
      up(
        pldToEpsilon(
          tallyOf([
            [loss(one), 3n],
            [loss(ratio(1n, 2n)), 2n],
          ]),
          decimal('1e-300'),
        ),
      ),
    )
  },
  'composition-15': (vector) => {
    const account = openPrivacyAccount({ neighbours: 'add-remove', cap: { epsilon: one } })
    const losses = (vector.inputs['randomised_response_p'] as number[]).map((p) => {
      const odds = div(real(p), real((100 - Math.round(100 * p)) / 100))
      const { upper } = ln(odds, 200)
      return { kind: 'pure', neighbours: 'add-remove', epsilon: ratio(upper, 1n << 200n) } as const
    })
    for (const [i, expected] of (vector.expected as (number | null)[]).entries()) {
      const before = account.spent('all')
      if (expected === null) {
        assert.throws(() => account.charge('all', `${i}`, losses[i]!), BudgetExceededError)
        assert.equal(compare(account.spent('all'), before), 0)
      } else {
        account.charge('all', `${i}`, losses[i]!)
        check(vector, up(account.spent('all')), expected)
      }
    }
  },
}

const equalParts = (vector: FreeVector) => ({
  epsilon: of(vector, 'epsilon'),
  delta: of(vector, 'delta'),
  count: vector.inputs['k'] as number,
  totalDelta: of(vector, 'total_delta'),
})
const laplaceEpsilon = (vector: FreeVector): number => {
  const epsilon = div(of(vector, 'sensitivity'), of(vector, 'scale'))
  return up(pldToEpsilon(laplaces(epsilon, BigInt(Number(vector.inputs['k']))), of(vector, 'delta')))
}
const gaussianEpsilon = (vector: FreeVector): number => {
  const z = div(of(vector, 'sigma'), of(vector, 'sensitivity'))
  return up(gaussianToEpsilon(div(of(vector, 'k'), mul(z, z)), of(vector, 'delta')))
}

describe('composition', () => each('composition', (vector) => composition[vector.id]!(vector)))

const treeEpsilon = (vector: FreeVector): number => {
  const steps = vector.inputs['steps'] as number
  const depth = integer(Math.ceil(Math.log2(steps + 1)))
  const z = of(vector, 'noise_multiplier')
  const orders = [
    ...Array.from({ length: 99 }, (_, i) => ratio(BigInt(11 + i), 10n)),
    ...Array.from({ length: 52 }, (_, i) => integer(12 + i)),
  ]
  const curve = (order: Rational) => gaussianRenyi(div(depth, mul(z, z)), order)
  return up(renyiToEpsilon(curve, of(vector, 'delta'), orders).epsilon)
}

const renyi: Readonly<Record<string, (vector: FreeVector) => void>> = {
  'renyi-01': (vector) => {
    const orders = Array.from({ length: 31 }, (_, i) => integer(i + 2))
    const { epsilon, order } = renyiToEpsilon(() => decimal('1.1'), of(vector, 'delta'), orders)
    const expected = vector.expected as { epsilon: number; optimal_order: number }
    check(vector, up(epsilon), expected.epsilon)
    assert.equal(up(order), expected.optimal_order)
  },
  'renyi-02': (vector) => {
    const sigma = of(vector, 'sigma')
    check(vector, up(gaussianRenyi(div(one, mul(sigma, sigma)), of(vector, 'alpha'))))
  },
  'renyi-03': (vector) => check(vector, up(boundedRangeKl(one))),
  'renyi-04': (vector) => check(vector, treeEpsilon(vector)),
  'renyi-05': (vector) => check(vector, treeEpsilon(vector)),
}

describe('renyi', () => each('renyi', (vector) => renyi[vector.id]!(vector)))

describe('test_thresholds', () =>
  each('test_thresholds', (vector) => {
    const [n, alpha] = [Number(vector.inputs['n']), Number(vector.inputs['alpha'])]
    if (vector.id.endsWith('01')) check(vector, kolmogorovSmirnov(n, alpha))
    else if (vector.id.endsWith('02')) check(vector, normalTwoSided(alpha))
    else {
      const [low, high] = vector.expected as [number, number]
      const found = binomialInterval(n, Number(vector.inputs['p']), 1e-11)
      check(vector, found[0], low)
      check(vector, found[1], high)
    }
  }))

describe('w_event', () =>
  each('w_event', (vector) => {
    const window = vector.inputs['w'] as number
    if (vector.inputs['scheme'] === 'BD') {
      const budget = budgetDistribution({ epsilon: of(vector, 'epsilon'), window })
      for (const expected of vector.expected as number[]) check(vector, up(budget.step(true)), expected)
    } else {
      const charges = (vector.inputs['rho_per_step'] as [string, number][]).flatMap(([steps, rho]) =>
        new Array<Rational>(Number.parseInt(steps, 10)).fill(real(rho)),
      )
      check(vector, up(windowSpent(charges, window)))
    }
  }))
