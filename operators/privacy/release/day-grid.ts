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

/** Every seal of a phase of the day, in the order in which they fall due: the full grid, also of empty windows. */
export function gridSeals(timeZone: string, day: LocalDay, policy: ReleasePolicy, phase: Phase): readonly GridSeal[] {
  const step = policy.windowSeconds * 1_000
  const lateDue = cutOff(timeZone, day.day, policy.cutOffHour)
  const seals: GridSeal[] = []
  for (let window = day.start; window < day.end; window += step) {
    const due = phase === 'preliminary' ? window + step + policy.graceSeconds * 1_000 : lateDue
    const tick = onGrid(due + policy.publishDelaySeconds * 1_000, policy.tickSeconds * 1_000)
    for (const channel of channels) seals.push({ channel, phase, window, due, tick })
  }
  return seals
}

/** Position of a window and channel in `gridSeals`, or undefined where the window is not on the day's grid. */
export function gridPosition(
  day: LocalDay,
  policy: ReleasePolicy,
  window: EpochMs,
  channel: Channel,
): number | undefined {
  const step = policy.windowSeconds * 1_000
  const index = (window - day.start) / step
  if (window < day.start || window >= day.end || !Number.isInteger(index)) return undefined
  return index * channels.length + channels.indexOf(channel)
}

function onGrid(at: EpochMs, step: number): EpochMs {
  return Math.ceil(at / step) * step
}
