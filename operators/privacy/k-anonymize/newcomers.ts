import type { EpochMs } from '../../../schemas/codec.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import type { Company, ZoneClasses } from './classes.ts'
import { attributes, type Generalisation } from './hierarchy.ts'
import { classNamed, nothing, type ToldClass, tell, toldClass } from './told.ts'

/** Entries that hold at an instant. */
export function* entriesAt(entries: Iterable<RegisterEntry>, instant: EpochMs): Iterable<RegisterEntry> {
  for (const entry of entries) if (holdsAt(entry, instant)) yield entry
}

export const holdsAt = ({ validFrom, validTo }: RegisterEntry, instant: EpochMs): boolean =>
  validFrom <= instant && (validTo === null || validTo > instant)

/**
 * The first entry that each connection point has in a zone after an instant, but for the zone in which it is counted, if it
 * is; one that is not counted may have it from that instant on. However late it begins: frames of before it are replayed
 * once it is loaded. The first to begin comes first; the same in any order of entries.
 */
export function newcomersOf(
  entries: Iterable<RegisterEntry>,
  start: EpochMs,
  zoneOf: (connection: string) => string | undefined,
): ReadonlyMap<string, readonly RegisterEntry[]> {
  const first = new Map<string, readonly RegisterEntry[]>()
  for (const entry of entries) {
    const { connection, validFrom, zone } = entry
    if (validFrom < start) continue
    const counted = zoneOf(connection)
    if (counted === zone || (validFrom === start && (counted !== undefined || !holdsAt(entry, start)))) continue
    const known = first.get(connection)
    if (known === undefined) {
      first.set(connection, [entry])
      continue
    }
    const there = known.find((other) => other.zone === zone)
    if (there !== undefined && order(entry, there) >= 0) continue
    first.set(connection, [...known.filter((other) => other !== there), entry].sort(order))
  }
  return first
}

function order(a: RegisterEntry, b: RegisterEntry): number {
  if (a.validFrom !== b.validFrom) return a.validFrom - b.validFrom
  const [one, other] = [a, b].map((entry) =>
    [entry.zone, ...attributes.map((attribute) => entry[attribute])].join('\n'),
  )
  return one === other ? 0 : one! < other! ? -1 : 1
}

/** What newcomers are told by. */
export interface Hosts {
  readonly hierarchies: readonly Generalisation[]
  readonly zones: ReadonlyMap<string, ZoneClasses>
  readonly company: Company
  /** What the previous epoch told; undefined where nothing was told before. */
  readonly previous: ((connection: string) => string | undefined) | undefined
  /** The zone in which a connection point is counted, if it is. */
  readonly zoneOf: (connection: string) => string | undefined
}

/**
 * The classes that newcomers of `newcomersOf` are told in, one per zone of each: a zone is told with every record, so that
 * whoever moves is told in each of them as one of its own.
 */
export function toldNewcomers(
  entries: Iterable<RegisterEntry>,
  start: EpochMs,
  hosts: Hosts,
): ReadonlyMap<string, readonly ToldClass[]> {
  const { hierarchies, zones, company, previous, zoneOf } = hosts
  // Many come alike: one list for all of them.
  const known = new Map<string, readonly ToldClass[]>()
  const told = new Map<string, readonly ToldClass[]>()
  for (const [connection, rows] of newcomersOf(entries, start, zoneOf)) {
    const before = previous?.(connection)
    const isCounted = zoneOf(connection) !== undefined
    const values = rows.map((row) => [row.zone, ...hierarchies.map(({ attribute }) => row[attribute])])
    const key = JSON.stringify([before ?? null, isCounted, values])
    let classes = known.get(key)
    if (classes === undefined) {
      classes = rows.map((row, i) => {
        const isFirst = i === 0 && !isCounted
        const may = before === undefined ? (isFirst ? 'any' : none) : (company.get(before) ?? none)
        return classOfNewcomer(row, hierarchies, zones.get(row.zone), may)
      })
      known.set(key, classes)
    }
    told.set(connection, classes)
  }
  return told
}

const none: ReadonlySet<string> = new Set()

/**
 * The class that a newcomer is told in, which only grows by it. `may` are the classes that enough of those are told in who
 * were told what it was before: in another one, the two together would tell of it alone. Among others of whom nothing is
 * told, a newcomer is one of them. Where there are none, nothing would be a name of its own, by which the records of many
 * days could be put together: then it is told like the others of its class, or, where that may not be, like the largest
 * that may. Where none may, because hardly anybody is left of those it was told like, or because it was in another zone, it
 * is alone in the two epochs whatever it is told: so that is what says nothing of it, again nothing or the largest class.
 */
function classOfNewcomer(
  entry: RegisterEntry,
  hierarchies: readonly Generalisation[],
  zone: ZoneClasses | undefined,
  may: ReadonlySet<string> | 'any',
): ToldClass {
  if (zone === undefined) return toldClass(entry.zone, nothing)
  const { shown, hides } = zone
  if (shown.size === 0) return zone.nothing
  const isFit = ({ name }: ToldClass): boolean => may === 'any' || may.has(name)
  if (hides && isFit(zone.nothing)) return zone.nothing
  const values = hierarchies.map(({ attribute }) => entry[attribute])
  const own = shown.get(classNamed(entry.zone, tell(hierarchies, zone.steps, values)))
  if (own !== undefined && isFit(own)) return own
  const classes = [...shown.values()]
  return classes.find(isFit) ?? (hides ? zone.nothing : classes[0]!)
}
