import { ParameterError } from '../errors.ts'
import { sine } from '../numeric/double.ts'

/** What is to be known after every step: the sum of all steps so far, or of the last `window` steps. */
export type Workload = 'prefix' | { readonly window: number }

/** The most steps that a horizon may have: four years of quarter-hours. */
export const largestHorizon = 140_160

/** Refuses a horizon that is not an integer from 1 to 140,160. */
export const requireSteps = (steps: number): number => {
  if (!Number.isInteger(steps) || steps < 1 || steps > largestHorizon)
    throw new ParameterError(`a horizon is an integer from 1 to ${largestHorizon} steps, got ${steps}`)
  return steps
}

/** How many of the latest steps the workload adds up within a horizon. Throws ParameterError for a window that is not a positive integer. */
export const reachOf = (workload: Workload, steps: number): number => {
  if (workload === 'prefix') return steps
  const { window } = workload
  if (!Number.isInteger(window) || window < 1)
    throw new ParameterError(`a window is an integer of at least 1 step, got ${window}`)
  return Math.min(window, steps)
}

/** The text of a workload in facts and messages: `"prefix"` or `"window 30"`. */
export const describeWorkload = (workload: Workload): string =>
  workload === 'prefix' ? 'prefix' : `window ${workload.window}`

/**
 * No mechanism that adds Gaussian noise by a factorization answers all prefix sums of a horizon with a smaller root mean square error than
 * this, in units of the deviation that one step alone would need at the same rho: the nuclear norm of the prefix-sum matrix over `steps`
 * (Henzinger, Upadhyay and Upadhyay, SODA 2023), whose singular values are 1 / (2 sin((2 j - 1) pi / (4 steps + 2))).
 * Throws ParameterError unless 1 <= steps <= 140,160.
 */
export const prefixErrorBound = (steps: number): number => {
  requireSteps(steps)
  let norm = 0
  for (let j = 1; j <= steps; j++) norm += 0.5 / sine(((2 * j - 1) * Math.PI) / (4 * steps + 2))
  return norm / steps
}
