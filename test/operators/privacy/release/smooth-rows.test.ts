import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unpackRecords } from '../../../../operators/privacy/ledger/packed-records.ts'
import { beliefLength } from '../../../../operators/privacy/release/smooth.ts'
import { emptySmoothing, restoreSmoothing } from '../../../../operators/privacy/release/smooth-rows.ts'
import type { LedgerRecord } from '../../../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../../../schemas/load-partial.ts'
import type { LoadPublic } from '../../../../schemas/load-public.ts'
import { type DriveOptions, drive } from '../../../helpers/release-driver.ts'
import { cell, partial, publicCodec, zeroNoise } from '../../../helpers/release-fixtures.ts'
import { journalOperator } from '../../../helpers/release-journal.ts'

const hour = 3_600_000

/** Four local days in Berlin, one of them of 23 hours, a batch of both source partitions every two hours. */
const start = Date.parse('2026-03-27T00:00+01:00')
const load = (n: number): number => 600_000 + 250_000 * Math.round(10 * Math.sin(n / 4)) + ((n * n) % 7) * 9_000
const partials: readonly LoadPartial[] = Array.from({ length: 52 }, (_, step) => {
  const progress = start + step * 2 * hour + 25 * 60_000
  const values = [2 * step - 2, 2 * step - 1]
    .filter((n) => n >= 0)
    .flatMap((n) => {
      const window = start + n * hour
      const date = new Date(window + (window < Date.parse('2026-03-29T01:00Z') ? hour : 2 * hour)).toISOString()
      const place = { window, windowSeconds: 3_600, date: date.slice(0, 10) }
      return [
        cell('2026-01-15T00:00', load(n), place),
        cell('2026-01-15T00:00', 3 * load(n), { ...place, level: 'utility', group: 'utility-1' }),
      ]
    })
  return [partial(0, step + 1, progress, values), partial(1, step + 1, progress)]
}).flat()

const run = (options: Partial<DriveOptions> = {}) =>
  drive({ operator: journalOperator({ noise: zeroNoise }), partials, batches: [2], ...options })

const smoothedOf = (ledger: readonly LedgerRecord[]): (number | null)[] =>
  ledger
    .flatMap((link) => (link.kind === 'seal' ? unpackRecords(link.records, link.hash, link.count) : []))
    .map(({ bytes }): LoadPublic => publicCodec.decode(bytes))
    .map(({ smoothedWh }) => smoothedWh)

describe('smoothing over restarts', () => {
  const calm = run()

  it('smooths a load in both phases', () => {
    const values = smoothedOf(calm.ledger)
    assert.ok(values.length > 1_000)
    assert.ok(values.some((value) => value !== null && Math.abs(value) > 1_000_000))
  })

  for (const fate of ['lose', 'commit and die'] as const) {
    it(`comes back to the bit from any transaction that is to ${fate}, over a day of 23 hours too`, () => {
      for (let first = 0; first < 7; first++) {
        const log = run({ fate: (n) => (n % 7 === first ? fate : 'commit'), rows: 'emitting' })
        assert.deepEqual(smoothedOf(log.ledger), smoothedOf(calm.ledger))
      }
    })
  }

  it('would be found out if a restart forgot what it knew', () => {
    const log = run({
      fate: (n) => (n === 20 ? 'commit and die' : 'commit'),
      restored: (state) => {
        state.smoothing = emptySmoothing()
      },
    })
    assert.notDeepEqual(smoothedOf(log.ledger), smoothedOf(calm.ledger))
  })

  it('lets a series begin anew whose row is of an older or newer bank of models', () => {
    const belief = (numbers: number) => Buffer.alloc(8 * numbers).toString('base64')
    const filters = [beliefLength - 29, beliefLength, beliefLength + 29].map((numbers) => [
      `feeder/of-${numbers}`,
      start,
      belief(numbers),
    ])
    const row = Buffer.from(JSON.stringify({ through: start, filters }))
    const rows = new Map([['filters import 3600 0', row]])
    const restored = restoreSmoothing(rows, { import: [], export: [] }, 'Europe/Berlin')
    assert.deepEqual([...restored.filters.import.keys()], [`feeder/of-${beliefLength}`])
  })
})
