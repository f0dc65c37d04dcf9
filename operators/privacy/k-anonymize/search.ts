import { type Cell, suppressCells, type Threshold } from './cells.ts'
import { type Generalisation, suppressed } from './hierarchy.ts'
import type { Kin } from './register-table.ts'

/** Steps of all attributes together: one place in the lattice of generalisations. */
export type Steps = readonly number[]

/** What a choice costs. */
export interface Outcome {
  readonly steps: Steps
  /** What is least for the best choice: the loss, if nothing were told of who does not count. */
  readonly cost: number
  /** Mean over homes and attributes: 0 for all as registered, 1 for nothing told (Iyengar 2002). */
  readonly loss: number
  readonly lossOf: readonly number[]
  /** Sum over homes of how many look alike; the whole zone for homes told nothing of (Bayardo and Agrawal 2005). */
  readonly discernibility: number
  /** Those that count. */
  readonly homes: number
  readonly suppressedHomes: number
  /** Code of the class of each kin, `-1` where nothing is told, or `uncounted`. */
  readonly classOf: Int32Array
}

/** Of kin that are too few and do not count yet: see `suppressCells`. */
export const uncounted = -2

/** Most places of the lattice: beyond it the hierarchies have more steps than anybody would tell apart. */
const mostPlaces = 100_000

/**
 * The place in the lattice that tells most. Every kin of one zone is told at the same steps, or nothing. At most
 * `mostSuppressed` homes are told nothing, but for the place where everybody is. Goes through the places by what they
 * lose before suppression, and stops when that alone loses more than the best found. Throws RangeError beyond 100,000
 * places or 2^53 combinations.
 */
export function search(
  kin: readonly Kin[],
  values: readonly (readonly string[])[],
  hierarchies: readonly Generalisation[],
  options: Threshold & { readonly earlier: number; readonly mostSuppressed: number },
): Outcome {
  const columns = hierarchies.map((hierarchy, i) => columnOf(kin, i, values[i]!, hierarchy))
  const homes = kin.reduce((sum, each) => sum + each.homes, 0)
  const places = lattice(columns)
    .map((steps) => ({ steps, least: mean(columns.map(({ steps: own }, i) => own[steps[i]!]!.loss)) }))
    .sort((a, b) => a.least - b.least || compareSteps(a.steps, b.steps))
  let best: Outcome | undefined
  for (const { steps, least } of places) {
    if (best && least >= best.cost) break
    const found = evaluate(kin, columns, steps, homes, options)
    if (found && (!best || found.cost < best.cost)) best = found
  }
  return best!
}

/** An attribute at one step. */
interface StepTable {
  /** Number of what each registered value is told as. */
  readonly told: Int32Array
  readonly names: number
  /** What telling it so loses, per registered value: the part of the other values that it could also be. */
  readonly lossOf: Float64Array
  /** Mean over the homes. */
  readonly loss: number
}

interface Column {
  readonly steps: readonly StepTable[]
}

function columnOf(kin: readonly Kin[], at: number, values: readonly string[], hierarchy: Generalisation): Column {
  const homesOf = new Float64Array(values.length)
  for (const each of kin) homesOf[each.values[at]!]! += each.homes
  const present = [...values.keys()].filter((value) => homesOf[value]! > 0)
  const all = homesOf.reduce((sum, homes) => sum + homes, 0)
  const steps = Array.from({ length: hierarchy.steps }, (_, step): StepTable => {
    const numbers = new Map<string, number>()
    const alike: number[] = []
    const told = new Int32Array(values.length)
    for (const value of present) {
      const name = hierarchy.told(values[value]!, step)
      const number = numbers.get(name) ?? numbers.size
      numbers.set(name, number)
      told[value] = number
      alike[number] = (alike[number] ?? 0) + 1
    }
    const nothing = numbers.get(suppressed)
    const lossOf = new Float64Array(values.length)
    let loss = 0
    for (const value of present) {
      const number = told[value]!
      lossOf[value] = number === nothing && step > 0 ? 1 : (alike[number]! - 1) / Math.max(present.length - 1, 1)
      loss += (lossOf[value]! * homesOf[value]!) / all
    }
    return { told, names: numbers.size, lossOf, loss }
  })
  return { steps }
}

function lattice(columns: readonly Column[]): readonly Steps[] {
  const places = columns.reduce((product, { steps }) => product * steps.length, 1)
  if (places > mostPlaces) throw new RangeError(`the hierarchies have ${places} combinations of steps: too many`)
  return columns.reduce<Steps[]>(
    (sofar, { steps }) => sofar.flatMap((place) => steps.map((_, step) => [...place, step])),
    [[]],
  )
}

function compareSteps(a: Steps, b: Steps): number {
  const at = a.findIndex((step, i) => step !== b[i])
  return at < 0 ? 0 : a[at]! - b[at]!
}

const mean = (numbers: readonly number[]): number =>
  numbers.length === 0 ? 0 : numbers.reduce((sum, each) => sum + each, 0) / numbers.length

function evaluate(
  kin: readonly Kin[],
  columns: readonly Column[],
  steps: Steps,
  homes: number,
  options: Threshold & { readonly earlier: number; readonly mostSuppressed: number },
): Outcome | undefined {
  const tables = columns.map((column, i) => column.steps[steps[i]!]!)
  const combinations = tables.reduce((product, { names }) => product * names, options.earlier)
  if (!Number.isSafeInteger(combinations)) throw new RangeError('the register has too many combinations of attributes')
  const cells = new Map<number, Cell>()
  const cellOf: Cell[] = new Array(kin.length)
  for (let i = 0; i < kin.length; i++) {
    const { values, earlier, isArrival, homes: members, sensitive } = kin[i]!
    let code = 0
    for (let at = 0; at < tables.length; at++) code = code * tables[at]!.names + tables[at]!.told[values[at]!]!
    const key = code * options.earlier + earlier
    let cell = cells.get(key)
    if (cell === undefined) {
      cell = { code, earlier, isArrival, homes: 0, sensitive: sensitive && new Set() }
      cells.set(key, cell)
    }
    cell.homes += members
    if (sensitive) for (const value of sensitive) cell.sensitive?.add(value)
    cellOf[i] = cell
  }
  const { hidden, uncounted: without } = suppressCells([...cells.values()], options)
  let [suppressedHomes, uncountedHomes] = [0, 0]
  for (const cell of hidden) suppressedHomes += cell.homes
  for (const cell of without) uncountedHomes += cell.homes
  const top = columns.every((column, i) => steps[i] === column.steps.length - 1)
  if (suppressedHomes > options.mostSuppressed && !top) return undefined
  const lossOf = tables.map(() => 0)
  const sizes = new Map<number, number>()
  const classOf = new Int32Array(kin.length)
  const classes = new Map<number, number>()
  for (let i = 0; i < kin.length; i++) {
    const cell = cellOf[i]!
    const { values, homes: members } = kin[i]!
    if (without.has(cell)) {
      classOf[i] = uncounted
      continue
    }
    const shown = !hidden.has(cell)
    for (let at = 0; at < tables.length; at++) {
      lossOf[at]! += (shown ? tables[at]!.lossOf[values[at]!]! : 1) * members
    }
    if (!shown) {
      classOf[i] = -1
      continue
    }
    const number = classes.get(cell.code) ?? classes.size
    classes.set(cell.code, number)
    classOf[i] = number
    sizes.set(number, (sizes.get(number) ?? 0) + members)
  }
  const counted = homes - uncountedHomes
  let discernibility = suppressedHomes * counted
  for (const size of sizes.values()) discernibility += size * size
  const share = lossOf.map((lost) => (counted > 0 ? lost / counted : 0))
  const cost = mean(lossOf.map((lost) => (homes > 0 ? (lost + uncountedHomes) / homes : 0)))
  return { steps, cost, loss: mean(share), lossOf: share, discernibility, homes: counted, suppressedHomes, classOf }
}
