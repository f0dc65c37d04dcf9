import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { lossOf, lossRecord } from '../../src/ledger/entry.ts'
import { memoryLedger } from '../../src/ledger/ledger.ts'
import { sha256 } from '../../src/ledger/sha256.ts'
import { decimal, integer, ratio } from '../../src/rational.ts'
import { conforms } from './conformance.ts'

describe('the ledger in memory', () => {
  conforms(() => {
    const ledger = memoryLedger()
    return { ledger, reopen: () => ledger }
  })
})

describe('a loss in a ledger', () => {
  it('comes back as it was', () => {
    const neighbours = 'replace-one'
    for (const loss of [
      { kind: 'pure', neighbours, epsilon: ratio(1n, 3n) },
      { kind: 'approximate', neighbours, epsilon: integer(2), delta: decimal('1e-9') },
      { kind: 'zcdp', neighbours, rho: ratio(7n, 9n) },
      { kind: 'gaussian', neighbours, muSquared: ratio(1n, 400n) },
      { kind: 'laplace', neighbours, epsilon: ratio(1n, 10n), steps: 12n },
      { kind: 'laplace', neighbours, epsilon: ratio(1n, 10n) },
    ] as const)
      assert.deepEqual(lossOf(JSON.parse(JSON.stringify(lossRecord(loss))), neighbours), loss)
  })

  it('is refused when it is none', () => {
    assert.throws(() => lossOf({ kind: 'refund' } as never, 'add-remove'), /no loss of kind "refund"/)
    assert.throws(() => lossOf({ kind: 'pure' }, 'add-remove'), /expected a fraction/)
  })
})

describe('SHA-256', () => {
  it('agrees with the platform for texts of every length around a block', () => {
    for (let length = 0; length < 200; length++) {
      const text = 'aé日\n'.repeat(60).slice(0, length)
      assert.equal(sha256(text), createHash('sha256').update(text).digest('hex'))
    }
  })

  it('of "abc" is that of the standard', () =>
    assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'))
})
