import type { RegisterChanges } from '../../connectors/register/register-log.ts'
import { days } from '../../operators/contract/clock.ts'
import { attributes } from '../../operators/privacy/k-anonymize/index.ts'
import { dayNamed } from '../../operators/privacy/release/day-grid.ts'
import { localDay } from '../../operators/window/local-day.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { type TellingOptions, toldMonths } from '../attributes.ts'

export interface RetoldOptions {
  /** How attributes are told. */
  readonly telling: TellingOptions
  readonly now: number
  /** Readings of so many days back can still be told of. */
  readonly horizonDays: number
}

/**
 * How many homes would be told otherwise by one register than by another, in local months that have begun and of which
 * readings can still come. Of a home whose first entry is still to come nothing has been told, and of one that the other
 * register has no entry for, in the month or later, nothing will be: they are not among them.
 */
export function retoldHomes(
  before: readonly RegisterEntry[],
  after: readonly RegisterEntry[],
  { telling, now, horizonDays }: RetoldOptions,
): number {
  const { timeZone, since } = telling
  const [was, is] = [toldMonths(before, telling), toldMonths(after, telling)]
  const begun = before.filter(({ validFrom }) => validFrom <= now)
  const retold = new Set<string>()
  for (const month of monthsBetween(timeZone, now - days(horizonDays), now)) {
    if (month < since) continue
    const { start } = dayNamed(timeZone, `${month}-01`)
    const [told, next] = [was(month).classOf, is(month).classOf]
    for (const { connection, zone, validTo } of begun) {
      // Frames are taken while an entry holds: none of a month that it ended before.
      if ((validTo !== null && validTo <= start) || next(connection) === undefined) continue
      const one = told(connection, zone)
      if (one !== undefined && one !== next(connection, zone)) retold.add(connection)
    }
  }
  return retold.size
}

/**
 * Whether a change can have homes told otherwise at all: false where nothing of it reaches back to before the month that
 * `now` is in, nor before who came in it, so that months that have begun need not be worked out. Most loads are so.
 */
export function mayRetell(
  before: ReadonlyMap<string, RegisterEntry>,
  { added, changed, removed }: RegisterChanges,
  keyOf: (entry: RegisterEntry) => string,
  { timeZone, now }: { readonly timeZone: string; readonly now: number },
): boolean {
  const [month] = [...monthsBetween(timeZone, now, now)]
  const start = dayNamed(timeZone, `${month}-01`).start
  const lasts = ({ validTo }: RegisterEntry) => validTo === null || validTo > start
  if (removed.length > 0) return true
  for (const entry of changed) {
    const row = before.get(keyOf(entry))
    const same = row && told.every((field) => row[field] === entry[field])
    if (!same || (row.validTo !== entry.validTo && !(lasts(row) && lasts(entry)))) return true
  }
  const firstOf = new Map<string, number>()
  for (const { connection, validFrom } of added) {
    firstOf.set(connection, Math.min(firstOf.get(connection) ?? validFrom, validFrom))
  }
  if ([...firstOf.values()].some((validFrom) => validFrom <= start)) return true
  for (const { connection, validFrom } of before.values()) {
    if ((firstOf.get(connection) ?? Number.POSITIVE_INFINITY) <= validFrom) return true
  }
  return false
}

/** What of an entry decides what is told, beside when it is valid. */
const told = ['connection', 'zone', 'pointsAtConnection', ...attributes] as const

function monthsBetween(timeZone: string, from: number, to: number): ReadonlySet<string> {
  const months = new Set<string>()
  for (let at = from; at <= to; ) {
    const { date, end } = localDay(timeZone, at)
    months.add(date.slice(0, 7))
    at = end
  }
  return months
}
