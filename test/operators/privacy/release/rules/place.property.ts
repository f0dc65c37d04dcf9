import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rational } from 'diffprivlib-ts'
import fc from 'fast-check'
import type { DayPlan, PlannedGroup } from '../../../../../operators/privacy/release/day-plan.ts'
import { planData, planFromData } from '../../../../../operators/privacy/release/day-plan.ts'
import {
  type RuleClass,
  type RuleOfClass,
  type RuleSet,
  ruleClasses,
} from '../../../../../operators/privacy/release/rules/rule-set.ts'
import { type Equations, maximum, minimum } from '../../../../helpers/linear-program.ts'
import { planOf, topologies } from './topologies.ts'

const numRuns = Math.min(Number(process.env['MV_CASES'] ?? 1_000), 10_000)

/** What a plan shows: the groups that have values in windows of one length, of that length or shorter. */
type Shown = (seconds: number) => readonly boolean[]

const shownIn =
  ({ groups, resolved }: DayPlan): Shown =>
  (seconds) =>
    groups.map(({ withheld, coarserSeconds }) =>
      withheld === null ? resolved.policy.windowSeconds <= seconds : (coarserSeconds ?? Infinity) <= seconds,
    )

const share = (text: string): number => {
  const [n, d] = text.split('/').map(Number)
  return n! / d!
}

type Counts = Readonly<Record<RuleClass, number>>

/** Agricultural points are commercial ones where rules do not name them. */
const classRules = ({ classes }: RuleSet): Readonly<Record<RuleClass, RuleOfClass>> => ({
  ...classes,
  agricultural: classes.agricultural ?? classes.commercial,
})

/**
 * The rules said again, in plain numbers: whether so many points may not be shown in windows of that length. `slack` says
 * how nearly the share may be broken.
 */
function breaksRule({ resolved: { policy } }: DayPlan, counts: Counts, seconds: number, slack = 1e-9): boolean {
  const { coarser, largeAboveWhPerHour, largestWhPerHour } = policy.ruleSet!
  const classes = classRules(policy.ruleSet!)
  const least = (asked: RuleClass): number => {
    const each = policy.ruleSet!.classes[asked] ? asked : 'commercial'
    return coarser
      .filter((step) => step.seconds <= seconds && step.seconds > policy.windowSeconds)
      .reduce((count, { minCounts }) => minCounts?.[each] ?? count, classes[each].minCount)
  }
  const there = ruleClasses.filter((each) => counts[each] > 0)
  const all = ruleClasses.reduce((sum, each) => sum + counts[each], 0)
  if (all < Math.max(...there.map(least), there.length === 0 ? least('residential') : 0)) return true
  const clip = Math.max(...Object.values(policy.clipWhPerHalfHour)) * Math.sqrt(seconds / 1_800)
  const most = (each: RuleClass): number =>
    Math.min(((each === 'large' ? largestWhPerHour : largeAboveWhPerHour) * seconds) / 3_600, clip)
  const load = ruleClasses.reduce(
    (sum, each) => sum + counts[each] * Math.min((classes[each].meanWhPerDay * seconds) / 86_400, most(each)),
    0,
  )
  return there.some((each) => {
    const { maxShare } = classes[each]
    return maxShare !== null && most(each) > share(maxShare) * load * (1 + slack)
  })
}

interface Leaves {
  readonly feeders: readonly number[]
  /** For each group, by position, which feeders are in it. */
  readonly rows: readonly (readonly number[])[]
}

function leavesOf(plan: DayPlan): Leaves {
  const feeders = plan.groups.flatMap(({ level, registered }, i) => (level === 'feeder' && registered > 0 ? [i] : []))
  const isIn = (feeder: number, at: number): boolean => {
    for (let i: number | undefined = feeder; i !== undefined; i = above(plan, i)) if (i === at) return true
    return false
  }
  return { feeders, rows: plan.groups.map((_, at) => feeders.map((feeder) => (isIn(feeder, at) ? 1 : 0))) }
}

const parents = new WeakMap<DayPlan, ReadonlyMap<number, number>>()

function above(plan: DayPlan, at: number): number | undefined {
  let known = parents.get(plan)
  if (!known) {
    known = new Map(
      plan.families.flatMap(({ whole, parts }) =>
        whole === undefined ? [] : parts.map((part) => [part, whole] as const),
      ),
    )
    parents.set(plan, known)
  }
  return known.get(at)
}

const sumOf = (plan: DayPlan, feeders: readonly number[]): Counts =>
  Object.fromEntries(
    ruleClasses.map((each) => [each, feeders.reduce((sum, at) => sum + plan.groups[at]!.classes[each], 0)]),
  ) as unknown as Counts

/**
 * What an intruder finds who takes released values for exact: sums of feeders that shown groups determine. Of a tree those
 * are the remainders of the shown groups, each found here by taking shown groups inside out of the narrowest that holds it.
 */
function remainders(plan: DayPlan, { feeders }: Leaves, shown: readonly boolean[]): ReadonlyMap<number, number[]> {
  const found = new Map<number, number[]>()
  for (const feeder of feeders) {
    let owner: number | undefined = feeder
    while (owner !== undefined && !shown[owner]) owner = above(plan, owner)
    if (owner !== undefined) found.set(owner, [...(found.get(owner) ?? []), feeder])
  }
  return found
}

/** Everything that is wrong with what a plan shows, in sentences. */
function faultsOf(plan: DayPlan, shown: Shown = shownIn(plan)): string[] {
  const leaves = leavesOf(plan)
  const { policy } = plan.resolved
  const lengths = [policy.windowSeconds, ...policy.ruleSet!.coarser.map(({ seconds }) => seconds)]
  return lengths.flatMap((seconds) => {
    const visible = shown(seconds)
    const name = (i: number) => plan.groups[i]!.group
    const below = plan.groups.flatMap((group, i) =>
      visible[i] && breaksRule(plan, group.classes, seconds) ? [`${name(i)} is below rule in ${seconds} s`] : [],
    )
    const left = [...remainders(plan, leaves, visible)].flatMap(([owner, feeders]) =>
      breaksRule(plan, sumOf(plan, feeders), seconds)
        ? [`what is left of ${name(owner)} is below rule in ${seconds} s: ${feeders.map(name)}`]
        : [],
    )
    // Nor may what is left be one group that is withheld for its members.
    const found = new Set([...remainders(plan, leaves, visible).values()].map((feeders) => feeders.join()))
    const moved = leaves.feeders.flatMap((feeder) =>
      plan.groups[feeder]!.withheld === 'withheld_membership' && !visible[feeder] && found.has(String(feeder))
        ? [`the members of ${name(feeder)} are below rule in ${seconds} s`]
        : [],
    )
    return [...below, ...left, ...moved]
  })
}

/** Groups below rule that released values pin down when they are taken for exact, in any of four windows of a day. */
function recovered(plan: DayPlan, shown: Shown = shownIn(plan)): string[] {
  const { feeders, rows } = leavesOf(plan)
  const windows = [0, 1, 2, 3]
  // Hours are two windows here, days four: what matters is that one length divides the next.
  const spans = (seconds: number): readonly (readonly number[])[] =>
    seconds === 86_400
      ? [windows]
      : seconds === 3_600
        ? [
            [0, 1],
            [2, 3],
          ]
        : windows.map((w) => [w])
  const truth = windows.flatMap((w) => feeders.map((_, i) => 1 + ((7 * i + 3 * w) % 5)))
  const over = (at: number, span: readonly number[]) =>
    windows.flatMap((w) => (span.includes(w) ? rows[at]! : rows[at]!.map(() => 0)))
  const lengthOf = ({ withheld, coarserSeconds }: PlannedGroup) =>
    withheld === null ? plan.resolved.policy.windowSeconds : coarserSeconds
  const lengths = [plan.resolved.policy.windowSeconds, 3_600, 86_400]
  const known = plan.groups.flatMap((group, at) => {
    const seconds = lengthOf(group) ?? lengths.find((each) => shown(each)[at])
    return seconds === undefined || !shown(seconds)[at] ? [] : spans(seconds).map((span) => over(at, span))
  })
  const sum = (row: readonly number[]) => row.reduce((total, x, i) => total + x * truth[i]!, 0)
  const equations = { rows: known, right: known.map(sum) }
  return plan.groups.flatMap(({ group, classes, registered }, at) =>
    lengths.flatMap((seconds) => {
      if (registered === 0 || shown(seconds)[at] || !breaksRule(plan, classes, seconds)) return []
      const row = over(at, spans(seconds)[0]!)
      return isPinned(row, equations) ? [`${group} in ${seconds} s`] : []
    }),
  )
}

/**
 * Whether equations leave one value for a sum of what is not negative. Groups times windows are not always totally unimodular,
 * which the simplex asks for. Where they are not, the sum is pinned iff the equations span it, since every true value is positive.
 */
function isPinned(row: readonly number[], equations: Equations): boolean {
  try {
    return minimum(row, equations) === maximum(row, equations)
  } catch (error) {
    // There is a solution, the true values: it is the matrix.
    if (!(error instanceof RangeError)) throw error
    return rankOf([...equations.rows, row]) === rankOf(equations.rows)
  }
}

/** Rank of a matrix of whole numbers, exactly. */
function rankOf(rows: readonly (readonly number[])[]): number {
  const left = rows.map((row) => row.map((x) => rational.integer(x)))
  let rank = 0
  for (let column = 0; column < (left[0]?.length ?? 0); column++) {
    const at = left.findIndex((row, i) => i >= rank && rational.sign(row[column]!) !== 0)
    if (at < 0) continue
    const pivot = left[at]!
    left[at] = left[rank]!
    left[rank++] = pivot
    for (let i = rank; i < left.length; i++) {
      const row = left[i]!
      if (rational.sign(row[column]!) === 0) continue
      const factor = rational.div(row[column]!, pivot[column]!)
      left[i] = row.map((x, j) => rational.sub(x, rational.mul(factor, pivot[j]!)))
    }
  }
  return rank
}

const assertNoFaults = (plan: DayPlan) => assert.deepEqual([...faultsOf(plan), ...recovered(plan)], [])

describe('the groups that are released of random registers', () => {
  it('keep the rules, and so does all that is left of them, in windows of every length', () => {
    fc.assert(
      fc.property(topologies, (topology) => assert.deepEqual(faultsOf(planOf(topology)), [])),
      { numRuns },
    )
  })

  it('leave more than one value for every group below rule, even if they were exact', () => {
    fc.assert(
      fc.property(topologies, (topology) => assert.deepEqual(recovered(planOf(topology)), [])),
      { numRuns },
    )
  })

  it('follow from the register alone: in any order of the groups, and again from the frozen plan', () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const plan = planOf(topology)
        const told = ({ groups }: DayPlan) =>
          new Map(
            groups.map(({ level, group, withheld, coarserSeconds }) => [
              `${level} ${group}`,
              [withheld, coarserSeconds],
            ]),
          )
        const frozen = planFromData(JSON.parse(JSON.stringify(planData(plan))))
        assert.deepEqual(frozen.digest, plan.digest)
        assert.deepEqual(told(frozen), told(plan))
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    )
  })

  it('are those the register calls for: a group that is withheld has a reason, and names what holds its load', () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const plan = planOf(topology)
        plan.groups.forEach(({ withheld, mergedInto, unsteady, classes, registered, level }, i) => {
          const { mergePath, membership } = plan.resolved.policy.ruleSet!
          if (withheld === 'withheld_membership') assert.ok(unsteady && membership === 'batched')
          if (withheld === 'withheld_level') assert.ok(!mergePath.includes(level))
          if (withheld === 'withheld_small_group')
            assert.ok(registered === 0 || breaksRule(plan, classes, 1_800, -1e-5))
          if (mergedInto === null) return
          let at = above(plan, i)
          while (at !== undefined && plan.groups[at]!.withheld !== null) at = above(plan, at)
          assert.deepEqual([at, withheld === null], [mergedInto, false])
        })
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    )
  })

  it('are not simply none: most are shown, some in longer windows, some withheld for every reason', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(topologies, (topology) => {
        for (const { withheld, coarserSeconds } of planOf(topology).groups) {
          const key = `${withheld} ${coarserSeconds}`
          seen.set(key, (seen.get(key) ?? 0) + 1)
        }
      }),
      { numRuns: 2_000 },
    )
    for (const key of [
      'null null',
      'withheld_small_group null',
      'withheld_small_group 3600',
      'withheld_small_group 86400',
      'withheld_not_useful null',
      'withheld_not_useful 86400',
      'withheld_remainder null',
      'withheld_level null',
      'withheld_membership null',
    ]) {
      assert.ok((seen.get(key) ?? 0) > 20, `${key}: ${seen.get(key) ?? 0}`)
    }
  })
})

/** Plans by a planner with a fault, told by what it shows. */
const planted: readonly (readonly [string, (plan: DayPlan) => Shown])[] = [
  [
    'a minimum that is off by one',
    (plan) => {
      const classes = classRules(plan.resolved.policy.ruleSet!)
      return (seconds) =>
        plan.groups.map((group, i) => {
          const there = ruleClasses.filter((each) => group.classes[each] > 0)
          const least = Math.max(...there.map((each) => classes[each].minCount))
          return shownIn(plan)(seconds)[i]! || (there.length > 0 && group.registered === least - 1)
        })
    },
  ],
  [
    'a merge that leaves a small remainder',
    (plan) => (seconds) =>
      plan.groups.map(({ withheld }, i) => shownIn(plan)(seconds)[i]! || withheld === 'withheld_remainder'),
  ],
  [
    'a share of the count in place of the load',
    (plan) => (seconds) =>
      plan.groups.map(({ classes, registered }, i) => {
        const rules = classRules(plan.resolved.policy.ruleSet!)
        const there = ruleClasses.filter((each) => classes[each] > 0)
        const enough = there.every(
          (each) => registered >= Math.max(rules[each].minCount, 1 / share(rules[each].maxShare ?? '1/1')),
        )
        return shownIn(plan)(seconds)[i]! || (there.length > 0 && enough)
      }),
  ],
  [
    'a group that is withheld for its members as all that is left',
    (plan) => (seconds) => {
      const batched = plan.groups.some(({ withheld }) => withheld === 'withheld_membership')
      return plan.groups.map(
        ({ classes, unsteady }, i) =>
          shownIn(plan)(seconds)[i]! || (batched && !unsteady && !breaksRule(plan, classes, seconds, -1e-5)),
      )
    },
  ],
  [
    'longer windows for groups that shorter ones of the others give away',
    (plan) => {
      // Whoever is told by the day is not hidden among the short windows: their others are shown there too.
      const isHelper = ({ withheld, coarserSeconds }: PlannedGroup) =>
        withheld === 'withheld_remainder' && coarserSeconds !== null
      return (seconds) => plan.groups.map((group, i) => shownIn(plan)(seconds)[i]! || isHelper(group))
    },
  ],
]

/** Whether random registers show what is wrong with a planner, and say so. */
function isFound(faults: (plan: DayPlan) => readonly string[], says: RegExp): boolean {
  const property = fc.property(topologies, (topology) => assert.deepEqual(faults(planOf(topology)), []))
  const { failed, errorInstance } = fc.check(property, { numRuns: 2_000, endOnFailure: true })
  return failed && says.test(String(errorInstance))
}

describe('a planner with a fault is found out:', () => {
  it('also where groups times windows are not totally unimodular: the exact rank says the same as the simplex', () => {
    const rows = [
      [1, 1, 0, 0],
      [0, 1, 1, 0],
      [1, 0, 1, 0],
    ]
    assert.deepEqual([rankOf(rows), rankOf([...rows, [1, 1, 1, 0]]), rankOf([...rows, [0, 0, 0, 1]])], [3, 3, 4])
    assert.equal(isPinned([1, 0, 0, 0], { rows, right: [3, 5, 4] }), true)
    assert.equal(isPinned([0, 0, 1, 1], { rows, right: [3, 5, 4] }), false)
  })

  for (const [what, shownBy] of planted) {
    it(what, () => assert.ok(isFound((plan) => faultsOf(plan, shownBy(plan)), /below rule/)))
  }

  it('linear programming recovers what is withheld for the sake of remainders, if it is shown', () => {
    const shown = (plan: DayPlan): Shown => planted[1]![1](plan)
    assert.ok(isFound((plan) => recovered(plan, shown(plan)), /in \d+ s/))
  })

  it('nothing is found in what the planner itself shows', () => {
    fc.assert(
      fc.property(topologies, (topology) => assertNoFaults(planOf(topology))),
      { numRuns: 200 },
    )
  })
})
