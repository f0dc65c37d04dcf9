import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { kAnonymize, kAnonymizeByMonth } from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'
import { violations } from './definition.ts'
import { household, smallHierarchies } from './registers.ts'

const timeZone = 'Europe/Berlin'
const at = (local: string): number => Date.parse(`${local}T00:00+01:00`)
const homes = (count: number, name: string, rest: Partial<RegisterEntry> = {}): RegisterEntry[] =>
  Array.from({ length: count }, (_, i) => household(`${name} ${i}`, rest))
const a0 = { connection: 'a 0' }

describe('kAnonymize by month', () => {
  const options = { timeZone, since: '2025-12' }

  it('takes who is registered at any time of the local month', () => {
    const entries = [...homes(19, 'a'), household('late', { validFrom: at('2026-01-31') })]
    const told = kAnonymizeByMonth(entries, options)
    assert.equal(told(a0, '2025-12-31').tariff, '*')
    assert.equal(told(a0, '2026-01-01').tariff, '*', 'nineteen were told nothing of before, and would stand out')
    const later = kAnonymizeByMonth(entries, { ...options, since: '2026-01' })
    assert.equal(later(a0, '2026-01-01').tariff, 'flat')
    assert.equal(later(a0, '2025-12-31').tariff, '*')
  })

  it('tells the same whatever month is asked for first', () => {
    const entries = [...homes(60, 'a'), ...homes(30, 'b', { validFrom: at('2026-02-01'), tariff: 'night' })]
    const months = ['2025-12-05', '2026-01-05', '2026-02-05', '2026-03-05', '2025-12-31', '2026-03-31']
    const one = kAnonymizeByMonth(entries, options)
    const answers = months.map((date) => one(a0, date))
    for (const [i, date] of months.entries()) {
      assert.deepEqual(kAnonymizeByMonth(entries, options)(a0, date), answers[i])
    }
  })

  it('never tells in two months together what fewer than k share', () => {
    const changes = fc.array(fc.tuple(fc.nat(39), fc.integer({ min: 1, max: 4 }), fc.constantFrom('x', 'y')), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(changes, fc.integer({ min: 2, max: 8 }), (all, k) => {
        const entries = homes(40, 'a').flatMap((home, i): RegisterEntry[] => {
          const own = all.find(([which]) => which === i)
          if (!own) return [{ ...home, tariff: i % 2 ? 'x' : 'y' }]
          const moved = at(`2026-0${own[1]}-01`)
          return [
            { ...home, tariff: i % 2 ? 'x' : 'y', validTo: moved },
            { ...home, tariff: own[2], validFrom: moved },
          ]
        })
        const told = kAnonymizeByMonth(entries, { ...options, k, hierarchies: smallHierarchies })
        for (const [before, now] of [
          ['2025-12', '2026-01'],
          ['2026-01', '2026-02'],
          ['2026-02', '2026-03'],
          ['2026-03', '2026-04'],
        ]) {
          const stated = homes(40, 'a').map((entry) => ({
            entry,
            told: told(entry, `${now}-15`),
            before: JSON.stringify(told(entry, `${before}-15`)),
          }))
          assert.deepEqual(violations(stated, k), [])
        }
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 20) },
    )
  })

  for (const { says, other, date = '2026-01-15', tells } of [
    { says: 'a household that is there', other: {}, tells: 'flat' },
    { says: 'a household that left before', other: { validTo: at('2026-01-01') }, tells: '*' },
    { says: 'a household that left in the month', other: { validTo: at('2026-01-02') }, tells: 'flat' },
    { says: 'a household that comes later', other: { validFrom: at('2026-02-01') }, tells: '*' },
    {
      says: 'a household that came since',
      other: { validFrom: at('2026-02-01') },
      date: '2026-02-01',
      tells: 'flat',
    },
  ]) {
    it(`by itself ${tells === '*' ? 'does not count' : 'counts'} ${says} toward k`, () => {
      const told = kAnonymizeByMonth([...homes(19, 'a'), household('other', other)], { timeZone })
      assert.equal(told(a0, date).tariff, tells)
    })
  }

  it('by itself tells the same whatever month is asked for first', () => {
    const entries = [...homes(60, 'a'), ...homes(30, 'b', { validFrom: at('2026-02-01'), tariff: 'night' })]
    const dates = ['2025-12-05', '2026-01-05', '2026-02-05', '2026-03-05', '2025-12-31', '2026-02-28']
    const one = kAnonymizeByMonth(entries, { timeZone })
    for (const date of dates) {
      assert.deepEqual(
        one({ connection: 'b 0' }, date),
        kAnonymizeByMonth(entries, { timeZone })({ connection: 'b 0' }, date),
      )
    }
    assert.equal(one({ connection: 'b 0' }, '2026-01-05').tariff, '*')
    assert.equal(one({ connection: 'b 0' }, '2026-03-05').tariff, 'night')
  })

  for (const since of [undefined, '2025-09']) {
    it(`works each month of the longest horizon out once, ${since ? 'in turn' : 'by itself'}`, () => {
      let asked = 0
      const [first, ...rest] = smallHierarchies
      const told = (value: string, step: number) => {
        asked++
        return first!.told(value, step)
      }
      const entries = [1, 2, 3, 4].flatMap((month) => homes(20, `m${month}`, { validFrom: at(`2026-0${month}-01`) }))
      const options = { timeZone, since, hierarchies: [{ ...first!, told }, ...rest] }
      const tells = kAnonymizeByMonth(entries, options)
      const one = { connection: 'm1 0' }
      const days = ['2026-04-01', '2026-01-31', '2026-03-15', '2026-02-28']
      for (const date of days) tells(one, date)
      const once = asked
      assert.ok(once > 0)
      for (const date of [...days, ...days.toReversed(), ...days]) tells(one, date)
      assert.equal(asked, once)
      // The next month takes the place of the first of them.
      for (const date of ['2026-05-01', ...days.filter((day) => day !== '2026-01-31')]) tells(one, date)
      const later = asked
      for (const date of ['2026-05-31', ...days.filter((day) => day !== '2026-01-31')]) tells(one, date)
      assert.equal(asked, later)
    })
  }

  it('is kAnonymize where nothing ever changes', () => {
    const entries = [...homes(50, 'a'), ...homes(10, 'b', { tariff: 'night' })]
    const told = kAnonymizeByMonth(entries, options)
    const once = kAnonymize(entries)
    for (const entry of entries) assert.deepEqual(told(entry, '2026-07-01'), once.of(entry))
  })

  it('refuses a since that is no month', () => {
    for (const since of ['2026', '2026-13', '2026-1', '2026-01-01']) {
      assert.throws(() => kAnonymizeByMonth([], { timeZone, since }), /^RangeError: since must be a month/)
    }
  })
})
