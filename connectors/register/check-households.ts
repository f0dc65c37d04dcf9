import { days } from '../../operators/contract/clock.ts'
import { cutOff, localDay } from '../../operators/window/local-day.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { RegisterError } from './check-register.ts'
import { type Periods, periodsBy } from './periods.ts'

/**
 * Refuses another measuring point at a connection, or another number of points, while values of a local day that the one
 * before may have fed still count: each would be bounded by itself, and the household-day twice. A frame belongs to who is
 * valid when it is received, and late values of a day count until its cut-off, `cutOffHour` o'clock of the next day, so a
 * change at midnight alone is too early. Another meter of the same point goes on with the point's own bound, and may come
 * at any time. Throws `RegisterError`.
 */
export function checkHouseholds(
  entries: readonly RegisterEntry[],
  connections: ReadonlyMap<string, Periods>,
  cutOffHour: number,
): void {
  for (const list of connections.values()) {
    if (!Array.isArray(list)) continue
    list.reduce((before, entry) => {
      const { validTo } = before
      if (isSame(before, entry) || validTo === null) return entry
      if (entry.validFrom >= cutOff(before.timeZone, localDay(before.timeZone, validTo - 1).day, cutOffHour)) {
        return entry
      }
      throw new RegisterError(
        entries.indexOf(entry) + 1,
        `puts another ${differing(before, entry)} at the connection of row ${entries.indexOf(before) + 1} while values of ` +
          `its last day still count: end that row at a local midnight, and begin this one at ${clock(cutOffHour)} local ` +
          'time after it or later',
      )
    })
  }
}

/** `checkHouseholds` for whoever has a view of entries that may have been made for another hour. Throws `RegisterError`. */
export function checkCutOff(entries: readonly RegisterEntry[], cutOffHour: number): void {
  checkHouseholds(
    entries,
    periodsBy(entries, ({ connection }) => connection),
    cutOffHour,
  )
}

export interface ReloadOptions {
  /** When the new register is loaded. */
  readonly now: EpochMs
  /** Hour of the next day, local time, from which a value has no public use. */
  readonly cutOffHour: number
}

/**
 * Refuses the same between what is there and a new register, both free of it by themselves. Until now pipelines have gone by
 * the rows that are there, so one that is changed in place, or ended in the past, has fed its household until now. Throws
 * `RegisterError`, with rows of the new register.
 */
export function checkReload(
  present: ReadonlyMap<string, RegisterEntry>,
  next: readonly RegisterEntry[],
  keyOf: (entry: RegisterEntry) => string,
  { now, cutOffHour }: ReloadOptions,
): void {
  const kept = new Map(next.map((entry) => [keyOf(entry), entry]))
  const left = [...present].flatMap(([key, row]) => {
    const entry = kept.get(key)
    const goesOn = entry && isSame(row, entry) && row.connection === entry.connection && row.validTo === entry.validTo
    return goesOn || row.validFrom >= now ? [] : [row]
  })
  if (left.length === 0) return
  const connections = periodsBy(next, ({ connection }) => connection)
  for (const row of left) {
    const until = Math.min(row.validTo ?? now, now)
    const own = daysFed(row, until, cutOffHour)
    for (const entry of [connections.get(row.connection) ?? []].flat()) {
      if (isSame(row, entry)) continue
      const fed = daysFed(entry, entry.validTo, cutOffHour)
      if (fed.last < own.first || fed.first > own.last) continue
      const inPlace = kept.get(keyOf(row)) === entry
      const day = new Date(days(own.last)).toISOString().slice(0, 10)
      throw new RegisterError(
        next.indexOf(entry) + 1,
        `${inPlace ? `changes the ${differing(row, entry)} of an entry in place` : `puts another ${differing(row, entry)} at a connection`}, ` +
          `though values of ${day} count by the entry ${inPlace ? 'as it was: leave it so' : 'that is there'}` +
          `${inPlace ? ', end it at a local midnight to come, and begin another entry' : ': begin it'} ` +
          `at ${clock(cutOffHour)} local time of the day after ${day} or later`,
      )
    }
  }
}

/** Beyond it time zones have no days: an end so far away is none. */
const farthest = 8e15
const clock = (hour: number): string => `${String(hour).padStart(2, '0')}:00`

const isSame = (one: RegisterEntry, other: RegisterEntry): boolean =>
  one.point === other.point && one.pointsAtConnection === other.pointsAtConnection

const differing = (one: RegisterEntry, other: RegisterEntry): string =>
  one.point === other.point ? 'number of points' : 'measuring point'

/** The local days, counted from 1970-01-01, of which an entry that is valid until `until` may bring values that count. */
function daysFed(
  { timeZone, validFrom }: RegisterEntry,
  until: EpochMs | null,
  cutOffHour: number,
): { readonly first: number; readonly last: number } {
  const from = Math.max(validFrom, 0)
  const { day } = localDay(timeZone, from)
  return {
    first: from < cutOff(timeZone, day - 1, cutOffHour) ? day - 1 : day,
    last: until === null || until > farthest ? Number.POSITIVE_INFINITY : localDay(timeZone, until - 1).day,
  }
}
