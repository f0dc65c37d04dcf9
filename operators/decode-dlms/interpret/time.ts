import { uint16At } from '../wire/cursor.ts'
import { deviationAt, localMillisAt, readDateTime } from '../wire/date-time.ts'

/**
 * Whether 12 bytes of an octet-string read as a date-time of this age. An octet-string is a time only if its object says so; this serves
 * display alone, where there is no object to ask. The year keeps printable text of 12 characters out (it would be 8224 or later).
 */
export function plausibleTime(bytes: Uint8Array, at: number): boolean {
  const year = uint16At(bytes, at)
  return (
    year >= 1990 && year <= 2150 && readDateTime(bytes, at) !== undefined && !Number.isNaN(localMillisAt(bytes, at))
  )
}

/**
 * ISO 8601 text of 12 date-time bytes: local time, with an offset only if the deviation is specified (offset = minus deviation).
 * Fields that are not specified stay out; hundredths are shown if they are more than zero.
 */
export function timeText(bytes: Uint8Array, at: number): string {
  const time = readDateTime(bytes, at)
  if (time === undefined) return 'invalid'
  const two = (field: number | undefined): string => (field === undefined ? '--' : String(field).padStart(2, '0'))
  const year = time.year === undefined ? '----' : String(time.year).padStart(4, '0')
  const hundredths = time.hundredths === undefined || time.hundredths === 0 ? '' : `.${two(time.hundredths)}`
  const local = `${year}-${two(time.month)}-${two(time.day)}T${two(time.hour)}:${two(time.minute)}:${two(time.second)}${hundredths}`
  return time.deviationMinutes === undefined ? local : local + offsetText(-time.deviationMinutes)
}

function offsetText(minutes: number): string {
  const size = Math.abs(minutes)
  const part = (value: number): string => String(value).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${part(Math.floor(size / 60))}:${part(size % 60)}`
}

/** UTC epoch milliseconds of 12 date-time bytes; `undefined` if a field or the deviation is not specified or not valid. */
export function epochMillisAt(bytes: Uint8Array, at: number): number | undefined {
  const local = localMillisAt(bytes, at)
  const deviation = deviationAt(bytes, at)
  if (Number.isNaN(local) || deviation === undefined || Number.isNaN(deviation)) return undefined
  return local + deviation * 60_000
}
