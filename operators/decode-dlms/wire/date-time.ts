// COSEM date-time (Blue Book 4.1.6.1), 12 bytes:
//   year (2) | month | day of month | day of week | hour | minute | second | hundredths | deviation (2, minutes) | clock status
// UTC = local time + deviation, so -120 is UTC+02:00. 0x8000 is "not specified"; 0 is UTC.
import { uint16At } from './cursor.ts'

/** Length of a date-time in bytes. */
export const dateTimeLength = 12

/** Bits of the clock status byte. */
export const clockStatusBit = {
  invalid: 0x01,
  doubtful: 0x02,
  otherBase: 0x04,
  invalidStatus: 0x08,
  daylightSaving: 0x80,
} as const

/** A date-time as sent. Fields that the meter leaves open are `undefined`; nothing is made up. */
export interface DateTime {
  readonly year: number | undefined
  readonly month: number | undefined
  readonly day: number | undefined
  readonly weekday: number | undefined
  readonly hour: number | undefined
  readonly minute: number | undefined
  readonly second: number | undefined
  readonly hundredths: number | undefined
  /** Minutes to add to local time to get UTC; `undefined` if not specified: the time is then local time of the meter's site. */
  readonly deviationMinutes: number | undefined
  /** Clock status byte; `undefined` if not specified. */
  readonly status: number | undefined
}

/** Reads a date-time at a checked place; `undefined` if a field is outside its range. */
export function readDateTime(bytes: Uint8Array, at: number): DateTime | undefined {
  const year = uint16At(bytes, at)
  const month = bytes[at + 2] as number
  const day = bytes[at + 3] as number
  const weekday = bytes[at + 4] as number
  const hour = bytes[at + 5] as number
  const minute = bytes[at + 6] as number
  const second = bytes[at + 7] as number
  const hundredths = bytes[at + 8] as number
  const deviation = (uint16At(bytes, at + 9) << 16) >> 16
  const status = bytes[at + 11] as number
  const sane =
    (month >= 0xfd || (month >= 1 && month <= 12)) &&
    (day >= 0xfd || (day >= 1 && day <= 31)) &&
    (weekday === 0xff || weekday <= 7) &&
    (hour === 0xff || hour <= 23) &&
    (minute === 0xff || minute <= 59) &&
    (second === 0xff || second <= 59) &&
    (hundredths === 0xff || hundredths <= 99) &&
    (deviation === -32_768 || (deviation >= -840 && deviation <= 840))
  if (!sane) return undefined
  return {
    year: year === 0xffff ? undefined : year,
    month: month >= 0xfd ? undefined : month,
    day: day >= 0xfd ? undefined : day,
    weekday: weekday === 0xff ? undefined : weekday,
    hour: open(hour),
    minute: open(minute),
    second: open(second),
    hundredths: open(hundredths),
    deviationMinutes: deviation === -32_768 ? undefined : deviation,
    status: open(status),
  }
}

function open(field: number): number | undefined {
  return field === 0xff ? undefined : field
}

/**
 * Local time of the 12 bytes in milliseconds since 1970-01-01T00:00 local, without building a `DateTime`; `NaN` if a field from the year
 * to the second is open, out of range or names a day that the month does not have. Add `deviation` minutes for UTC.
 */
export function localMillisAt(bytes: Uint8Array, at: number): number {
  const year = uint16At(bytes, at)
  const month = bytes[at + 2] as number
  const day = bytes[at + 3] as number
  const hour = bytes[at + 5] as number
  const minute = bytes[at + 6] as number
  const second = bytes[at + 7] as number
  const hundredths = bytes[at + 8] as number
  if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return Number.NaN
  if (hour > 23 || minute > 59 || second > 59 || (hundredths > 99 && hundredths !== 0xff)) return Number.NaN
  // Days from a civil date: years begin in March so that the leap day is the last of a year.
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const days =
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  return (
    days * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1000 + (hundredths === 0xff ? 0 : hundredths * 10)
  )
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Deviation of the 12 bytes in minutes; `undefined` if not specified, `NaN` if outside ±840. */
export function deviationAt(bytes: Uint8Array, at: number): number | undefined {
  const deviation = (uint16At(bytes, at + 9) << 16) >> 16
  if (deviation === -32_768) return undefined
  return deviation >= -840 && deviation <= 840 ? deviation : Number.NaN
}
