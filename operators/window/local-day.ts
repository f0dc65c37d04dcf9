import { Temporal } from 'temporal-polyfill'
import type { EpochMs } from '../../schemas/codec.ts'

/** One local calendar day of a time zone: 23 to 25 hours long at clock changes. */
export interface LocalDay {
  /** `YYYY-MM-DD`. */
  readonly date: string
  /** Days since 1970-01-01. */
  readonly day: number
  /** First instant of the day and of the next one, UTC. */
  readonly start: EpochMs
  readonly end: EpochMs
}

const dayMs = 86_400_000
const epoch = new Temporal.PlainDate(1970, 1, 1)

interface Calendar {
  readonly days: Map<number, LocalDay>
  /** Cut-offs by day and hour, as 24 times the day plus the hour. */
  readonly cutOffs: Map<number, EpochMs>
  recent: LocalDay | undefined
}

const calendars = new Map<string, Calendar>()
/** Faulty clocks can name any day, so the cache is emptied now and then; about eleven years per zone stay warm. */
const maxDays = 4_096

/**
 * The local day that holds `instant` (UTC epoch ms) in an IANA time zone. Cheap when asked for days seen before.
 * Throws `RangeError` for an unknown zone or an instant outside the years that Temporal covers.
 */
export function localDay(timeZone: string, instant: EpochMs): LocalDay {
  const calendar = calendarOf(timeZone)
  const { recent } = calendar
  if (recent !== undefined && instant >= recent.start && instant < recent.end) return recent
  let found = dayOf(timeZone, calendar, Math.floor(instant / dayMs))
  while (instant < found.start) found = dayOf(timeZone, calendar, found.day - 1)
  while (instant >= found.end) found = dayOf(timeZone, calendar, found.day + 1)
  calendar.recent = found
  return found
}

/**
 * When the values of a local day (days since 1970-01-01) stop counting: `hour` o'clock local time of the day after, as UTC
 * epoch ms. A time that clocks skip counts as the one after the change.
 */
export function cutOff(timeZone: string, day: number, hour = 6): EpochMs {
  const { cutOffs } = calendarOf(timeZone)
  const key = day * 24 + hour
  const known = cutOffs.get(key)
  if (known !== undefined) return known
  const plainTime = new Temporal.PlainTime(hour)
  const instant = epoch.add({ days: day + 1 }).toZonedDateTime({ timeZone, plainTime }).epochMilliseconds
  if (cutOffs.size >= maxDays) cutOffs.clear()
  cutOffs.set(key, instant)
  return instant
}

// Most deployments have one zone, and every reading asks several times.
let lastZone = ''
let lastCalendar: Calendar | undefined

function calendarOf(timeZone: string): Calendar {
  if (lastCalendar !== undefined && timeZone === lastZone) return lastCalendar
  let calendar = calendars.get(timeZone)
  if (calendar === undefined) {
    calendar = { days: new Map(), cutOffs: new Map(), recent: undefined }
    calendars.set(timeZone, calendar)
  }
  lastZone = timeZone
  lastCalendar = calendar
  return calendar
}

function dayOf(timeZone: string, { days }: Calendar, day: number): LocalDay {
  const known = days.get(day)
  if (known !== undefined) return known
  const date = epoch.add({ days: day })
  const local: LocalDay = {
    date: date.toString(),
    day,
    start: date.toZonedDateTime(timeZone).epochMilliseconds,
    end: date.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
  }
  if (days.size >= maxDays) days.clear()
  days.set(day, local)
  return local
}
