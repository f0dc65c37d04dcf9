import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sameBytes } from '../../../operators/privacy/ledger/chain.ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import { sealName } from '../../helpers/release-checker.ts'
import { type DrivenLog, drive, type Fate } from '../../helpers/release-driver.ts'
import {
  interleave,
  type JournalEntry,
  journalDate,
  journalOperator,
  journals,
  partialsOf,
  trueDigests,
} from '../../helpers/release-journal.ts'

// A case runs a whole day, some hundred transactions, so it stands for a hundred of the short cases elsewhere.
const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 5_000) / 100)

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
const turns = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 8 })
const fates = fc.array(fc.constantFrom<Fate>('commit', 'commit', 'commit', 'lose', 'commit and die'), {
  minLength: 1,
  maxLength: 40,
})

function digestsOf(ledger: readonly LedgerRecord[]): Map<string, Uint8Array> {
  const digests = new Map<string, Uint8Array>()
  for (const link of ledger) {
    if (link.kind !== 'seal' || link.date !== journalDate) continue
    const name = sealName(link)
    assert.ok(!digests.has(name), `${name} is sealed twice`)
    digests.set(name, link.digest)
  }
  return digests
}

function assertTrue(log: DrivenLog, journal: readonly JournalEntry[]): void {
  const found = digestsOf(log.ledger)
  const truth = trueDigests(journal)
  assert.equal(found.size, truth.size)
  for (const [name, digest] of truth) assert.ok(sameBytes(found.get(name)!, digest), name)
}

/** Rows without the parts that hold noise, or hashes over it. */
function openSums({ rows }: DrivenLog): Map<string, string> {
  const kept = [...rows].filter(([row]) => row.startsWith('sums ') || row.startsWith('plan '))
  return new Map(kept.map(([row, body]) => [row, Buffer.from(body).toString()] as const).sort())
}

describe('releaseTotals', () => {
  it('seals the true sums however the input is cut into batches and merged', () => {
    fc.assert(
      fc.property(journals, sizes, turns, sizes, (journal, readBatches, merge, batches) => {
        const partials = interleave(partialsOf(journal, readBatches), merge)
        assertTrue(drive({ operator: journalOperator(), partials, batches }), journal)
      }),
      { numRuns },
    )
  })

  it('commits the true sums, each once, whatever transactions are lost and whenever it dies', () => {
    fc.assert(
      fc.property(
        journals,
        sizes,
        turns,
        sizes,
        fates,
        fc.constantFrom('every' as const, 'emitting' as const),
        (journal, readBatches, merge, batches, plan, rows) => {
          const partials = interleave(partialsOf(journal, readBatches), merge)
          const fate = (n: number): Fate => (n < 200 ? plan[n % plan.length]! : 'commit')
          const run = drive({ operator: journalOperator(), partials, batches, fate, rows })
          assertTrue(run, journal)
          const calm = drive({ operator: journalOperator(), partials, batches, rows })
          assert.deepEqual(openSums(run), openSums(calm))
        },
      ),
      { numRuns },
    )
  })
})
