import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDay } from '../../../../../operators/privacy/release/absorb.ts'
import { planData, planDay, planFromData } from '../../../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy, resolvePolicy } from '../../../../../operators/privacy/release/policy.ts'
import { type Membership, membershipHistory } from '../../../../../operators/privacy/release/restricted/membership.ts'
import { emptyState } from '../../../../../operators/privacy/release/state.ts'
import { localDay } from '../../../../../operators/window/local-day.ts'
import type { RegisterEntry } from '../../../../../schemas/register-entry.ts'
import { berlin, groups, releaseOptions } from '../../../../helpers/release-fixtures.ts'
import { household } from '../../k-anonymize/registers.ts'

const timeZone = 'Europe/Berlin'
const dayOf = (date: string) => localDay(timeZone, berlin(`${date}T12:00`))
const at = (feeder: string) => ({ utility: 'u', region: 'r', substation: `s${feeder[1]}`, feeder })
const all = ['utility/u', 'region/r', 'substation/s1', 'feeder/f1a']

/** Points of a feeder, from a time until another. */
const points = (count: number, feeder: string, name: string, rest: Partial<RegisterEntry> = {}): RegisterEntry[] =>
  Array.from({ length: count }, (_, i) => household(`${name} ${i}`, { ...rest, groups: at(feeder) }))

const first = '2026-01-10'
function withheld(
  entries: readonly RegisterEntry[],
  dates: readonly string[],
  of: 'plan' | 'values' = 'values',
  k = 10,
): readonly string[][] {
  const membership = membershipHistory({ entries, timeZone, zone: 'de', k })
  return dates.map((date) => [...membership(dayOf(first), dayOf(date), of)].sort())
}

describe('membership', () => {
  const old = [...points(50, 'f1a', 'a'), ...points(50, 'f1b', 'b'), ...points(50, 'f2a', 'c')]
  const from = (wall: string) => ({ validFrom: berlin(wall) })

  it('withholds what one more point belongs to until ten have come', () => {
    const entries = [
      ...old,
      ...points(1, 'f1a', 'new', from('2026-01-12T00:00')),
      ...points(9, 'f1a', 'newer', from('2026-01-14T00:00')),
    ]
    const days = ['2026-01-11', '2026-01-12', '2026-01-13', '2026-01-14', '2026-01-20']
    assert.deepEqual(withheld(entries, ['2026-01-10', ...days]), [[], ...Array(3).fill(all.toSorted()), [], []])
  })

  it('counts homes, of which several points are one', () => {
    const joined = { ...from('2026-01-12T00:00'), pointsAtConnection: 2 }
    const shown = (count: number) => withheld([...old, ...points(count, 'f1a', 'new', joined)], ['2026-01-12'])
    assert.deepEqual(shown(19), [all.toSorted()])
    assert.deepEqual(shown(20), [[]])
  })

  it('withholds two feeders between which one point moves, and not what holds both', () => {
    const entries = [
      ...old,
      household('x', { groups: at('f1a'), validTo: berlin('2026-01-12T00:00') }),
      household('x', { groups: at('f1b'), ...from('2026-01-12T00:00') }),
    ]
    const moved = ['feeder/f1a', 'feeder/f1b']
    assert.deepEqual(withheld(entries, [first, '2026-01-11', '2026-01-12']), [[], moved, moved])
  })

  it('shows the wide groups where enough came in all, though few to each feeder', () => {
    const entries = [
      ...old,
      ...points(5, 'f1a', 'n', from('2026-01-12T00:00')),
      ...points(5, 'f1b', 'm', from('2026-01-12T00:00')),
    ]
    assert.deepEqual(withheld(entries, ['2026-01-12']), [['feeder/f1a', 'feeder/f1b']])
  })

  it('withholds for the day what changes within it, however many', () => {
    const entries = [...old, ...points(20, 'f1a', 'new', from('2026-01-12T09:00'))]
    assert.deepEqual(withheld(entries, ['2026-01-11', '2026-01-12', '2026-01-13']), [[], all.toSorted(), []])
  })

  it('withholds also the day before what changes until its values are complete, however many', () => {
    const days = ['2026-01-11', '2026-01-12', '2026-01-13']
    for (const [wall, expected] of [
      ['2026-01-12T00:00', [[], [], []]],
      ['2026-01-12T00:01', [all.toSorted(), all.toSorted(), []]],
      ['2026-01-12T05:59', [all.toSorted(), all.toSorted(), []]],
      ['2026-01-12T06:00', [[], all.toSorted(), []]],
    ] as const) {
      const entries = [...old, ...points(20, 'f1a', 'new', from(wall))]
      assert.deepEqual(withheld(entries, days), expected, wall)
    }
  })

  it('plans a day the same whatever is loaded for a time after it', () => {
    const later = [
      ...old,
      ...points(1, 'f1a', 'new', from('2026-01-12T00:00')),
      ...points(1, 'f1b', 'newer', from('2026-01-12T03:00')),
    ]
    assert.deepEqual(withheld(later, ['2026-01-11'], 'plan'), withheld(old, ['2026-01-11'], 'plan'))
    assert.deepEqual(withheld(later, ['2026-01-12'], 'plan').flat().length, 5)
  })

  it('takes an exchanged meter for no change, also with a day between', () => {
    const entries = [
      ...old,
      household('x', { groups: at('f1a'), validTo: berlin('2026-01-12T10:00') }),
      household('x', { groups: at('f1a'), ...from('2026-01-13T15:00') }),
    ]
    assert.deepEqual(withheld(entries, ['2026-01-12', '2026-01-13', '2026-01-14']), [[], [], []])
  })

  it('does not look at what was before the first day, nor into other zones', () => {
    const entries = [
      ...old,
      ...points(1, 'f1a', 'early', from('2026-01-09T09:00')),
      ...points(1, 'f1a', 'elsewhere', { ...from('2026-01-12T00:00'), zone: 'at' }),
    ]
    assert.deepEqual(withheld(entries, [first, '2026-01-12']), [[], []])
  })

  it('is frozen with the plan of a day, and in its digest', () => {
    const tools = { ...releaseOptions(), policyOn: () => resolvePolicy(defaultPolicy) }
    const asked: string[][] = []
    const membership: Membership = (since, day, of) => {
      asked.push([since.date, day.date, of])
      return new Set(['feeder/feeder-2'])
    }
    const state = { ...emptyState(), first: '2026-01-12' }
    const { plan } = openDay(state, dayOf('2026-01-15'), { ...tools, membership })
    assert.deepEqual(asked, [['2026-01-12', '2026-01-15', 'plan']])
    assert.deepEqual(
      plan.groups.filter(({ unsteady }) => unsteady).map(({ group }) => group),
      ['feeder-2'],
    )
    const again = planFromData(JSON.parse(JSON.stringify(planData(plan))))
    assert.deepEqual(again.groups, plan.groups)
    assert.deepEqual(again.digest, plan.digest)
    assert.notDeepEqual(planDay(tools.policyOn(), groups).digest, plan.digest)
  })
})
