import { squareRoot } from '../numeric/double.ts'
import { powerOfTwo, toNumber } from '../rational.ts'
import { oneStep, type Participation, strategySensitivity } from './sensitivity.ts'
import { quotient } from './series.ts'
import type { Strategy, ToeplitzStrategy, TreeStrategy } from './strategy.ts'
import { nodesBetween, treeReach } from './tree-window.ts'
import { reachOf, type Workload } from './workload.ts'

/**
 * The standard deviation of a strategy's estimates, known before there are data, in units of the deviation that a single step would need
 * alone at the same rho: multiply by sqrt(S^2 / (2 rho)), with S the sensitivity of one step.
 */
export interface ExpectedError {
  /** The largest over the horizon. */
  readonly max: number
  /** The root of the mean square over the horizon. */
  readonly rms: number
  /** The deviation after step 0, 1, ... of the horizon. */
  readonly at: readonly number[]
}

/** How many squared units of noise a refined node of a height has: 2^h / (2^(h + 1) - 1), from 1 for a leaf towards 1/2. */
const refinedVariance = (height: number): number => powerOfTwo(height) / (powerOfTwo(height + 1) - 1)

const toeplitzVariances = (strategy: ToeplitzStrategy, workload: Workload): Float64Array => {
  const { steps, coefficients, gridBits } = strategy
  const reach = reachOf(workload, steps)
  const c = Float64Array.from(coefficients, (value) => Number(value) / powerOfTwo(gridBits))
  const decoder = quotient((k) => (k < reach ? 1 : 0), c, steps)
  let sum = 0
  return decoder.map((b) => {
    sum += b * b
    return sum
  })
}

const treeVariances = (strategy: TreeStrategy, workload: Workload): Float64Array => {
  const reach = treeReach(strategy, workload)
  const variance = (height: number): number => (strategy.name === 'refined' ? refinedVariance(height) : 1)
  return Float64Array.from({ length: strategy.steps }, (_, step) => {
    const from = reach === 0 ? 0 : Math.max(0, step + 1 - reach)
    return nodesBetween(from, step + 1).reduce((sum, { height }) => sum + variance(height), 0)
  })
}

/**
 * The expected error of a strategy for a workload (its own when left out) when each privacy unit takes part as said (`oneStep` when left
 * out): sensitivity times the noise that the estimate gathers, sqrt(sum of b_k^2) with b = workload / coefficients as series, or the nodes
 * of the tree. Doubles, good to about 10 digits. The rounding to integers of a release is not in it. Takes O(steps^2) for a Toeplitz
 * strategy. Throws ParameterError for a window larger than a tree was built for.
 */
export const expectedError = (
  strategy: Strategy,
  options: { readonly workload?: Workload; readonly participation?: Participation } = {},
): ExpectedError => {
  const { participation = oneStep } = options
  const sensitivity = toNumber(strategySensitivity(strategy, participation), 'up')
  const variances = variancesOf(strategy, options.workload)
  let total = 0
  for (const variance of variances) total += variance
  const at = Array.from(variances, (variance) => squareRoot(sensitivity * variance))
  return Object.freeze({
    max: at.reduce((largest, value) => Math.max(largest, value), 0),
    rms: squareRoot((sensitivity * total) / variances.length),
    at: Object.freeze(at),
  })
}

/** The squared noise that each step's estimate gathers, in units of the squared noise of one measurement. */
export const variancesOf = (strategy: Strategy, workload?: Workload): Float64Array => {
  if (strategy.kind === 'toeplitz') return toeplitzVariances(strategy, workload ?? strategy.workload)
  return treeVariances(strategy, workload ?? 'prefix')
}
