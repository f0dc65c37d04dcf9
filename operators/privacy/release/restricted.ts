import { rational } from 'diffprivlib-ts'
import type { LoadRestricted } from '../../../schemas/load-restricted.ts'
import { type DayPlan, minimumCount, type PlannedGroup } from './day-plan.ts'
import { emptySum, type GroupSum } from './sums.ts'

/** Why a restricted cell is suppressed. */
export const suppressions = ['below_k', 'dominance', 'complementary'] as const
export type Suppression = (typeof suppressions)[number]

type Window = Pick<LoadRestricted, 'channel' | 'phase' | 'window' | 'windowSeconds'>

/** The exact aggregates of one window and phase, in the plan's order, with the rules applied. */
export function restrictedRecords(
  plan: DayPlan,
  window: Window,
  sums: ReadonlyMap<number, GroupSum>,
): readonly LoadRestricted[] {
  const suppressed = suppress(plan, sums)
  return plan.groups.map(({ level, group }, i) => {
    const { exactWh, count } = sums.get(i) ?? emptySum
    const reason = suppressed[i]!
    const shown = reason === null ? { energyWh: exactWh, count } : { energyWh: null, count: null }
    return { level, group, ...window, ...shown, suppressed: reason }
  })
}

/**
 * Which cells must not be shown, in the plan's order. First by their own data: fewer contributors than the strictest
 * class of the group demands, or one of them with too large a part of the sum (groups with other than residential
 * customers). Then by subtraction: among the parts of one whole, those suppressed must be none or at least two, and
 * together at least as many contributors as the rule demands; and a suppressed whole must not be the sum of shown parts.
 */
export function suppress(plan: DayPlan, sums: ReadonlyMap<number, GroupSum>): (Suppression | null)[] {
  const { rules } = plan.resolved.policy
  const shares = { residential: share(rules.residential.maxShare), other: share(rules.other.maxShare) }
  const result = plan.groups.map((group, i) =>
    ownSuppression(plan, group, sums.get(i) ?? emptySum, shares[group.other > 0 ? 'other' : 'residential']),
  )
  for (const { whole, parts } of plan.families) {
    const hidden = (): number[] => parts.filter((i) => result[i] !== null)
    const countOf = (i: number): number => sums.get(i)?.count ?? 0
    const safe = (): boolean => {
      const members = hidden()
      if (members.length === 0) return whole === undefined || result[whole] === null
      const together = members.reduce((total, i) => total + countOf(i), 0)
      const least = Math.max(...members.map((i) => minimumCount(plan.resolved, plan.groups[i]!)))
      return members.length >= 2 && together >= least
    }
    const shown = parts.filter((i) => result[i] === null).sort((a, b) => countOf(a) - countOf(b) || a - b)
    for (const next of shown) {
      if (safe()) break
      result[next] = 'complementary'
    }
  }
  return result
}

const share = (text: string | null): Share => (text === null ? null : rational.parse(text))

type Share = { readonly num: bigint; readonly den: bigint } | null

function ownSuppression(plan: DayPlan, group: PlannedGroup, sum: GroupSum, maxShare: Share): Suppression | null {
  if (sum.count < minimumCount(plan.resolved, group)) return 'below_k'
  if (maxShare === null) return null
  return BigInt(sum.largestWh) * maxShare.den > BigInt(sum.exactWh) * maxShare.num ? 'dominance' : null
}
