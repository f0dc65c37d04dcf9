import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { SecureBits } from '../random/bit-source.ts'
import { secureBits } from '../random/secure.ts'
import { one } from '../rational.ts'
import { chargeFirst } from './charge.ts'
import { noiseFor, type Reach, scaledInterval } from './noise.ts'
import {
  keepNumber,
  type NanOption,
  type ReleasedWithInterval,
  requireSpend,
  type Spend,
  type ToolOptions,
} from './options.ts'

/** The bins of one axis, fixed without looking at the data: so many of one width between two ends, or their edges in rising order. */
export type Bins =
  | { readonly bins: number; readonly lower: number; readonly upper: number; readonly edges?: never }
  | { readonly edges: readonly number[]; readonly bins?: never; readonly lower?: never; readonly upper?: never }

/** A released histogram: counts in row-major order over all axes. Noisy counts may be negative; what a cell's truth is not. */
export interface Histogram {
  readonly counts: readonly number[]
  /** How many bins each axis has. */
  readonly shape: readonly number[]
  /** The edges of each axis. */
  readonly edges: readonly (readonly number[])[]
}

/** Options shared by the histograms. */
export type HistogramOptions<N extends Neighbours> = ToolOptions<N> & Spend & NanOption

const largestCells = 2 ** 24

const edgesOf = (axis: Bins): readonly number[] => {
  if (axis.edges) {
    if (axis.edges.length < 2 || axis.edges.some((edge, i) => i > 0 && !(edge > axis.edges[i - 1]!)))
      throw new ParameterError('edges must rise, and there must be at least two')
    return Object.freeze([...axis.edges])
  }
  const { bins, lower, upper } = axis
  if (!Number.isSafeInteger(bins) || bins < 1 || bins > largestCells)
    throw new ParameterError('the number of bins must be an integer from 1 to 2^24')
  if (!(Number.isFinite(lower) && Number.isFinite(upper) && lower < upper))
    throw new ParameterError('the lower end of a histogram must lie below the upper one, both finite')
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? upper : lower + ((upper - lower) * i) / bins))
  if (edges.some((edge, i) => i > 0 && !(edge > edges[i - 1]!)))
    throw new ParameterError('the bins are too narrow for numbers of this size')
  return Object.freeze(edges)
}

/** The bin of a value: its left edge belongs to it, and to the last bin its right edge too. Undefined outside. */
const binOf = (value: number, edges: readonly number[]): number | undefined => {
  const last = edges.length - 1
  if (!(value >= edges[0]! && value <= edges[last]!)) return undefined
  let low = 0
  let high = last
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (edges[middle]! <= value) low = middle
    else high = middle
  }
  return low
}

/** Counting: each unit stands in at most one cell, so removing it moves one count and replacing it two. */
const reachUnder = (neighbours: Neighbours): Reach => {
  const cells = neighbours === 'add-remove' ? 1n : 2n
  return { l1: cells, l2Squared: cells, because: 'each unit is counted in at most one cell' }
}

/**
 * Counts points of several coordinates in the cells of a grid of bins, with independent integer noise in every cell, empty ones too. A point
 * outside any axis is in no cell. The charge comes first. Throws ParameterError for bins that are refused, for points of another length
 * and NaN where it is refused, and what the account throws.
 */
export const histogramdd = <N extends Neighbours>(
  sample: Iterable<ArrayLike<number>>,
  options: HistogramOptions<N> & { readonly axes: readonly Bins[] },
  bits: SecureBits = secureBits(),
): ReleasedWithInterval<N, Histogram> => {
  requireSpend(options)
  const { neighbours, account, label, axes, nan } = options
  if (axes.length === 0) throw new ParameterError('a histogram needs at least one axis')
  const edges = axes.map(edgesOf)
  const shape = edges.map((axis) => axis.length - 1)
  const cells = shape.reduce((product, bins) => product * bins, 1)
  if (cells > largestCells) throw new ParameterError('a histogram may have at most 2^24 cells')
  const counts = new Array<number>(cells).fill(0)
  for (const point of sample) {
    if (point.length !== axes.length) throw new ParameterError('every point must have one coordinate for each axis')
    let cell: number | undefined = 0
    for (let axis = 0; axis < axes.length && cell !== undefined; axis++) {
      const value = point[axis]!
      const bin = keepNumber(value, nan) ? binOf(value, edges[axis]!) : undefined
      cell = bin === undefined ? undefined : cell * shape[axis]! + bin
    }
    if (cell !== undefined) counts[cell]! += 1
  }
  const mechanism = noiseFor(neighbours, reachUnder(neighbours), options, cells, bits)
  chargeFirst<N>(account, label, mechanism.loss)
  return Object.freeze({
    value: Object.freeze({ counts: Object.freeze(mechanism.randomiseAll(counts)), shape, edges }),
    loss: mechanism.loss,
    facts: mechanism.facts,
    interval: scaledInterval(mechanism.interval, one),
  })
}

function* single(values: Iterable<number>): Generator<readonly [number]> {
  for (const value of values) yield [value]
}

function* pairs(x: Iterable<number>, y: Iterable<number>): Generator<readonly [number, number]> {
  const others = y[Symbol.iterator]()
  for (const first of x) {
    const second = others.next()
    if (second.done) throw new ParameterError('x and y must have the same length')
    yield [first, second.value]
  }
  if (!others.next().done) throw new ParameterError('x and y must have the same length')
}

/** Counts values in bins, with noise. As `histogramdd` with one axis. */
export const histogram = <N extends Neighbours>(
  values: Iterable<number>,
  options: HistogramOptions<N> & { readonly axis: Bins },
  bits: SecureBits = secureBits(),
): ReleasedWithInterval<N, Histogram> => histogramdd<N>(single(values), { ...options, axes: [options.axis] }, bits)

/** Counts pairs in the cells of two axes, with noise; the i-th of `x` belongs to the i-th of `y`. As `histogramdd` with two axes. */
export const histogram2d = <N extends Neighbours>(
  x: Iterable<number>,
  y: Iterable<number>,
  options: HistogramOptions<N> & { readonly axes: readonly [x: Bins, y: Bins] },
  bits: SecureBits = secureBits(),
): ReleasedWithInterval<N, Histogram> => histogramdd<N>(pairs(x, y), options, bits)
