import type { LoadRestricted } from '../../../schemas/load-restricted.ts'
import type { DayPlan } from './day-plan.ts'
import type { Suppression } from './restricted/rules.ts'
import { suppress } from './restricted/suppress.ts'
import { emptySum, type GroupSum } from './sums.ts'

type Window = Pick<LoadRestricted, 'channel' | 'phase' | 'window' | 'windowSeconds'>

export interface RestrictedOptions {
  /** Names of groups whose membership changed by too few. Default: those that the plan knows of. */
  readonly unsteady?: ReadonlySet<string> | undefined
  /** The day may have been shown before, from other input: nothing of it is shown again. Default: no. */
  readonly unproven?: boolean
}

/** The exact aggregates of one window and phase, in the plan's order, with the rules applied. */
export function restrictedRecords(
  plan: DayPlan,
  window: Window,
  sums: ReadonlyMap<number, GroupSum>,
  { unsteady, unproven = false }: RestrictedOptions = {},
): readonly LoadRestricted[] {
  const suppressed = unproven ? plan.groups.map((): Suppression => 'unproven') : suppress(plan, sums, unsteady)
  return plan.groups.map(({ level, group }, i) => {
    const { exactWh, count } = sums.get(i) ?? emptySum
    const reason = suppressed[i]!
    const shown = reason === null ? { energyWh: exactWh, count } : { energyWh: null, count: null }
    return { level, group, ...window, ...shown, suppressed: reason }
  })
}
