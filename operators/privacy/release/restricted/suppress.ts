import type { DayPlan } from '../day-plan.ts'
import { emptySum, type GroupSum } from '../sums.ts'
import { type Held, holding, nobody, type Rules, rulesOf, type Suppression, together } from './rules.ts'
import { type GroupTree, treeOf } from './tree.ts'

/**
 * Which cells must not be shown, in the plan's order.
 *
 * First by their own data, or because their membership changed by too few. Then by subtraction. What can be computed from
 * the shown cells of a tree are the sums of its *remainders*, and nothing else: the remainder of a shown group is what
 * of it lies in no shown part. So every remainder that is not empty must keep the rules as if it were published. More
 * parts are suppressed until it does, those with the fewest registered points first, so that the choice follows the
 * register and not the window; narrow groups give way to wide ones.
 *
 * A group that is withheld for its membership must not be what is left, either, nor the sum of its shown parts.
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
  const rules = rulesOf(plan.resolved, plan.groups)
  const own = plan.groups.map((group, i) => holding(group, sums.get(i) ?? emptySum))
  const result = plan.groups.map(({ unsteady }, i) => rules(own[i]!) ?? (unsteady ? 'membership' : null))
  // Nobody is registered in it and nobody sent anything: that is public, and hides nothing.
  const empty = plan.groups.map(({ registered }, i) => registered === 0 && own[i]!.count === 0 && own[i]!.exactWh === 0)
  const shown = { tree, rules, own, empty, result, open: new Array<Held>(plan.groups.length) }
  // Parts stand after their wholes, so that a whole is settled after all of its parts.
  for (let i = plan.groups.length - 1; i >= 0; i--) settle(shown, i)
  showComputable(shown)
  return result
}

interface Cells {
  readonly tree: GroupTree
  readonly rules: Rules
  readonly own: readonly Held[]
  readonly empty: readonly boolean[]
  readonly result: (Suppression | null)[]
  /** What of a group lies in none of its shown parts. */
  readonly open: Held[]
}

function settle(cells: Cells, at: number): void {
  const { tree, rules, own, empty, result, open } = cells
  const parts = tree.parts[at]!
  const remainder = parts.length === 0 ? (empty[at] ? nobody : own[at]!) : hiddenIn({ result, open }, parts)
  open[at] = remainder
  if (parts.length === 0) return
  // A sum of zero says that each of its parts is zero.
  const isSafe = (held: Held): boolean =>
    result[at] === null
      ? held.groups === 0 || (held.exactWh > 0 && rules(held) === null && !pinsUnsteady(cells, at, held.groups))
      : held.groups > 0 || empty[at]! || result[at] !== 'membership'
  if (isSafe(remainder)) return
  const candidates = shownIn({ result }, parts)
  const helpers: number[] = []
  let all = remainder
  while (!isSafe(all) && candidates.length > 0) {
    const next = takeSmallest(candidates, own)
    result[next] = 'complementary'
    helpers.push(next)
    all = together(all, open[next]!)
    candidates.push(...shownIn({ result }, tree.parts[next]!))
  }
  if (isSafe(all)) {
    open[at] = all
    return
  }
  for (const helper of helpers) result[helper] = null
  result[at] ??= 'complementary'
}

/** Whether all that a remainder of that many groups hides is one group whose membership must not show. */
function pinsUnsteady({ tree, empty, result }: Cells, at: number, groups: number): boolean {
  const hiddenUnder = (i: number): { readonly groups: number; readonly pinned: boolean } => {
    const parts = tree.parts[i]!.filter((part) => result[part] !== null).map(hiddenUnder)
    const count = tree.parts[i]!.length === 0 ? (empty[i] ? 0 : 1) : parts.reduce((sum, part) => sum + part.groups, 0)
    const pinned = result[i] === 'membership' && count === groups
    return { groups: count, pinned: pinned || parts.some((part) => part.pinned) }
  }
  return groups > 0 && tree.parts[at]!.some((part) => result[part] !== null && hiddenUnder(part).pinned)
}

function hiddenIn({ result, open }: Pick<Cells, 'result' | 'open'>, parts: readonly number[]): Held {
  return parts.reduce((sofar, part) => (result[part] === null ? sofar : together(sofar, open[part]!)), nobody)
}

function shownIn({ result }: Pick<Cells, 'result'>, parts: readonly number[]): number[] {
  return parts.filter((part) => result[part] === null)
}

const registeredIn = ({ residential, other }: Held): number => residential + other

function takeSmallest(candidates: number[], own: readonly Held[]): number {
  let best = 0
  candidates.forEach((each, i) => {
    const order = registeredIn(own[each]!) - registeredIn(own[candidates[best]!]!) || each - candidates[best]!
    if (order < 0) best = i
  })
  return candidates.splice(best, 1)[0]!
}

/** Shows what the shown cells give away anyway: suppressing it would only pretend to hide it. */
function showComputable({ tree, empty, result }: Cells): void {
  const owner = new Int32Array(result.length)
  const owned = new Map<number, number>()
  const count = new Int32Array(result.length)
  for (let i = 0; i < result.length; i++) {
    const whole = tree.whole[i]!
    owner[i] = result[i] === null ? i : whole < 0 ? -1 : owner[whole]!
    const isPart = tree.parts[i]!.length === 0 && !empty[i]
    if (isPart) owned.set(owner[i]!, (owned.get(owner[i]!) ?? 0) + 1)
    count[i] = isPart ? 1 : 0
  }
  for (let i = result.length - 1; i >= 0; i--) {
    const whole = tree.whole[i]!
    if (result[i] === null) continue
    const computable = count[i] === 0 || (owner[i]! >= 0 && count[i] === owned.get(owner[i]!))
    if (computable && tree.parts[i]!.length > 0 && result[i] === 'complementary') {
      result[i] = null
      owned.set(i, count[i]!)
      if (count[i]! > 0) owned.set(owner[i]!, 0)
      continue
    }
    if (whole >= 0) count[whole]! += count[i]!
  }
}
