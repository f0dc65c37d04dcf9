import { type DayPlan, planDay } from '../../operators/privacy/release/day-plan.ts'
import type { ResolvedPolicy } from '../../operators/privacy/release/policy.ts'
import type { TreeGroup } from './groups.ts'

/** The plan in which all of the groups are released, and the groups in its order. */
export function planOf(
  groups: readonly TreeGroup[],
  resolved: ResolvedPolicy,
  timeZone: string,
): { readonly plan: DayPlan; readonly series: readonly TreeGroup[] } {
  const plan = planDay(
    resolved,
    groups.map(({ level, group, parent, size }) => ({
      level,
      group,
      parent,
      zone: 'gb',
      timeZone,
      residential: size,
      other: 0,
    })),
  )
  const byName = new Map(groups.map((group) => [`${group.level}/${group.group}`, group]))
  const series = plan.groups.map(({ level, group }) => byName.get(`${level}/${group}`)!)
  const withheld = plan.groups.find((group) => group.withheld !== null)
  if (withheld) throw new Error(`${withheld.group} is withheld: ${withheld.withheld}`)
  return { plan, series }
}
