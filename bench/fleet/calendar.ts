import { Temporal } from 'temporal-polyfill'
import type { EpochMs } from '../../schemas/codec.ts'

const dayMs = 86_400_000

/** Local time of one zone over a span of time, from a table of its clock changes: no library call per reading. */
export interface Calendar {
  readonly timeZone: string
  /** Local time minus UTC at an instant, in minutes. */
  readonly offsetMinutes: (at: EpochMs) => number
  /** Whether the zone is off its standard time at an instant. */
  readonly daylightSaving: (at: EpochMs) => boolean
  /** Local date as days since 1970-01-01. */
  readonly localDay: (at: EpochMs) => number
  /** The instant at which a local date starts. */
  readonly startOfDay: (localDay: number) => EpochMs
}

/** Builds the table for [from, to); instants outside it get the nearest known offset. */
export function calendarOf(timeZone: string, from: EpochMs, to: EpochMs): Calendar {
  const begins: number[] = [Number.NEGATIVE_INFINITY]
  let at = Temporal.Instant.fromEpochMilliseconds(from - 2 * dayMs).toZonedDateTimeISO(timeZone)
  const offsets: number[] = [Math.round(at.offsetNanoseconds / 60e9)]
  for (;;) {
    const next = at.getTimeZoneTransition('next')
    if (next === null || next.epochMilliseconds > to + 2 * dayMs) break
    begins.push(next.epochMilliseconds)
    offsets.push(Math.round(next.offsetNanoseconds / 60e9))
    at = next
  }
  const standard = standardOffset(timeZone, from)

  const offsetMinutes = (instant: EpochMs): number => {
    let i = begins.length - 1
    while (i > 0 && instant < (begins[i] as number)) i--
    return offsets[i] as number
  }
  return {
    timeZone,
    offsetMinutes,
    daylightSaving: (instant) => offsetMinutes(instant) !== standard,
    localDay: (instant) => Math.floor((instant + offsetMinutes(instant) * 60_000) / dayMs),
    startOfDay: (localDay) =>
      Temporal.PlainDate.from('1970-01-01').add({ days: localDay }).toZonedDateTime(timeZone).epochMilliseconds,
  }
}

/** The smaller offset of a January and a July day: winter time on either hemisphere. */
function standardOffset(timeZone: string, near: EpochMs): number {
  const { year } = Temporal.Instant.fromEpochMilliseconds(near).toZonedDateTimeISO(timeZone)
  const inMonth = (month: number) =>
    Temporal.ZonedDateTime.from({ timeZone, year, month, day: 1 }).offsetNanoseconds / 60e9
  return Math.round(Math.min(inMonth(1), inMonth(7)))
}

/** `YYYY-MM-DD` of a local date given as days since 1970-01-01. */
export function dateText(localDay: number): string {
  return new Date(localDay * dayMs).toISOString().slice(0, 10)
}

/** The evenly spaced intervals of a run of local days. */
export interface Slots {
  readonly start: EpochMs
  readonly intervalMs: number
  readonly count: number
  readonly calendar: Calendar
  /** The local days, in order: their date, first slot and number of slots (46–50 half hours). */
  readonly days: readonly SlotDay[]
}

/** One local day of a run of slots. */
export interface SlotDay {
  readonly localDay: number
  readonly firstSlot: number
  readonly slots: number
  /** Minutes since local midnight, by the clock on the wall, at the middle of each slot. */
  readonly wallMinutes: readonly number[]
}

/** Lays intervals of `intervalSeconds` over `days` local days that begin at `start`, a local midnight. */
export function slotsOf(options: {
  readonly start: EpochMs
  readonly days: number
  readonly intervalSeconds: number
  readonly timeZone: string
}): Slots {
  const { start, days, intervalSeconds, timeZone } = options
  const intervalMs = intervalSeconds * 1_000
  const calendar = calendarOf(timeZone, start - 400 * dayMs, start + (days + 40) * dayMs)
  const first = calendar.localDay(start)
  if (calendar.startOfDay(first) !== start) {
    throw new Error(`the fleet must start at a local midnight of ${timeZone}`)
  }
  const list: SlotDay[] = []
  let slot = 0
  for (let i = 0; i < days; i++) {
    const begin = calendar.startOfDay(first + i)
    const count = Math.round((calendar.startOfDay(first + i + 1) - begin) / intervalMs)
    const wallMinutes = Array.from({ length: count }, (_, n) => {
      const middle = begin + (n + 0.5) * intervalMs
      return ((middle / 60_000 + calendar.offsetMinutes(middle)) % 1_440) | 0
    })
    list.push({ localDay: first + i, firstSlot: slot, slots: count, wallMinutes })
    slot += count
  }
  return { start, intervalMs, count: slot, calendar, days: list }
}
