import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { RegisteredGroup } from '../../../../../operators/contract/register.ts'
import { type DayPlan, planDay } from '../../../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy, type ReleasePolicy, resolvePolicy } from '../../../../../operators/privacy/release/policy.ts'
import { groupName } from '../../../../../operators/privacy/release/restricted/group-name.ts'
import { suppress } from '../../../../../operators/privacy/release/restricted/suppress.ts'
import { emptySum, type GroupSum } from '../../../../../operators/privacy/release/sums.ts'
import { type Level, levels } from '../../../../../schemas/register-entry.ts'
import { maximum, minimum } from '../../../../helpers/linear-program.ts'
import { group } from '../../../../helpers/release-fixtures.ts'

const numRuns = Number(process.env['MV_CASES'] ?? 1_000)

const policyOf = (p: string | null, two: string | null, three: string | null, share: string | null): ReleasePolicy => ({
  ...defaultPolicy,
  rules: { residential: { minCount: 4, maxShare: null }, other: { minCount: 3, maxShare: share } },
  restricted: { protection: p, maxShareOfTwo: two, maxShareOfThree: three },
})

const policies = fc.constantFrom(
  ...['1/10', '1/2', '1/100', null].flatMap((p) =>
    ['17/20', '3/5', null].flatMap((two) =>
      ['3/4', null].flatMap((three) =>
        ['3/20', '1/2', null].map((share) => resolvePolicy(policyOf(p, two, three, share))),
      ),
    ),
  ),
)

/**
 * One feeder: where it hangs, who is registered, what those sent who sent anything, whether it is unsteady, and whether the register
 * gained it within the day: then the plan does not know it, and its values are in the sums above it.
 */
const feeders = fc.record({
  substation: fc.nat(2),
  others: fc.nat(3),
  silent: fc.constantFrom(0, 0, 1),
  values: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 50, max: 500 }) },
      { weight: 1, arbitrary: fc.constantFrom(0, 5_000) },
    ),
    { maxLength: 9 },
  ),
  unsteady: fc.constantFrom(false, false, false, false, true),
  gained: fc.constantFrom(false, false, false, false, false, false, true),
})

interface Made {
  readonly plan: DayPlan
  readonly sums: ReadonlyMap<number, GroupSum>
  /** All values of a group, by position. */
  readonly values: readonly (readonly number[])[]
  /** Positions of the feeders in a group, by position. Those that the plan does not know follow after its groups. */
  readonly feedersIn: readonly (readonly number[])[]
}

const trees: fc.Arbitrary<Made> = fc
  .tuple(
    fc.array(feeders, { minLength: 1, maxLength: 9 }),
    fc.array(fc.nat(1), { minLength: 3, maxLength: 3 }),
    policies,
    fc.boolean(),
    fc.constantFrom(1, 1, 1, 0),
  )
  .map(([made, regions, policy, allResidential, scale]) => {
    const pathOf = (i: number): Readonly<Record<Level, string>> => {
      const { substation } = made[i]!
      return { utility: 'u', region: `r${regions[substation]}`, substation: `s${substation}`, feeder: `f${i}` }
    }
    const membersOf = (all: readonly number[]): ReadonlyMap<string, readonly number[]> => {
      const named = all.flatMap((i) => levels.map((level) => [groupName(level, pathOf(i)[level]), i] as const))
      return new Map([...Map.groupBy(named, ([name]) => name)].map(([name, those]) => [name, those.map(([, i]) => i)]))
    }
    const everyone = made.map((_, i) => i)
    const [members, all] = [membersOf(everyone.filter((i) => !made[i]!.gained)), membersOf(everyone)]
    const groups = levels.flatMap((level, depth) =>
      [...members].flatMap(([name, inside]): RegisteredGroup[] => {
        if (!name.startsWith(`${level}/`)) return []
        const path = pathOf(inside[0]!)
        const registered = inside.reduce((sum, i) => sum + made[i]!.values.length + made[i]!.silent, 0)
        const others = allResidential
          ? 0
          : inside.reduce((sum, i) => sum + Math.min(made[i]!.others, made[i]!.values.length), 0)
        const parent = depth === 0 ? null : path[levels[depth - 1]!]
        return [group(level, path[level], parent, registered - others, others)]
      }),
    )
    const unsteady = made.flatMap(({ unsteady: is, gained }, i) =>
      is && !gained ? [groupName('feeder', `f${i}`)] : [],
    )
    const plan = planDay(policy, groups, new Set(unsteady))
    const gained = everyone.filter((i) => made[i]!.gained)
    const inside = [
      ...plan.groups.map(({ level, group: name }) => all.get(groupName(level, name))!),
      ...gained.map((i) => [i]),
    ]
    const values = inside.map((those) => those.flatMap((feeder) => made[feeder]!.values.map((x) => x * scale)))
    const sums = new Map(values.map((each, i) => [i, sumOf(each)]))
    const placeOf = (feeder: number): number =>
      plan.indexOf('feeder', `f${feeder}`) ?? plan.groups.length + gained.indexOf(feeder)
    return { plan, sums, values, feedersIn: inside.map((those) => those.map(placeOf)) }
  })

function sumOf(values: readonly number[]): GroupSum {
  const [largestWh = 0, secondWh = 0, thirdWh = 0] = [...values].sort((a, b) => b - a)
  const exactWh = values.reduce((sum, x) => sum + x, 0)
  return { boundedWh: exactWh, exactWh, count: values.length, shared: 0, largestWh, secondWh, thirdWh }
}

const fraction = (text: string): number => {
  const [n, d] = text.split('/').map(Number)
  return n! / d!
}

/** The rules, said again over all values of a group. */
function breaksRule({ plan, values }: Made, at: number): boolean {
  const { rules, restricted } = plan.resolved.policy
  // What the plan does not know is of no class.
  const { residential, other } = plan.groups[at] ?? { residential: 0, other: 0 }
  const all = [...values[at]!].sort((a, b) => b - a)
  const total = all.reduce((sum, x) => sum + x, 0)
  const [first = 0, second = 0, third = 0] = all
  const counts = [residential > 0 ? rules.residential.minCount : 0, other > 0 ? rules.other.minCount : 0]
  const least = Math.max(...counts) || rules.residential.minCount
  if (all.length < least) return true
  if (other > 0 && rules.other.maxShare !== null && first > fraction(rules.other.maxShare) * total + 1e-9) return true
  const { maxShareOfTwo, maxShareOfThree = null, protection } = restricted!
  if (maxShareOfTwo !== null && first + second > fraction(maxShareOfTwo) * total + 1e-9) return true
  const three = first + second + third
  if (maxShareOfThree !== null && three > fraction(maxShareOfThree) * total + 1e-9) return true
  return protection !== null && total - first - second < fraction(protection) * first - 1e-9
}

const isEmpty = ({ plan, sums }: Made, at: number): boolean => {
  const { count, exactWh } = sums.get(at) ?? emptySum
  return (plan.groups[at]?.registered ?? 0) === 0 && count === 0 && exactWh === 0
}

/** What an intruder finds who knows the tree, every shown cell, that nothing is negative, and which groups have nobody. */
function intervals(made: Made, shown: (at: number) => boolean): (at: number) => readonly [number, number] {
  const { plan, sums, feedersIn } = made
  const variables = [...new Set(feedersIn.flat())].filter((feeder) => !isEmpty(made, feeder)).sort((a, b) => a - b)
  const rowOf = (at: number) => variables.map((feeder) => (feedersIn[at]!.includes(feeder) ? 1 : 0))
  const known = plan.groups.map((_, i) => i).filter(shown)
  const equations = { rows: known.map(rowOf), right: known.map((i) => sums.get(i)!.exactWh) }
  return (at) => [minimum(rowOf(at), equations), maximum(rowOf(at), equations)]
}

describe('restricted aggregates of random trees', () => {
  it('show no group below rule', () => {
    fc.assert(
      fc.property(trees, (made) => {
        const reasons = suppress(made.plan, made.sums)
        reasons.forEach((reason, i) => {
          if (reason !== null) return
          assert.ok(!breaksRule(made, i), `${made.plan.groups[i]!.group} is shown`)
        })
      }),
      { numRuns },
    )
  })

  it('leave for every suppressed cell more than one value, and what the p % rule asks for', () => {
    fc.assert(
      fc.property(trees, (made) => {
        const { plan, sums } = made
        const reasons = suppress(plan, sums)
        const intervalOf = intervals(made, (i) => reasons[i] === null)
        made.values.forEach((_, i) => {
          const reason = i < reasons.length ? reasons[i] : 'unplanned'
          if (reason === null || isEmpty(made, i)) return
          // Such a part may be what is left of a whole if it keeps the rules by itself.
          if (reason === 'unplanned' && !breaksRule(made, i)) return
          const { exactWh, largestWh, secondWh } = sums.get(i)!
          const [least, most] = intervalOf(i)
          const { group: name, unsteady } = plan.groups[i] ?? { group: 'what the plan does not know', unsteady: false }
          assert.ok(least <= exactWh && exactWh <= most, `${name} lies outside its own interval`)
          assert.ok(least < most, `${name} (${reason}) is recovered: ${least}`)
          const { protection } = plan.resolved.policy.restricted!
          if (protection === null || unsteady) return
          const needed = fraction(protection) * largestWh - (exactWh - largestWh - secondWh)
          assert.ok(most - exactWh >= needed - 1e-9, `${name} (${reason}) is at most ${most}, it is ${exactWh}`)
        })
      }),
      { numRuns },
    )
  })

  it('hide no more than the whole tree, and nothing where all keeps the rules', () => {
    fc.assert(
      fc.property(trees, (made) => {
        const reasons = suppress(made.plan, made.sums)
        const primary =
          made.values.length > reasons.length || reasons.some((reason) => reason !== null && reason !== 'complementary')
        const hides = made.plan.groups.some((_, i) => reasons[i] === 'complementary')
        assert.ok(primary || !hides)
      }),
      { numRuns },
    )
  })

  it('are the same whatever order the sums come in', () => {
    fc.assert(
      fc.property(trees, ({ plan, sums }) => {
        assert.deepEqual(suppress(plan, new Map([...sums].reverse())), suppress(plan, sums))
      }),
      { numRuns },
    )
  })

  it('would be recovered without complementary suppression: the intruder is no straw man', () => {
    let recovered = 0
    fc.assert(
      fc.property(trees, (made) => {
        const reasons = suppress(made.plan, made.sums)
        const intervalOf = intervals(made, (i) => reasons[i] === null || reasons[i] === 'complementary')
        reasons.forEach((reason, i) => {
          if (reason === null || reason === 'complementary' || isEmpty(made, i)) return
          const [least, most] = intervalOf(i)
          if (least === most) recovered++
        })
      }),
      { numRuns },
    )
    assert.ok(recovered > numRuns / 10, `${recovered} of ${numRuns}`)
  })
})
