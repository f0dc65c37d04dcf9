import type { EpochMs } from '../../../schemas/codec.ts'
import { type Channel, channels } from '../../../schemas/interval-reading.ts'
import type { Phase } from '../../../schemas/load-partial.ts'
import { cutOff, type LocalDay, localDay } from '../../window/local-day.ts'
import type { ReleasePolicy } from './policy.ts'

/** One release of a day: what is sealed, when at the earliest, and the tick at which it becomes public. */
export interface GridSeal {
  readonly channel: Channel
  readonly phase: Phase
  readonly window: EpochMs
  /** Length of the window: that of the policy, or that of a coarser step, which may differ at a clock change. */
  readonly windowSeconds: number
  /** The coarser step, 3,600 or 86,400, that this seal is of; `null` for the policy's own windows. */
  readonly coarserSeconds: number | null
  /** How many of the policy's windows it holds. */
  readonly windows: number
  /** Progress from which all input of the phase has been seen. */
  readonly due: EpochMs
  readonly tick: EpochMs
}

/** The local day of that date, `YYYY-MM-DD`. */
export function dayNamed(timeZone: string, date: string): LocalDay {
  // Noon UTC lies on the date or on a neighbour of it, whatever the zone.
  let day = localDay(timeZone, Date.parse(`${date}T12:00:00Z`))
  while (day.date > date) day = localDay(timeZone, day.start - 1)
  while (day.date < date) day = dayAfter(timeZone, day)
  return day
}

/** The local day after `day`. */
export function dayAfter(timeZone: string, day: LocalDay): LocalDay {
  return localDay(timeZone, day.end)
}

/**
 * Every seal of a phase of the day, in the order in which they fall due: the full grid, also of empty windows. A seal of a
 * coarser step stands behind that of the last window in it. `coarser` holds the steps that the day's plan has. Default: none.
 */
export function gridSeals(
  timeZone: string,
  day: LocalDay,
  policy: ReleasePolicy,
  phase: Phase,
  coarser: readonly number[] = [],
): readonly GridSeal[] {
  const step = policy.windowSeconds * 1_000
  const lateDue = cutOff(timeZone, day.day, policy.cutOffHour)
  const seals: GridSeal[] = []
  const add = (window: EpochMs, end: EpochMs, coarserSeconds: number | null): void => {
    const due = phase === 'preliminary' ? end + policy.graceSeconds * 1_000 : lateDue
    const tick = onGrid(due + policy.publishDelaySeconds * 1_000, policy.tickSeconds * 1_000)
    const length = { windowSeconds: (end - window) / 1_000, coarserSeconds, windows: (end - window) / step }
    for (const channel of channels) seals.push({ channel, phase, window, ...length, due, tick })
  }
  for (let window = day.start; window < day.end; window += step) {
    const end = window + step
    add(window, end, null)
    for (const seconds of coarser) {
      const block = blockOf(day, window, seconds)
      if (block.end === end) add(block.start, block.end, seconds)
    }
  }
  return seals
}

/** The window of a coarser step that a window of the day lies in: local days, and hours from local midnight on. */
export function blockOf(
  day: LocalDay,
  window: EpochMs,
  seconds: number,
): { readonly start: EpochMs; readonly end: EpochMs } {
  if (seconds === 86_400) return day
  const length = seconds * 1_000
  const start = day.start + Math.floor((window - day.start) / length) * length
  return { start, end: Math.min(start + length, day.end) }
}

const positions = new WeakMap<readonly GridSeal[], ReadonlyMap<string, number>>()

/** Position in a grid of the policy's window and channel, or undefined where the window is not on the day's grid. */
export function gridPosition(seals: readonly GridSeal[], window: EpochMs, channel: Channel): number | undefined {
  let known = positions.get(seals)
  if (!known) {
    known = new Map(
      seals.flatMap((seal, i) =>
        seal.coarserSeconds === null ? [[`${seal.window} ${seal.channel}`, i] as const] : [],
      ),
    )
    positions.set(seals, known)
  }
  return known.get(`${window} ${channel}`)
}

function onGrid(at: EpochMs, step: number): EpochMs {
  return Math.ceil(at / step) * step
}
