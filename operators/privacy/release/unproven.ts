import type { DayPlan } from './day-plan.ts'
import type { ReleaseState } from './state.ts'

/**
 * The plan of a day; with every group withheld where the ledger of that day was lost. What was sealed there may have been
 * seen, and a second draw for the same sums would tell more than was charged. The digest stays: register and policy do.
 */
export function provenPlan(state: Pick<ReleaseState, 'unprovenThrough'>, date: string, plan: DayPlan): DayPlan {
  if (!isUnproven(state, date)) return plan
  // Longer windows stay on the grid, so that what was sealed of the day is still known, and are withheld too.
  const groups = plan.groups.map((group) => {
    const withheld = group.coarserSeconds === null ? group.withheld : null
    // Nothing holds its load: the groups above are withheld too.
    return Object.freeze({ ...group, withheld: withheld ?? ('withheld_unproven' as const), mergedInto: null })
  })
  return Object.freeze({ ...plan, groups: Object.freeze(groups) })
}

/** Whether what is known of a local day may not be all that was shown of it. */
export const isUnproven = ({ unprovenThrough }: Pick<ReleaseState, 'unprovenThrough'>, date: string): boolean =>
  unprovenThrough !== null && date <= unprovenThrough
