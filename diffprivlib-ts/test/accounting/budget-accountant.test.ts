import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { budgetAccountant, loadDefault, popDefault } from '../../src/accounting/budget-accountant.ts'
import { BudgetExceededError, DuplicateChargeError, ParameterError } from '../../src/errors.ts'
import { memoryLedger } from '../../src/ledger/ledger.ts'
import { compare, decimal, format, integer, toNumber, zero } from '../../src/rational.ts'
import { count } from '../../src/tools/count.ts'

const neighbours = 'add-remove'

describe('a budget accountant', () => {
  it('spends exactly what it has, where tenths do not add up in doubles', () => {
    const accountant = budgetAccountant({ neighbours, epsilon: 1 })
    for (let i = 0; i < 10; i++) accountant.spend(0.1)
    assert.equal(format(accountant.total().epsilon), '1')
    assert.equal(accountant.length(), 10)
    assert.throws(() => accountant.check(1e-300), BudgetExceededError)
    assert.throws(() => accountant.spend(0.1), BudgetExceededError)
    assert.equal(accountant.length(), 10)
    assert.equal(compare(accountant.remaining().epsilon, zero), 0)
  })

  it('with slack allows more spends than without', () => {
    const spends = (slack: number): number => {
      const accountant = budgetAccountant({ neighbours, epsilon: 1, delta: '1e-3', slack })
      for (let i = 0; ; i++)
        try {
          accountant.spend('0.01')
        } catch {
          return i
        }
    }
    assert.equal(spends(0), 100)
    assert.ok(spends(1e-3) > 200)
  })

  it('leaves what can be spent, and not much more', () => {
    const accountant = budgetAccountant({
      neighbours,
      epsilon: 1,
      delta: '1e-3',
      slack: '5e-4',
      spentBudget: [{ epsilon: 0.05, delta: 1e-5 }],
    })
    const { epsilon, delta } = accountant.remaining(20)
    const all = Array.from({ length: 20 }, () => ({ epsilon, delta }))
    const total = accountant.total(all)
    assert.ok(compare(total.epsilon, accountant.epsilon) <= 0 && compare(total.delta, accountant.delta) <= 0)
    assert.ok(toNumber(total.epsilon, 'up') > 1 - 1e-9 && toNumber(total.delta, 'up') > 1e-3 * (1 - 1e-9))
    for (const spend of all) accountant.spend(spend.epsilon, spend.delta)
    assert.ok(accountant.spentBudget().length === 21)
  })

  it('is charged by tools', () => {
    const accountant = budgetAccountant({ neighbours, epsilon: 1 })
    count([1, 2, 3], {
      neighbours,
      account: accountant,
      label: 'how many',
      epsilon: decimal('0.25'),
      where: (x: number) => x > 1,
    })
    assert.equal(format(accountant.total().epsilon), '1/4')
    assert.throws(
      () =>
        count([1], { neighbours, account: accountant, label: 'how many', epsilon: decimal('0.25'), where: () => true }),
      DuplicateChargeError,
    )
    accountant.spend(0.25)
    assert.equal(accountant.length(), 2)
  })

  it('goes on where the ledger of its name stopped', () => {
    const ledger = memoryLedger()
    budgetAccountant({ neighbours, epsilon: 1, ledger }).spend('1/2'.length / 6)
    const next = budgetAccountant({ neighbours, epsilon: 1, ledger, spentBudget: [{ epsilon: 0.4 }] })
    assert.equal(next.length(), 1)
    assert.throws(() => budgetAccountant({ neighbours, epsilon: 2, ledger }), /other terms/)
  })

  it('is the default where its scope says so, and nowhere else', () => {
    const [outer, inner] = [1, 2].map((epsilon) => budgetAccountant({ neighbours, epsilon }))
    assert.throws(() => loadDefault(neighbours), /no default accountant/)
    const seen = outer!.scope(() => [
      loadDefault(neighbours),
      inner!.scope(() => loadDefault(neighbours)),
      loadDefault(neighbours),
    ])
    assert.deepEqual(seen, [outer, inner, outer])
    assert.throws(() => outer!.scope(() => Promise.resolve(1)), /asynchronous work/)
    assert.throws(() => outer!.scope(() => assert.fail('inside')), /inside/)
    assert.throws(() => loadDefault(neighbours), ParameterError)
    assert.equal(loadDefault(neighbours, inner!), inner)
    outer!.setDefault()
    assert.throws(() => loadDefault('replace-one'), /no default/)
    assert.throws(() => loadDefault('replace-one', outer as never), /losses of add-remove/)
    assert.equal(popDefault(neighbours), outer)
    assert.throws(() => popDefault(neighbours), /no default/)
  })

  const refused: readonly [string, () => unknown][] = [
    ['no epsilon', () => budgetAccountant({ neighbours, epsilon: 0 })],
    ['an endless epsilon', () => budgetAccountant({ neighbours, epsilon: Number.POSITIVE_INFINITY })],
    ['a delta of 1', () => budgetAccountant({ neighbours, epsilon: 1, delta: 1 })],
    ['a slack above delta', () => budgetAccountant({ neighbours, epsilon: 1, delta: '1e-6', slack: '1e-5' })],
    ['no relation', () => budgetAccountant({ epsilon: 1 } as never)],
    ['a spend of nothing', () => budgetAccountant({ neighbours, epsilon: 1 }).spend(0, 0)],
    ['a negative spend', () => budgetAccountant({ neighbours, epsilon: 1 }).check(-1)],
    ['no spends left to share', () => budgetAccountant({ neighbours, epsilon: integer(1) }).remaining(0)],
  ]
  for (const [what, call] of refused) it(`refuses ${what}`, () => assert.throws(call, ParameterError))
})
