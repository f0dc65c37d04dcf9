import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planData, planDay, planFromData } from '../../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy, type ResolvedPolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import { twoClasses } from '../../../../operators/privacy/release/rules/count-rules.ts'
import type { Level } from '../../../../schemas/register-entry.ts'
import { group, groups, policyWith } from '../../../helpers/release-fixtures.ts'

const resolved = resolvePolicy(defaultPolicy)
const plan = planDay(resolved, groups)
/** What is said of a group that is alone in the register. */
const flagOf = (policy: ResolvedPolicy, level: Level, residential: number, other: number) =>
  planDay(policy, [group(level, 'one', null, residential, other)]).groups[0]!.withheld

describe('day plan', () => {
  const cases: readonly (readonly [Level, number, number, string | null])[] = [
    ['feeder', 99, 0, 'withheld_small_group'],
    ['feeder', 100, 0, 'withheld_not_useful'],
    ['feeder', 2_718, 0, 'withheld_not_useful'],
    ['feeder', 2_719, 0, null],
    ['feeder', 0, 14, 'withheld_small_group'],
    ['feeder', 0, 15, 'withheld_not_useful'],
    ['feeder', 14, 60, 'withheld_small_group'],
    ['feeder', 0, 0, 'withheld_small_group'],
    ['utility', 5_437, 0, 'withheld_not_useful'],
    ['utility', 5_000, 438, null],
  ]
  for (const [level, residential, other, flag] of cases) {
    it(`says ${flag ?? 'released'} of a ${level} with ${residential} homes and ${other} others`, () => {
      assert.equal(flagOf(resolved, level, residential, other), flag)
    })
  }

  it('is more generous with hours than with quarter hours', () => {
    assert.equal(flagOf(resolvePolicy(policyWith({ windowSeconds: 3_600 })), 'feeder', 2_500, 0), null)
    assert.notEqual(flagOf(resolvePolicy(policyWith({ windowSeconds: 900 })), 'feeder', 2_500, 0), null)
  })

  it('is one and the same on days with the same groups under the same policy', () => {
    const own = resolvePolicy(defaultPolicy)
    const first = planDay(own, groups)
    assert.equal(planDay(own, structuredClone(groups)), first)
    assert.notEqual(planDay(resolvePolicy(defaultPolicy), groups), first)
    assert.notEqual(planDay(own, groups, undefined, new Set()), first)
  })

  const [one, ...rest] = groups
  const regrouped: readonly (readonly [string, Parameters<typeof planDay>[1], ReadonlySet<string>?])[] = [
    ['a home more', [{ ...one!, residential: one!.residential + 1 }, ...rest]],
    ['another kind of customer more', [{ ...one!, other: one!.other + 1 }, ...rest]],
    ['another name', [{ ...one!, group: 'renamed' }, ...rest]],
    ['another parent', [{ ...one!, parent: 'elsewhere' }, ...rest]],
    ['a group less', rest],
    ['a group more', [...groups, group('feeder', 'more', null, 5_000, 0)]],
    ['a group whose members change by too few', groups, new Set([`${one!.level}/${one!.group}`])],
    [
      'points that are fewer homes',
      [{ ...one!, classes: { ...twoClasses(one!.residential, one!.other), shared: 0.5 } }, ...rest],
    ],
    [
      'classes told apart',
      [
        {
          ...one!,
          classes: {
            residential: one!.residential - 1,
            commercial: one!.other,
            industrial: 1,
            agricultural: 0,
            large: 0,
          },
        },
        ...rest,
      ],
    ],
  ]
  for (const [what, changed, unsteady] of regrouped) {
    it(`is another with ${what}`, () => {
      const own = resolvePolicy(defaultPolicy)
      const first = planDay(own, groups)
      const second = planDay(own, changed, unsteady)
      assert.notEqual(second, first)
      assert.deepEqual(second, {
        ...planDay(resolvePolicy(defaultPolicy), changed, unsteady),
        resolved: own,
        indexOf: second.indexOf,
      })
    })
  }

  it('lists groups from the widest level down in the register’s order', () => {
    const shuffled = planDay(resolved, [...groups.slice(4), ...groups.slice(0, 4)])
    assert.deepEqual(
      shuffled.groups.map(({ group: name }) => name),
      ['utility-1', 'region-1', 'substation-1', 'feeder-2', 'feeder-3', 'feeder-4', 'feeder-1'],
    )
    assert.equal(shuffled.indexOf('feeder', 'feeder-1'), 6)
    assert.equal(shuffled.indexOf('region', 'feeder-1'), undefined)
  })

  it('comes back from its data with the same digest', () => {
    const again = planFromData(JSON.parse(JSON.stringify(planData(plan))))
    assert.deepEqual(again.digest, plan.digest)
    assert.deepEqual(again.groups, plan.groups)
  })

  it('tells agricultural points from others, in its data and its digest, where there are any', () => {
    const counted = (industrial: number, agricultural: number) =>
      planDay(resolved, [
        {
          ...group('feeder', 'one', null, 4_000, 300),
          classes: { residential: 4_000, commercial: 100, industrial, agricultural, large: 0 },
        },
      ])
    const [farms, plants] = [counted(50, 150), counted(200, 0)]
    assert.notDeepEqual(farms.digest, plants.digest)
    for (const each of [farms, plants]) {
      const again = planFromData(JSON.parse(JSON.stringify(planData(each))))
      assert.deepEqual([again.digest, again.groups], [each.digest, each.groups])
    }
    assert.equal(planData(plants).groups[0]?.[6]?.length, 3)
  })

  it('keeps by how much the homes are fewer than the points, in its data and its digest', () => {
    const counted = (rest: object) =>
      planDay(resolved, [{ ...group('feeder', 'one', null, 4_000), classes: { ...twoClasses(4_000, 0), ...rest } }])
    const [half, none] = [counted({ shared: 2_000.5 }), counted({})]
    assert.notDeepEqual(half.digest, none.digest)
    for (const each of [half, none]) {
      const again = planFromData(JSON.parse(JSON.stringify(planData(each))))
      assert.deepEqual([again.digest, again.groups], [each.digest, each.groups])
    }
    assert.equal(planData(none).groups[0]?.length, 5)
  })

  const changes: readonly (readonly [string, () => Uint8Array])[] = [
    [
      'S',
      () =>
        planDay(
          resolvePolicy(policyWith({ clipWhPerHalfHour: { ...defaultPolicy.clipWhPerHalfHour, feeder: 9_999 } })),
          groups,
        ).digest,
    ],
    ['the grace', () => planDay(resolvePolicy(policyWith({ graceSeconds: 1_199 })), groups).digest],
    ['a rule', () => planDay(resolvePolicy(policyWith({ maxRelativeNoise: '1/4' })), groups).digest],
    [
      'a group’s count',
      () => planDay(resolved, [...groups.slice(1), group('utility', 'utility-1', null, 6_561)]).digest,
    ],
    [
      'a group’s place',
      () =>
        planDay(
          resolved,
          groups.map((each) => ({ ...each, parent: null })),
        ).digest,
    ],
    ['the groups', () => planDay(resolved, groups.slice(1)).digest],
  ]
  for (const [what, digest] of changes) {
    it(`has another digest when ${what} changes`, () => assert.notDeepEqual(digest(), plan.digest))
  }

  it('knows the parts of every whole, by parent or else by level', () => {
    assert.deepEqual(plan.families, [
      { whole: undefined, parts: [0] },
      { whole: 0, parts: [1] },
      { whole: 1, parts: [2] },
      { whole: 2, parts: [3, 4, 5, 6] },
    ])
    const loose = planDay(resolved, [
      group('substation', 'a', null, 1),
      group('substation', 'b', null, 1),
      group('feeder', 'a1', 'a', 1),
      group('feeder', 'b1', null, 1),
    ])
    assert.deepEqual(loose.families, [
      { whole: undefined, parts: [0, 1] },
      { whole: 0, parts: [2] },
      { whole: undefined, parts: [3] },
    ])
  })
})
