import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openAccount, restoreAccount } from '../src/account.ts'
import { BudgetExceededError, DuplicateChargeError } from '../src/errors.ts'
import { add, compare, decimal, type Rational, ratio, zero } from '../src/rational.ts'

const numRuns = Number(process.env['MV_CASES'] ?? 2_000)
const rho = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 9n }), fc.bigInt({ min: 1n, max: 10n ** 12n }))
  .map(([n, d]) => ratio(n, d * 100n))
const charge = fc.record({
  unit: fc.constantFrom('a', 'b', 'c'),
  label: fc.constantFrom('1', '2', '3', '4', '5', '6'),
  rho,
})

describe('an account under any charges', () => {
  it('never passes its cap, never loses an accepted charge, never keeps a refused one', () =>
    fc.assert(
      fc.property(fc.array(charge, { maxLength: 30 }), (charges) => {
        const cap = decimal('0.02435597')
        let account = openAccount(cap)
        const accepted = new Map<string, Rational>()
        const labels = new Set<string>()
        charges.forEach(({ unit, label, rho }, i) => {
          const before = accepted.get(unit) ?? zero
          const known = labels.has(`${unit}/${label}`)
          const fits = compare(add(before, rho), cap) <= 0
          try {
            account.charge(unit, label, rho)
            assert.ok(fits && !known)
            accepted.set(unit, add(before, rho))
            labels.add(`${unit}/${label}`)
          } catch (error) {
            assert.ok(known ? error instanceof DuplicateChargeError : !fits && error instanceof BudgetExceededError)
          }
          assert.equal(compare(account.spent(unit), accepted.get(unit) ?? zero), 0)
          if (i % 7 === 6) account = restoreAccount(account.snapshot())
        })
      }),
      { numRuns },
    ))
})
