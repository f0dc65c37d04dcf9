import type { EpochMs } from '../../../schemas/codec.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { defaultHierarchies } from './default-hierarchies.ts'
import type { Attribute, Generalisation } from './hierarchy.ts'
import {
  classNamed,
  classOfNewcomer,
  entriesAt,
  newcomersOf,
  nothing,
  type Told,
  tell,
  type ZoneClasses,
} from './newcomers.ts'
import type { Placed } from './place-table.ts'
import { type Kin, type RegisterTable, readRegister } from './register-table.ts'
import { type Outcome, search } from './search.ts'

export type { Told } from './newcomers.ts'

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
   * Epoch that this is told in, `[start, end)`. Whoever is registered at its start counts, with what holds then. Who comes
   * later in it counts for nothing, so that the register may grow meanwhile: they are told nothing of where others are, too,
   * and else like the others of their class. Default: every entry counts.
   */
  readonly epoch?: Epoch
}

/** `[start, end)`, UTC epoch ms. */
export interface Epoch {
  readonly start: EpochMs
  readonly end: EpochMs
}

/** What one residency zone lost. */
export interface ZoneLoss {
  readonly zone: string
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
   * What may be told of the household of an entry. Nothing of a connection point that was not in the register. Fast where
   * the entry has the place of its measuring point, and right with any other place or none.
   */
  readonly of: (entry: Placed) => Told
  /** Name of the class that a household is told in; undefined where it was not in the register. */
  readonly classOf: (connection: string) => string | undefined
  /** Names of the class of this epoch and of the previous one together. */
  readonly lineageOf: (connection: string) => string | undefined
  readonly zones: readonly ZoneLoss[]
  /** The same for an epoch at whose start the same entries hold: what is told stays, and others may come within it. */
  readonly during: (entries: Iterable<RegisterEntry>, epoch: Epoch) => KAnonymized
}

const defaultK = 20
const defaultMaxSuppressed = 0.05

/**
 * Generalises what travels with households until at least k of them are told alike, from the register alone: full-domain
 * generalisation with suppression (Samarati 2001), with the least loss of all choices, and distinct l-diversity
 * (Machanavajjhala and others 2007) if asked for. A zone is told with each record and never generalised, so each zone is
 * anonymised by itself. The same register gives the same result in any order.
 *
 * Of a zone with fewer than k households nothing is told. k-anonymity of attributes is not anonymity of a household:
 * readings themselves can still be recognised. Throws RangeError for options out of range.
 */
export function kAnonymize(entries: Iterable<RegisterEntry>, options: KAnonymizeOptions = {}): KAnonymized {
  const { k = defaultK, maxSuppressed = defaultMaxSuppressed, diversity, previous } = options
  const hierarchies = options.hierarchies ?? defaultHierarchies
  checkOptions(k, diversity?.l ?? 1, maxSuppressed, hierarchies)
  const { epoch } = options
  const counted = epoch ? entriesAt(entries, epoch.start) : entries
  const table = readRegister(counted, { hierarchies, sensitive: diversity?.of, previous, newest: epoch !== undefined })
  const told: Told[] = [nothing]
  const names: string[] = []
  const classOfKin = new Int32Array(table.kin.length)
  const zones: ZoneLoss[] = []
  const classes = new Map<string, ZoneClasses>()
  for (const { zone, from, to } of zonesOf(table.kin)) {
    const kin = table.kin.slice(from, to)
    const homes = kin.reduce((sum, each) => sum + each.homes, 0)
    const outcome = search(kin, table.values, hierarchies, {
      k,
      l: diversity?.l ?? 1,
      earlier: table.earlier.length,
      mostSuppressed: Math.floor(homes * maxSuppressed),
    })
    const nothingAt = told.push(nothing) - 1
    names[nothingAt] = classNamed(zone, nothing)
    const placed = new Map<number, number>()
    const numbers = new Map<string, number>()
    // No closure over the table: a result that outlives it would keep all of it.
    for (const [i, { values }] of kin.entries()) {
      const number = outcome.classOf[i]!
      let at = number < 0 ? nothingAt : placed.get(number)
      if (at === undefined) {
        const made = tell(hierarchies, outcome.steps, registeredAs(table, values))
        at = told.push(made) - 1
        names[at] = classNamed(zone, made)
        placed.set(number, at)
      }
      numbers.set(names[at]!, at)
      classOfKin[from + i] = at
    }
    zones.push(zoneLoss(zone, kin, outcome, hierarchies))
    classes.set(zone, { steps: outcome.steps, numbers, nothing: nothingAt })
  }
  const { kinOf } = table
  const joinedIn = (all: Iterable<RegisterEntry>, one: Epoch): ReadonlyMap<string, number> => {
    const joined = new Map<string, number>()
    for (const [connection, entry] of newcomersOf(all, one, kinOf)) {
      joined.set(connection, classOfNewcomer(entry, hierarchies, classes.get(entry.zone)))
    }
    return joined
  }
  const toldAs = table.numbersOf(classOfKin)
  const resultWith = (joined: ReadonlyMap<string, number>): KAnonymized => {
    const classOf = (connection: string): string | undefined => {
      const kin = kinOf(connection)
      const number = kin === undefined ? joined.get(connection) : classOfKin[kin]
      return number === undefined ? undefined : names[number]
    }
    return {
      of: (entry) => told[toldAs(entry) ?? joined.get(entry.connection) ?? 0]!,
      classOf,
      lineageOf: (connection) => {
        const now = classOf(connection)
        return now === undefined ? undefined : JSON.stringify([previous?.(connection) ?? null, now])
      },
      zones,
      during: (all, other) => resultWith(joinedIn(all, other)),
    }
  }
  return resultWith(epoch ? joinedIn(entries, epoch) : new Map())
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
