import type { EpochMs } from '../../../schemas/codec.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { arrivalsAt } from './arrivals.ts'
import { type Company, companyOf, unchangedCompany, type ZoneClasses, zoneClasses } from './classes.ts'
import { defaultHierarchies } from './default-hierarchies.ts'
import type { Attribute, Generalisation } from './hierarchy.ts'
import { entriesAt, toldNewcomers } from './newcomers.ts'
import type { Placed } from './place-table.ts'
import { type Kin, type RegisterTable, readRegister } from './register-table.ts'
import { type Outcome, search, uncounted } from './search.ts'
import { nothing, type Told, type ToldClass, tell, toldClass } from './told.ts'

export type { Told } from './told.ts'

export interface KAnonymizeOptions {
  /** Registered households that must share what is told of them. Default 20. */
  readonly k?: number
  /** One per attribute that may be told; attributes without one are never told. Default `defaultHierarchies`. */
  readonly hierarchies?: readonly Generalisation[]
  /** Largest part of a zone's households of which nothing is told so that more is told of the rest. Default 0.05. */
  readonly maxSuppressed?: number
  /** Distinct values of a sensitive attribute that households which are told alike must have. Default: no such rule. */
  readonly diversity?: { readonly l: number; readonly of: (entry: RegisterEntry) => string }
  /**
   * What the previous epoch told: `classOf` of its result, or `lineageOf` to hold against all epochs before. Whoever
   * joins the two finds at least k households as well. Default: nothing was told before.
   */
  readonly previous?: (connection: string) => string | undefined
  /**
   * When the epoch that this is told in begins, UTC epoch ms. Whoever is registered then counts, with what holds then. Who
   * comes later, or moves to another zone, counts for nothing, so that the register may grow meanwhile; what is told of them
   * is what enough others are told (see `toldNewcomers`). The entries are read more than once. Default: every entry counts.
   */
  readonly start?: EpochMs
  /**
   * When the epoch of `previous` began, UTC epoch ms, if it ended at `start`. Who has an entry at `start` and had none in
   * that epoch is no company, in the two, of those who had, but at most of others like it; where there are too few of these,
   * it counts from the next epoch on and is told like one that comes after `start`. Default: everybody was there.
   */
  readonly previousStart?: EpochMs
}

/** What one residency zone lost. */
export interface ZoneLoss {
  readonly zone: string
  /** There are at least so many, as with all numbers of homes: a measuring point may count as a part of one. */
  readonly homes: number
  /** Step of each attribute: 0 as registered, the last one nothing. */
  readonly steps: Readonly<Partial<Record<Attribute, number>>>
  /** Mean over homes and attributes: 0 if all is told as registered, 1 if nothing is (Iyengar 2002). */
  readonly loss: number
  readonly lossOf: Readonly<Partial<Record<Attribute, number>>>
  /** Sum over homes of how many are told alike (Bayardo and Agrawal 2005). */
  readonly discernibility: number
  readonly suppressedHomes: number
  readonly classes: number
  /** Homes of the smallest class, of that of which nothing is told too; below k only where no choice could do better. */
  readonly smallestClass: number
}

export interface KAnonymized {
  /**
   * What may be told of the household of an entry in the zone of the entry. Nothing of a connection point that was not in
   * the register, or not in that zone. Fast where the entry has the place of its measuring point, and right with any other
   * place or none; without a zone, the one that counts is meant.
   */
  readonly of: (entry: Placed) => Told
  /** Name of the class that a household is told in, in the zone that counts or another; undefined where it was in none. */
  readonly classOf: (connection: string, zone?: string) => string | undefined
  readonly zones: readonly ZoneLoss[]
  /**
   * The same for the epoch after it, if the same entries hold when that begins: what is told stays, and others may come
   * within it, who are held against this one. Undefined where some do not count yet who will then: see `previousStart`.
   */
  readonly during: ((entries: Iterable<RegisterEntry>, start: EpochMs) => KAnonymized) | undefined
}

export interface Lineage {
  /** Names of the class of this epoch and of the previous one together. Holds on to the previous one. */
  readonly lineageOf: (connection: string) => string | undefined
}

const defaultK = 20
const defaultMaxSuppressed = 0.05

/**
 * Generalises what travels with households until at least k of them are told alike, from the register alone: full-domain
 * generalisation with suppression (Samarati 2001), with the least loss of all choices, and distinct l-diversity
 * (Machanavajjhala and others 2007) if asked for. A zone is told with each record and never generalised, so each zone is
 * anonymised by itself. The same register gives the same result in any order.
 *
 * A household of n measuring points has n connection points, which the register does not put together. Each counts as
 * 2^-ceil(log2 n) households, so that they are never more than the one that they are, in any union of classes.
 *
 * Of a zone with fewer than k households nothing is told. k-anonymity of attributes is not anonymity of a household:
 * readings themselves can still be recognised. Throws RangeError for options out of range.
 */
export function kAnonymize(entries: Iterable<RegisterEntry>, options: KAnonymizeOptions = {}): KAnonymized & Lineage {
  const { k = defaultK, maxSuppressed = defaultMaxSuppressed, diversity, previous, start, previousStart } = options
  const hierarchies = options.hierarchies ?? defaultHierarchies
  const threshold = { k, l: diversity?.l ?? 1 }
  checkOptions(k, threshold.l, maxSuppressed, hierarchies)
  const counted = start === undefined ? entries : entriesAt(entries, start)
  const table = readRegister(counted, {
    hierarchies,
    sensitive: diversity?.of,
    previous,
    isArrival:
      start === undefined || previousStart === undefined ? undefined : arrivalsAt(entries, previousStart, start),
    newest: start !== undefined,
  })
  const numbered: ToldClass[] = []
  const numberOfKin = new Int32Array(table.kin.length).fill(unnumbered)
  const zones: ZoneLoss[] = []
  const classes = new Map<string, ZoneClasses>()
  for (const { zone, from, to } of zonesOf(table.kin)) {
    const kin = table.kin.slice(from, to)
    const homes = kin.reduce((sum, each) => sum + each.homes, 0)
    const outcome = search(kin, table.values, hierarchies, {
      ...threshold,
      earlier: table.earlier.length,
      mostSuppressed: Math.floor(homes * maxSuppressed),
    })
    if (outcome.homes === 0) continue
    const nothingAt = numbered.push(toldClass(zone, nothing)) - 1
    const placed = new Map<number, number>()
    for (const [i, { values }] of kin.entries()) {
      const number = outcome.classOf[i]!
      if (number === uncounted) continue
      let at = number < 0 ? nothingAt : placed.get(number)
      if (at === undefined) {
        at = numbered.push(toldClass(zone, tell(hierarchies, outcome.steps, registeredAs(table, values)))) - 1
        placed.set(number, at)
      }
      numberOfKin[from + i] = at
    }
    zones.push(zoneLoss(zone, kin, outcome, hierarchies))
    const own = classesBy(numbered, numberOfKin.subarray(from, to))
    classes.set(zone, zoneClasses(kin, own, numbered[nothingAt]!, { ...threshold, steps: outcome.steps }))
  }
  const company = companyOf(table.kin, classesBy(numbered, numberOfKin), table.earlier, threshold)
  const { kinOf, numbersOf } = table
  const told = tellBy({ hierarchies, classes, zones, numbered, numberOfKin, kinOf, numberOf: numbersOf(numberOfKin) })
  const result = told(start === undefined ? undefined : { entries, start, previous, company })
  return { ...result, lineageOf: lineage(result.classOf, previous) }
}

/** In place of the number of a class, for kin that do not count. */
const unnumbered = -1

const classesBy = (numbered: readonly ToldClass[], numbers: Int32Array): readonly (ToldClass | undefined)[] =>
  Array.from(numbers, (number) => (number === unnumbered ? undefined : numbered[number]))

interface Anonymised {
  readonly hierarchies: readonly Generalisation[]
  readonly classes: ReadonlyMap<string, ZoneClasses>
  readonly zones: readonly ZoneLoss[]
  /** The class that a number stands for. */
  readonly numbered: readonly ToldClass[]
  readonly numberOfKin: Int32Array
  readonly kinOf: RegisterTable['kinOf']
  /** The number of an entry's household. */
  readonly numberOf: (entry: Placed) => number | undefined
}

interface Coming {
  readonly entries: Iterable<RegisterEntry>
  readonly start: EpochMs
  readonly previous: KAnonymizeOptions['previous']
  readonly company: Company
}

/**
 * Tells of an anonymised register and of who comes. Apart, so that what outlives the reading of the register holds on to
 * nothing else of it, nor to the epochs before.
 */
function tellBy(anonymised: Anonymised): (coming: Coming | undefined) => KAnonymized {
  const { hierarchies, classes, zones, numbered, numberOfKin, kinOf, numberOf } = anonymised
  const all = numberOfKin.every((number) => number !== unnumbered)
  const counted = (connection: string): ToldClass | undefined => {
    const kin = kinOf(connection)
    const number = kin === undefined ? unnumbered : numberOfKin[kin]!
    return number === unnumbered ? undefined : numbered[number]
  }
  const joinedIn = ({ entries, start, previous, company }: Coming): ReadonlyMap<string, readonly ToldClass[]> => {
    const zoneOf = (connection: string): string | undefined => counted(connection)?.zone
    return toldNewcomers(entries, start, { hierarchies, zones: classes, company, previous, zoneOf })
  }
  const resultWith = (joined: ReadonlyMap<string, readonly ToldClass[]>): KAnonymized => {
    const inZone = (
      own: ToldClass | undefined,
      connection: string,
      zone: string | undefined,
    ): ToldClass | undefined => {
      if (own !== undefined && (zone === undefined || own.zone === zone)) return own
      const others = joined.get(connection)
      return zone === undefined ? others?.[0] : others?.find((other) => other.zone === zone)
    }
    const classOf = (connection: string, zone?: string): string | undefined =>
      inZone(counted(connection), connection, zone)?.name
    return {
      of: (entry) => {
        const number = numberOf(entry)
        const own = number === undefined || number === unnumbered ? undefined : numbered[number]
        return inZone(own, entry.connection, entry.zone)?.told ?? nothing
      },
      classOf,
      zones,
      during: all
        ? (entries, start) => {
            const company = unchangedCompany(classes.values())
            return resultWith(joinedIn({ entries, start, previous: classOf, company }))
          }
        : undefined,
    }
  }
  return (coming) => resultWith(coming === undefined ? new Map() : joinedIn(coming))
}

/** Apart, so that nobody else holds on to the previous epoch. */
function lineage(
  classOf: KAnonymized['classOf'],
  previous: KAnonymizeOptions['previous'],
): (connection: string) => string | undefined {
  return (connection) => {
    const now = classOf(connection)
    return now === undefined ? undefined : JSON.stringify([previous?.(connection) ?? null, now])
  }
}

const registeredAs = ({ values: texts }: RegisterTable, values: readonly number[]): readonly string[] =>
  values.map((value, column) => texts[column]![value]!)

function zonesOf(
  kin: readonly Kin[],
): readonly { readonly zone: string; readonly from: number; readonly to: number }[] {
  const zones: { zone: string; from: number; to: number }[] = []
  kin.forEach(({ zone }, i) => {
    const last = zones.at(-1)
    if (last?.zone === zone) last.to = i + 1
    else zones.push({ zone, from: i, to: i + 1 })
  })
  return zones
}

function zoneLoss(
  zone: string,
  kin: readonly Kin[],
  outcome: Outcome,
  hierarchies: readonly Generalisation[],
): ZoneLoss {
  const byAttribute = (numbers: readonly number[]) =>
    Object.fromEntries(hierarchies.map(({ attribute }, i) => [attribute, numbers[i]!]))
  const sizes = new Map<number, number>()
  kin.forEach(({ homes }, i) => {
    const at = outcome.classOf[i]!
    if (at === uncounted) return
    sizes.set(at, (sizes.get(at) ?? 0) + homes)
  })
  const { homes, loss, discernibility, suppressedHomes, steps, lossOf } = outcome
  return {
    zone,
    homes,
    steps: byAttribute(steps),
    loss,
    lossOf: byAttribute(lossOf),
    discernibility,
    suppressedHomes,
    classes: sizes.size,
    smallestClass: Math.min(...sizes.values()),
  }
}

function checkOptions(k: number, l: number, maxSuppressed: number, hierarchies: readonly Generalisation[]): void {
  for (const [name, value] of Object.entries({ k, l })) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number of at least 1`)
  }
  if (!(maxSuppressed >= 0 && maxSuppressed <= 1)) throw new RangeError('maxSuppressed must be from 0 to 1')
  const seen = new Set<Attribute>()
  for (const { attribute } of hierarchies) {
    if (seen.has(attribute)) throw new RangeError(`${attribute} has two hierarchies`)
    seen.add(attribute)
  }
}
