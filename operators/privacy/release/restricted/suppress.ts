import type { DayPlan } from '../day-plan.ts'
import { emptySum, type GroupSum } from '../sums.ts'
import { groupName } from './group-name.ts'
import { hideCells } from './hide.ts'
import { type Held, holding, nobody, type Rules, rulesOf, type Suppression } from './rules.ts'
import { type GroupTree, treeOf } from './tree.ts'

const known = new WeakMap<DayPlan, Rules>()

/** The rules of a day: made at its first window. */
function rulesOfDay(plan: DayPlan): Rules {
  const rules = known.get(plan) ?? rulesOf(plan.resolved, plan.groups)
  known.set(plan, rules)
  return rules
}

/**
 * Which cells must not be shown, in the plan's order.
 *
 * First by their own data, or because their membership changed by too few. Then by subtraction, as `hideCells` does it:
 * every remainder must keep the rules as if it were published.
 *
 * Then no suppressed cell can be recovered. It is not a union of remainders: a union of sums that keep the rules keeps
 * them. So a part of some remainder lies in it and a part outside, and it may be anything from what is surely in it to
 * that plus the whole remainder, which is never zero and wider than the p % rule asks for. A cell that can be computed
 * all the same (a whole whose parts are all shown) is shown.
 *
 * A whole may hold more than its parts: a group that the register gained within the day is in the sums above it, and not in
 * the day's plan. What is in none of the parts counts as one more part, which is never shown. `unsteady` holds names of groups
 * as `groupName` makes them whose membership changed by too few, beside those that the plan knows of. Default: none.
 *
 * The pattern itself is a function of true values: restricted aggregates are for readers under access control.
 */
export function suppress(
  plan: DayPlan,
  sums: ReadonlyMap<number, GroupSum>,
  unsteady: ReadonlySet<string> = new Set(),
): (Suppression | null)[] {
  const rules = rulesOfDay(plan)
  const own = plan.groups.map((group, i) => holding(group, sums.get(i) ?? emptySum))
  const isUnsteady = (at: number): boolean => {
    const group = plan.groups[at]!
    return group.unsteady || (unsteady.size > 0 && unsteady.has(groupName(group.level, group.group)))
  }
  const result = own.map((held, i) => rules(held) ?? (isUnsteady(i) ? 'membership' : null))
  // Nobody is registered in it and nobody sent anything: that is public, and hides nothing.
  const empty = plan.groups.map(({ registered }, i) => registered === 0 && own[i]!.count === 0 && own[i]!.exactWh === 0)
  const tree = withUnplanned(treeOf(plan), own, result, empty)
  hideCells({
    tree,
    own,
    empty,
    keeps: (held) => rules(held) === null,
    result,
    complementary: 'complementary',
    pinned: 'membership',
  })
  return result.slice(0, plan.groups.length)
}

/** The tree with a hidden part under each whole that holds more than its parts, which is added to the three lists as well. */
function withUnplanned(tree: GroupTree, own: Held[], result: (Suppression | null)[], empty: boolean[]): GroupTree {
  const unplanned = tree.parts.flatMap((parts, at) => {
    const held = parts.length === 0 ? undefined : beyond(own[at]!, parts, own)
    return held ? [{ at, held }] : []
  })
  if (unplanned.length === 0) return tree
  const parts = [...tree.parts]
  for (const { at, held } of unplanned) {
    parts[at] = [...parts[at]!, own.length]
    parts.push([])
    own.push(held)
    // Whatever it is, it is no group that anybody may ask for.
    result.push('below_k')
    empty.push(false)
  }
  return { whole: Int32Array.from([...tree.whole, ...unplanned.map(({ at }) => at)]), parts }
}

/** What of a whole lies in none of its parts, as if one home had all of it; undefined where that is nothing. */
function beyond(whole: Held, parts: readonly number[], own: readonly Held[]): Held | undefined {
  const left = (field: 'count' | 'shared' | 'exactWh'): number =>
    parts.reduce((rest, part) => rest - own[part]![field], whole[field])
  const more = { count: left('count'), shared: left('shared'), exactWh: left('exactWh') }
  // Who sent a later part of a window alone counts as nobody, and has energy all the same.
  if (more.count === 0 && more.exactWh === 0) return undefined
  return { ...nobody, ...more, largestWh: Math.max(Math.abs(more.exactWh), whole.largestWh), groups: 1 }
}
