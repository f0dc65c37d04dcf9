import type { Register, RegisteredGroup } from '../../operators/contract/register.ts'
import { byLevel, type Level, levels, type RegisterEntry } from '../../schemas/register-entry.ts'
import { checkHouseholds } from './check-households.ts'
import { checkEntries, checkPeriods } from './check-register.ts'
import { periodsBy, validAt } from './periods.ts'

export interface RegisterViewOptions {
  /** Hour of the next day, local time, from which a value has no public use: that of the release policy. Default 6. */
  readonly cutOffHour?: number
}

/**
 * A view of the register's entries in memory. Look-ups take a hash and a binary search over the validity periods of one key.
 * Groups are listed in the order of their names' code units, with the measuring points whose meter is still installed,
 * also where that is none.
 *
 * Throws `RegisterError` at entries that would lose or mix up readings, or weaken the privacy bound:
 * - a place (partition, index) of two points, or a point with two places: places are assigned once and not reused;
 * - overlapping validity of two entries of one point, connection or system title;
 * - another point, or number of points, at a connection before the last day of the one before is closed, at `cutOffHour`;
 * - a validity that ends before it begins, a place that is not a whole number from 0, an unknown time zone,
 *   a fuse below 1 Wh per hour, or fewer than one point at the connection;
 * - a group in two residency zones or two time zones, which have no common local day, or under two groups of the level
 *   above, since groupings that cross could be told apart by their difference.
 */
export function registerView(
  entries: readonly RegisterEntry[],
  { cutOffHour = 6 }: RegisterViewOptions = {},
): Register {
  checkEntries(entries)
  const points = periodsBy(entries, ({ point }) => point)
  const connections = periodsBy(entries, ({ connection }) => connection)
  const titles = periodsBy(entries, ({ systemTitle }) => systemTitle.toUpperCase())
  checkPeriods(entries, points, 'measuring point')
  checkPeriods(entries, connections, 'connection')
  checkPeriods(entries, titles, 'system title')
  checkHouseholds(entries, connections, cutOffHour)
  const groups = byLevel((level) => groupsOf(entries, level))
  return {
    byConnection: (connection, at) => validAt(connections.get(connection), at),
    byTitle: (systemTitle, at) => validAt(titles.get(systemTitle.toUpperCase()), at),
    groups: (level) => groups[level],
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function groupsOf(entries: readonly RegisterEntry[], level: Level): readonly RegisteredGroup[] {
  const above = levels[levels.indexOf(level) - 1]
  const groups = new Map<string, Omit<Writable<RegisteredGroup>, 'group' | 'level'>>()
  for (const entry of entries) {
    const { zone, timeZone, customerClass, validTo } = entry
    const name = entry.groups[level]
    let group = groups.get(name)
    if (group === undefined) {
      group = { parent: above === undefined ? null : entry.groups[above], zone, timeZone, residential: 0, other: 0 }
      groups.set(name, group)
    }
    // no two entries of a point are valid at once, so each installed point counts once
    if (validTo !== null) continue
    if (customerClass === 'residential') group.residential += 1
    else group.other += 1
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([group, counts]) => ({ group, level, ...counts }))
}
