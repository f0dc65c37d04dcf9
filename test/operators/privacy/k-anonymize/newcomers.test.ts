import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { registerView } from '../../../../connectors/register/index.ts'
import { kAnonymize, kAnonymizeByMonth, kAnonymizedMonths } from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'
import { household, smallHierarchies } from './registers.ts'

const timeZone = 'Europe/Berlin'
const options = { timeZone, since: '2025-12' }
const at = (local: string): number => Date.parse(`${local.length === 10 ? `${local}T00:00` : local}+01:00`)
const homes = (count: number, name: string, rest: Partial<RegisterEntry> = {}): RegisterEntry[] =>
  Array.from({ length: count }, (_, i) => household(`${name} ${i}`, rest))
/** Ends a home's entry at the beginning of February, and goes on with another from then or later. */
const back = (home: RegisterEntry, from: string, rest: Partial<RegisterEntry>): RegisterEntry[] => [
  { ...home, validTo: at('2026-02-01') },
  { ...home, validFrom: at(from), ...rest },
]
const flat = homes(40, 'a')
const night = homes(40, 'b', { tariff: 'night' })
const oil = homes(25, 'c', { heating: 'oil' })

describe('one that comes back after the month began', () => {
  for (const from of ['2026-02-01T06:00', '2026-02-09', '2026-03-09']) {
    it(`on ${from} is told like those it was told like`, () => {
      const entries = [...back(flat[0]!, from, { tariff: 'night' }), ...flat.slice(1), ...night]
      const told = kAnonymizeByMonth(entries, options)
      assert.equal(told(flat[0]!, '2026-01-15').tariff, 'flat')
      assert.equal(told(flat[0]!, '2026-02-15').tariff, 'flat')
      for (const other of [...flat, ...night]) assert.equal(told(other, '2026-02-15').tariff, other.tariff)
    })
  }

  for (const { says, entries, tells } of [
    {
      says: 'what it is registered with, where enough of those go on to be told that',
      entries: [
        ...back(flat[0]!, '2026-02-03', { tariff: 'night' }),
        ...flat.slice(1, 21),
        ...flat.slice(21).flatMap((home) => back(home, '2026-02-01', { tariff: 'night' })),
        ...homes(1, 'd').flatMap((home) => back(home, '2026-02-01', { tariff: 'night' })),
        ...night,
      ],
      tells: 'night',
    },
    {
      says: 'like most, where nobody is left of those',
      entries: [...night.flatMap((home) => back(home, '2026-02-01T06:00', { tariff: 'dynamic' })), ...flat],
      tells: 'flat',
    },
    {
      says: 'nothing, where fewer than k are left of those, of whom nothing is told',
      entries: [
        ...night.slice(0, 30).flatMap((home) => back(home, '2026-02-01T06:00', {})),
        ...night.slice(30),
        ...homes(400, 'a'),
        ...oil,
      ],
      tells: '*',
    },
    {
      says: 'what it is registered with, where enough of those are told that, though others are told nothing of',
      entries: [
        ...back(flat[0]!, '2026-02-03', {}),
        ...homes(400, 'a').slice(1),
        ...homes(19, 'e', { tariff: 'dynamic' }),
        ...homes(1, 'f', { heating: 'pump' }),
      ],
      tells: 'flat',
    },
  ] as const) {
    it(`is told ${says}`, () => {
      const told = kAnonymizeByMonth(entries, options)
      assert.equal(told(entries[0]!, '2026-02-15').tariff, tells)
    })
  }

  it('is judged by the month just before, not by the last one in which somebody came or went', () => {
    const short = (from: string, tariff: string) =>
      household('short', { validFrom: at(from), validTo: at(from) + 5 * 86_400_000, tariff })
    const entries = [
      ...flat,
      ...night,
      short('2026-01-10', 'flat'),
      short('2026-02-10', 'night'),
      short('2026-03-10', 'dynamic'),
    ]
    const told = kAnonymizeByMonth(entries, { ...options, since: '2026-01' })
    for (const month of ['2026-01', '2026-02', '2026-03']) {
      assert.equal(told({ connection: 'short' }, `${month}-12`).tariff, 'flat', month)
    }
  })
})

describe('one that comes to a zone', () => {
  it('that nobody was in is known to have been told nothing', () => {
    const monthOf = kAnonymizedMonths([...flat, household('new', { zone: 'at', validFrom: at('2026-01-10') })], options)
    const empty = kAnonymize(homes(1, 'x', { zone: 'at' }))
    assert.equal(monthOf('2026-01').classOf('new'), empty.classOf('x 0'))
  })

  it('from another one within the month is told like those of its own', () => {
    const there = homes(40, 'b', { zone: 'at', tariff: 'night', heating: 'oil' })
    const second = { ...flat[0]!, validFrom: at('2026-01-16'), zone: 'at' }
    const entries = [{ ...flat[0]!, validTo: at('2026-01-16') }, second, ...flat.slice(1), ...there]
    const points = [...new Set(entries.map(({ point }) => point))]
    registerView(
      entries.map((entry) => {
        const index = points.indexOf(entry.point)
        return { ...entry, index, systemTitle: `${index}`, groups: groupsOf(entry) }
      }),
    )
    const told = kAnonymizeByMonth(entries, options)
    for (const date of ['2025-12-20', '2026-01-10', '2026-01-20']) {
      assert.deepEqual(told(second, date), told(there[0]!, date), date)
      assert.deepEqual(told(flat[0]!, date), told(flat[1]!, date), date)
    }
    const { classOf } = kAnonymizedMonths(entries, options)('2026-01')
    assert.equal(classOf('a 0'), classOf('a 1'))
    assert.equal(classOf('a 0', 'at'), classOf('b 0'))
  })

  it('after it was counted in another is not told what it is registered with', () => {
    const there = [...homes(40, 'b', { zone: 'at', tariff: 'night' }), ...homes(30, 'c', { zone: 'at' })]
    const moved = { ...flat[0]!, validFrom: at('2026-01-16'), zone: 'at' }
    const entries = [{ ...flat[0]!, validTo: at('2026-01-16') }, moved, ...flat.slice(1), ...there]
    for (const since of ['2025-12', '2026-01']) {
      assert.equal(kAnonymizeByMonth(entries, { ...options, since })(moved, '2026-01-20').tariff, 'night')
    }
  })
})

describe('readings of a month before a home came', () => {
  it('are told like those of others, whenever it comes', () => {
    for (const from of ['2026-01-31', '2026-02-01', '2026-02-03T10:00', '2026-04-01']) {
      const one = household('new', { validFrom: at(from) })
      const told = kAnonymizeByMonth([...flat, ...night, one], options)
      for (const date of ['2025-12-31', '2026-01-01', '2026-01-31', '2026-02-02']) {
        assert.equal(told(one, date).tariff, 'flat', `${from} on ${date}`)
      }
    }
  })
})

const groupsOf = ({ zone }: RegisterEntry) => ({
  utility: `u ${zone}`,
  region: `r ${zone}`,
  substation: `s ${zone}`,
  feeder: `f ${zone}`,
})

const row = fc.record({
  home: fc.nat(15),
  day: fc.integer({ min: -40, max: 70 }),
  days: fc.constantFrom(3, 20, 40),
  zone: fc.constantFrom('de', 'de', 'de', 'at'),
  tariff: fc.constantFrom('x', 'y', 'z'),
})

it('tells on no date something, or nothing, that fewer than k of those who count are told in a zone', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(row, { maxLength: 12, selector: ({ home, day }) => `${home} ${day}` }),
      fc.integer({ min: 2, max: 8 }),
      (rows, k) => {
        const there = homes(30, 'home').map((home, i) => ({
          ...home,
          tariff: i % 2 ? 'x' : 'y',
          zone: i % 3 === 2 ? 'at' : 'de',
          validTo: rows.some((one) => one.home === i) ? at('2026-01-01') : null,
        }))
        const nameOf = ({ home, day }: { home: number; day: number }) => `${day < 0 ? 'new' : 'home'} ${home}`
        const later = rows.map(({ days, zone, tariff, ...one }) => {
          const starts = rows.filter((other) => nameOf(other) === nameOf(one)).map(({ day }) => day)
          const next = Math.min(...starts.filter((day) => day > one.day), one.day + days)
          const [validFrom, validTo] = [one.day, next].map((day) => at('2026-01-01') + day * 86_400_000)
          return household(nameOf(one), { validFrom: validFrom!, validTo: validTo!, zone, tariff })
        })
        const entries = [...there, ...later]
        const told = kAnonymizeByMonth(entries, { ...options, k, hierarchies: smallHierarchies })
        for (const month of ['2025-12', '2026-01', '2026-02']) {
          const start = at(`${month}-01`)
          const lasts = entries.filter(({ validTo }) => validTo === null || validTo > start)
          const toldTo = (entry: RegisterEntry) => JSON.stringify([entry.zone, told(entry, `${month}-15`)])
          const counted = lasts.filter(({ validFrom }) => validFrom <= start)
          const names = counted.map(toldTo)
          for (const entry of lasts) {
            const size = names.filter((name) => name === toldTo(entry)).length
            const isNothing = Object.values(told(entry, `${month}-15`)).every((name) => name === '*')
            const zone = counted.filter((other) => other.zone === entry.zone)
            const isAll = isNothing && zone.every((other) => toldTo(other) === toldTo(entry))
            assert.ok(size >= k || isAll, `${toldTo(entry)} of ${entry.connection} in ${month} is that of ${size}`)
          }
        }
      },
    ),
    { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 10) },
  )
})

it('tells of a month in which nobody comes or goes, held against the one before, what working it out anew would', () => {
  const [january, february] = [at('2026-01-01'), at('2026-02-01')]
  const newcomer = fc.record({
    day: fc.constantFrom(1, 5, 20, 32, 40, 60),
    days: fc.constantFrom(3, 20),
    zone: fc.constantFrom('de', 'de', 'at'),
    tariff: fc.constantFrom('x', 'y', 'z'),
  })
  const tariffs = fc.array(fc.constantFrom('x', 'x', 'y', 'z'), { minLength: 20, maxLength: 40 })
  let compared = 0
  fc.assert(
    fc.property(
      tariffs,
      fc.array(newcomer, { maxLength: 6 }),
      fc.integer({ min: 2, max: 8 }),
      fc.nat(6),
      (own, came, k, few) => {
        const entries = [
          ...own.map((tariff, i) => household(`home ${i}`, { tariff, zone: i % 4 === 3 ? 'at' : 'de' })),
          ...homes(few, 'arrival', { tariff: 'y', validFrom: january }),
          ...came.map(({ day, days, ...rest }, i) => {
            const validFrom = january + day * 86_400_000
            return household(`home ${own.length + i}`, { ...rest, validFrom, validTo: validFrom + days * 86_400_000 })
          }),
        ].filter(({ validFrom, validTo }) => validFrom > february || validTo === null || validTo <= february)
        const chosen = { k, hierarchies: smallHierarchies }
        const december = kAnonymize(entries, { ...chosen, start: at('2025-12-01') })
        const before = kAnonymize(entries, {
          ...chosen,
          start: january,
          previous: december.classOf,
          previousStart: at('2025-12-01'),
        })
        const anew = kAnonymize(entries, {
          ...chosen,
          start: february,
          previous: before.classOf,
          previousStart: january,
        })
        const going = before.during?.(entries, february)
        const counted = entries.filter(({ validFrom, validTo }) => validFrom <= january && validTo === null)
        const isCounted = before.zones.reduce((sum, zone) => sum + zone.homes, 0) === counted.length
        assert.equal(going !== undefined, isCounted, 'goes on unless some do not count yet')
        if (!going) return
        for (const entry of counted) assert.deepEqual(going.of(entry), before.of(entry))
        // Worked out anew, it may tell more of those who count.
        if (counted.some((entry) => going.classOf(entry.connection) !== anew.classOf(entry.connection))) return
        assert.deepEqual(going.zones, anew.zones)
        for (const entry of entries) {
          assert.deepEqual(going.of(entry), anew.of(entry))
          assert.equal(going.classOf(entry.connection, entry.zone), anew.classOf(entry.connection, entry.zone))
        }
        compared++
      },
    ),
    { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 10) },
  )
  assert.ok(compared > 0)
})
