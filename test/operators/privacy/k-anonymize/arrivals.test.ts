import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { arrivalsAt } from '../../../../operators/privacy/k-anonymize/arrivals.ts'
import { kAnonymizedMonths } from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'
import { household } from './registers.ts'

const timeZone = 'Europe/Berlin'
const at = (local: string): number => Date.parse(`${local}T00:00+01:00`)
const homes = (count: number, name: string, rest: Partial<RegisterEntry> = {}): RegisterEntry[] =>
  Array.from({ length: count }, (_, i) => household(`${name} ${i}`, rest))
const from = (local: string, tariff: string): Partial<RegisterEntry> => ({ validFrom: at(local), tariff })

/** How many homes are told which tariff in January, and which in February. */
function pairs(entries: readonly RegisterEntry[], ofHomes: readonly RegisterEntry[]): Readonly<Record<string, number>> {
  const monthOf = kAnonymizedMonths(entries, { timeZone, since: '2026-01' })
  const [before, now] = [monthOf('2026-01'), monthOf('2026-02')]
  const found: Record<string, number> = {}
  for (const entry of ofHomes) {
    const name = `${before.of(entry).tariff}, ${now.of(entry).tariff}`
    found[name] = (found[name] ?? 0) + 1
  }
  return found
}

const flat = homes(100, 'a')
const newcomer = household('new', from('2026-01-10', 'night'))

describe('homes that come when a month begins', () => {
  const cases: readonly {
    readonly says: string
    readonly arrivals: readonly RegisterEntry[]
    readonly others?: readonly RegisterEntry[]
    /** Of homes that have an entry in both months. */
    readonly were: Readonly<Record<string, number>>
    readonly came: Readonly<Record<string, number>>
  }[] = [
    {
      says: 'are told what they are registered with where they are enough',
      arrivals: homes(30, 'b', from('2026-02-01', 'night')),
      were: { 'flat, flat': 100 },
      came: { 'flat, night': 30 },
    },
    {
      says: 'are no company of one that came within the month before, and has readings of it',
      arrivals: homes(30, 'b', from('2026-02-01', 'night')),
      others: [newcomer],
      were: { 'flat, *': 101 },
      came: { 'flat, *': 30 },
    },
    {
      says: 'are told like others where they are too few, and cost those nothing',
      arrivals: homes(3, 'b', from('2026-02-01', 'night')),
      were: { 'flat, flat': 100 },
      came: { 'flat, flat': 3 },
    },
    {
      says: 'are told like others where they are too few to be told what those are not told either',
      arrivals: [...homes(19, 'b', from('2026-02-01', 'night')), ...homes(25, 'c', from('2026-02-01', 'flat'))],
      were: { 'flat, flat': 100 },
      came: { 'flat, flat': 44 },
    },
    {
      says: 'are told nothing in a zone that has too few of them and nobody else',
      arrivals: homes(5, 'b', { validFrom: at('2026-02-01'), zone: 'at' }),
      were: { 'flat, flat': 100 },
      came: { '*, *': 5 },
    },
    {
      says: 'are those who come back then, too',
      arrivals: homes(3, 'b', from('2026-02-01', 'night')),
      others: homes(3, 'b', { validTo: at('2026-01-01') }),
      were: { 'flat, flat': 100 },
      came: { 'flat, flat': 3 },
    },
  ]
  for (const { says, arrivals, others = [], were, came } of cases) {
    it(says, () => {
      const entries = [...flat, ...others, ...arrivals]
      for (const order of [entries, entries.toReversed()]) {
        assert.deepEqual(pairs(order, [...flat, ...others.filter(({ validTo }) => validTo === null)]), were)
        assert.deepEqual(pairs(order, arrivals), came)
      }
    })
  }

  it('are not those whose entry changes then', () => {
    const changed = flat.slice(0, 30).flatMap((home) => [
      { ...home, validTo: at('2026-02-01') },
      { ...home, ...from('2026-02-01', 'night') },
    ])
    const short = household('new', { ...from('2026-01-10', 'night'), validTo: at('2026-02-01') })
    const entries = [...flat.slice(30), ...changed, short, { ...short, validFrom: at('2026-02-01'), validTo: null }]
    assert.deepEqual(pairs(entries, [...flat, newcomer]), { 'flat, flat': 70, 'flat, night': 31 })
  })

  it('count from the next month on, though nobody comes or goes in it', () => {
    const few = homes(19, 'b', from('2026-02-01', 'night'))
    const monthOf = kAnonymizedMonths([...flat, ...few, ...homes(400, 'c')], { timeZone, since: '2026-01' })
    const zoneIn = (month: string) => monthOf(month).zones.map(({ homes, classes, loss }) => [homes, classes, loss])
    assert.deepEqual(zoneIn('2026-01'), [[500, 1, 0]])
    assert.deepEqual(zoneIn('2026-02'), [[500, 1, 0]])
    for (const month of ['2026-03', '2026-04']) assert.deepEqual(zoneIn(month), [[519, 1, 1 / 4]])
    assert.equal(monthOf('2026-02').of(few[0]!).tariff, 'flat')
    assert.equal(monthOf('2026-03').of(few[0]!).tariff, '*')
  })
})

describe('arrivalsAt', () => {
  const [before, start] = [at('2026-01-01'), at('2026-02-01')]
  const row = (validFrom: number, validTo: number | null = null) => household('one', { validFrom, validTo })
  for (const { says, rows, is } of [
    { says: 'one that begins then', rows: [row(start)], is: true },
    { says: 'one that ended when the epoch before began', rows: [row(start), row(0, before)], is: true },
    { says: 'one that ends at once', rows: [row(start, start)], is: false },
    { says: 'one that begins later', rows: [row(start + 1)], is: false },
    { says: 'one that began before', rows: [row(start - 1)], is: false },
    { says: 'one that was there for a while', rows: [row(start), row(before + 5, before + 9)], is: false },
    { says: 'one that was there at the beginning', rows: [row(start), row(0, before + 1)], is: false },
  ]) {
    it(`${is ? 'takes' : 'does not take'} ${says}`, () => {
      for (const order of [rows, rows.toReversed()]) assert.equal(arrivalsAt(order, before, start)('one'), is)
      assert.equal(arrivalsAt(rows, before, start)('another'), false)
    })
  }
})
