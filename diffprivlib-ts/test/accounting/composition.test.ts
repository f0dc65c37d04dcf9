// From 1 to 35,040 compositions: never below a certified reference, and as close above it as promised. PLD and exact Gaussian within 10^-3.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { latticeDeltas, optimalComposition } from '../../src/accounting/approximate.ts'
import { deltaBy, epsilonBy, tallyRho, tightestEpsilon } from '../../src/accounting/composition.ts'
import { gaussianToDelta, gaussianToEpsilon } from '../../src/accounting/gaussian.ts'
import { pldToDelta, pldToEpsilon } from '../../src/accounting/pld.ts'
import { laplaceRenyi } from '../../src/accounting/renyi.ts'
import { addLoss, emptyTally, type LossTally, tallyOf } from '../../src/accounting/tally.ts'
import { compare, decimal, div, fromDouble, integer, mul, one, ratio, toNumber } from '../../src/rational.ts'
import { zcdpToEpsilon } from '../../src/zcdp.ts'
import { cellLosses, composed, deltaOf, discreteLaplaceLosses, epsilonOf } from '../helpers/loss-references.ts'
import { gaussians, laplaces, pures } from '../helpers/losses.ts'

const counts = [1, 2, 7, 30, 96, 365, 2_920, 10_000, 35_040]
const up = (tally: LossTally, delta: string): number => toNumber(pldToEpsilon(tally, decimal(delta)), 'up')
const neighbours = 'add-remove'

/** What a double of a reference may be off. */
const rounding = 1e-9

const within = (claim: number, below: number, above: number, what: string): void => {
  assert.ok(claim >= below * (1 - rounding), `${what}: ${claim} is below ${below}`)
  assert.ok(claim <= above * (1 + 1e-3), `${what}: ${claim} is more than 0.1 % above ${above}`)
}

describe('Gaussian losses', () => {
  for (const delta of ['1e-6', '1e-12'])
    it(`compose exactly by mu^2 at ${delta}, and zCDP is above`, () => {
      for (const count of counts) {
        const tally = gaussians(decimal('0.0001'), BigInt(count))
        const exact = epsilonBy('gaussian', tally, decimal(delta))
        assert.ok(compare(gaussianToDelta(tally.muSquared, exact), decimal(delta)) <= 0)
        const lower = mul(exact, ratio(999n, 1000n))
        assert.ok(compare(gaussianToDelta(tally.muSquared, lower), decimal(delta)) > 0)
        assert.ok(compare(zcdpToEpsilon(tallyRho(tally), decimal(delta)), exact) >= 0)
      }
      assert.equal(tightestEpsilon(gaussians(decimal('0.0001'), 1n), decimal(delta)).composition, 'gaussian')
    })

  it('compose by loss distributions to within 0.1 % above that', () => {
    for (const count of [1, 365, 35_040]) {
      const tally = gaussians(decimal('0.0001'), BigInt(count))
      const exact = toNumber(gaussianToEpsilon(tally.muSquared, decimal('1e-9')), 'up')
      within(up(tally, '1e-9'), exact, exact, `${count} Gaussians`)
    }
  })
})

describe('pure losses', () => {
  for (const [epsilon, delta] of [
    ['0.01', '1e-6'],
    ['0.03', '1e-12'],
  ] as const)
    it(`of ${epsilon} compose at ${delta} as the optimal composition theorem says`, () => {
      for (const count of counts) {
        const claim = pldToEpsilon(pures(decimal(epsilon), BigInt(count)), decimal(delta))
        // The theorem has figures at every second multiple of epsilon; the truth lies between two of them.
        const above = optimalComposition({
          epsilon: decimal(epsilon),
          delta: integer(0),
          count,
          totalDelta: decimal(delta),
        })
        assert.ok(compare(claim, mul(above, ratio(1001n, 1000n))) <= 0)
        const exact = composed(discreteLaplaceLosses(Number(epsilon), 1), count)
        within(toNumber(claim, 'up'), epsilonOf(exact, Number(delta)), epsilonOf(exact, Number(delta)), `${count}`)
      }
    })

  it('have the deltas of the theorem on its lattice', () => {
    for (const [i, bound] of latticeDeltas(one, 30)) {
      const exact = deltaOf(composed(discreteLaplaceLosses(1, 1), 30), 30 - 2 * i)
      const value = toNumber(bound, 'up')
      assert.ok(value >= exact * (1 - 1e-12) && value <= exact * (1 + 1e-9) + 1e-60)
    }
  })
})

describe('Laplace losses', () => {
  for (const [epsilon, cells, delta] of [
    ['0.01', 2, '1e-6'],
    ['0.1', 8, '1e-12'],
  ] as const)
    it(`of ${epsilon} on the reals compose at ${delta} to within 0.1 % of what a coarser look already loses`, () => {
      for (const count of counts) {
        if (Number(epsilon) * Math.sqrt(count) > 10) continue
        const below = epsilonOf(composed(cellLosses(Number(epsilon), cells), count), Number(delta))
        within(up(laplaces(decimal(epsilon), BigInt(count)), delta), below, below, `${count} of ${epsilon}`)
      }
    })

  it('on few steps cost more than on the reals, and are met exactly', () => {
    for (const [epsilon, steps, count] of [
      [1, 1, 4],
      [1, 2, 4],
      [0.5, 3, 12],
      [0.3, 5, 96],
    ] as const) {
      const exact = epsilonOf(composed(discreteLaplaceLosses(epsilon, steps), count), 1e-6)
      const tally = laplaces(fromDouble(epsilon), BigInt(count), BigInt(steps))
      within(up(tally, '1e-6'), exact, exact, `${count} of ${epsilon} in ${steps} steps`)
    }
    // To claim the law on the reals for randomised response would be too low.
    const claimed = up(laplaces(one, 12n), '1e-6')
    assert.ok(claimed < epsilonOf(composed(discreteLaplaceLosses(1, 1), 12), 1e-6) * (1 - 1e-4))
  })

  it('spread over coordinates cost no more than moved in one', () => {
    for (const parts of [
      [1, 1],
      [1, 2],
      [1, 1, 3],
      [2, 2, 1, 4],
    ]) {
      const steps = parts.reduce((sum, part) => sum + part)
      const whole = discreteLaplaceLosses(steps * 0.2, steps)
      const spread = parts
        .map((part) => discreteLaplaceLosses(part * 0.2, part))
        .reduce((a, b) => {
          const masses = new Float64Array(a.masses.length + b.masses.length - 1)
          for (const [i, x] of a.masses.entries()) for (const [j, y] of b.masses.entries()) masses[i + j]! += x * y
          return { step: 0.2, first: a.first + b.first, masses }
        })
      for (let epsilon = 0; epsilon < steps * 0.2; epsilon += 0.01)
        assert.ok(deltaOf(spread, epsilon) <= deltaOf(whole, epsilon) + 1e-15)
    }
  })

  it('without steps count as pure', () => {
    const bare = tallyOf([[{ kind: 'laplace', neighbours, epsilon: decimal('0.1') }, 96n]])
    assert.equal(up(bare, '1e-6'), up(pures(decimal('0.1'), 96n), '1e-6'))
    assert.equal(compare(laplaceRenyi(one, integer(3)), laplaceRenyi(one, integer(3), 100n)), 1)
  })
})

describe('mixtures', () => {
  it('of Laplace and Gaussian losses lie between what is seen of them and 0.1 % more', () => {
    const tally = tallyOf([
      [{ kind: 'laplace', neighbours, epsilon: decimal('0.1'), steps: 1n << 40n }, 20n],
      [{ kind: 'gaussian', neighbours, muSquared: decimal('0.01') }, 30n],
    ])
    const claim = pldToEpsilon(tally, decimal('1e-6'))
    const { step, first, masses } = composed(cellLosses(0.1, 4), 20)
    const below = (epsilon: number): number =>
      masses.reduce((sum, mass, i) => {
        const rest = epsilon - (first + i) * step
        const kept = (at: number) => toNumber(gaussianToDelta(decimal('0.3'), fromDouble(at)), 'up')
        return sum + mass * (rest >= 0 ? kept(rest) : -Math.expm1(rest) + Math.exp(rest) * kept(-rest))
      }, 0)
    const value = toNumber(claim, 'up')
    assert.ok(below(value) <= 1e-6 * (1 + rounding))
    assert.ok(below(value * (1 - 1e-3)) > 1e-6)
  })

  it('cost the same in any order and grouping of charges', () => {
    const losses = [
      { kind: 'pure', neighbours, epsilon: decimal('0.2') },
      { kind: 'laplace', neighbours, epsilon: decimal('0.1'), steps: 40n },
      { kind: 'approximate', neighbours, epsilon: decimal('0.3'), delta: decimal('1e-7') },
    ] as const
    const once = tallyOf([...losses, ...losses])
    const grouped = tallyOf([...losses].reverse().map((loss) => [loss, 2n] as const))
    assert.equal(up(once, '1e-6'), up(grouped, '1e-6'))
  })

  it('have a delta that agrees with their epsilon', () => {
    const tally = addLoss(laplaces(decimal('0.1'), 50n), { kind: 'gaussian', neighbours, muSquared: decimal('0.02') })
    for (const delta of ['1e-3', '1e-30']) {
      const epsilon = pldToEpsilon(tally, decimal(delta))
      const back = toNumber(pldToDelta(tally, epsilon), 'up')
      assert.ok(Math.abs(back / Number(delta) - 1) < 1e-2, `${back}`)
    }
  })

  it('are refused where a theorem does not take them', () => {
    const zcdp = tallyOf([{ kind: 'zcdp', neighbours, rho: one }])
    const mixed = addLoss(zcdp, { kind: 'pure', neighbours, epsilon: one })
    assert.throws(() => pldToEpsilon(mixed, decimal('1e-6')), /no loss distribution/)
    assert.throws(() => epsilonBy('gaussian', mixed, decimal('1e-6')), /Gaussian losses only/)
    assert.throws(() => epsilonBy('basic', zcdp, decimal('1e-6')), /pure, approximate and Laplace/)
    assert.throws(() => epsilonBy('zcdp', zcdp, integer(0)), /needs a delta/)
    assert.throws(() => pldToEpsilon(gaussians(one, 1n), integer(0)), /no epsilon at delta 0/)
    assert.throws(() => pldToEpsilon(gaussians(integer(5000), 1n), decimal('1e-6')), /mu\^2 is above 1600/)
    const failing = tallyOf([{ kind: 'approximate', neighbours, epsilon: one, delta: decimal('0.1') }])
    assert.throws(() => pldToEpsilon(failing, decimal('0.01')), /add up to more/)
    assert.ok(['zcdp', 'renyi'].includes(tightestEpsilon(mixed, decimal('1e-6')).composition))
  })
})

describe('all theorems', () => {
  it('stand above the exact loss of small compositions', () => {
    for (const [epsilon, count] of [
      [0.1, 3],
      [0.5, 6],
      [2, 4],
    ] as const) {
      const exact = composed(discreteLaplaceLosses(epsilon, 1), count)
      const tally = pures(fromDouble(epsilon), BigInt(count))
      for (const delta of [1e-2, 1e-5]) {
        const truth = epsilonOf(exact, delta)
        for (const name of ['basic', 'advanced', 'kairouz-oh-viswanath', 'zcdp', 'renyi', 'pld'] as const)
          assert.ok(toNumber(epsilonBy(name, tally, fromDouble(delta)), 'up') >= truth * (1 - rounding), name)
      }
      for (const name of ['zcdp', 'renyi', 'pld'] as const) {
        const at = epsilon * count * 0.6
        assert.ok(toNumber(deltaBy(name, tally, fromDouble(at)), 'up') >= deltaOf(exact, at) * (1 - rounding), name)
      }
    }
  })

  it('give nothing for nothing', () => {
    assert.equal(compare(tightestEpsilon(emptyTally, decimal('1e-6')).epsilon, integer(0)), 0)
    assert.equal(compare(deltaBy('pld', emptyTally, one), integer(0)), 0)
    assert.equal(compare(pldToEpsilon(pures(div(one, integer(3)), 3n), integer(0)), one), 0)
  })
})
