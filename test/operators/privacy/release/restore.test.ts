import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HaltError } from '../../../../operators/contract/halt.ts'
import { headOf } from '../../../../operators/privacy/ledger/chain.ts'
import { mayBeginAt } from '../../../../operators/privacy/release/restore.ts'
import type { LedgerCheckpoint, LedgerRecord } from '../../../../schemas/ledger-record.ts'
import { releasedLog, relinked } from '../../../helpers/ledger-fixture.ts'
import { rowsOf } from '../../../helpers/release-driver.ts'
import { releaseOperator } from '../../../helpers/release-fixtures.ts'

const log = releasedLog()
const rows = rowsOf(log.rows)
const seals = log.ledger.filter(({ kind }) => kind === 'seal').length
const checkpoints = log.ledger.filter((link): link is LedgerCheckpoint => link.kind === 'checkpoint')
const restore = (ledger: readonly LedgerRecord[], from = rows) => releaseOperator().restore(from, ledger)

/** The rows with another text in the head. */
const withHead = (from: string | RegExp, to: string) =>
  rows.map(({ row, body }) =>
    row === 'head'
      ? {
          row,
          body: Buffer.from(
            Buffer.from(body ?? [])
              .toString()
              .replace(from, to),
          ),
        }
      : { row, body },
  )

describe('checkpoints', () => {
  it('follow every charge and count the seals before them', () => {
    const [first, second] = checkpoints
    assert.deepEqual([first?.date, first?.days, first?.seals], ['2026-01-15', 1, 0])
    assert.deepEqual([second?.date, second?.days], ['2026-01-16', 2])
    assert.equal(
      second?.seals,
      log.ledger.filter((link) => link.kind === 'seal' && link.seq < (second?.seq ?? 0)).length,
    )
  })
})

describe('restoring from a checkpoint', () => {
  it('comes to the same state as from the first link', () => {
    const begin = log.ledger.findLastIndex((link) => mayBeginAt(link, rows))
    assert.equal(log.ledger[begin]?.seq, checkpoints[0]?.seq)
    const [whole, part] = [restore(log.ledger), restore(log.ledger.slice(begin))]
    assert.deepEqual(part.account, whole.account)
    assert.deepEqual([part.head, part.seals], [headOf(log.ledger.at(-1)!), seals])
  })

  const fits: readonly (readonly [string, LedgerRecord, typeof rows, boolean])[] = [
    ['the checkpoint of a day that is done', checkpoints[0]!, rows, true],
    ['the checkpoint of a day that is open', checkpoints[1]!, rows, false],
    ['a charge', log.ledger[0]!, rows, false],
    ['a checkpoint that counts no seals', { ...checkpoints[0]!, seals: null }, rows, false],
    ['a checkpoint where there are no rows', checkpoints[0]!, [], false],
  ]
  for (const [what, link, from, may] of fits) {
    it(`${may ? 'may' : 'may not'} begin at ${what}`, () => assert.equal(mayBeginAt(link, from), may))
  }

  const forged = (change: Partial<LedgerCheckpoint>): LedgerRecord[] =>
    relinked(log.ledger.map((link, i) => (i === 1 ? ({ ...link, ...change } as LedgerRecord) : link))).slice(1)
  const wrong: readonly (readonly [string, Partial<LedgerCheckpoint>, RegExp])[] = [
    ['rho of the year', { rhoYear: '1/100' }, /not those that load.state counts/],
    ['the days of the year', { days: 2 }, /not those that load.state counts/],
    ['the seals', { seals: 1 }, new RegExp(`holds ${seals + 1} seals, load.state counts ${seals}`)],
  ]
  for (const [what, change, message] of wrong) {
    it(`halts where it states other totals: ${what}`, () => {
      const ledger = forged(change)
      const hash = Buffer.from(ledger.at(-1)!.hash).toString('hex')
      assert.throws(
        () => restore(ledger, withHead(/"hash":"[0-9a-f]{64}"/, `"hash":"${hash}"`)),
        (error) => error instanceof HaltError && message.test(error.message) && error.reason === 'state_behind',
      )
    })
  }

  it('counts the seals where rows do not say, from the first link or the first checkpoint', () => {
    const silent = withHead(/"seals":\d+,/, '')
    assert.equal(restore(log.ledger, silent).seals, seals)
    const charge = log.ledger.findLastIndex(({ kind }) => kind === 'charge')
    assert.equal(restore(log.ledger.slice(charge), silent).seals, seals)
  })
})
