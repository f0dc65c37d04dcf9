// What every ledger must do, whatever it writes to. `reopen` is what a process finds that starts after this one has crashed.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openPrivacyAccount } from '../../src/accounting/privacy-account.ts'
import { AlreadyReleasedError, DuplicateChargeError, LedgerError, UnchargedReleaseError } from '../../src/errors.ts'
import type { LedgerEntry } from '../../src/ledger/entry.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { compare, decimal, format, integer, ratio } from '../../src/rational.ts'

export const account = {
  kind: 'account',
  account: 'main',
  neighbours: 'add-remove',
  terms: { rho: '1' },
} as const satisfies LedgerEntry

export const chargeOf = (label: string, unit = 'monday'): LedgerEntry => ({
  kind: 'charge',
  account: 'main',
  unit,
  label,
  loss: { kind: 'zcdp', rho: '1/8' },
})

export const resultOf = (label: string, unit = 'monday'): LedgerEntry => ({
  kind: 'result',
  account: 'main',
  unit,
  label,
  digest: '',
})

/** A new ledger, and what stays of it for the next process; `undefined` where nothing does. */
export interface Subject {
  readonly ledger: Ledger
  readonly reopen?: () => Ledger
}

export const conforms = (open: () => Subject): void => {
  const filled = (): Subject => {
    const subject = open()
    for (const entry of [account, chargeOf('sum'), resultOf('sum'), chargeOf('count')]) subject.ledger.append(entry)
    return subject
  }

  it('holds what was appended, in order, under a head that moves', () => {
    const { ledger } = open()
    const start = ledger.head()
    const heads = [account, chargeOf('sum'), chargeOf('sum', 'tuesday')].map(ledger.append)
    assert.deepEqual(
      heads.map(({ sequence }) => sequence),
      [start.sequence + 1, start.sequence + 2, start.sequence + 3],
    )
    assert.equal(new Set([start, ...heads].map(({ hash }) => hash)).size, 4)
    assert.deepEqual(ledger.head(), heads[2])
    assert.deepEqual(ledger.entries(), [account, chargeOf('sum'), chargeOf('sum', 'tuesday')])
    ledger.close()
  })

  const refusals: readonly [string, LedgerEntry, new (...args: never[]) => Error][] = [
    ['a charge twice', chargeOf('sum'), DuplicateChargeError],
    ['a result before its charge', resultOf('median'), UnchargedReleaseError],
    ['a second result', resultOf('sum'), AlreadyReleasedError],
    ['an account twice', account, LedgerError],
    ['a charge to no account', { ...chargeOf('x'), account: 'other' } as LedgerEntry, LedgerError],
    ['an entry of no kind', { ...chargeOf('x'), kind: 'refund' } as unknown as LedgerEntry, LedgerError],
  ]
  for (const [what, entry, type] of refusals)
    it(`refuses ${what}, and stays as it was`, () => {
      const { ledger } = filled()
      const before = [ledger.head(), ledger.entries()]
      assert.throws(() => ledger.append(entry), type)
      assert.deepEqual([ledger.head(), ledger.entries()], before)
      ledger.append(resultOf('count'))
      ledger.close()
    })

  it('takes names with any characters', () => {
    const { ledger } = filled()
    const entry = chargeOf('a"b\n\u2028\0[1,"x"]', 'é\\\t日')
    ledger.append(entry)
    assert.deepEqual(ledger.entries().at(-1), entry)
    ledger.close()
  })

  it('takes nothing once closed, and closes twice in peace', () => {
    const { ledger } = filled()
    ledger.close()
    ledger.close()
    assert.throws(() => ledger.append(resultOf('count')), /closed/)
  })

  it('carries an account from one process to the next', (t) => {
    const { ledger, reopen } = open()
    const cap = { rho: integer(1) }
    const loss = { kind: 'zcdp', neighbours: 'add-remove', rho: ratio(1n, 3n) } as const
    const first = openPrivacyAccount({ neighbours: 'add-remove', cap, ledger })
    assert.equal(
      first.release('monday', 'sum', loss, () => 7),
      7,
    )
    first.charge('monday', 'count', loss)
    if (!reopen) return t.diagnostic('nothing stays of this ledger')
    const next = openPrivacyAccount({ neighbours: 'add-remove', cap, ledger: reopen() })
    assert.equal(format(next.spent('monday')), '2/3')
    assert.equal(compare(next.remaining('monday'), ratio(1n, 3n)), 0)
    // One was released and one only charged: neither is drawn again.
    for (const label of ['sum', 'count'])
      assert.throws(() => next.release('monday', label, loss, () => assert.fail('drawn again')), DuplicateChargeError)
    assert.throws(() => next.settle('monday', 'sum'), AlreadyReleasedError)
    next.settle('monday', 'count')
    next.charge('monday', 'last', loss)
    assert.equal(format(next.remaining('monday')), '0')
    return undefined
  })

  it('keeps the terms of an account', (t) => {
    const { ledger, reopen } = open()
    openPrivacyAccount({ neighbours: 'add-remove', cap: { rho: integer(1) }, ledger })
    if (!reopen) return t.diagnostic('nothing stays of this ledger')
    const again = reopen()
    for (const [neighbours, rho] of [
      ['add-remove', 2],
      ['replace-one', 1],
    ] as const)
      assert.throws(() => openPrivacyAccount({ neighbours, cap: { rho: integer(rho) }, ledger: again }), /other terms/)
    openPrivacyAccount({ neighbours: 'add-remove', cap: { rho: decimal('1.0') }, ledger: again })
    return undefined
  })
}

/**
 * The crash test: as many charges as return are there afterwards, for a crash after any step of the store. `run` appends until it is struck and
 * says how many appends had returned; `found` is what the next process reads.
 */
export const neverForgets = (
  run: (crashAfter: number) => { readonly returned: number; readonly found: number } | undefined,
): string[] => {
  const wrong: string[] = []
  for (let step = 0; ; step++) {
    const outcome = run(step)
    if (!outcome) return wrong
    if (outcome.found < outcome.returned)
      wrong.push(`after step ${step}: ${outcome.returned} charges had returned, ${outcome.found} are there`)
  }
}
