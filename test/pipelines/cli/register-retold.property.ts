import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareRegister } from '../../../connectors/register/register-log.ts'
import { mayRetell, retoldHomes } from '../../../pipelines/cli/register-retold.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { topics } from '../../../schemas/topics.ts'
import { household } from '../../operators/privacy/k-anonymize/registers.ts'

const timeZone = 'Europe/Berlin'
const start = Date.parse('2026-01-01T00:00+01:00')
const now = Date.parse('2026-01-20T12:00+01:00')
const keyOf = (entry: RegisterEntry) => topics.meterRegister.key(entry) ?? ''
const telling = { rules: { k: 2 }, timeZone, since: '2025-11' }

// Instants around the beginning of months and around now, in days from the beginning of the month.
const instant = fc
  .constantFrom(-62, -40, -31, -20, -1, 0, 1, 5, 15, 19, 20, 25, 31, 40)
  .map((days) => start + days * 86_400_000)
const row = fc.record({
  at: fc.nat({ max: 5 }),
  validFrom: instant,
  validTo: fc.option(instant, { nil: null, freq: 2 }),
  tariff: fc.constantFrom('flat', 'night', 'dynamic'),
  zone: fc.constantFrom('de', 'de', 'de', 'at'),
  pointsAtConnection: fc.constantFrom(1, 1, 2),
})
const rows = fc.uniqueArray(row, { maxLength: 14, selector: ({ at, validFrom }) => `${at} ${validFrom}` })
const entryOf = ({ at, ...rest }: { at: number } & Partial<RegisterEntry>): RegisterEntry =>
  household(`home ${at}`, { index: at, point: `point ${at}`, ...rest })

test('what is taken to change nothing in months that have begun changes nothing in them', () => {
  const change = fc.record({
    which: fc.nat({ max: 13 }),
    validTo: fc.option(fc.option(instant, { nil: null }), { nil: undefined }),
    tariff: fc.option(fc.constantFrom('flat', 'night'), { nil: undefined }),
    pointsAtConnection: fc.option(fc.constantFrom(1, 2), { nil: undefined, freq: 1 }),
  })
  let counted = { nothing: 0, retold: 0 }
  fc.assert(
    fc.property(rows, fc.array(change, { maxLength: 3 }), fc.array(row, { maxLength: 3 }), (there, changes, more) => {
      const before = there.map(entryOf)
      const after = new Map(before.map((entry) => [keyOf(entry), entry]))
      for (const { which, validTo, tariff, pointsAtConnection } of changes) {
        const entry = before[which]
        if (!entry) continue
        const ends = validTo === undefined ? {} : { validTo }
        const points = pointsAtConnection === undefined ? {} : { pointsAtConnection }
        after.set(keyOf(entry), { ...entry, ...ends, ...points, ...(tariff === undefined ? {} : { tariff }) })
      }
      for (const entry of more.map(entryOf)) if (!after.has(keyOf(entry))) after.set(keyOf(entry), entry)
      const next = [...after.values()]
      const present = new Map(before.map((entry) => [keyOf(entry), entry]))
      const may = mayRetell(present, compareRegister(present, next, keyOf), keyOf, { timeZone, now })
      const retold = retoldHomes(before, next, { telling, now, horizonDays: 30 })
      if (!may) assert.equal(retold, 0)
      counted = { nothing: counted.nothing + (may ? 0 : 1), retold: counted.retold + (retold > 0 ? 1 : 0) }
    }),
    { numRuns: Number(process.env['MV_CASES'] ?? 2_000) },
  )
  assert.ok(counted.nothing > 0 && counted.retold > 0, JSON.stringify(counted))
})
