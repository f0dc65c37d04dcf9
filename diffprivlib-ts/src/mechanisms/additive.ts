import type { Neighbours } from '../bounding.ts'
import type { NoiseLaw } from '../laws/law.ts'
import type { PrivacyLoss } from '../loss.ts'
import { add, div, integer, mul, type Rational } from '../rational.ts'
import type { IntegerSampler } from '../samplers/sampler.ts'
import { exactValue, nearestNumber, stepsOf } from './grid.ts'
import { requireLength, requireNumber } from './mechanism.ts'
import {
  type AdditiveGridMechanism,
  type AdditiveIntegerMechanism,
  once,
  type ReleaseFacts,
  unbiased,
} from './release.ts'

interface Parts<N extends Neighbours> {
  readonly facts: ReleaseFacts
  readonly loss: PrivacyLoss<N>
  /** The noise's law and source, in whole steps. */
  readonly law: NoiseLaw
  readonly sampler: IntegerSampler
}

/** A mechanism that adds integer noise to an integer, or to each coordinate of a vector. */
export const additiveInteger = <N extends Neighbours>(
  parts: Parts<N> & { readonly dimension?: number },
): AdditiveIntegerMechanism<N> => {
  const { facts, loss, law, sampler, dimension = Infinity } = parts
  const spend = once()
  function randomise(value: number): number
  function randomise(value: bigint): bigint
  function randomise(value: number | bigint): number | bigint {
    if (typeof value === 'number') requireNumber(value, sampler)
    spend()
    return typeof value === 'number' ? value + sampler.nextNumber() : value + sampler.next()
  }
  function randomiseAll(values: readonly number[]): number[]
  function randomiseAll(values: readonly bigint[]): bigint[]
  function randomiseAll(values: readonly (number | bigint)[]): (number | bigint)[] {
    requireLength(values, dimension)
    for (const value of values) if (typeof value === 'number') requireNumber(value, sampler)
    spend()
    return values.map((value) => (typeof value === 'number' ? value + sampler.nextNumber() : value + sampler.next()))
  }
  return Object.freeze({
    facts,
    loss: Object.freeze(loss),
    ...unbiased(law.variance),
    interval: law.halfWidth,
    randomise,
    randomiseAll,
  })
}

/** A mechanism that rounds real values to a grid and adds a whole number of steps. */
export const additiveGrid = <N extends Neighbours>(
  parts: Parts<N> & { readonly grid: Rational; readonly dimension: number },
): AdditiveGridMechanism<N> => {
  const { facts, loss, law, sampler, grid, dimension } = parts
  const spend = once()
  const noisy = (steps: bigint): Rational => mul(integer(steps + sampler.next()), grid)
  function randomise(value: number): number
  function randomise(value: Rational): Rational
  function randomise(value: number | Rational): number | Rational {
    const steps = stepsOf(exactValue(value), grid)
    spend()
    return typeof value === 'number' ? nearestNumber(noisy(steps)) : noisy(steps)
  }
  function randomiseAll(values: readonly number[]): number[]
  function randomiseAll(values: readonly Rational[]): Rational[]
  function randomiseAll(values: readonly (number | Rational)[]): (number | Rational)[] {
    requireLength(values, dimension)
    const steps = values.map((value) => stepsOf(exactValue(value), grid))
    spend()
    return values.map((value, i) => (typeof value === 'number' ? nearestNumber(noisy(steps[i]!)) : noisy(steps[i]!)))
  }
  return Object.freeze({
    facts,
    loss: Object.freeze(loss),
    grid,
    ...unbiased(law.variance, grid),
    interval: (confidence: Rational) => withRounding(law.halfWidth(confidence), grid),
    randomise,
    randomiseAll,
  })
}

/** A half-width in steps and the half step that rounding to the grid may have moved the value. */
export const withRounding = (steps: bigint, grid: Rational): Rational =>
  mul(add(integer(steps), div(integer(1n), integer(2n))), grid)
