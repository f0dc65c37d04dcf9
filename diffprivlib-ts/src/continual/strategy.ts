import { ParameterError } from '../errors.ts'
import { powerOfTwo } from '../rational.ts'
import { optimise } from './optimise.ts'
import { rootOfOnes } from './series.ts'
import { describeWorkload, reachOf, requireSteps, type Workload } from './workload.ts'

/**
 * A strategy that measures, at step t, c_0 x_t + c_1 x_(t-1) + ...: every coefficient is an integer over 2^gridBits and c_0 is 1, so a
 * measurement of integer steps is an integer on that grid.
 */
export interface ToeplitzStrategy {
  readonly kind: 'toeplitz'
  readonly name: 'independent' | 'square-root' | 'optimised'
  readonly steps: number
  /** The workload that the coefficients were chosen for. Others can be answered too. */
  readonly workload: Workload
  readonly gridBits: number
  /** c_0, c_1, ... times 2^gridBits; as many as the strategy looks back, its own step included. */
  readonly coefficients: readonly bigint[]
}

/** A strategy that measures the sum of every complete node of a binary tree over the steps. Answers prefix sums, and windows if built for them. */
export interface TreeStrategy {
  readonly kind: 'tree'
  /** A plain tree adds up the fewest nodes; a refined one also uses all nodes below them (Honaker, 2015). */
  readonly name: 'binary' | 'refined'
  readonly steps: number
  /** The largest window that can be answered; prefix sums only when absent. */
  readonly window?: number
}

/** What is measured with noise at each step, from which sums are estimated. */
export type Strategy = ToeplitzStrategy | TreeStrategy

/** Options of the Toeplitz strategies. */
export interface ToeplitzOptions {
  /** The horizon, 1 to 140,160 steps. */
  readonly steps: number
  /** What the strategy is made for; the prefix sums when left out. */
  readonly workload?: Workload
  /** How far the strategy looks back, its own step included: only so many true values are kept as secret state. The horizon when left out. */
  readonly band?: number
  /** The coefficients are rounded to multiples of 2^-gridBits, 8 to 52; 20 when left out. The sensitivity is that of the rounded ones. */
  readonly gridBits?: number
}

/** Options of `optimisedToeplitz`. */
export interface OptimisedOptions extends ToeplitzOptions {
  /**
   * The weight, 0 to 1, of the last step's squared error, which is the largest, beside the mean over the horizon; 0.25 when left out. With 0
   * the mean alone counts.
   */
  readonly lastShare?: number
}

/** Up to this horizon the optimiser takes well under a second. */
const optimisedUpTo = 2_048

const onGrid = (
  name: ToeplitzStrategy['name'],
  coefficients: Float64Array,
  { steps, workload = 'prefix', gridBits = 20 }: ToeplitzOptions,
): ToeplitzStrategy => {
  if (!Number.isInteger(gridBits) || gridBits < 8 || gridBits > 52)
    throw new ParameterError(`gridBits is an integer from 8 to 52, got ${gridBits}`)
  const unit = powerOfTwo(gridBits)
  const rounded = Array.from(coefficients, (c) => BigInt(Math.round(c * unit)))
  while (rounded.length > 1 && rounded.at(-1) === 0n) rounded.pop()
  return Object.freeze({ kind: 'toeplitz', name, steps, workload, gridBits, coefficients: Object.freeze(rounded) })
}

const bandOf = ({ steps, band = steps }: ToeplitzOptions): number => {
  if (!Number.isInteger(band) || band < 1 || band > steps)
    throw new ParameterError(`a band is an integer from 1 to the horizon, got ${band}`)
  return band
}

/** Independent noise in every step: what the other strategies are compared with, and the best one for windows of a single step. */
export const independentSteps = (options: Omit<ToeplitzOptions, 'band'>): ToeplitzStrategy => {
  requireSteps(options.steps)
  return onGrid('independent', Float64Array.of(1), options)
}

/**
 * The square root of the workload as a Toeplitz matrix: for prefix sums c_k = c_(k-1) (1 - 1/(2k)), whose largest error is within a constant
 * of the best of any mechanism (Fichtenberger, Henzinger and Upadhyay, arXiv 2202.11205). With a band, later coefficients are 0. Takes
 * O(steps^2) for windows. Throws ParameterError for a horizon, band, window or grid outside its range.
 */
export const squareRootToeplitz = (options: ToeplitzOptions): ToeplitzStrategy => {
  const { steps, workload = 'prefix' } = options
  const root = rootOfOnes(reachOf(workload, requireSteps(steps)), steps)
  return onGrid('square-root', root.subarray(0, bandOf(options)), options)
}

/**
 * The Toeplitz strategy of least squared error, mean and last step weighted by `lastShare`, for its horizon, workload and band. For prefix
 * sums over 96 to 1,024 steps its root mean square is within 7 % of `prefixErrorBound`. Up to 2,048 steps, for its search takes O(steps^2)
 * about a dozen times. Throws ParameterError beyond, for a share outside 0 to 1, and as `squareRootToeplitz` does.
 */
export const optimisedToeplitz = (options: OptimisedOptions): ToeplitzStrategy => {
  const { steps, workload = 'prefix', lastShare = 0.25 } = options
  if (requireSteps(steps) > optimisedUpTo)
    throw new ParameterError(
      `the optimiser takes up to ${optimisedUpTo} steps, got ${steps}: use squareRootToeplitz, within 7 % of the bound there`,
    )
  if (!(lastShare >= 0 && lastShare <= 1))
    throw new ParameterError(`lastShare is a weight from 0 to 1, got ${lastShare}`)
  const reach = reachOf(workload, steps)
  const band = bandOf(options)
  const best = optimise(rootOfOnes(reach, steps), { reach, lastShare }, band)
  return onGrid('optimised', best.subarray(0, band), options)
}

/** The better Toeplitz strategy for a horizon: optimised up to 1,024 steps, the square root above. Both are within 8 % of the bound from 96 on. */
export const toeplitz = (options: ToeplitzOptions): ToeplitzStrategy =>
  options.steps <= 1_024 ? optimisedToeplitz(options) : squareRootToeplitz(options)

/** Options of the trees. */
export interface TreeOptions {
  /** The horizon, 1 to 140,160 steps. */
  readonly steps: number
  /**
   * The largest window, 1 to the horizon, whose sum is to be answered after any step. It costs nothing in privacy and changes no measurement: the
   * snapshot keeps fewer than two published estimates for each of its steps. A Toeplitz strategy made for the window errs less. Prefix sums only
   * when left out.
   */
  readonly window?: number
}

const tree = (name: TreeStrategy['name'], { steps, window }: TreeOptions): TreeStrategy => {
  requireSteps(steps)
  if (window === undefined) return Object.freeze({ kind: 'tree', name, steps })
  if (!Number.isInteger(window) || window < 1 || window > steps)
    throw new ParameterError(`a tree's window is an integer from 1 to the horizon, got ${window}`)
  return Object.freeze({ kind: 'tree', name, steps, window })
}

/**
 * The binary tree of Chan, Shi and Song (2011) and Dwork, Naor, Pitassi and Rothblum (2010). Its secret state is one open sum a level. A window
 * of w steps adds up at most 2 log2(w) + 1 nodes. Throws ParameterError for a horizon or window outside its range.
 */
export const binaryTree = (options: TreeOptions): TreeStrategy => tree('binary', options)

/**
 * The same tree, read with Honaker's refinement: the variance of a node falls towards half at no cost in privacy. Throws ParameterError as
 * `binaryTree` does.
 */
export const refinedTree = (options: TreeOptions): TreeStrategy => tree('refined', options)

/** A strategy in one line, for facts: kind, name, horizon, workload, and a sum over its coefficients that tells one from another. */
export const describeStrategy = (strategy: Strategy): string => {
  const { kind, name, steps } = strategy
  if (kind === 'tree') {
    const windows = strategy.window === undefined ? '' : `, windows of up to ${strategy.window}`
    return `${name} tree over ${steps} steps${windows}`
  }
  const modulus = (1n << 61n) - 1n
  const check = strategy.coefficients.reduce((sum, c, k) => (sum * 31n + c + BigInt(k)) % modulus, 7n)
  const { workload, coefficients, gridBits } = strategy
  return `${name} toeplitz over ${steps} steps for ${describeWorkload(workload)}, band ${coefficients.length}, grid 2^-${gridBits}, check ${check.toString(16)}`
}
