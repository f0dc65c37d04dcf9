import { ParameterError } from '../errors.ts'
import { integer, type Rational, ratio } from '../rational.ts'
import type { Strategy } from './strategy.ts'
import { treeSensitivity } from './tree-sensitivity.ts'

/**
 * In how many steps one privacy unit has data: at most `most`, any two of them `apart` steps or more from each other. There is no default;
 * for a household-day with one step a day it is `oneStep`.
 */
export interface Participation {
  readonly most: number
  readonly apart: number
}

/** One privacy unit has data in one step only, for example a household-day in steps of a day. */
export const oneStep: Participation = Object.freeze({ most: 1, apart: 1 })

const requireParticipation = ({ most, apart }: Participation): void => {
  for (const [name, value] of [
    ['most', most],
    ['apart', apart],
  ] as const)
    if (!Number.isInteger(value) || value < 1)
      throw new ParameterError(`${name} of a participation is an integer of at least 1, got ${value}`)
}

const isFalling = (coefficients: readonly bigint[]): boolean =>
  coefficients.every((c, k) => c >= 0n && (k === 0 || c <= coefficients[k - 1]!))

/**
 * The squared L2 sensitivity of all measurements of a strategy to one privacy unit, in units of the squared sensitivity of one step, exactly.
 * For a Toeplitz strategy of one step it is the sum of squared coefficients: that of the first step, whose column is cut off by the
 * horizon last. For several steps with coefficients that never rise nor pass below 0, columns overlap most when they start at step 0 and lie
 * `apart` from each other, since the product of two columns only falls as they move later or further from each other; for other
 * coefficients it is bounded by the triangle inequality, most^2 times one column. For a tree it is the largest sum of squared counts over
 * the nodes. Throws ParameterError for a participation that is not made of positive integers, or too long to search in a tree.
 */
export const strategySensitivity = (strategy: Strategy, participation: Participation): Rational => {
  requireParticipation(participation)
  const { apart } = participation
  const most = Math.min(participation.most, Math.ceil(strategy.steps / apart))
  if (strategy.kind === 'tree') return integer(treeSensitivity(strategy.steps, most, apart))
  const { coefficients, gridBits, steps } = strategy
  const squared = (column: readonly bigint[]) => column.reduce((sum, c) => sum + c * c, 0n)
  const unit = 1n << BigInt(2 * gridBits)
  if (most === 1) return ratio(squared(coefficients), unit)
  if (!isFalling(coefficients)) return ratio(BigInt(most * most) * squared(coefficients), unit)
  const together = new Array<bigint>(steps).fill(0n)
  for (let start = 0; start < most * apart; start += apart)
    for (let k = 0; k < coefficients.length && start + k < steps; k++)
      together[start + k] = together[start + k]! + coefficients[k]!
  return ratio(squared(together), unit)
}
