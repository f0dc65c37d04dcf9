import type { EpochMs } from '../../../schemas/codec.ts'
import type { Calendar } from '../calendar.ts'

/**
 * Writes the 12 bytes of a COSEM date-time (IEC 62056-6-2, 4.1.6.1) at `target[at]`: year, month, day, weekday, hour,
 * minute, second, hundredths, deviation, clock status, in the local time of the site. The deviation is UTC minus local
 * time in minutes, so it is negative east of Greenwich and in summer; status bit 7 says daylight saving is in force.
 */
export function putDateTime(
  target: Uint8Array,
  at: number,
  instant: EpochMs,
  calendar: Calendar,
  statusBits: number,
): void {
  const offset = calendar.offsetMinutes(instant)
  const local = instant + offset * 60_000
  const day = Math.floor(local / 86_400_000)
  const second = Math.floor((local - day * 86_400_000) / 1_000)
  const date = civilDate(day)
  // 1970-01-01 was a Thursday; Monday is 1
  const weekday = ((day + 3) % 7) + 1
  const deviation = -offset & 0xffff
  target[at] = date.year >>> 8
  target[at + 1] = date.year
  target[at + 2] = date.month
  target[at + 3] = date.day
  target[at + 4] = weekday
  target[at + 5] = Math.floor(second / 3_600)
  target[at + 6] = Math.floor(second / 60) % 60
  target[at + 7] = second % 60
  target[at + 8] = 0
  target[at + 9] = deviation >>> 8
  target[at + 10] = deviation
  target[at + 11] = statusBits | (calendar.daylightSaving(instant) ? 0x80 : 0)
}

interface CivilDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

let lastDay = Number.NaN
let lastDate: CivilDate = { year: 1970, month: 1, day: 1 }

/** Gregorian date of a day number; the last one is kept, since a fleet asks for the same day over and over. */
function civilDate(day: number): CivilDate {
  if (day !== lastDay) {
    const date = new Date(day * 86_400_000)
    lastDate = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
    lastDay = day
  }
  return lastDate
}
