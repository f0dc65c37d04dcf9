import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { membershipHistory } from '../../../../../operators/privacy/release/restricted/membership.ts'
import { localDay } from '../../../../../operators/window/local-day.ts'
import type { RegisterEntry } from '../../../../../schemas/register-entry.ts'
import { household } from '../../k-anonymize/registers.ts'

const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 2_000) / 4)
const timeZone = 'Europe/Berlin'
const hour = 3_600_000
const dayMs = 24 * hour
const start = Date.parse('2026-01-10T00:00+01:00')
const days = 7
const k = 4

/** Two regions, three substations, five feeders. */
const trees = [
  ['u', 'r1', 's1', 'f1'],
  ['u', 'r1', 's1', 'f2'],
  ['u', 'r1', 's2', 'f3'],
  ['u', 'r2', 's3', 'f4'],
  ['u', 'r2', 's3', 'f5'],
] as const
const groupsOf = (feeder: number) => {
  const [utility, region, substation, name] = trees[feeder]!
  return { utility, region, substation, feeder: name }
}
const namesOf = (feeder: number): readonly string[] =>
  Object.entries(groupsOf(feeder)).map(([level, group]) => `${level}/${group}`)
const allNames = [...new Set(trees.flatMap((_, i) => namesOf(i)))]

interface Move {
  readonly day: number
  readonly hours: number
  /** First point that moves, and how many follow it. */
  readonly point: number
  readonly count: number
  /** A feeder, or 5 for nowhere. */
  readonly to: number
}

const moves = fc.record<Move>({
  day: fc.integer({ min: -1, max: days - 1 }),
  hours: fc.constantFrom(0, 0, 0, 3, 7, 13),
  point: fc.nat(29),
  count: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 4, max: 8 })),
  to: fc.nat(5),
})

const points = 30

/** The register that the moves make. A point begins in a feeder by its number; every sixth one nowhere. */
function registerOf(all: readonly Move[]): readonly RegisterEntry[] {
  const instants = (move: Move) => start + move.day * dayMs + move.hours * hour
  const sorted = [...all].sort((a, b) => instants(a) - instants(b))
  return Array.from({ length: points }, (_, point) => {
    let place = point % 6
    const stays: { at: number; place: number }[] = [{ at: 0, place }]
    for (const move of sorted) {
      if (point < move.point || point >= move.point + move.count || move.to === place) continue
      place = move.to
      stays.push({ at: instants(move), place })
    }
    return stays.flatMap((stay, i): RegisterEntry[] => {
      const validTo = stays[i + 1]?.at ?? null
      if (stay.place === 5 || validTo === stay.at) return []
      const groups = groupsOf(stay.place)
      return [household(`c${point}`, { point: `p${point}`, validFrom: stay.at, validTo, groups })]
    })
  }).flat()
}

/** The feeder of a point at a time; one that is without a meter between two at the same place has not left. */
function feederAt(own: readonly RegisterEntry[], at: number): string | undefined {
  const valid = own.find(({ validFrom, validTo }) => validFrom <= at && (validTo === null || at < validTo))
  if (valid) return valid.groups.feeder
  const before = own.findLast(({ validTo }) => validTo !== null && validTo <= at)
  const after = own.find(({ validFrom }) => validFrom > at)
  return before && after && before.groups.feeder === after.groups.feeder ? before.groups.feeder : undefined
}

/** The remainders of what is shown: sets of feeders that can be told apart by subtraction, and nothing finer. */
function remainders(withheld: ReadonlySet<string>): readonly (readonly string[])[] {
  const owners = new Map<string, string[]>()
  trees.forEach((tree, i) => {
    const owner = namesOf(i).findLast((name) => !withheld.has(name))
    if (owner !== undefined) owners.set(owner, [...(owners.get(owner) ?? []), tree[3]])
  })
  return [...owners.values()]
}

const unions = (parts: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  Array.from({ length: 2 ** parts.length }, (_, mask) =>
    parts
      .filter((_, i) => mask & (1 << i))
      .flat()
      .sort(),
  )

const dayAt = (day: number) => localDay(timeZone, start + day * dayMs)

describe('membership of restricted groups', () => {
  it('lets no two sums of one set of feeders differ by fewer than k points, over windows and days', () => {
    let told = 0
    fc.assert(
      fc.property(fc.array(moves, { maxLength: 8 }), (all) => {
        const entries = registerOf(all)
        const membership = membershipHistory({ entries, timeZone, zone: 'de', k })
        const byPoint = [...Map.groupBy(entries, ({ point }) => point).values()]
        const shown = Array.from({ length: days }, (_, day) => {
          const withheld = membership(dayAt(0), dayAt(day), 'values')
          if (withheld.size > 0 && withheld.size < allNames.length) told++
          const sums = new Set(unions(remainders(withheld)).map((feeders) => feeders.join()))
          // Values of a day come in until 06:00 of the next one, and count for where their points are by then.
          const windows = [0, 6, 12, 18, 24, 27, 29].map((hours) =>
            byPoint.map((own) => feederAt(own, start + day * dayMs + hours * hour + 1)),
          )
          // Most are alike.
          return { sums, windows: [...new Map(windows.map((places) => [places.join(), places])).values()] }
        })
        for (const [day, { sums, windows }] of shown.entries()) {
          for (const before of shown.slice(0, day + 1)) {
            for (const sum of sums) {
              if (!before.sums.has(sum)) continue
              const feeders = new Set(sum.split(','))
              for (const one of before.windows) {
                for (const two of windows) {
                  const differ = one.filter(
                    (place, i) => feeders.has(place ?? '-') !== feeders.has(two[i] ?? '-'),
                  ).length
                  assert.ok(differ === 0 || differ >= k, `${sum} differs by ${differ} until day ${day}`)
                }
              }
            }
          }
        }
      }),
      { numRuns },
    )
    assert.ok(told > numRuns / 2, 'hardly any day withholds some groups and shows others')
  })

  it('says the same after a restart on any day, in any order of entries', () => {
    fc.assert(
      fc.property(fc.array(moves, { maxLength: 8 }), fc.nat(days - 1), (all, day) => {
        const entries = registerOf(all)
        const whole = membershipHistory({ entries, timeZone, zone: 'de', k })
        for (let before = 0; before < day; before++) whole(dayAt(0), dayAt(before), 'values')
        const fresh = membershipHistory({ entries: entries.toReversed(), timeZone, zone: 'de', k })
        const answer = [...whole(dayAt(0), dayAt(day), 'values')].sort()
        assert.deepEqual([...fresh(dayAt(0), dayAt(day), 'values')].sort(), answer)
        whole(dayAt(0), dayAt(days - 1), 'values')
        assert.deepEqual([...whole(dayAt(0), dayAt(day), 'values')].sort(), answer)
      }),
      { numRuns },
    )
  })

  it('withholds nothing where nothing moves, or at least k for each two feeders at midnight', () => {
    fc.assert(
      fc.property(fc.nat(4), fc.nat(4), fc.nat(days - 1), (from, to, day) => {
        const entries = Array.from({ length: points }, (_, i): readonly RegisterEntry[] => {
          const at = start + day * dayMs
          const moving = i % 5 === from && i < 5 * k && from !== to
          const own = { point: `p${i}`, groups: groupsOf(i % 5) }
          if (!moving) return [household(`c${i}`, own)]
          return [
            household(`c${i}`, { ...own, validTo: at }),
            household(`c${i}`, { ...own, groups: groupsOf(to), validFrom: at }),
          ]
        }).flat()
        const membership = membershipHistory({ entries, timeZone, zone: 'de', k })
        for (let each = 0; each < days; each++) assert.deepEqual([...membership(dayAt(0), dayAt(each), 'values')], [])
      }),
      { numRuns: Math.ceil(numRuns / 10) },
    )
  })
})
