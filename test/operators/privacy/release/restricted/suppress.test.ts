import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RegisteredGroup } from '../../../../../operators/contract/register.ts'
import { planDay } from '../../../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy, resolvePolicy } from '../../../../../operators/privacy/release/policy.ts'
import { suppress } from '../../../../../operators/privacy/release/restricted/suppress.ts'
import { restrictedRecords } from '../../../../../operators/privacy/release/restricted.ts'
import { twoClasses } from '../../../../../operators/privacy/release/rules/count-rules.ts'
import { addCell, emptySum, type GroupSum } from '../../../../../operators/privacy/release/sums.ts'
import { cell, group } from '../../../../helpers/release-fixtures.ts'

const resolved = resolvePolicy(defaultPolicy)

const sum = (count: number, exactWh = count * 200, largestWh = Math.min(300, exactWh)): GroupSum => ({
  boundedWh: exactWh,
  exactWh,
  count,
  shared: 0,
  largestWh,
  secondWh: Math.min(100, largestWh),
  thirdWh: Math.min(100, largestWh),
})

function reasons(groups: readonly RegisteredGroup[], sums: readonly GroupSum[]): (string | null)[] {
  return suppress(planDay(resolved, groups), new Map(sums.map((each, i) => [i, each])))
}

const homes = (name: string, parent = 's', registered = 1_000): RegisteredGroup =>
  group('feeder', name, parent, registered)
const shops = (name: string): RegisteredGroup => group('feeder', name, 's', 0, 40)
const whole = group('substation', 's', null, 4_000, 40)

describe('restricted aggregates', () => {
  const cases: readonly (readonly [
    string,
    readonly RegisteredGroup[],
    readonly GroupSum[],
    readonly (string | null)[],
  ])[] = [
    [
      'shows what keeps every rule',
      [whole, homes('a'), homes('b')],
      [sum(900), sum(400), sum(500)],
      [null, null, null],
    ],
    ['suppresses fewer than 100 homes', [homes('a')], [sum(99)], ['below_k']],
    ['suppresses fewer than 15 others', [shops('a')], [sum(14)], ['below_k']],
    ['shows 15 others', [shops('a')], [sum(15, 3_000, 450)], [null]],
    ['suppresses others of whom one has more than 15 %', [shops('a')], [sum(15, 3_000, 451)], ['dominance']],
    ['has no share rule for homes', [homes('a')], [sum(100, 3_000, 2_400)], [null]],
    ['suppresses homes of whom two have more than 85 %', [homes('a')], [sum(100, 3_000, 2_451)], ['dominance']],
    [
      'suppresses the smallest other part with a single suppressed one',
      [whole, homes('a'), homes('b'), homes('c', 's', 999)],
      [sum(1_000), sum(50), sum(500), sum(450)],
      [null, 'below_k', null, 'complementary'],
    ],
    [
      'takes the smallest part by the register, and so the same one in every window',
      [whole, homes('a'), homes('b'), homes('c', 's', 999)],
      [sum(1_000), sum(50), sum(450), sum(500)],
      [null, 'below_k', null, 'complementary'],
    ],
    [
      'suppresses a third part where two hold too few together',
      [whole, homes('a'), homes('b'), homes('c'), homes('d', 's', 999)],
      [sum(1_000), sum(40), sum(50), sum(500), sum(410)],
      [null, 'below_k', 'below_k', null, 'complementary'],
    ],
    [
      'leaves two parts that hold enough together',
      [whole, homes('a'), homes('b'), homes('c')],
      [sum(1_000), sum(60), sum(50), sum(890)],
      [null, 'below_k', 'below_k', null],
    ],
    [
      'suppresses a third part where one of two dominates them together',
      [group('substation', 's', null, 4_000), homes('a'), homes('b'), homes('c'), homes('d', 's', 999)],
      [sum(1_120, 250_000), sum(60, 30_000, 29_000), sum(50, 3_000), sum(600, 130_000), sum(410, 87_000)],
      [null, 'below_k', 'below_k', null, 'complementary'],
    ],
    [
      'suppresses a whole that would say that its suppressed parts are zero',
      [whole, homes('a'), homes('b')],
      [sum(1_000, 0, 0), sum(50, 0, 0), sum(950, 0, 0)],
      ['complementary', 'below_k', null],
    ],
    [
      'hides a suppressed part of a suppressed whole among parts elsewhere',
      [
        group('region', 'r', null, 5_000),
        group('substation', 's', 'r', 2_000),
        group('substation', 't', 'r', 2_001),
        homes('s1', 's'),
        homes('s2', 's', 998),
        homes('s3', 's'),
        homes('t1', 't'),
      ],
      [sum(450), sum(400), sum(50), sum(150), sum(100), sum(150), sum(50)],
      [null, 'complementary', 'below_k', null, 'complementary', null, 'below_k'],
    ],
    [
      'hides nothing behind a group that has nobody',
      [whole, homes('a'), homes('b', 's', 0), homes('c')],
      [sum(1_000), sum(50), sum(0), sum(950)],
      [null, 'below_k', 'below_k', 'complementary'],
    ],
    [
      'needs no other part to hide a group that has nobody',
      [whole, homes('a'), homes('b', 's', 0), homes('c')],
      [sum(1_000), sum(500), sum(0), sum(500)],
      [null, null, 'below_k', null],
    ],
    ['suppresses everything that is empty', [whole, homes('a')], [], ['below_k', 'below_k']],
  ]
  for (const [what, groups, sums, expected] of cases) {
    it(what, () => assert.deepEqual(reasons(groups, sums), expected))
  }

  it('withholds a group whose members changed by too few, and hides it among others', () => {
    const groups = [whole, homes('a'), homes('b'), homes('c', 's', 999)]
    const plan = planDay(resolved, groups, new Set(['feeder/a']))
    const sums = [sum(1_000), sum(300), sum(300), sum(400)]
    assert.deepEqual(suppress(plan, new Map(sums.map((each, i) => [i, each]))), [
      null,
      'membership',
      null,
      'complementary',
    ])
  })

  it('hides a part that only the whole holds, as one that the register gained within the day', () => {
    const groups = [whole, homes('a'), homes('b'), homes('c', 's', 999)]
    const show = (of: number) => reasons(groups, [sum(of), sum(300), sum(300), sum(400)])
    assert.deepEqual(show(1_000), [null, null, null, null])
    assert.deepEqual(show(1_001), [null, null, null, 'complementary'])
    assert.deepEqual(reasons([whole, homes('a')], [sum(1_001), sum(1_000)]), [null, 'complementary'])
    // Of a window of which it sent a later part alone, it counts as nobody.
    const uncounted = [sum(1_000, 200_700), sum(300), sum(300), sum(400)]
    assert.deepEqual(reasons(groups, uncounted), [null, null, null, 'complementary'])
  })

  it('counts the homes that contributed at least, of which several points are one', () => {
    const several = { ...homes('a'), classes: { ...twoClasses(1_000, 0), shared: 500 } }
    const reasonOf = (count: number, shared: number) =>
      suppress(planDay(resolved, [several]), new Map([[0, { ...sum(count), shared }]]))
    assert.deepEqual(reasonOf(199, 99.5), ['below_k'])
    assert.deepEqual(reasonOf(200, 100), [null])
    assert.deepEqual(reasonOf(100, 0), [null], 'one direction of homes with one point for each')
  })

  it('withholds a group whose members changed since the plan was made', () => {
    const plan = planDay(resolved, [whole, homes('a'), homes('b'), homes('c', 's', 999)])
    const sums = [sum(1_000), sum(300), sum(300), sum(400)]
    assert.deepEqual(suppress(plan, new Map(sums.map((each, i) => [i, each])), new Set(['feeder/a'])), [
      null,
      'membership',
      null,
      'complementary',
    ])
  })

  it('follows the rules of the policy', () => {
    const strict = resolvePolicy({ ...defaultPolicy, restricted: { maxShareOfTwo: null, protection: '1/2' } })
    const cells = new Map([[0, sum(100, 3_000, 1_934)]])
    assert.deepEqual(suppress(planDay(strict, [homes('a')]), cells), ['p_percent'])
    const ofThree = { maxShareOfTwo: null, maxShareOfThree: '7/10', protection: null }
    const third = resolvePolicy({ ...defaultPolicy, restricted: ofThree })
    assert.deepEqual(suppress(planDay(third, [homes('a')]), cells), ['dominance'])
    const none = resolvePolicy({ ...defaultPolicy, restricted: { maxShareOfTwo: null, protection: null } })
    assert.deepEqual(suppress(planDay(none, [homes('a')]), cells), [null])
  })

  it('writes neither sum nor count of what is suppressed', () => {
    const plan = planDay(resolved, [whole, homes('a'), homes('b')])
    const window = { channel: 'import', phase: 'preliminary', window: 0, windowSeconds: 1_800 } as const
    const records = restrictedRecords(plan, window, new Map([sum(900), sum(99), sum(801)].entries()))
    assert.deepEqual(records, [
      { level: 'substation', group: 's', ...window, energyWh: 180_000, count: 900, suppressed: null },
      { level: 'feeder', group: 'a', ...window, energyWh: null, count: null, suppressed: 'below_k' },
      { level: 'feeder', group: 'b', ...window, energyWh: null, count: null, suppressed: 'complementary' },
    ])
  })

  it('keeps the three largest values in whatever order cells come', () => {
    const cells = [
      cell('2026-01-15T00:00', 10, { largestWh: 10, secondWh: 3, thirdWh: 2 }),
      cell('2026-01-15T00:00', 12, { largestWh: 12, secondWh: 11, thirdWh: 0 }),
      cell('2026-01-15T00:00', 5, { largestWh: 5, secondWh: 0 }),
    ]
    for (const order of [cells, cells.toReversed(), [cells[1]!, cells[0]!, cells[2]!]]) {
      const { largestWh, secondWh, thirdWh, count, boundedWh } = order.reduce(addCell, emptySum)
      assert.deepEqual([largestWh, secondWh, thirdWh, count, boundedWh], [12, 11, 10, 3, 27])
    }
  })

  it('refuses sums beyond 2^53', () => {
    const large = { ...emptySum, exactWh: Number.MAX_SAFE_INTEGER }
    assert.throws(() => addCell(large, cell('2026-01-15T00:00', 1)), RangeError)
  })
})
