import type { DayPlan } from '../day-plan.ts'
import { emptySum, type GroupSum } from '../sums.ts'
import { hideCells } from './hide.ts'
import { holding, type Rules, rulesOf, type Suppression } from './rules.ts'
import { treeOf } from './tree.ts'

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
 * The pattern itself is a function of true values: restricted aggregates are for readers under access control.
 */
export function suppress(plan: DayPlan, sums: ReadonlyMap<number, GroupSum>): (Suppression | null)[] {
  const tree = treeOf(plan)
  const rules = rulesOfDay(plan)
  const own = plan.groups.map((group, i) => holding(group, sums.get(i) ?? emptySum))
  const result = plan.groups.map(({ unsteady }, i) => rules(own[i]!) ?? (unsteady ? 'membership' : null))
  // Nobody is registered in it and nobody sent anything: that is public, and hides nothing.
  const empty = plan.groups.map(({ registered }, i) => registered === 0 && own[i]!.count === 0 && own[i]!.exactWh === 0)
  hideCells({
    tree,
    own,
    empty,
    keeps: (held) => rules(held) === null,
    result,
    complementary: 'complementary',
    pinned: 'membership',
  })
  return result
}
