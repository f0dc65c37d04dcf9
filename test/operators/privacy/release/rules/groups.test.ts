import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultPolicy, resolvePolicy } from '../../../../../operators/privacy/release/policy.ts'
import { stepRules } from '../../../../../operators/privacy/release/rules/count-rules.ts'
import { groupsOfDay, placeLargeUsers } from '../../../../../operators/privacy/release/rules/groups.ts'
import { RuleSetError } from '../../../../../operators/privacy/release/rules/rule-set.ts'
import { shippedRules } from '../../../../../operators/privacy/release/rules/shipped.ts'
import { localDay } from '../../../../../operators/window/local-day.ts'
import { byLevel, type CustomerClass, type RegisterEntry } from '../../../../../schemas/register-entry.ts'
import { berlin } from '../../../../helpers/release-fixtures.ts'

const neutral = shippedRules.get('neutral')!
let made = 0

/** A point of feeder f1, or of another feeder of the same substation. */
function entry(rest: Partial<RegisterEntry> = {}, feeder = 'f1'): RegisterEntry {
  const n = made++
  return {
    point: `p${n}`,
    connection: `c${n}`,
    systemTitle: n.toString(16).padStart(16, '0'),
    validFrom: berlin('2026-01-01T00:00'),
    validTo: null,
    direction: 'import',
    partition: 0,
    index: n,
    groups: { utility: 'u', region: 'r', substation: 's', feeder },
    customerClass: 'residential',
    area: 'a',
    tariff: 't',
    heating: 'gas',
    dwelling: 'flat',
    timeZone: 'Europe/Berlin',
    zone: 'de',
    profile: 'interval-30min',
    protection: 'encrypted',
    keyRef: `k${n}`,
    fuseWhPerHour: 13_800,
    pointsAtConnection: 1,
    ...rest,
  }
}

const day = (date: string) => localDay('Europe/Berlin', berlin(`${date}T12:00`))
const of = (customerClass: CustomerClass) => entry({ customerClass })

describe('the groups of a day', () => {
  it('count points by class, at every level, of everybody who is registered when it begins', () => {
    const classes = ['residential', 'residential', 'commercial', 'industrial', 'agricultural', 'agricultural'] as const
    const entries = [...classes.map(of), entry({}, 'f2')]
    const groups = groupsOfDay(entries, neutral)
    const counts = (level: 'utility' | 'feeder') =>
      groups(level, day('2026-01-15')).map(({ group, parent, classes }) => [group, parent, ...Object.values(classes!)])
    assert.equal(groups('utility', day('2026-01-15'))[0]!.other, 4)
    assert.deepEqual(counts('utility'), [['u', null, 3, 1, 1, 2, 0]])
    assert.deepEqual(counts('feeder'), [
      ['f1', 's', 2, 1, 1, 2, 0],
      ['f2', 's', 1, 0, 0, 0, 0],
    ])
  })

  it('keep the rules by homes, of which several points are one', () => {
    const { keeps } = stepRules(resolvePolicy(defaultPolicy))[0]!
    const counted = (points: number, pointsAtConnection: number) => {
      const entries = Array.from({ length: points }, () => entry({ pointsAtConnection }))
      const [group] = groupsOfDay(entries, undefined)('feeder', day('2026-01-15'))
      assert.equal(group!.residential, points, 'registered points are told as they are')
      return group!.classes!
    }
    for (const [points, each, kept] of [
      [100, 1, true],
      [99, 1, false],
      [200, 2, true],
      [199, 2, false],
      [399, 3, false],
      [400, 3, true],
      [1_000, 20, false],
    ] as const) {
      assert.equal(keeps(counted(points, each)), kept, `${points} points, ${each} to a home`)
    }
  })

  it('take a home of several points for as large as S where a share is asked for', () => {
    // S is far above what one contract lets through.
    const clipWhPerHalfHour = byLevel(() => 100_000)
    const policy = { ...defaultPolicy, clipWhPerHalfHour, ruleSet: shippedRules.get('us-15-15')! }
    const { keeps } = stepRules(resolvePolicy(policy))[0]!
    const shops = (pointsAtConnection: number) => {
      const entries = Array.from({ length: 200 }, () => entry({ customerClass: 'commercial', pointsAtConnection }))
      return groupsOfDay(entries, undefined)('feeder', day('2026-01-15'))[0]!.classes!
    }
    assert.equal(keeps(shops(1)), true)
    assert.equal(keeps(shops(2)), false)
  })

  const moves: readonly (readonly [string, Partial<RegisterEntry>, number, number])[] = [
    ['comes at its midnight', { validFrom: berlin('2026-01-15T00:00') }, 0, 1],
    ['comes a moment later', { validFrom: berlin('2026-01-15T00:00') + 1 }, 0, 0],
    ['leaves at its midnight', { validTo: berlin('2026-01-15T00:00') }, 1, 0],
    ['leaves within it', { validTo: berlin('2026-01-15T13:00') }, 1, 1],
    ['comes and leaves later', { validFrom: berlin('2026-02-01T00:00'), validTo: berlin('2026-03-01T00:00') }, 0, 0],
  ]
  for (const [what, change, before, on] of moves) {
    it(`count a point that ${what}`, () => {
      const groups = groupsOfDay([entry(change)], undefined)
      const counts = ['2026-01-14', '2026-01-15'].map((date) => groups('feeder', day(date))[0]!.residential)
      assert.deepEqual(counts, [before, on])
      // The days may be asked for in any order.
      assert.equal(groups('feeder', day('2026-01-14'))[0]!.residential, before)
    })
  }

  it('are all there on every day, so that no reading names a group that the day does not know', () => {
    const groups = groupsOfDay([entry({ validFrom: berlin('2026-06-01T00:00') }, 'f9')], undefined)
    assert.deepEqual(
      groups('feeder', day('2026-01-15')).map(({ group, residential }) => [group, residential]),
      [['f9', 0]],
    )
  })
})

describe('large users', () => {
  const plant = () => entry({ customerClass: 'industrial', fuseWhPerHour: 69_001 })

  it('are in groups of their own under their utility, and in no group with homes', () => {
    const placed = placeLargeUsers([entry(), plant()], neutral)
    const own = 'u-large-users'
    assert.deepEqual(placed[1]!.groups, { utility: 'u', region: own, substation: own, feeder: own })
    const groups = groupsOfDay(placed, neutral)
    for (const level of ['region', 'substation', 'feeder'] as const) {
      for (const { classes } of groups(level, day('2026-01-15'))) {
        assert.ok(classes!.large === 0 || classes!.residential === 0)
      }
    }
    assert.equal(groups('utility', day('2026-01-15'))[0]!.classes!.large, 1)
  })

  it('are those above the constant, not at it, of whatever class', () => {
    const at = entry({ fuseWhPerHour: 69_000 })
    const above = entry({ fuseWhPerHour: 69_001 })
    const [first, second] = placeLargeUsers([at, above], neutral)
    assert.deepEqual([first!.groups.feeder, second!.groups.feeder], ['f1', 'u-large-users'])
  })

  it('stay where they are without a rule set', () => {
    const entries = [entry(), plant()]
    assert.equal(placeLargeUsers(entries, undefined), entries)
  })

  it('are refused where they are larger than the rules know, and where others have taken the name', () => {
    const refused: readonly (readonly [readonly RegisterEntry[], RegExp])[] = [
      [
        [entry({ fuseWhPerHour: 5_000_001 })],
        /largestWhPerHour is 5000000, but 1 entries of the register may draw more/,
      ],
      [[plant(), entry({}, 'u-large-users')], /has a group u-large-users/],
    ]
    for (const [entries, says] of refused) {
      assert.throws(
        () => placeLargeUsers(entries, neutral),
        (error) => error instanceof RuleSetError && says.test(error.message),
      )
    }
  })
})
