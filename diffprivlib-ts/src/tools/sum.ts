import type { Neighbours } from '../bounding.ts'
import { nearestNumber } from '../mechanisms/grid.ts'
import type { SecureBits } from '../random/bit-source.ts'
import { secureBits } from '../random/secure.ts'
import { integer, mul } from '../rational.ts'
import { chargeFirst } from './charge.ts'
import { noiseFor, reachOf, scaledInterval } from './noise.ts'
import {
  type BoundsOptions,
  boundedSteps,
  type ReleasedWithInterval,
  requireSpend,
  type Spend,
  type ToolOptions,
} from './options.ts'

/** Options of `sum`. */
export type SumOptions<N extends Neighbours> = ToolOptions<N> & Spend & BoundsOptions

const size = (value: bigint): bigint => (value < 0n ? -value : value)
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** How many steps one unit can move a sum: a unit that is dropped, or not there, adds 0. */
const sumReach = (neighbours: Neighbours, lower: bigint, upper: bigint, dropped: boolean): bigint => {
  if (neighbours === 'add-remove') return larger(size(lower), size(upper))
  return dropped ? larger(upper, 0n) - (lower < 0n ? lower : 0n) : upper - lower
}

/**
 * The sum of all values, each clamped to [lower, upper] and rounded to the grid, with noise in whole steps of the grid. Summed exactly, whatever
 * the order. The charge comes first. Throws ParameterError for bounds or values that are refused, and what the account throws.
 */
export const sum = <N extends Neighbours>(
  values: Iterable<number | bigint>,
  options: SumOptions<N>,
  bits: SecureBits = secureBits(),
): ReleasedWithInterval<N, number> => {
  requireSpend(options)
  const { neighbours, account, label, grid, nan } = options
  const { lower, upper, steps } = boundedSteps(values, options)
  const reach = reachOf(
    sumReach(neighbours, lower, upper, nan === 'drop'),
    `each unit adds one value clamped to [${lower}, ${upper}] steps of the grid`,
  )
  const mechanism = noiseFor(neighbours, reach, options, 1, bits)
  chargeFirst<N>(account, label, mechanism.loss)
  const noisy = mechanism.randomise(steps.reduce((total, step) => total + step, 0n))
  return Object.freeze({
    value: nearestNumber(mul(integer(noisy), grid)),
    loss: mechanism.loss,
    facts: mechanism.facts,
    interval: scaledInterval(mechanism.interval, grid),
  })
}
