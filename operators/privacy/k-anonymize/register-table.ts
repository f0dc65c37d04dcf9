import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { partOfHome } from '../part-of-home.ts'
import type { Generalisation } from './hierarchy.ts'
import { type Placed, type PlaceRows, placeTable } from './place-table.ts'

/** Households that are alike in everything that decides: zone, class of the previous epoch, and registered attributes. */
export interface Kin {
  readonly zone: string
  /** Position in `RegisterTable.earlier`. */
  readonly earlier: number
  /** Whether they were not there in the previous epoch: see `arrivalsAt`. */
  readonly isArrival: boolean
  /** Position of the registered value in `RegisterTable.values`, per attribute. */
  readonly values: readonly number[]
  /** Not always whole: see `partOfHome`. */
  homes: number
  /** Distinct sensitive values, as numbers; undefined where diversity is not asked for. */
  readonly sensitive: Set<number> | undefined
}

/** The register as the search needs it: a few kin in place of a million homes. */
export interface RegisterTable {
  /** Registered values of each attribute, sorted. */
  readonly values: readonly (readonly string[])[]
  /** Names of the classes of the previous epoch, sorted; '' for homes that had none. Those of arrivals are apart. */
  readonly earlier: readonly string[]
  /** Sorted by zone, earlier class and values, whatever the order of the register. */
  readonly kin: readonly Kin[]
  /** Position in `kin` of a connection point's household. */
  readonly kinOf: (connection: string) => number | undefined
  /** The number that `ofKin` holds for the kin of an entry's household. */
  readonly numbersOf: (ofKin: Int32Array) => (entry: Placed) => number | undefined
}

export interface TableOptions {
  readonly hierarchies: readonly Generalisation[]
  readonly sensitive: ((entry: RegisterEntry) => string) | undefined
  readonly previous: ((connection: string) => string | undefined) | undefined
  /** Households that were not there in the previous epoch. Default: none. */
  readonly isArrival?: ((connection: string) => boolean) | undefined
  /** How long an entry will last does not count: the newest decides. */
  readonly newest?: boolean
}

/**
 * Reads the register once. A connection point is a household, or a part of one; of several entries the one that lasts
 * longest counts, or with `newest` the last one to begin; then the newest; then the one whose values come first by name,
 * and then the one of most points, so that the order of entries does not matter.
 */
export function readRegister(entries: Iterable<RegisterEntry>, options: TableOptions): RegisterTable {
  const { hierarchies, sensitive, previous, isArrival, newest = false } = options
  const index = new Map<string, number>()
  const until: number[] = []
  const from: number[] = []
  const parts: number[] = []
  const zones = codes()
  const secrets = codes()
  const columns = hierarchies.map(codes)
  const decisive = [zones, ...columns, ...(sensitive ? [secrets] : [])]
  const places = { partitions: [] as number[], indices: [] as number[], homes: [] as number[] }
  const held = (home: number): readonly string[] => decisive.map(({ of, texts }) => texts[of[home]!]!)
  for (const entry of entries) {
    const known = index.get(entry.connection)
    const home = known ?? index.size
    const end = newest ? Number.POSITIVE_INFINITY : (entry.validTo ?? Number.POSITIVE_INFINITY)
    places.partitions.push(entry.partition)
    places.indices.push(entry.index)
    places.homes.push(home)
    if (known === undefined) index.set(entry.connection, home)
    else {
      const attributes = hierarchies.map(({ attribute }) => entry[attribute])
      const own = [entry.zone, ...attributes, ...(sensitive ? [sensitive(entry)] : [])]
      const order = compare(until[home]!, end) || compare(from[home]!, entry.validFrom) || compareTexts(own, held(home))
      if (order > 0 || (order === 0 && parts[home]! <= partOfHome(entry))) continue
    }
    until[home] = end
    from[home] = entry.validFrom
    parts[home] = partOfHome(entry)
    zones.of[home] = zones.code(entry.zone)
    if (sensitive) secrets.of[home] = secrets.code(sensitive(entry))
    hierarchies.forEach(({ attribute }, i) => {
      columns[i]!.of[home] = columns[i]!.code(entry[attribute])
    })
  }
  const classes = codes()
  if (previous) {
    for (const [connection, home] of index) {
      const name = previous(connection) ?? ''
      classes.of[home] = classes.code(isArrival?.(connection) ? ofArrivals + name : name)
    }
  } else if (index.size > 0) classes.code('')
  const read = { parts, zones, classes, columns, secrets: sensitive ? secrets : undefined }
  return gather(index, places, read, previous !== undefined)
}

/** Begins the name of an earlier class where it is that of arrivals, who are a class of their own. No other begins so. */
const ofArrivals = 'arrivals '

// Infinity - Infinity is no number.
const compare = (a: number, b: number): number => (a === b ? 0 : a - b)

function compareTexts(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((text, i) => text !== b[i])
  return at < 0 ? 0 : a[at]! < b[at]! ? -1 : 1
}

/** Texts numbered as they come, and the number of each home. */
interface Codes {
  readonly of: number[]
  readonly texts: string[]
  readonly code: (text: string) => number
}

function codes(): Codes {
  const known = new Map<string, number>()
  const texts: string[] = []
  return {
    of: [],
    texts,
    code: (text) => {
      const before = known.get(text)
      if (before !== undefined) return before
      known.set(text, texts.length)
      return texts.push(text) - 1
    },
  }
}

/** New numbers that follow the order of the texts. */
function ranked({ texts }: Codes): { readonly sorted: readonly string[]; readonly rank: Int32Array } {
  const order = texts.map((_, i) => i).sort((a, b) => (texts[a]! < texts[b]! ? -1 : 1))
  const rank = new Int32Array(texts.length)
  order.forEach((code, place) => {
    rank[code] = place
  })
  return { sorted: order.map((code) => texts[code]!), rank }
}

interface Columns {
  /** Of a household, per home. */
  readonly parts: readonly number[]
  readonly zones: Codes
  readonly classes: Codes
  readonly columns: readonly Codes[]
  readonly secrets: Codes | undefined
}

function gather(
  index: ReadonlyMap<string, number>,
  places: PlaceRows,
  { parts, zones, classes, columns, secrets }: Columns,
  hasPrevious: boolean,
): RegisterTable {
  const homes = index.size
  const earlier = ranked(classes)
  const ranks = columns.map(ranked)
  // One number per home for everything that decides, a column at a time so that it never outgrows a safe integer.
  const kinOfHome = new Int32Array(homes)
  let count = Math.min(homes, 1)
  for (const column of [zones, ...(hasPrevious ? [classes] : []), ...columns]) count = fold(kinOfHome, column)
  const kin: (Kin | undefined)[] = new Array(count)
  for (let home = 0; home < homes; home++) {
    const at = kinOfHome[home]!
    let found = kin[at]
    if (found === undefined) {
      found = {
        zone: zones.texts[zones.of[home]!]!,
        earlier: hasPrevious ? earlier.rank[classes.of[home]!]! : 0,
        isArrival: hasPrevious && classes.texts[classes.of[home]!]!.startsWith(ofArrivals),
        values: columns.map((column, i) => ranks[i]!.rank[column.of[home]!]!),
        homes: 0,
        sensitive: secrets ? new Set() : undefined,
      }
      kin[at] = found
    }
    found.homes += parts[home]!
    if (secrets) found.sensitive?.add(secrets.of[home]!)
  }
  const order = kin.map((_, i) => i).sort((a, b) => compareKin(kin[a]!, kin[b]!))
  const place = new Int32Array(count)
  order.forEach((at, i) => {
    place[at] = i
  })
  for (let home = 0; home < homes; home++) kinOfHome[home] = place[kinOfHome[home]!]!
  const kinOf = lookUp(index, kinOfHome)
  return {
    values: ranks.map(({ sorted }) => sorted),
    earlier: earlier.sorted,
    kin: order.map((at) => kin[at]!),
    kinOf,
    numbersOf: (ofKin) =>
      placeTable(places, [...index.keys()], (home) => ofKin[kinOfHome[home]!]!, numberBy(kinOf, ofKin)),
  }
}

/** Apart, for the same reason. */
function numberBy(kinOf: RegisterTable['kinOf'], ofKin: Int32Array): (connection: string) => number | undefined {
  return (connection) => {
    const kin = kinOf(connection)
    return kin === undefined ? undefined : ofKin[kin]
  }
}

/** Apart, so that it holds on to nothing but what it needs: a result outlives the reading of the register. */
function lookUp(index: ReadonlyMap<string, number>, kinOfHome: Int32Array): RegisterTable['kinOf'] {
  return (connection) => {
    const home = index.get(connection)
    return home === undefined ? undefined : kinOfHome[home]!
  }
}

/** Renumbers homes by their number so far and a column together; answers how many numbers there are. */
function fold(numbers: Int32Array, { of, texts }: Codes): number {
  const known = new Map<number, number>()
  for (let home = 0; home < numbers.length; home++) {
    const both = numbers[home]! * texts.length + of[home]!
    let number = known.get(both)
    if (number === undefined) {
      number = known.size
      known.set(both, number)
    }
    numbers[home] = number
  }
  return known.size
}

function compareKin(a: Kin, b: Kin): number {
  if (a.zone !== b.zone) return a.zone < b.zone ? -1 : 1
  if (a.earlier !== b.earlier) return a.earlier - b.earlier
  for (let i = 0; i < a.values.length; i++) if (a.values[i] !== b.values[i]) return a.values[i]! - b.values[i]!
  return 0
}
