import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { registerView } from '../../../../connectors/register/index.ts'
import { kAnonymize, kAnonymizeByMonth, kAnonymizedMonths } from '../../../../operators/privacy/k-anonymize/index.ts'
import type { RegisterEntry } from '../../../../schemas/register-entry.ts'
import { newcomerViolations, type Stated, violations } from './definition.ts'
import { household, pointsOf, smallHierarchies } from './registers.ts'

const timeZone = 'Europe/Berlin'
const at = (local: string): number => Date.parse(`${local}T00:00+0${local < '2026-03-29' ? 1 : 2}:00`)
const homes = (count: number, name: string, rest: Partial<RegisterEntry> = {}): RegisterEntry[] =>
  Array.from({ length: count }, (_, i) => household(`${name} ${i}`, rest))
const a0 = { connection: 'a 0' }

describe('kAnonymize by month', () => {
  const options = { timeZone, since: '2025-12' }

  it('takes who is registered when the local month begins', () => {
    const entries = [...homes(19, 'a'), household('late', { validFrom: at('2026-01-31') })]
    const told = kAnonymizeByMonth(entries, options)
    assert.equal(told(a0, '2026-01-31').tariff, '*')
    assert.equal(told(a0, '2026-02-01').tariff, 'flat', 'the twentieth was told nothing of, too')
    const later = kAnonymizeByMonth(entries, { ...options, since: '2026-02' })
    assert.equal(later(a0, '2026-02-01').tariff, 'flat')
    assert.equal(later(a0, '2026-01-31').tariff, '*')
  })

  it('tells nothing without a first month', () => {
    const told = kAnonymizeByMonth(homes(60, 'a'), { timeZone })
    for (const date of ['2020-01-01', '2026-01-15'])
      assert.deepEqual(new Set(Object.values(told(a0, date))), new Set(['*']))
  })

  it('goes on to tell in a month what it told, though the tariff changes within it', () => {
    const before = [...homes(30, 'a'), ...homes(30, 'b', { tariff: 'night' })]
    const moved = { validTo: at('2026-01-16') }
    const after = [
      { ...before[0]!, ...moved },
      { ...before[0]!, validFrom: moved.validTo, tariff: 'night' },
      ...before.slice(1),
    ]
    for (const entries of [before, after]) {
      const told = kAnonymizeByMonth(entries, options)
      for (const date of ['2026-01-15', '2026-01-16', '2026-01-31']) assert.equal(told(a0, date).tariff, 'flat', date)
    }
    assert.equal(kAnonymizeByMonth(after, options)(a0, '2026-02-01').tariff, '*', 'alone in going from flat to night')
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

  it('never tells in two months together what fewer than k share, of those who count and of those who come later', () => {
    const change = fc.tuple(
      fc.nat(39),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom('x', 'y', 'z'),
      // Hours without an entry.
      fc.constantFrom(0, 0, 6, 30, 400, 1_000),
    )
    const batch = fc.record({
      count: fc.integer({ min: 1, max: 12 }),
      month: fc.integer({ min: 1, max: 4 }),
      day: fc.constantFrom('01', '01', '10'),
      tariff: fc.constantFrom('x', 'y', 'z', 'new'),
    })
    const counts = { newcomers: 0, told: 0, arrivals: 0, toldArrivals: 0 }
    const chosen = fc.tuple(
      fc.array(change, { maxLength: 12 }),
      fc.array(batch, { maxLength: 4 }),
      fc.integer({ min: 2, max: 8 }),
      fc.constantFrom(0.05, 0.3),
    )
    fc.assert(
      fc.property(chosen, ([all, batches, k, maxSuppressed]) => {
        const there = homes(40, 'a').flatMap((home, i): RegisterEntry[] => {
          const own = all.find(([which]) => which === i)
          const tariff = i % 8 === 0 ? 'z' : i % 2 ? 'x' : 'y'
          if (!own) return [{ ...home, tariff }]
          const [, month, to, hours] = own
          const moved = at(`2026-0${month}-01`)
          return [
            { ...home, tariff, validTo: moved },
            { ...home, tariff: to, validFrom: moved + hours * 3_600_000 },
          ]
        })
        const came = batches.flatMap(({ count, month, day, tariff }, i) =>
          homes(count, `batch ${i}`, { tariff, validFrom: at(`2026-0${month}-${day}`) }),
        )
        const entries = [...there, ...came]
        const monthOf = kAnonymizedMonths(entries, { ...options, k, maxSuppressed, hierarchies: smallHierarchies })
        for (const [before, now] of [
          ['2025-12', '2026-01'],
          ['2026-01', '2026-02'],
          ['2026-02', '2026-03'],
          ['2026-03', '2026-04'],
        ] as const) {
          const start = at(`${now}-01`)
          const [then, told] = [monthOf(before), monthOf(now)]
          const isIn = (from: number, to: number) => {
            const rows = entries.filter(({ validFrom, validTo }) => validFrom < to && (validTo ?? to) > from)
            const names = new Set(rows.map(({ connection }) => connection))
            return ({ entry }: Pick<Stated, 'entry'>) => names.has(entry.connection)
          }
          const [wasThere, isThere] = [isIn(at(`${before}-01`), start), isIn(start, start + 1)]
          const stated = [...homes(40, 'a'), ...came].map((entry) => {
            const one = { entry, told: told.of(entry), before: JSON.stringify(then.of(entry)) }
            return { ...one, isArrival: isThere(one) && !wasThere(one) }
          })
          // Arrivals count where enough of them are told alike, by the steps of the zone.
          const { steps } = told.zones[0]!
          const cellOf = ({ entry: { connection }, before: name }: Stated): string => {
            const row = entries.find((one) => one.connection === connection && one.validFrom === start)!
            const values = smallHierarchies.map((one) => one.told(row[one.attribute], steps[one.attribute]!))
            return JSON.stringify([name, values])
          }
          const arrivals = stated.filter(({ isArrival }) => isArrival)
          const cells = Map.groupBy(arrivals, cellOf)
          const isCounted = (one: Stated) => isThere(one) && !(one.isArrival && cells.get(cellOf(one))!.length < k)
          const counted = stated.filter(isCounted)
          const newcomers = stated.filter((one) => !isCounted(one))
          assert.equal(told.zones[0]!.homes, counted.length)
          assert.deepEqual(violations(counted, k), [])
          assert.deepEqual(newcomerViolations(newcomers, counted, k), [])
          counts.newcomers += newcomers.length
          counts.told += newcomers.filter(({ told: { tariff } }) => tariff !== '*').length
          counts.arrivals += arrivals.length
          counts.toldArrivals += arrivals.filter(({ told: { tariff } }) => tariff !== '*').length
        }
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 20) },
    )
    assert.ok(counts.told > 0 && counts.told < counts.newcomers, JSON.stringify(counts))
    assert.ok(counts.toldArrivals > 0 && counts.toldArrivals < counts.arrivals, JSON.stringify(counts))
  })

  for (const { says, newcomer, others = [], tells } of [
    { says: 'like the others of its class', newcomer: {}, tells: 'flat' },
    { says: 'like the largest class where it is in none', newcomer: { tariff: 'night' }, tells: 'flat' },
    {
      says: 'nothing where others are told nothing of',
      newcomer: {},
      others: [...homes(10, 'b', { tariff: 'night' }), ...homes(10, 'c', { heating: 'oil' })],
      tells: '*',
    },
    { says: 'nothing in a zone that nobody was in', newcomer: { zone: 'at' }, tells: '*' },
  ]) {
    it(`tells of one who comes within the month ${says}, and of the others what it would have`, () => {
      const there = [...homes(400, 'a'), ...others]
      const one = household('new', { validFrom: at('2026-01-20'), ...newcomer })
      const [without, told] = [kAnonymizeByMonth(there, options), kAnonymizeByMonth([...there, one], options)]
      assert.equal(told(one, '2026-01-20').tariff, tells)
      for (const entry of there) assert.deepEqual(told(entry, '2026-01-25'), without(entry, '2026-01-25'))
    })
  }

  it('goes on to tell what it told where one of two measuring points of a home goes within the month', () => {
    const [first, second] = pointsOf('two', [{}, { direction: 'export', tariff: 'night' }])
    const others = [...homes(40, 'a'), ...homes(40, 'b', { tariff: 'night' })]
    for (const validTo of [null, at('2026-01-16')]) {
      const entries = [first!, { ...second!, validTo }, ...others].map((entry, index) => ({
        ...entry,
        index,
        systemTitle: `${index}`,
      }))
      registerView(entries)
      const told = kAnonymizeByMonth(entries, options)
      assert.equal(told(first!, '2026-01-15').tariff, 'flat')
      assert.equal(told(second!, '2026-01-15').tariff, 'night')
    }
  })

  it('tells of one whose tariff changes after it came what it told first', () => {
    const [came, changed] = [at('2026-01-10'), at('2026-01-20')]
    const entries = [
      ...homes(40, 'a'),
      ...homes(40, 'b', { tariff: 'night' }),
      household('new', { validFrom: changed, tariff: 'night' }),
      household('new', { validFrom: came, validTo: changed }),
    ]
    const told = kAnonymizeByMonth(entries, options)
    for (const date of ['2026-01-12', '2026-01-25']) assert.equal(told({ connection: 'new' }, date).tariff, 'flat')
  })

  it('tells in a month that has begun the same, whatever is loaded since that begins later', () => {
    const change = fc.record({
      home: fc.nat(45),
      day: fc.integer({ min: 2, max: 31 }),
      tariff: fc.constantFrom('x', 'y', 'z'),
      leaves: fc.boolean(),
    })
    const tariffs = fc.array(fc.constantFrom('x', 'y'), { minLength: 40, maxLength: 40 })
    fc.assert(
      fc.property(tariffs, fc.array(change, { maxLength: 8 }), fc.integer({ min: 2, max: 8 }), (own, all, k) => {
        const there = homes(40, 'a').map((home, i) => ({ ...home, tariff: own[i]! }))
        const loaded = new Map<string, RegisterEntry[]>(there.map((home) => [home.connection, [home]]))
        for (const { home, day, tariff, leaves } of all) {
          const from = at(`2026-01-${String(day).padStart(2, '0')}`)
          const connection = `a ${home}`
          const [last, ...earlier] = loaded.get(connection) ?? []
          if (last && last.validFrom >= from) continue
          const ended = last ? [{ ...last, validTo: Math.min(last.validTo ?? from, from) }, ...earlier] : []
          loaded.set(connection, leaves ? ended : [household(connection, { tariff, validFrom: from }), ...ended])
        }
        const chosen = { ...options, k, hierarchies: smallHierarchies }
        const [before, after] = [
          kAnonymizeByMonth(there, chosen),
          kAnonymizeByMonth([...loaded.values()].flat(), chosen),
        ]
        for (const entry of there) {
          for (const date of ['2025-12-31', '2026-01-01', '2026-01-31']) {
            assert.deepEqual(after(entry, date), before(entry, date))
          }
        }
        // Whoever came is told like enough of those who were there, or nothing.
        const told = [...loaded.keys()].map((connection) => JSON.stringify(after({ connection }, '2026-01-31')))
        const counted = there.map((entry) => JSON.stringify(before(entry, '2026-01-31')))
        const nothing = JSON.stringify(kAnonymize([]).of({ connection: '' }))
        for (const name of told) {
          if (name !== nothing) assert.ok(counted.filter((other) => other === name).length >= k)
        }
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 20) },
    )
  })

  it('works each month of the longest horizon out once, in turn', () => {
    let asked = 0
    const [first, ...rest] = smallHierarchies
    const told = (value: string, step: number) => {
      asked++
      return first!.told(value, step)
    }
    const entries = [1, 2, 3, 4].flatMap((month) => homes(20, `m${month}`, { validFrom: at(`2026-0${month}-01`) }))
    const options = { timeZone, since: '2025-09', hierarchies: [{ ...first!, told }, ...rest] }
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

  it('says what each zone loses in a month, and has no zones in one of which nothing is told', () => {
    const entries = [...homes(40, 'a'), ...homes(30, 'b', { zone: 'at', validFrom: at('2026-01-10') })]
    const monthOf = kAnonymizedMonths(entries, options)
    const zones = (month: string) => monthOf(month).zones.map(({ zone, homes }) => [zone, homes])
    assert.deepEqual(zones('2025-11'), [])
    assert.deepEqual(zones('2026-01'), [['de', 40]])
    assert.deepEqual(zones('2026-02'), [
      ['at', 30],
      ['de', 40],
    ])
    assert.deepEqual(monthOf('2026-02').of(a0), kAnonymizeByMonth(entries, options)(a0, '2026-02-15'))
  })

  it('tells of those who are there the same, whether it is known yet or not who comes within the month', () => {
    // Nobody comes or goes in December, after which what November told would count otherwise.
    const there = [...homes(19, 'a'), household('twentieth', { validFrom: at('2025-12-01') })]
    const newcomer = household('new', { validFrom: at('2026-01-20') })
    for (const k of [2, 20]) {
      const own = { ...options, since: '2025-11', k }
      const [without, told] = [kAnonymizeByMonth(there, own), kAnonymizeByMonth([...there, newcomer], own)]
      for (const date of ['2025-11-15', '2025-12-15', '2026-01-15', '2026-01-25']) {
        for (const entry of there) assert.deepEqual(told(entry, date), without(entry, date), date)
      }
    }
  })
})
