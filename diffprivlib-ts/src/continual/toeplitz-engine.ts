import { ParameterError } from '../errors.ts'
import { type Engine, type EngineState, fractionBits, integers, nearest, texts } from './engine.ts'
import type { ToeplitzStrategy } from './strategy.ts'
import { reachOf, type Workload } from './workload.ts'

/**
 * Measures row t of the strategy, c_0 x_t + c_1 x_(t-1) + ..., in units of 2^-gridBits, and estimates each step by solving the same triangular
 * system for the noisy rows: w_t = (y_t - c_1 w_(t-1) - ...) / c_0, cut to 2^-64. Every estimate is a sum of w. The cut is part of the
 * post-processing: it costs a prefix sum less than 2^-64 times the sum of |b_k|, and nothing in privacy.
 */
export const toeplitzEngine = (
  strategy: ToeplitzStrategy,
  width: number,
  done: number,
  state?: EngineState,
): Engine => {
  const { coefficients, gridBits, steps } = strategy
  const unit = BigInt(gridBits)
  const truths = (state?.secret ?? []).map(integers)
  const solved = (state?.measured ?? []).map(integers)
  const band = coefficients.length
  if (solved.length !== done || truths.length !== Math.min(done, band - 1))
    throw new ParameterError('the stored state does not fit the strategy: it keeps another number of steps')

  /** The sum over k >= 1 of c_k times the k-th latest entry, in one coordinate. */
  const look = (history: readonly (readonly bigint[])[], coordinate: number): bigint => {
    let sum = 0n
    for (let k = 1; k < band && k <= history.length; k++)
      sum += coefficients[k]! * history[history.length - k]![coordinate]!
    return sum
  }

  return {
    rows: () => 1,
    absorb: (value, noise) => {
      const row = value.map((x, i) => coefficients[0]! * x + look(truths, i) + noise[0]![i]!)
      const next = row.map((y, i) => ((y << fractionBits) - look(solved, i)) >> unit)
      if (band > 1) truths.push([...value])
      if (truths.length >= band) truths.shift()
      solved.push(next)
      return [row]
    },
    estimate: (workload: Workload) => {
      const reach = reachOf(workload, steps)
      const sums = new Array<bigint>(width).fill(0n)
      for (const row of solved.slice(-reach)) for (let i = 0; i < width; i++) sums[i] = sums[i]! + row[i]!
      return sums.map(nearest)
    },
    save: () => ({ secret: truths.map(texts), measured: solved.map(texts) }),
  }
}
