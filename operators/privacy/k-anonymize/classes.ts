import { isEnough, type Threshold } from './cells.ts'
import type { Kin } from './register-table.ts'
import type { Steps } from './search.ts'
import type { ToldClass } from './told.ts'

/** What newcomers of a zone may be told as. */
export interface ZoneClasses {
  /** Steps that its households are told at. */
  readonly steps: Steps
  /** Classes of which something is told, by name, those of most homes first and then by name. */
  readonly shown: ReadonlyMap<string, ToldClass>
  readonly nothing: ToldClass
  /** Whether as many homes as a class must have are told nothing of. */
  readonly hides: boolean
}

/** Names of the classes that enough homes of an earlier class are told in now, by the name of the earlier one. */
export type Company = ReadonlyMap<string, ReadonlySet<string>>

interface Tally {
  homes: number
  readonly sensitive: Set<number>
}

/** Adds kin to the tally of a name. */
function count(tallies: Map<string, Tally>, name: string, { homes, sensitive }: Kin): void {
  let tally = tallies.get(name)
  if (tally === undefined) {
    tally = { homes: 0, sensitive: new Set() }
    tallies.set(name, tally)
  }
  tally.homes += homes
  for (const value of sensitive ?? []) tally.sensitive.add(value)
}

/** The classes of one zone, with `classes` one per kin, or none where they do not count. */
export function zoneClasses(
  kin: readonly Kin[],
  classes: readonly (ToldClass | undefined)[],
  nothing: ToldClass,
  { steps, ...threshold }: Threshold & { readonly steps: Steps },
): ZoneClasses {
  const tallies = new Map<string, Tally>()
  const named = new Map<string, ToldClass>()
  kin.forEach((each, i) => {
    const own = classes[i]
    if (own === undefined) return
    named.set(own.name, own)
    count(tallies, own.name, each)
  })
  const hidden = tallies.get(nothing.name)
  named.delete(nothing.name)
  const sizeOf = (name: string): number => tallies.get(name)!.homes
  const shown = [...named].sort(([a], [b]) => sizeOf(b) - sizeOf(a) || (a < b ? -1 : 1))
  return {
    steps,
    shown: new Map(shown),
    nothing,
    hides: hidden !== undefined && isEnough(threshold, hidden.homes, hidden.sensitive),
  }
}

/**
 * Who is told alike in the previous epoch and now, with `classes` one per kin and the names of the earlier ones. Those of
 * arrivals are apart, so that whoever was there finds none of them for company.
 */
export function companyOf(
  kin: readonly Kin[],
  classes: readonly (ToldClass | undefined)[],
  earlier: readonly string[],
  threshold: Threshold,
): Company {
  const tallies = new Map<string, Map<string, Tally>>()
  kin.forEach((each, i) => {
    const own = classes[i]
    if (own === undefined) return
    const name = earlier[each.earlier]!
    const now = tallies.get(name) ?? new Map<string, Tally>()
    tallies.set(name, now)
    count(now, own.name, each)
  })
  const enough = (now: ReadonlyMap<string, Tally>): ReadonlySet<string> =>
    new Set([...now].flatMap(([name, { homes, sensitive }]) => (isEnough(threshold, homes, sensitive) ? [name] : [])))
  return new Map([...tallies].map(([name, now]) => [name, enough(now)]))
}

/** The same where everybody who counts is told what was told before. */
export function unchangedCompany(zones: Iterable<ZoneClasses>): Company {
  const company = new Map<string, ReadonlySet<string>>()
  for (const { shown, nothing, hides } of zones) {
    for (const name of [...shown.keys(), ...(hides ? [nothing.name] : [])]) company.set(name, new Set([name]))
  }
  return company
}
