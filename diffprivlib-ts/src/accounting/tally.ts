import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import { power } from '../numeric/power.ts'
import { requireDeltaOrZero, requireNotNegative, requirePositive } from '../parameters.ts'
import { add, div, format, integer, mul, one, type Rational, sign, sub, zero } from '../rational.ts'

/** Losses of one epsilon on a lattice of so many steps, and how many of them there are. */
export interface LaplaceTally {
  readonly epsilon: Rational
  /** 1 for a pure guarantee, of which randomised response is the worst. */
  readonly steps: bigint
  readonly count: bigint
}

/** What a sequence of losses adds up to, from which every composition reads its figure. Nothing in it is rounded. */
export interface LossTally {
  /** The sum of mu^2 over Gaussian losses. */
  readonly muSquared: Rational
  /** The sum of rho over losses of which only zCDP is known. */
  readonly rho: Rational
  /** Pure, approximate and Laplace losses by epsilon and steps. */
  readonly laplaces: ReadonlyMap<string, LaplaceTally>
  /** 1 minus the product of 1 - delta over approximate losses: the chance that any of them fails outright. */
  readonly failure: Rational
  /** The sum of the same deltas. */
  readonly deltas: Rational
}

/** The tally of no losses. */
export const emptyTally: LossTally = Object.freeze({
  muSquared: zero,
  rho: zero,
  laplaces: new Map(),
  failure: zero,
  deltas: zero,
})

/** Refuses a loss whose figures no mechanism can have. Throws ParameterError. */
export const requireLoss = (loss: PrivacyLoss): void => {
  switch (loss.kind) {
    case 'approximate':
      requireDeltaOrZero(loss.delta)
      requireNotNegative(loss.epsilon, 'epsilon')
      break
    case 'pure':
      requireNotNegative(loss.epsilon, 'epsilon')
      break
    case 'laplace':
      requirePositive(loss.epsilon, 'epsilon')
      if (loss.steps !== undefined && loss.steps < 1n) throw new ParameterError('a Laplace loss has at least one step')
      break
    case 'zcdp':
      requireNotNegative(loss.rho, 'rho')
      break
    case 'gaussian':
      requireNotNegative(loss.muSquared, 'mu^2')
      break
    default:
      throw new ParameterError('a loss is pure, approximate, zcdp, gaussian or laplace')
  }
}

const withLaplace = (tally: LossTally, epsilon: Rational, steps: bigint, count: bigint): LossTally => {
  if (sign(epsilon) === 0) return tally
  const key = `${format(epsilon)} ${steps}`
  const before = tally.laplaces.get(key)?.count ?? 0n
  return { ...tally, laplaces: new Map(tally.laplaces).set(key, { epsilon, steps, count: before + count }) }
}

/** The tally with `count` more losses like this one. Throws ParameterError for a loss out of range or a count below 1. */
export const addLoss = <N extends Neighbours>(tally: LossTally, loss: PrivacyLoss<N>, count = 1n): LossTally => {
  requireLoss(loss)
  if (count < 1n) throw new ParameterError(`a count of losses must be at least 1, got ${count}`)
  switch (loss.kind) {
    case 'pure':
      return withLaplace(tally, loss.epsilon, 1n, count)
    case 'laplace':
      return withLaplace(tally, loss.epsilon, loss.steps ?? 1n, count)
    case 'approximate': {
      const kept = mul(sub(one, tally.failure), power(sub(one, loss.delta), count))
      const deltas = add(tally.deltas, mul(integer(count), loss.delta))
      return { ...withLaplace(tally, loss.epsilon, 1n, count), failure: sub(one, kept), deltas }
    }
    case 'zcdp':
      return { ...tally, rho: add(tally.rho, mul(integer(count), loss.rho)) }
    case 'gaussian':
      return { ...tally, muSquared: add(tally.muSquared, mul(integer(count), loss.muSquared)) }
  }
}

/** The tally of losses, each alone or with a count. */
export const tallyOf = (losses: Iterable<PrivacyLoss | readonly [PrivacyLoss, bigint]>): LossTally => {
  let tally = emptyTally
  for (const entry of losses) tally = 'kind' in entry ? addLoss(tally, entry) : addLoss(tally, entry[0], entry[1])
  return tally
}

/**
 * The delta that is left to the losses after the outright failures: 1 - (1 - delta) / (1 - failure), for whole losses of failure f and rest
 * r cost 1 - (1 - f)(1 - r). Undefined when the failures alone exceed delta.
 */
export const deltaLeft = (tally: LossTally, delta: Rational): Rational | undefined => {
  const left = sub(one, div(sub(one, delta), sub(one, tally.failure)))
  return sign(left) < 0 ? undefined : left
}

/** The delta of failures and the rest together. */
export const deltaWith = (tally: LossTally, rest: Rational): Rational =>
  sub(one, mul(sub(one, tally.failure), sub(one, rest)))

/** The sum over pure, approximate and Laplace losses of a figure of each. */
export const sumOver = (tally: LossTally, figure: (kind: LaplaceTally) => Rational): Rational =>
  [...tally.laplaces.values()].reduce((sum, kind) => add(sum, mul(integer(kind.count), figure(kind))), zero)
