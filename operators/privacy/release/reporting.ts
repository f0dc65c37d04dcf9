import { levels, type RegisterEntry } from '../../../schemas/register-entry.ts'
import type { GridSeal } from './day-grid.ts'
import { planSelected } from './day-plan.ts'
import type { ReleaseTools } from './domain.ts'
import { selectGroups } from './noise.ts'
import { PolicyError, type ReleasePolicy } from './policy.ts'
import type { Reporting } from './reporting-row.ts'
import { groupName } from './restricted/group-name.ts'
import { canSelect, pointTerms } from './selection-terms.ts'
import { type OpenDay, planRow, type ReleaseState, reportingRow, sumsRow } from './state.ts'
import { provenPlan } from './unproven.ts'

/**
 * Whether a seal is of the window that tells who reported: that of the import channel in the middle of the day. Of one
 * window, since a measuring point is in one group of each level there, whatever becomes of it later in the day.
 */
export function tellsWhoReported({ grid }: Pick<OpenDay, 'grid'>, seal: GridSeal): boolean {
  const middle = (grid.start + grid.end) / 2
  const isOfIt = seal.window <= middle && middle < seal.window + seal.windowSeconds * 1_000
  return isOfIt && seal.channel === 'import' && seal.coarserSeconds === null
}

/** Keeps how many measuring points are in the window at midday, before that is sealed: those of both phases together. */
export function noteReporting(state: ReleaseState, day: OpenDay, seal: GridSeal, tools: ReleaseTools): void {
  const { resolved, groups } = day.plan
  const { date } = day.grid
  const { selection } = resolved
  if (!selection || !tellsWhoReported(day, seal)) return
  const { epsilon, delta } = selection
  const before = state.reporting.get(date)
  const pointsAtConnection = mostPoints(resolved.policy, tools, date, before)
  const reporting: Reporting = { epsilon, delta, pointsAtConnection, counts: before?.counts ?? new Map() }
  const sums = state.windows.get(sumsRow(seal.window, seal.channel, seal.phase))?.sums
  for (const [at, { count }] of sums ?? []) {
    const { level, group } = groups[at]!
    const name = groupName(level, group)
    reporting.counts.set(name, (reporting.counts.get(name) ?? 0) + count)
  }
  state.reporting.set(date, reporting)
  state.dirty.add(reportingRow(date))
}

/**
 * The day with its selection, which is made when the first of its windows falls due: from who reported two days before, the
 * last day that is then complete. That day paid for it, and is forgotten with it, so nobody pays for more than one. A day
 * without such a day before it releases nothing.
 */
export function withSelection(state: ReleaseState, day: OpenDay, tools: ReleaseTools): OpenDay {
  const { plan, grid } = day
  const { selection } = plan.resolved.policy
  if (!selection || plan.selected) return day
  const source = twoDaysBefore(grid.date)
  const isProven = state.unprovenThrough === null || source > state.unprovenThrough
  const reporting = isProven ? state.reporting.get(source) : undefined
  const { select = selectGroups } = tools.noise
  const selected = levels.flatMap((level) => {
    if (!reporting) return []
    const { epsilon, delta, counts } = reporting
    const most = mostPoints(plan.resolved.policy, tools, grid.date, reporting)
    const terms = pointTerms({ epsilon, delta, preThreshold: selection.preThreshold }, most)
    if (!canSelect(terms)) return []
    const points = plan.groups.flatMap((each): (readonly [string, number])[] => {
      if (each.level !== level) return []
      const name = groupName(level, each.group)
      return [[name, counts.get(name) ?? 0]]
    })
    return select(terms, new Map(points))
  })
  const chosen = provenPlan(state, grid.date, planSelected(plan, new Set(selected)))
  const next = { ...day, plan: chosen }
  state.days.set(grid.date, next)
  state.reporting.delete(source)
  state.dirty.add(planRow(grid.date)).add(reportingRow(source))
  return next
}

/**
 * The most points that one household could have in the counts: by any policy that held since, and by the register. Too many
 * make a selection keep less, too few would cost a household more than its day was charged.
 */
function mostPoints(
  { selection }: ReleasePolicy,
  { policyOn, register }: ReleaseTools,
  date: string,
  before: Pick<Reporting, 'pointsAtConnection'> | undefined,
): number {
  const inForce = policyOn(date).policy.selection
  const said = [selection, inForce, before, register].map((each) => each?.pointsAtConnection ?? 1)
  return Math.max(...said)
}

/** Throws PolicyError where a connection of the register has more points than the policy counts as one household. */
export function checkConnections(
  entries: Iterable<Pick<RegisterEntry, 'pointsAtConnection'>>,
  { selection }: ReleasePolicy,
): void {
  if (!selection) return
  const most = mostPointsAtConnection(entries)
  if (most <= selection.pointsAtConnection) return
  throw new PolicyError(
    `selection.pointsAtConnection must be at least ${most}, as a connection of the register has`,
    'points_over_limit',
  )
}

/** The most measuring points that a connection of the register has. */
export function mostPointsAtConnection(entries: Iterable<Pick<RegisterEntry, 'pointsAtConnection'>>): number {
  let most = 1
  for (const { pointsAtConnection } of entries) most = Math.max(most, pointsAtConnection)
  return most
}

/** Forgets who reported on days whose selection is past, when the late values of a day are sealed. */
export function closeReporting(state: ReleaseState, date: string): void {
  for (const each of [...state.reporting.keys()].filter((day) => day < dayBefore(date))) {
    state.reporting.delete(each)
    state.dirty.add(reportingRow(each))
  }
}

const dayBefore = (date: string): string =>
  new Date(Date.parse(`${date}T12:00:00Z`) - 86_400_000).toISOString().slice(0, 10)
const twoDaysBefore = (date: string): string => dayBefore(dayBefore(date))
