import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PrivacyCap } from '../../src/accounting/cap.ts'
import { disjointLosses } from '../../src/accounting/disjoint.ts'
import { openOdometer } from '../../src/accounting/odometer.ts'
import { openPrivacyAccount } from '../../src/accounting/privacy-account.ts'
import { budgetDistribution, windowSpent } from '../../src/accounting/w-event.ts'
import { BudgetExceededError, DuplicateChargeError, ParameterError } from '../../src/errors.ts'
import type { LedgerEntry } from '../../src/ledger/entry.ts'
import { type Ledger, memoryLedger } from '../../src/ledger/ledger.ts'
import type { PrivacyLoss } from '../../src/loss.ts'
import {
  add,
  compare,
  decimal,
  format,
  integer,
  mul,
  one,
  type Rational,
  ratio,
  toNumber,
  zero,
} from '../../src/rational.ts'
import { zcdpToEpsilon } from '../../src/zcdp.ts'
import { composed, deltaOf, discreteLaplaceLosses } from '../helpers/loss-references.ts'

const neighbours = 'add-remove'
type Own = PrivacyLoss<typeof neighbours>
const pure = (epsilon: Rational): Own => ({ kind: 'pure', neighbours, epsilon })
const gaussian = (muSquared: Rational): Own => ({ kind: 'gaussian', neighbours, muSquared })
const zcdp = (rho: Rational): Own => ({ kind: 'zcdp', neighbours, rho })
const approximate = (epsilon: Rational, delta: Rational): Own => ({ kind: 'approximate', neighbours, epsilon, delta })
const open = (cap: PrivacyCap, ledger: Ledger = memoryLedger()) => openPrivacyAccount({ neighbours, cap, ledger })
const delta = decimal('1e-6')
const planned = 'the day plan is fixed at midnight'

describe('an account under each cap', () => {
  const half = ratio(1n, 2n)
  const caps: readonly [string, PrivacyCap, Own, Own][] = [
    ['rho', { rho: one }, zcdp(half), gaussian(one)],
    ['epsilon', { epsilon: one }, pure(half), pure(half)],
    ['basic', { epsilon: one, delta, composition: 'basic' }, approximate(half, delta), pure(half)],
    [
      'advanced',
      { epsilon: one, delta, composition: 'advanced', slack: decimal('5e-7') },
      approximate(half, decimal('5e-7')),
      pure(half),
    ],
  ]
  for (const [name, cap, first, second] of caps)
    it(`${name} is met exactly, and not passed`, () => {
      const account = open(cap)
      account.charge('day', 'a', first)
      assert.ok(account.affords('day', second))
      account.charge('day', 'b', second)
      assert.equal(compare(account.remaining('day'), zero), 0)
      const more: Own = name === 'rho' ? zcdp(decimal('1e-30')) : pure(decimal('1e-30'))
      assert.ok(!account.affords('day', more))
      assert.throws(() => account.charge('day', 'c', more), BudgetExceededError)
      assert.equal(account.charged('day', 'c'), false)
      account.charge('other day', 'a', first)
      assert.ok(account.adaptive)
    })

  it('a delta that is used up refuses with a sentence', () => {
    const account = open({ epsilon: integer(9), delta, composition: 'basic' })
    account.charge('day', 'a', approximate(one, delta))
    assert.throws(() => account.charge('day', 'b', approximate(one, delta)), BudgetExceededError)
  })

  it('the tighter a theorem, the more charges it takes', () => {
    const count = (cap: PrivacyCap, loss: Own): number => {
      const account = open(cap)
      let [taken, refused] = [0n, 1000n]
      while (refused - taken > 1n) {
        const middle = (taken + refused) / 2n
        if (account.affords('day', loss, middle)) taken = middle
        else refused = middle
      }
      return Number(taken)
    }
    const loss = pure(decimal('0.01'))
    const under = (composition: 'basic' | 'zcdp') => count({ epsilon: one, delta, composition }, loss)
    const plan = (composition: 'kairouz-oh-viswanath' | 'renyi') =>
      count({ epsilon: one, delta, composition, planned }, loss)
    assert.equal(under('basic'), 100)
    assert.ok(under('zcdp') > 3 * under('basic'))
    assert.ok(plan('kairouz-oh-viswanath') > 2 * under('basic'))
    assert.ok(plan('renyi') >= under('zcdp') - 20)
    const ofGaussians = count({ epsilon: one, delta, composition: 'gaussian' }, gaussian(decimal('0.0005')))
    assert.ok(ofGaussians > count({ epsilon: one, delta, composition: 'zcdp' }, gaussian(decimal('0.0005'))))
  })

  it('a plan by loss distributions refuses the charge that would pass it', () => {
    const account = open({ epsilon: one, delta, composition: 'pld', planned })
    const loss: Own = { kind: 'laplace', neighbours, epsilon: decimal('0.02'), steps: 1000n }
    // The sum would allow 50.
    assert.ok(account.affords('day', loss, 80n))
    let taken = 0
    while (account.affords('day', loss, 12n)) for (let i = 0; i < 12; i++) account.charge('day', `${taken++}`, loss)
    while (account.affords('day', loss)) account.charge('day', `${taken++}`, loss)
    assert.ok(taken > 80)
    assert.ok(compare(account.epsilon(['day'], delta, 'pld'), one) <= 0)
    assert.throws(() => account.charge('day', 'more', loss), BudgetExceededError)
    assert.equal(account.adaptive, false)
  })

  const refused: readonly [string, () => unknown, RegExp][] = [
    ['a Gaussian under epsilon', () => open({ epsilon: one }).charge('d', 'l', gaussian(one)), /takes no Gaussian/],
    [
      'an approximate loss under rho',
      () => open({ rho: one }).charge('d', 'l', approximate(one, delta)),
      /"basic" or "advanced"/,
    ],
    [
      'a pure loss under mu^2',
      () => open({ epsilon: one, delta, composition: 'gaussian' }).affords('d', pure(one)),
      /Gaussian losses only/,
    ],
    ['a negative loss', () => open({ rho: one }).charge('d', 'l', zcdp(integer(-1))), /must not be negative/],
    [
      'a plan without its reason',
      () => open({ epsilon: one, delta, composition: 'pld', planned: ' ' }),
      /needs the reason/,
    ],
    [
      'a slack above delta',
      () => open({ epsilon: one, delta, composition: 'advanced', slack: ratio(1n, 2n) }),
      /slack must not/,
    ],
    ['a cap of 0', () => open({ rho: zero }), /greater than 0/],
    [
      'a composition of no name',
      () => open({ epsilon: one, delta, composition: 'magic' } as never),
      /no composition "magic"/,
    ],
    [
      'a loss of the other relation',
      () => open({ rho: one }).charge('d', 'l', { ...zcdp(one), neighbours: 'replace-one' } as never),
      /losses of add-remove/,
    ],
  ]
  for (const [what, call, sentence] of refused) it(`refuses ${what}`, () => assert.throws(call, sentence))

  it('says what somebody in several units has lost', () => {
    const account = open({ rho: one })
    for (const day of ['mo', 'tu', 'we']) account.charge(day, 'load', gaussian(decimal('0.01')))
    const exact = account.epsilon(['mo', 'tu', 'we', 'mo'], delta)
    assert.ok(compare(exact, account.epsilon(['mo'], delta)) > 0)
    assert.ok(compare(account.epsilon(['mo', 'tu', 'we'], delta, 'zcdp'), exact) > 0)
    assert.equal(compare(account.epsilon(['nobody'], delta), zero), 0)
    account.of('th').charge('load', gaussian(decimal('0.01')))
    assert.deepEqual(account.units(), ['mo', 'tu', 'we', 'th'])
  })
})

describe('parallel composition', () => {
  const because = 'a home hangs on one feeder until midnight'
  it('costs the largest loss, or the weaker statement that all make', () => {
    const cost = (...losses: Own[]) =>
      disjointLosses(
        losses.map((loss, i) => ({ part: `${i}`, loss })),
        because,
      ).loss
    assert.deepEqual(cost(pure(one), pure(integer(2))), pure(integer(2)))
    assert.deepEqual(cost(gaussian(one), gaussian(integer(2))), gaussian(integer(2)))
    assert.deepEqual(cost(pure(one), gaussian(integer(2))), zcdp(one))
    assert.deepEqual(cost(pure(integer(3)), approximate(one, delta)), approximate(integer(3), delta))
    const laplace = (steps?: bigint): Own => ({
      kind: 'laplace',
      neighbours,
      epsilon: one,
      ...(steps ? { steps } : {}),
    })
    assert.deepEqual(cost(laplace(4n), laplace(4n)), laplace(4n))
    assert.deepEqual(cost(laplace(4n), laplace(5n)), pure(one))
    assert.throws(() => cost(gaussian(one), approximate(one, delta)), /no largest/)
  })

  it('is refused without reason, with a part twice, or with a unit in two parts', () => {
    const loss = pure(one)
    assert.throws(() => disjointLosses([], because), /at least one part/)
    assert.throws(() => disjointLosses([{ part: 'a', loss }], ' '), /needs the reason/)
    assert.throws(
      () =>
        disjointLosses(
          [
            { part: 'a', loss },
            { part: 'a', loss },
          ],
          because,
        ),
      /named twice/,
    )
    const overlapping = [
      { part: 'a', loss, members: ['home 1', 'home 2'] },
      { part: 'b', loss, members: ['home 3', 'home 2'] },
    ]
    assert.throws(() => disjointLosses(overlapping, because), /overlap: a privacy unit is in both/)
  })

  /** The check that an overlap must fail: the exact delta of one who is in so many parts, at the epsilon that the account states. */
  const isBelowTruth = (claimed: Rational, parts: number): boolean =>
    deltaOf(composed(discreteLaplaceLosses(1, 1), parts), toNumber(claimed, 'up')) > 1e-12

  it('on parts that do overlap states less than the truth: the check sees it', () => {
    const parts = ['a', 'b'].map((part) => ({ part, loss: pure(one) }))
    const account = open({ epsilon: integer(10) })
    account.charge('day', 'feeders', disjointLosses(parts, because))
    assert.equal(isBelowTruth(account.spent('day'), 1), false)
    assert.equal(isBelowTruth(account.spent('day'), 2), true)
  })
})

/** A release over a ledger, however it orders its steps. */
type Release = (ledger: Ledger, draw: () => number) => number

/** What goes wrong when the ledger fails or the process dies at any append: a value that exists though its charge is not in the ledger. */
const unchargedReleases = (release: Release): string[] => {
  const found: string[] = []
  for (let failing = 0; failing < 4; failing++) {
    const durable: LedgerEntry[] = []
    const base = memoryLedger()
    let appends = 0
    const ledger: Ledger = {
      ...base,
      append: (entry) => {
        if (appends++ === failing) throw new Error('the process died')
        durable.push(entry)
        return base.append(entry)
      },
    }
    let drawn = false
    try {
      release(ledger, () => {
        drawn = true
        if (!durable.some((entry) => entry.kind === 'charge'))
          found.push(`drawn before its charge (append ${failing} fails)`)
        return 7
      })
    } catch {
      // The failure is the point; what exists afterwards counts.
    }
    if (drawn && !durable.some((entry) => entry.kind === 'charge'))
      found.push(`noise without a charge (append ${failing} fails)`)
  }
  return found
}

describe('charge first', () => {
  const cap = { rho: one }
  it('holds for an account at whatever step the process dies', () =>
    assert.deepEqual(
      unchargedReleases((ledger, draw) => open(cap, ledger).release('day', 'sum', zcdp(ratio(1n, 4n)), draw)),
      [],
    ))

  it('is seen to fail where the charge comes after the release', () => {
    const planted: Release = (ledger, draw) => {
      const account = open(cap, ledger)
      const value = draw()
      account.charge('day', 'sum', zcdp(ratio(1n, 4n)))
      return value
    }
    assert.ok(unchargedReleases(planted).some((sentence) => sentence.startsWith('noise without a charge')))
  })

  it('keeps the charge of a draw that failed, and draws once for a label', () => {
    const account = open(cap)
    const loss = zcdp(ratio(1n, 4n))
    assert.throws(() => account.release('day', 'sum', loss, () => assert.fail('no noise')), /no noise/)
    assert.equal(format(account.spent('day')), '1/4')
    assert.throws(() => account.release('day', 'sum', loss, () => 1), DuplicateChargeError)
    assert.throws(() => account.release('day', 'later', loss, () => Promise.resolve(1)), /a promise may run/)
    assert.equal(
      account.release('day', 'count', loss, () => 5, String),
      5,
    )
  })
})

describe('an odometer', () => {
  it('is never below what a filter at its reading would allow, and grows by doublings', () => {
    const odometer = openOdometer({ neighbours, delta, unit: decimal('0.01') })
    assert.equal(compare(odometer.epsilon(), zero), 0)
    let before = zero
    for (let i = 0; i < 30; i++) {
      odometer.add(i % 2 === 0 ? pure(decimal('0.1')) : gaussian(decimal('0.02')))
      const now = odometer.epsilon()
      assert.ok(compare(now, zcdpToEpsilon(odometer.rho(), delta)) >= 0)
      assert.ok(compare(now, before) >= 0)
      before = now
    }
    assert.throws(() => odometer.add(approximate(one, delta)), /no approximate loss/)
    assert.throws(() => odometer.add({ ...pure(one), neighbours: 'replace-one' } as never), /losses of add-remove/)
  })
})

describe('a budget over windows of steps', () => {
  it('never spends more than half of epsilon in any window, whatever is published', () => {
    for (const window of [1, 2, 5]) {
      const budget = budgetDistribution({ epsilon: one, window })
      const charges = Array.from({ length: 40 }, (_, i) => budget.step(i % 3 !== 1))
      assert.ok(compare(windowSpent(charges, window), ratio(1n, 2n)) <= 0)
      assert.ok(charges.every((charge, i) => (i % 3 !== 1) === compare(charge, zero) > 0))
    }
  })

  it('is counted over the worst window', () => {
    const charges = [1, 5, 0, 4, 2].map((n) => integer(n))
    assert.deepEqual(
      [1, 2, 3, 9].map((window) => format(windowSpent(charges, window))),
      ['5', '6', '9', '12'],
    )
    assert.throws(() => windowSpent(charges, 0), ParameterError)
    assert.throws(() => windowSpent([integer(-1)], 1), /must not be negative/)
    assert.equal(format(mul(add(one, one), windowSpent([], 3))), '0')
  })
})
