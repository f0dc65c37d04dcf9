import type { EpochMs } from '../../schemas/codec.ts'
import { localDay } from '../window/local-day.ts'

/** Kinds of day that loads differ by: working days, Saturdays, and Sundays with holidays. */
export const dayKinds = ['workday', 'saturday', 'sunday'] as const
export type DayKind = (typeof dayKinds)[number]

/** Where a window lies in the local calendar, and the weather of it. */
export interface Moment {
  /** Start of the window, UTC. */
  readonly at: EpochMs
  /** Part of the local day that has passed, 0 to 1: the same on days of 23 and 25 hours. */
  readonly phase: number
  readonly kind: DayKind
  /** Monday is 0; a holiday counts as Sunday, 6. */
  readonly weekday: number
  /** Outdoor temperature, or `undefined` where it is not known. */
  readonly celsius: number | undefined
}

/** The even grid of a series, and what is known of each window before it comes. */
export interface Grid {
  readonly stepMs: number
  /** Windows of a day of 24 hours. */
  readonly perDay: number
  readonly momentAt: (at: EpochMs) => Moment
}

/** What forecasts may know of a window beside released values. */
export interface Surroundings {
  readonly timeZone: string
  /** Local dates, `YYYY-MM-DD`, that are lived like Sundays. */
  readonly holidays: ReadonlySet<string>
  readonly weather: Weather | undefined
}

/** Outdoor temperature in degrees Celsius, observed or forecast, where it is known. */
export type Weather = (at: EpochMs) => number | undefined

const kept = 1_024
const dayMs = 86_400_000

/**
 * Number of the local day that a window is, or `undefined` where it is none. Days of 23 and 25 hours stand among the others on
 * an even grid: the day's number times 24 hours takes the place of its start.
 */
export function wholeDay(timeZone: string, window: EpochMs, windowSeconds: number): number | undefined {
  if (windowSeconds < 82_800 || windowSeconds > 90_000) return undefined
  const { day, start, end } = localDay(timeZone, window)
  return start === window && end === window + windowSeconds * 1_000 ? day : undefined
}

/** The grid of whole local days, by their numbers. */
export function gridOfDays({ holidays, weather }: Surroundings): Grid {
  return {
    stepMs: dayMs,
    perDay: 1,
    momentAt: (at) => {
      const day = at / dayMs
      const date = new Date(at).toISOString().slice(0, 10)
      return { at, phase: 0, ...kindOf(day, holidays.has(date)), celsius: weather?.(at + dayMs / 2) }
    },
  }
}

/** 1970-01-01, day 0, was a Thursday. */
function kindOf(day: number, isHoliday: boolean): Pick<Moment, 'kind' | 'weekday'> {
  const weekday = isHoliday ? 6 : (((day + 3) % 7) + 7) % 7
  return { kind: weekday === 6 ? 'sunday' : weekday === 5 ? 'saturday' : 'workday', weekday }
}

/** The grid of windows of this length; moments are worked out once, and again when the weather turns out otherwise. */
export function gridOf(stepMs: number, { timeZone, holidays, weather }: Surroundings): Grid {
  const known = new Map<EpochMs, Moment>()
  return {
    stepMs,
    perDay: Math.round(dayMs / stepMs),
    momentAt: (at) => {
      const found = known.get(at)
      const celsius = weather?.(at)
      if (found && found.celsius === celsius) return found
      const { day, date, start, end } = localDay(timeZone, at)
      const moment: Moment = { at, phase: (at - start) / (end - start), ...kindOf(day, holidays.has(date)), celsius }
      if (known.size >= kept) known.clear()
      known.set(at, moment)
      return moment
    },
  }
}

/** The window of a day of 24 hours that a moment stands for. */
export const slotOf = ({ perDay }: Grid, { phase }: Moment): number => Math.min(perDay - 1, Math.round(phase * perDay))
