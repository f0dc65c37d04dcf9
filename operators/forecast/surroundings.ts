import { isDate } from '../contract/policy-epoch.ts'
import type { Weather } from './moments.ts'

/** A data file that does not say what it should. The message names the line or the field. */
export class ForecastDataError extends Error {
  override readonly name = 'ForecastDataError'
}

/**
 * Reads a file of holidays: JSON `{ "name": "…", "dates": ["2026-12-25", …] }`, local dates that are lived like Sundays.
 * Throws ForecastDataError.
 */
export function readHolidays(text: string): ReadonlySet<string> {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new ForecastDataError('a file of holidays must be JSON such as { "name": "…", "dates": ["2026-12-25"] }')
  }
  const { dates } = (typeof file === 'object' && file !== null ? file : {}) as { readonly dates?: unknown }
  if (!Array.isArray(dates)) throw new ForecastDataError('dates must be a list of local dates such as "2026-12-25"')
  const read = dates.map((date: unknown) => {
    if (typeof date !== 'string' || !isDate(date)) {
      throw new ForecastDataError(`dates holds ${JSON.stringify(date)}, which is no date such as "2026-12-25"`)
    }
    return date
  })
  return new Set(read)
}

/** Most time between two temperatures, in milliseconds, that a straight line bridges. */
const longestStretch = 6 * 3_600_000

/**
 * Reads a file of outdoor temperatures: CSV with the header `time,celsius`, the times in ISO 8601 with their offset, in
 * order; observed so far, forecast from there on. Between two times not more than six hours apart the temperature lies on
 * a straight line; elsewhere it is not known, and forecasts do without it. Throws ForecastDataError.
 */
export function readWeather(text: string): Weather {
  const [header, ...lines] = text.trim().split(/\r?\n/)
  if (header?.trim() !== 'time,celsius') throw new ForecastDataError('line 1 must be the header time,celsius')
  const times: number[] = []
  const values: number[] = []
  lines.forEach((line, i) => {
    const [time = '', celsius = '', ...more] = line.split(',')
    const at = instant(time.trim())
    const value = celsius.trim() === '' ? Number.NaN : Number(celsius)
    if (Number.isNaN(at) || more.length > 0) {
      throw new ForecastDataError(`line ${i + 2} must be a time such as 2026-01-12T09:00Z, a comma and a number`)
    }
    if (!(value >= -90 && value <= 60)) throw new ForecastDataError(`line ${i + 2} must hold -90 to 60 degrees Celsius`)
    if (at <= (times.at(-1) ?? Number.NEGATIVE_INFINITY)) {
      throw new ForecastDataError(`line ${i + 2} must be later than the line before it`)
    }
    times.push(at)
    values.push(value)
  })
  return (at) => {
    const after = firstAtOrAfter(times, at)
    if (times[after] === at) return values[after]
    const [from, to] = [times[after - 1], times[after]]
    if (from === undefined || to === undefined || to - from > longestStretch) return undefined
    const part = (at - from) / (to - from)
    return values[after - 1]! * (1 - part) + values[after]! * part
  }
}

/** NaN for a text that names no offset or no day of the calendar: `Date.parse` alone takes 30 February for 2 March. */
const instant = (text: string): number =>
  isDate(text.slice(0, 10)) && /(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN

function firstAtOrAfter(times: readonly number[], at: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < at) low = middle + 1
    else high = middle
  }
  return low
}
