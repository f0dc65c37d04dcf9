import type { EpochMs } from '../../../schemas/codec.ts'
import type { LoadPartial, PartialCell } from '../../../schemas/load-partial.ts'
import { levels } from '../../../schemas/register-entry.ts'
import { HaltError } from '../../contract/halt.ts'
import { type LocalDay, localDay } from '../../window/local-day.ts'
import { gridPosition, gridSeals } from './day-grid.ts'
import { type DayPlan, planDay } from './day-plan.ts'
import type { ReleaseTools } from './domain.ts'
import { headRow, type OpenDay, planRow, type ReleaseState, sumsRow } from './state.ts'
import { addCell, emptySum } from './sums.ts'

const compareWriters = 'Compare the pipeline [readings] and its settings with this one; do not delete state to go on.'

/**
 * Adds one batch of partial sums. Throws HaltError where load.partials breaks its promises: numbers dense and progress
 * monotone per source partition, windows on the day's grid, groups of the register, nothing after its seal.
 */
export function absorb(state: ReleaseState, partial: LoadPartial, tools: ReleaseTools): void {
  const { sourcePartition, seq, progress } = partial
  if (sourcePartition < 0 || sourcePartition >= tools.domain.partitions) {
    halt(`load.partials names source partition ${sourcePartition} of ${tools.domain.partitions}`)
  }
  const before = state.sources.get(sourcePartition)
  if (before && seq !== before.seq + 1) {
    const what = seq <= before.seq ? 'repeats' : 'misses'
    halt(`load.partials ${what} a batch: ${seq} of source partition ${sourcePartition} follows ${before.seq}`)
  }
  if (before && progress < before.progress) halt(`the progress of source partition ${sourcePartition} went back`)
  for (const cell of partial.cells) absorbCell(state, cell, progress, tools)
  state.sources.set(sourcePartition, { seq, progress })
  state.dirty.add(headRow)
}

function absorbCell(state: ReleaseState, cell: PartialCell, progress: EpochMs, tools: ReleaseTools): void {
  const local = localDay(tools.domain.timeZone, cell.window)
  if (local.date !== cell.date) halt('a partial cell names another day than its window')
  if (state.first !== null && cell.date < state.first) return
  if (state.closedThrough !== null && cell.date <= state.closedThrough) {
    halt(`a partial cell of ${cell.date} came after the late values of that day were sealed`)
  }
  if (cell.window >= progress) halt('a partial cell lies ahead of its own progress')
  const day = state.days.get(cell.date) ?? openDay(state, local, tools)
  const { policy } = day.plan.resolved
  const position = gridPosition(day.grid, policy, cell.window, cell.channel)
  if (position === undefined || cell.windowSeconds !== policy.windowSeconds) {
    halt(`a partial cell of ${cell.date} is not on the grid of ${policy.windowSeconds} s windows`)
  }
  if (position < day.sealed[cell.phase]) halt(`a ${cell.phase} cell of ${cell.date} came after its window was sealed`)
  const at = day.plan.indexOf(cell.level, cell.group)
  if (at === undefined) halt(`a partial cell of ${cell.date} names a ${cell.level} that the day's plan does not know`)
  const row = sumsRow(cell.window, cell.channel, cell.phase)
  const open = state.windows.get(row) ?? { date: cell.date, sums: new Map() }
  open.sums.set(at, addCell(open.sums.get(at) ?? emptySum, cell))
  state.windows.set(row, open)
  state.dirty.add(row)
}

/** Brings a local day into sight: from here on its policy and groups stand. Nothing is charged yet. */
export function openDay(state: ReleaseState, local: LocalDay, tools: ReleaseTools): OpenDay {
  const groups = levels
    .flatMap((level) => tools.register.groups(level))
    .filter(({ zone }) => zone === tools.domain.zone)
  const day = dayOf(tools.domain.timeZone, local, planDay(tools.resolved, groups))
  state.days.set(local.date, day)
  state.dirty.add(planRow(local.date)).add(headRow)
  return day
}

/** A day that nothing has been charged or sealed for. */
export function dayOf(timeZone: string, grid: LocalDay, plan: DayPlan): OpenDay {
  const { policy } = plan.resolved
  const seals = {
    preliminary: gridSeals(timeZone, grid, policy, 'preliminary'),
    late: gridSeals(timeZone, grid, policy, 'late'),
  }
  return { grid, plan, seals, charge: 'none', sealed: { preliminary: 0, late: 0 } }
}

function halt(sentence: string): never {
  throw new HaltError(sentence, compareWriters)
}
