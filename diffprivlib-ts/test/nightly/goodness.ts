// Counts of draws and what they say about a law: chi-square over cells, Kolmogorov-Smirnov at the cells' borders, chi-square over pairs of draws,
// and chi-square over the low four bits.
import { chiSquare, criticalValue } from '../helpers/chi-square.ts'
import type { Family } from './family.ts'

/** What a verdict is made from; counts of several workers add up. */
export interface Counts {
  readonly draws: number
  /** Below the first cell, each cell, above the last. */
  readonly cells: readonly number[]
  /** By classes of the first draw of a pair times those of the second. */
  readonly pairs: readonly number[]
  /** By value mod 16. */
  readonly low: readonly number[]
}

const classes = 8

/** The largest share by which a right test is failed, of each statistic. */
export const falseAlarm = 1e-9

const known = new WeakMap<Family, readonly number[]>()

/** The distribution function at the upper border of every cell; the last is 1. */
const bordersOf = (family: Family): readonly number[] => {
  const { below, from, width, cells } = family
  const borders = known.get(family) ?? [...Array.from({ length: cells + 1 }, (_, i) => below(from + i * width - 1)), 1]
  known.set(family, borders)
  return borders
}

/** The class of each cell, so that classes are about equally likely. */
const classesOf = (borders: readonly number[]): readonly number[] =>
  borders.map((border, i) => Math.min(classes - 1, Math.floor(((border + (borders[i - 1] ?? 0)) / 2) * classes)))

/** Draws and counts. An odd number of draws is made even, for draws are counted in pairs. */
export const countDraws = (family: Family, draw: () => number, draws: number): Counts => {
  const { from, width, cells } = family
  const classOf = Uint8Array.from(classesOf(bordersOf(family)))
  const [inCells, inPairs, inLow] = [cells + 2, classes * classes, 16].map((size) => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const cellOf = (value: number): number => Math.max(0, Math.min(cells + 1, Math.floor((value - from) / width) + 1))
  const half = Math.ceil(draws / 2)
  for (let i = 0; i < half; i++) {
    const [first, second] = [draw(), draw()]
    const [a, b] = [cellOf(first), cellOf(second)]
    inCells[a]! += 1
    inCells[b]! += 1
    inPairs[classOf[a]! * classes + classOf[b]!]! += 1
    inLow[first & 15]! += 1
    inLow[second & 15]! += 1
  }
  return { draws: 2 * half, cells: [...inCells], pairs: [...inPairs], low: [...inLow] }
}

/** The counts of both. */
export const addCounts = (a: Counts, b: Counts): Counts => {
  const sum = (x: readonly number[], y: readonly number[]) => x.map((count, i) => count + y[i]!)
  return {
    draws: a.draws + b.draws,
    cells: sum(a.cells, b.cells),
    pairs: sum(a.pairs, b.pairs),
    low: sum(a.low, b.low),
  }
}

/** A statistic beside the value that a right sampler passes no more often than `falseAlarm`. */
export interface Verdict {
  readonly test: string
  readonly statistic: number
  readonly limit: number
}

const byChiSquare = (test: string, counts: readonly number[], masses: readonly number[], draws: number): Verdict => {
  const { statistic, degrees } = chiSquare(counts, masses, draws)
  return { test: `${test}, ${degrees} degrees`, statistic, limit: criticalValue(degrees) }
}

/**
 * What the counts say. The limit of Kolmogorov-Smirnov is that of Dvoretzky, Kiefer, Wolfowitz and Massart (1990), which holds for every law
 * and every number of draws: P[D > d] <= 2 exp(-2 n d^2).
 */
export const verdictsOf = (family: Family, { draws, cells, pairs, low }: Counts): readonly Verdict[] => {
  const borders = bordersOf(family)
  const masses = borders.map((border, i) => border - (borders[i - 1] ?? 0))
  let counted = 0
  let distance = 0
  borders.forEach((border, i) => {
    counted += cells[i]!
    distance = Math.max(distance, Math.abs(counted / draws - border))
  })
  const ofClass = new Array<number>(classes).fill(0)
  classesOf(borders).forEach((one, i) => {
    ofClass[one]! += masses[i]!
  })
  const ofPair = ofClass.flatMap((first) => ofClass.map((second) => first * second))
  return [
    byChiSquare('chi-square', cells, masses, draws),
    { test: 'Kolmogorov-Smirnov', statistic: distance, limit: Math.sqrt(Math.log(2 / falseAlarm) / (2 * draws)) },
    byChiSquare('chi-square of pairs', pairs, ofPair, draws / 2),
    ...(family.lowBits ? [byChiSquare('chi-square of the low four bits', low, new Array(16).fill(1 / 16), draws)] : []),
  ]
}

/** The tests that a verdict fails. */
export const failed = (verdicts: readonly Verdict[]): readonly string[] =>
  // A statistic that is not a number passes nothing.
  verdicts.filter(({ statistic, limit }) => !(statistic <= limit)).map(({ test }) => test)
