import type { EpochMs } from '../../../schemas/codec.ts'
import { capRuleOn, clipOn, type LoadPartial, type PartialCell } from '../../../schemas/load-partial.ts'
import { levels } from '../../../schemas/register-entry.ts'
import { cutOff, type LocalDay, localDay } from '../../window/local-day.ts'
import { releaseHalt } from '../ledger/halts.ts'
import type { HaltReason } from '../ledger/reasons.ts'
import { blockOf, dayAfter, dayNamed, gridPosition, gridSeals } from './day-grid.ts'
import { coarserSteps, type DayPlan, planDay } from './day-plan.ts'
import type { ReleaseTools } from './domain.ts'
import type { ResolvedPolicy } from './policy.ts'
import { crossing } from './restricted/tree.ts'
import { headRow, type OpenDay, planRow, type ReleaseState, sumsRow } from './state.ts'
import { type SumTable, sumTable } from './sums.ts'
import { provenPlan } from './unproven.ts'
import { unsteadyOn } from './unsteady.ts'

const dayMs = 86_400_000

const compareWriters = 'Compare the pipeline [readings] and its settings with this one; do not delete state to go on.'

/**
 * Adds one batch of partial sums. Throws HaltError where load.partials breaks its promises: numbers dense and progress
 * monotone per source partition, windows on the day's grid, groups of the register, nothing after its seal.
 */
export function absorb(state: ReleaseState, partial: LoadPartial, tools: ReleaseTools): void {
  const { sourcePartition, seq, progress } = partial
  if (sourcePartition < 0 || sourcePartition >= tools.domain.partitions) {
    halt('writers_differ', `load.partials names source partition ${sourcePartition} of ${tools.domain.partitions}`)
  }
  const before = state.sources.get(sourcePartition)
  if (before && seq !== before.seq + 1) {
    const what = seq <= before.seq ? 'repeats' : 'misses'
    halt(
      'partials_broken',
      `load.partials ${what} a batch: ${seq} of source partition ${sourcePartition} follows ${before.seq}`,
    )
  }
  if (before && progress < before.progress)
    halt('partials_broken', `the progress of source partition ${sourcePartition} went back`)
  judgeBounds(state, partial, before?.progress ?? 0, tools)
  const places = new Map<number, Place>()
  let place: Place | undefined
  for (const cell of partial.cells) {
    // A thousand cells of two or three windows and channels, in any order.
    if (!place || !fits(place, cell)) {
      place = places.get(placeCode(cell))
      if (!place || !fits(place, cell)) {
        place = findPlace(state, cell, partial, tools)
        places.set(placeCode(cell), place)
      }
    }
    addAt(place, cell, tools)
  }
  state.sources.set(sourcePartition, { seq, progress })
  state.dirty.add(headRow)
}

/** Where the cells of one window, channel and phase go; without sums where the day is not released. */
interface Place extends Pick<PartialCell, 'window' | 'windowSeconds' | 'date' | 'channel' | 'phase'> {
  /** As it was when the place was found: another cell may withhold its groups since, which keeps them where they are. */
  readonly day: OpenDay | undefined
  readonly sums: SumTable | undefined
  /** Sums of the longer windows it lies in, by step: for groups that are released in those instead. */
  readonly coarser: ReadonlyMap<number, SumTable>
}

/** Nearly always another one for another place; `fits` decides. */
const placeCode = ({ window, channel, phase }: PartialCell): number =>
  window * 4 + (channel === 'import' ? 0 : 2) + (phase === 'late' ? 1 : 0)

const fits = (place: Place, cell: PartialCell): boolean =>
  cell.window === place.window &&
  cell.channel === place.channel &&
  cell.phase === place.phase &&
  cell.windowSeconds === place.windowSeconds &&
  cell.date === place.date

function findPlace(state: ReleaseState, cell: PartialCell, partial: LoadPartial, tools: ReleaseTools): Place {
  const { window, windowSeconds, date, channel, phase } = cell
  const { progress } = partial
  const place = { window, windowSeconds, date, channel, phase }
  const local = localDay(tools.domain.timeZone, window)
  if (local.date !== date) halt('writers_differ', 'a partial cell names another day than its window')
  if (state.first !== null && date < state.first)
    return { ...place, day: undefined, sums: undefined, coarser: new Map() }
  if (state.closedThrough !== null && date <= state.closedThrough) {
    halt('partials_broken', `a partial cell of ${date} came after the late values of that day were sealed`)
  }
  if (window >= progress) halt('partials_broken', 'a partial cell lies ahead of its own progress')
  const day = boundedDay(state, state.days.get(date) ?? openDay(state, local, tools), statedOn(partial, date))
  const { policy } = day.plan.resolved
  const position = gridPosition(day.seals[phase], window, channel)
  if (position === undefined || windowSeconds !== policy.windowSeconds) {
    halt('writers_differ', `a partial cell of ${date} is not on the grid of ${policy.windowSeconds} s windows`)
  }
  if (position < day.sealed[phase])
    halt('partials_broken', `a ${phase} cell of ${date} came after its window was sealed`)
  const sumsOf = (row: string): SumTable => {
    const open = state.windows.get(row) ?? { date, sums: sumTable() }
    state.windows.set(row, open)
    return open.sums
  }
  const rowOf = (seconds: number): string => sumsRow(blockOf(day.grid, window, seconds).start, channel, phase, seconds)
  const row = sumsRow(window, channel, phase)
  // Their last window is not sealed before this one, so they are not sealed either.
  const coarser = coarserSteps(day.plan).map((seconds) => [seconds, rowOf(seconds)] as const)
  for (const each of [row, ...coarser.map(([, name]) => name)]) state.dirty.add(each)
  const tables = new Map(coarser.map(([seconds, name]) => [seconds, sumsOf(name)]))
  return { ...place, day, sums: sumsOf(row), coarser: tables }
}

/**
 * Judges the bounds of every day that values of this batch could be of, whether there are any or not: which windows are
 * withheld must not tell whether somebody sent something.
 */
function judgeBounds(state: ReleaseState, partial: LoadPartial, since: EpochMs, tools: ReleaseTools): void {
  const { progress, clipWhByDate } = partial
  const { timeZone } = tools.domain
  const isBegun = state.first !== null
  for (const local of newDays(state, progress, since, timeZone)) {
    // Before the first day is known, none is opened but for what comes in: those before it are never released.
    if (isBegun) openDay(state, local, tools)
    else if (!agrees(statedOn(partial, local.date), tools.policyOn(local.date))) withholdThrough(state, local.date)
  }
  for (const [date, day] of state.days) {
    const { cutOffHour } = day.plan.resolved.policy
    if (day.grid.start >= progress || cutOff(timeZone, day.grid.day, cutOffHour) <= since) continue
    if (clipWhByDate?.every((each) => each.date !== date)) continue
    boundedDay(state, day, statedOn(partial, date))
  }
}

/** The local days up to a progress that are not in sight yet, but which values of the batch could be of. */
function* newDays(state: ReleaseState, progress: EpochMs, since: EpochMs, timeZone: string): Generator<LocalDay> {
  if (progress <= 0) return
  const { first, openedThrough } = state
  let day = localDay(timeZone, since > 0 ? since : progress - dayMs)
  if (openedThrough !== null) day = dayAfter(timeZone, dayNamed(timeZone, openedThrough))
  else if (first !== null) day = dayNamed(timeZone, first)
  for (; day.start < progress; day = dayAfter(timeZone, day)) if (!state.days.has(day.date)) yield day
}

/** What a batch states of a local day; undefined where it does not. */
interface Stated {
  readonly clipWh: LoadPartial['clipWh']
  readonly capRule: LoadPartial['capRule']
}

const statedOn = (partial: LoadPartial, date: string): Stated => ({
  clipWh: clipOn(partial, date),
  capRule: capRuleOn(partial, date),
})

/**
 * The day, if its values were bounded to no more than its frozen plan has noise for, and by the rule for C that its records
 * state. Else nobody may see more of it: its windows, and those of open days before it, stay withheld from here on, as where
 * a ledger was lost.
 */
function boundedDay(state: ReleaseState, day: OpenDay, stated: Stated): OpenDay {
  const { date } = day.grid
  if (agrees(stated, day.plan.resolved)) return day
  withholdThrough(state, date)
  return state.days.get(date) ?? day
}

const agrees = ({ clipWh, capRule }: Stated, { policy, levels: terms }: ResolvedPolicy): boolean =>
  (clipWh === undefined || levels.every((level) => clipWh[level] <= terms[level].clipWh)) &&
  (capRule === undefined || capRule === policy.capRule)

function withholdThrough(state: ReleaseState, date: string): void {
  if (state.unprovenThrough !== null && state.unprovenThrough >= date) return
  state.unprovenThrough = date
  for (const [name, open] of state.days) state.days.set(name, { ...open, plan: provenPlan(state, name, open.plan) })
  state.dirty.add(headRow)
}

function addAt({ day, sums, coarser }: Place, cell: PartialCell, tools: ReleaseTools): void {
  if (!day || !sums) return
  const at = day.plan.indexOf(cell.level, cell.group)
  if (at === undefined) {
    if (isNew(cell, day, tools)) return
    halt('group_unknown', `a partial cell of ${cell.date} names a ${cell.level} that the day's plan does not know`)
  }
  sums.add(at, cell)
  const seconds = coarser.size === 0 ? null : day.plan.groups[at]?.coarserSeconds
  if (seconds !== undefined && seconds !== null) coarser.get(seconds)?.add(at, cell)
}

/** Whether the register has gained the group since the day's plan was frozen: it is released from the next day on. */
const isNew = ({ level, group }: PartialCell, { grid }: OpenDay, { domain, register }: ReleaseTools): boolean =>
  register.groups(level, grid).some((one) => one.zone === domain.zone && one.group === group)

/**
 * Brings a local day into sight: from here on its policy and groups stand. Nothing is charged yet. Throws HaltError where
 * the groups cross each other.
 */
export function openDay(state: ReleaseState, local: LocalDay, tools: ReleaseTools): OpenDay {
  const { domain, register, policyOn } = tools
  const groups = levels.flatMap((level) => register.groups(level, local)).filter(({ zone }) => zone === domain.zone)
  const problem = crossing(groups)
  if (problem !== undefined) {
    const action = 'Groups must nest: correct meter.register, then start again; nothing was released.'
    throw releaseHalt('groups_cross', problem, action)
  }
  const plan = planDay(policyOn(local.date), groups, unsteadyOn(state, local, tools, 'plan'))
  const day = dayOf(domain.timeZone, local, provenPlan(state, local.date, plan))
  state.days.set(local.date, day)
  state.dirty.add(planRow(local.date)).add(headRow)
  return day
}

/** A day that nothing has been charged or sealed for. */
export function dayOf(timeZone: string, grid: LocalDay, plan: DayPlan): OpenDay {
  const { policy } = plan.resolved
  const seals = {
    preliminary: gridSeals(timeZone, grid, policy, 'preliminary', coarserSteps(plan)),
    late: gridSeals(timeZone, grid, policy, 'late', coarserSteps(plan)),
  }
  return { grid, plan, seals, charge: 'none', sealed: { preliminary: 0, late: 0 } }
}

function halt(reason: HaltReason, sentence: string): never {
  throw releaseHalt(reason, sentence, compareWriters)
}
