import { days } from '../../operators/contract/clock.ts'
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
 * readings can still come. Homes that only one of the two knows in a month were told of once at most, and are not among them.
 */
export function retoldHomes(
  before: readonly RegisterEntry[],
  after: readonly RegisterEntry[],
  { telling, now, horizonDays }: RetoldOptions,
): number {
  const { timeZone, since } = telling
  const [was, is] = [toldMonths(before, telling), toldMonths(after, telling)]
  const connections = new Set(before.map(({ connection }) => connection))
  const retold = new Set<string>()
  for (const month of monthsBetween(timeZone, now - days(horizonDays), now)) {
    if (month < since) continue
    const [told, next] = [was(month).classOf, is(month).classOf]
    for (const connection of connections) {
      const [one, other] = [told(connection), next(connection)]
      if (one !== undefined && other !== undefined && one !== other) retold.add(connection)
    }
  }
  return retold.size
}

function monthsBetween(timeZone: string, from: number, to: number): ReadonlySet<string> {
  const months = new Set<string>()
  for (let at = from; at <= to; ) {
    const { date, end } = localDay(timeZone, at)
    months.add(date.slice(0, 7))
    at = end
  }
  return months
}
