import { type Level, levels, type RegisterEntry } from '../../schemas/register-entry.ts'
import type { Periods } from './periods.ts'

/** A register that contradicts itself. The message names rows by number, counted from 1, never a meter. */
export class RegisterError extends Error {
  override readonly name = 'RegisterError'
  /** Number of the row at fault, from 1. */
  readonly row: number
  constructor(row: number, problem: string) {
    super(`row ${row} of the register ${problem}`)
    this.row = row
  }
}

/** Refuses faulty entries, places of two points, and groups across zones. Throws `RegisterError`. */
export function checkEntries(entries: readonly RegisterEntry[]): void {
  entries.forEach(checkEntry)
  checkPlaces(entries)
  for (const level of levels) checkGroups(entries, level)
}

/** A connection is the name of one point: a home has as many of them as points. */
const anotherPoint =
  ' where its meter is gone; another point that stays needs a connection name of its own, and pointsAtConnection on both'

/** Refuses entries of one key that are valid at the same time, and two places of one point. Throws `RegisterError`. */
export function checkPeriods(
  entries: readonly RegisterEntry[],
  periods: ReadonlyMap<string, Periods>,
  what: 'measuring point' | 'connection' | 'system title',
): void {
  for (const list of periods.values()) {
    if (!Array.isArray(list)) continue
    list.reduce((before, entry) => {
      const overlaps = before.validTo === null || before.validTo > entry.validFrom
      const moved = what === 'measuring point' && placeOf(before) !== placeOf(entry)
      if (!overlaps && !moved) return entry
      const rows = [entries.indexOf(before) + 1, entries.indexOf(entry) + 1] as const
      const [row, other] = [Math.max(...rows), Math.min(...rows)]
      throw new RegisterError(
        row,
        moved
          ? `has another partition or index than row ${other}, the same measuring point: keep the first`
          : `overlaps in time with row ${other}, the same ${what}: end the older one first${what === 'connection' ? anotherPoint : ''}`,
      )
    })
  }
}

const timeZones = new Map<string, boolean>()

function knownTimeZone(timeZone: string): boolean {
  const known = timeZones.get(timeZone)
  if (known !== undefined) return known
  let valid = true
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch {
    valid = false
  }
  timeZones.set(timeZone, valid)
  return valid
}

function checkEntry(entry: RegisterEntry, at: number): void {
  const { validFrom, validTo, partition, index, timeZone, fuseWhPerHour, pointsAtConnection } = entry
  const refuse = (problem: string): never => {
    throw new RegisterError(at + 1, problem)
  }
  if (validTo !== null && validTo <= validFrom) refuse('is valid to a time not after it begins: correct validTo')
  if (!isCount(partition) || !isCount(index)) refuse('has a partition or index that is not a whole number from 0')
  if (!knownTimeZone(timeZone)) refuse('names a time zone that does not exist: use an IANA name such as Europe/London')
  if (!(fuseWhPerHour >= 1)) refuse('has no fuse: give the most Wh it lets through in an hour')
  if (!isCount(pointsAtConnection) || pointsAtConnection < 1) {
    refuse('has fewer than one measuring point at its connection: correct pointsAtConnection')
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0x7fffffff
}

function placeOf({ partition, index }: RegisterEntry): number {
  return partition * 2 ** 31 + index
}

function checkPlaces(entries: readonly RegisterEntry[]): void {
  const holders = new Map<number, RegisterEntry>()
  for (const entry of entries) {
    const place = placeOf(entry)
    const holder = holders.get(place)
    if (holder === undefined) holders.set(place, entry)
    else if (holder.point !== entry.point) {
      throw new RegisterError(
        entries.indexOf(entry) + 1,
        `has the partition and index of row ${entries.indexOf(holder) + 1}, another measuring point: assign a new index`,
      )
    }
  }
}

function checkGroups(entries: readonly RegisterEntry[], level: Level): void {
  const firsts = new Map<string, RegisterEntry>()
  const above = levels[levels.indexOf(level) - 1]
  for (const entry of entries) {
    const first = firsts.get(entry.groups[level])
    const moved = first !== undefined && above !== undefined && first.groups[above] !== entry.groups[above]
    if (first === undefined) firsts.set(entry.groups[level], entry)
    else if (moved || first.zone !== entry.zone || first.timeZone !== entry.timeZone) {
      const what = moved ? above : first.zone === entry.zone ? 'time zone' : 'residency zone'
      const row = entries.indexOf(first) + 1
      throw new RegisterError(
        entries.indexOf(entry) + 1,
        `puts a ${level} in another ${what} than row ${row}: a group has one`,
      )
    }
  }
}
