import type { EpochMs } from '../../../schemas/codec.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { type Attribute, attributes, type Generalisation, suppressed } from './hierarchy.ts'
import type { Steps } from './search.ts'

/** What is told of a household: a name per attribute, `*` where nothing. */
export type Told = Readonly<Record<Attribute, string>>

/** Nothing of any attribute. */
export const nothing: Told = Object.freeze(
  Object.fromEntries(attributes.map((attribute) => [attribute, suppressed])) as Record<Attribute, string>,
)

/** Registered values, one per hierarchy, as they are told at these steps. */
export function tell(hierarchies: readonly Generalisation[], steps: Steps, values: readonly string[]): Told {
  const named = hierarchies.map(({ attribute, told }, i) => [attribute, told(values[i]!, steps[i]!)] as const)
  return Object.freeze({ ...nothing, ...Object.fromEntries(named) })
}

/** Name of those in a zone who are told alike. */
export const classNamed = (zone: string, told: Told): string =>
  JSON.stringify([zone, ...attributes.map((attribute) => told[attribute])])

/** Classes of a zone: the number of each by its name, that of nothing, and the steps that its households are told at. */
export interface ZoneClasses {
  readonly steps: Steps
  readonly numbers: ReadonlyMap<string, number>
  readonly nothing: number
}

/** Entries that hold at an instant. */
export function* entriesAt(entries: Iterable<RegisterEntry>, instant: EpochMs): Iterable<RegisterEntry> {
  for (const entry of entries) if (holdsAt(entry, instant)) yield entry
}

export const holdsAt = ({ validFrom, validTo }: RegisterEntry, instant: EpochMs): boolean =>
  validFrom <= instant && (validTo === null || validTo > instant)

/**
 * The first entry of each connection point that comes within an epoch; those with kin, who are there at its start, are
 * not among them, whatever becomes of them. The same in any order.
 */
export function newcomersOf(
  entries: Iterable<RegisterEntry>,
  { start, end }: { readonly start: EpochMs; readonly end: EpochMs },
  kinOf: (connection: string) => number | undefined,
): ReadonlyMap<string, RegisterEntry> {
  const first = new Map<string, RegisterEntry>()
  for (const entry of entries) {
    const { connection, validFrom } = entry
    if (validFrom <= start || validFrom >= end || kinOf(connection) !== undefined) continue
    const known = first.get(connection)
    if (known === undefined || order(entry, known) < 0) first.set(connection, entry)
  }
  return first
}

function order(a: RegisterEntry, b: RegisterEntry): number {
  if (a.validFrom !== b.validFrom) return a.validFrom - b.validFrom
  const [one, other] = [a, b].map((entry) =>
    [entry.zone, ...attributes.map((attribute) => entry[attribute])].join('\n'),
  )
  return one! < other! ? -1 : 1
}

/**
 * Number of the class that a newcomer is told in; of a zone that nobody was in, 0. Among others of whom nothing is told, a
 * newcomer is one of them. Where there are none, nothing would be a name of its own, by which the records of many days could
 * be put together: then it is told like the others of its class, which only grows by it.
 */
export function classOfNewcomer(
  entry: RegisterEntry,
  hierarchies: readonly Generalisation[],
  zone: ZoneClasses | undefined,
): number {
  if (zone === undefined) return 0
  if (zone.numbers.has(classNamed(entry.zone, nothing))) return zone.nothing
  const values = hierarchies.map(({ attribute }) => entry[attribute])
  return zone.numbers.get(classNamed(entry.zone, tell(hierarchies, zone.steps, values))) ?? zone.nothing
}
