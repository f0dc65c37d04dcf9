import type { LoadRestricted } from '../../../schemas/load-restricted.ts'
import type { DayPlan } from './day-plan.ts'
import { suppress } from './restricted/suppress.ts'
import { emptySum, type GroupSum } from './sums.ts'

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
