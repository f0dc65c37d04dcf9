import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AccountSnapshot, disjointParts, openAccount, restoreAccount } from '../src/account.ts'
import { BudgetExceededError, DuplicateChargeError } from '../src/errors.ts'
import { compare, decimal, div, format, integer, mul, ratio } from '../src/rational.ts'

const cap = decimal('0.02435597')
const day = 'gb/2026-11-25'

describe('an account', () => {
  it('takes charges that add up to the cap exactly, and not one unit more', () => {
    const account = openAccount(cap)
    const quarter = div(cap, integer(4))
    for (const level of ['utility', 'region', 'substation', 'feeder']) account.charge(day, level, quarter)
    assert.equal(format(account.spent(day)), format(cap))
    assert.equal(format(account.remaining(day)), '0')
    assert.throws(() => account.charge(day, 'one more', ratio(1n, 10n ** 30n)), BudgetExceededError)
    assert.equal(format(account.spent(day)), format(cap))
  })

  it('adds thirds without losing any', () => {
    const account = openAccount(integer(1))
    for (const label of ['a', 'b', 'c']) account.charge(day, label, ratio(1n, 3n))
    assert.equal(format(account.spent(day)), '1')
  })

  it('says in the refusal what was asked for and what is left', () => {
    const account = openAccount(integer(1))
    account.charge(day, 'sum', ratio(3n, 4n))
    assert.throws(
      () => account.charge(day, 'count', ratio(1n, 2n)),
      (error: unknown) => {
        assert.ok(error instanceof BudgetExceededError)
        assert.deepEqual(
          [error.code, error.unit, error.label, error.requested, error.remaining],
          ['budget_exceeded', day, 'count', '1/2', '1/4'],
        )
        assert.match(error.message, /withhold the release/)
        return true
      },
    )
    assert.equal(account.charged(day, 'count'), undefined)
  })

  it('charges a label once', () => {
    const account = openAccount(integer(1))
    account.charge(day, 'sum', ratio(1n, 4n))
    assert.throws(() => account.charge(day, 'sum', ratio(1n, 4n)), DuplicateChargeError)
    assert.equal(format(account.spent(day)), '1/4')
    account.charge('gb/2026-11-26', 'sum', ratio(1n, 4n))
  })

  it('keeps units apart, each with the whole cap', () => {
    const account = openAccount(cap)
    account.charge('monday', 'sum', cap)
    account.charge('tuesday', 'sum', cap)
    assert.deepEqual(account.units(), ['monday', 'tuesday'])
    assert.equal(format(account.spentTogether(['monday', 'tuesday', 'monday'])), format(mul(cap, integer(2))))
    assert.equal(
      format(account.spentDisjointly(['monday', 'tuesday'], 'a meter is read in one of two zones')),
      format(cap),
    )
  })

  it('charges disjoint parts at their largest, and only with a reason', () => {
    const account = openAccount(integer(1))
    const rhos = [ratio(1n, 8n), ratio(1n, 2n), ratio(1n, 4n)]
    const charged = account.charge(day, 'feeders', disjointParts(rhos, 'a home hangs on one feeder until midnight'))
    assert.equal(format(charged), '1/2')
    assert.equal(format(account.spent(day)), '1/2')
    assert.throws(() => disjointParts(rhos, '  '), /needs the reason/)
    assert.throws(() => disjointParts([], 'none'), /at least one part/)
    assert.throws(() => disjointParts([ratio(-1n, 2n)], 'x'), /must not be negative/)
    assert.throws(() => account.spentDisjointly([day], ''), /needs the reason/)
  })

  it('gives nothing back', () => {
    const account = openAccount(integer(1))
    assert.throws(() => account.charge(day, 'refund', ratio(-1n, 2n)), /never refunded/)
    assert.equal(format(account.spent(day)), '0')
  })

  it('needs a positive cap', () => {
    for (const bad of [integer(0), integer(-1)]) assert.throws(() => openAccount(bad), /the cap must be greater than 0/)
  })
})

describe('a snapshot', () => {
  const filled = () => {
    const account = openAccount(cap)
    account.charge('monday', 'sum', div(cap, integer(3)))
    account.charge('tuesday', 'sum', div(cap, integer(7)))
    account.charge('monday', 'count', ratio(1n, 10n ** 9n))
    return account
  }

  it('survives JSON and comes back whole', () => {
    const account = filled()
    const copy = restoreAccount(JSON.parse(JSON.stringify(account.snapshot())) as AccountSnapshot)
    assert.deepEqual(copy.snapshot(), account.snapshot())
    assert.equal(compare(copy.spent('monday'), account.spent('monday')), 0)
    assert.throws(() => copy.charge('monday', 'sum', ratio(1n, 10n ** 9n)), DuplicateChargeError)
  })

  it('is a copy: later charges do not reach it', () => {
    const account = filled()
    const before = account.snapshot()
    account.charge('monday', 'late', ratio(1n, 10n ** 9n))
    assert.equal(before.charges.length, 3)
  })

  const refusals: readonly [string, (snapshot: AccountSnapshot) => unknown, RegExp][] = [
    ['another version', (s) => ({ ...s, version: 2 }), /account snapshots of version 1/],
    ['a charge twice', (s) => ({ ...s, charges: [...s.charges, ...s.charges] }), /already charged/],
    ['more than its cap', (s) => ({ ...s, cap: '1/1000' }), /exceeds what unit/],
    ['a negative charge', (s) => ({ ...s, charges: [{ unit: 'a', label: 'b', rho: '-1/2' }] }), /never refunded/],
    [
      'a rho that is no fraction',
      (s) => ({ ...s, charges: [{ unit: 'a', label: 'b', rho: '0.5' }] }),
      /expected a fraction/,
    ],
  ]
  for (const [what, change, sentence] of refusals)
    it(`is refused with ${what}`, () =>
      assert.throws(() => restoreAccount(change(filled().snapshot()) as AccountSnapshot), sentence))
})
