// Mechanisms that keep their releases inside a domain that is fixed in advance.
import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { type Moments, truncatedMoments } from '../laws/bounded-laplace-law.ts'
import type { PrivacyLoss } from '../loss.ts'
import { compare, integer, mul, type Rational, sub, toInteger } from '../rational.ts'
import type { IntegerSampler } from '../samplers/sampler.ts'
import { toSafe } from '../samplers/sampler.ts'
import { withRounding } from './additive.ts'
import { boundInSteps, exactValue, nearestNumber, stepsOf } from './grid.ts'
import { requireNumber } from './mechanism.ts'
import { type GridMechanism, type IntegerMechanism, once, type ReleaseFacts, scaled } from './release.ts'

/** A domain in steps; an end may lie half-way between two. */
export interface Domain {
  readonly lower: Rational
  readonly upper: Rational
}

/** What is done in steps: draw a release at a point of the domain, and say how far it is off. */
export interface DomainNoise {
  readonly draw: (steps: bigint) => bigint
  readonly moments: (steps: bigint) => Moments
  readonly halfWidth: (confidence: Rational) => bigint
}

/** Refuses a domain without room. */
export const requireDomain = ({ lower, upper }: Domain): void => {
  if (compare(lower, upper) >= 0) throw new ParameterError('the lower bound must lie below the upper bound')
}

/** The domain from bounds that must be multiples of the grid. */
export const gridDomain = (lower: Rational, upper: Rational, grid: Rational): Domain => {
  const domain = {
    lower: integer(boundInSteps(lower, grid, 'lower')),
    upper: integer(boundInSteps(upper, grid, 'upper')),
  }
  requireDomain(domain)
  return domain
}

/** The point of the domain nearest to a number of steps. */
export const clampSteps = (steps: bigint, { lower, upper }: Domain): bigint => {
  const [least, most] = [toInteger(lower, 'up'), toInteger(upper, 'down')]
  return steps < least ? least : steps > most ? most : steps
}

/** Reflects a number of steps at the ends of the domain until it lies inside. */
export const foldSteps = (steps: bigint, { lower, upper }: Domain): bigint => {
  // In half steps, where both ends are whole.
  const two = integer(2n)
  const [low, high] = [mul(lower, two).num, mul(upper, two).num]
  const span = high - low
  const period = 2n * span
  const place = (((2n * steps - low) % period) + period) % period
  return (low + (place > span ? period - place : place)) / 2n
}

/** Noise whose excess lands on the nearer end. */
export const truncating = (
  domain: Domain,
  scale: Rational,
  halfWidth: DomainNoise['halfWidth'],
  sampler: IntegerSampler,
): DomainNoise => ({
  draw: (steps) => clampSteps(steps + sampler.next(), domain),
  moments: (steps) => truncatedMoments(scale, steps - domain.lower.num, domain.upper.num - steps),
  halfWidth,
})

interface Parts<N extends Neighbours> {
  readonly facts: ReleaseFacts
  readonly loss: PrivacyLoss<N>
  readonly domain: Domain
  readonly noise: DomainNoise
}

/** A mechanism over integers of a domain; values outside are moved to its nearer end first. */
export const domainInteger = <N extends Neighbours>(
  parts: Parts<N> & { readonly sampler: IntegerSampler },
): IntegerMechanism<N, [value: bigint]> => {
  const { facts, loss, domain, noise, sampler } = parts
  const spend = once()
  const at = (value: bigint) => noise.moments(clampSteps(value, domain))
  function randomise(value: number): number
  function randomise(value: bigint): bigint
  function randomise(value: number | bigint): number | bigint {
    if (typeof value === 'number') requireNumber(value, sampler)
    spend()
    const released = noise.draw(clampSteps(BigInt(value), domain))
    return typeof value === 'number' ? toSafe(released) : released
  }
  return Object.freeze({
    facts,
    loss: Object.freeze(loss),
    bias: (value: bigint) => at(value).bias,
    variance: (value: bigint) => at(value).variance,
    mse: (value: bigint) => at(value).mse,
    interval: noise.halfWidth,
    randomise,
  })
}

/** A mechanism over the grid points of a domain; values outside are moved to its nearer end first. */
export const domainGrid = <N extends Neighbours>(
  parts: Parts<N> & { readonly grid: Rational },
): GridMechanism<N, [value: Rational]> => {
  const { facts, loss, domain, noise, grid } = parts
  const spend = once()
  const pointOf = (value: number | Rational) => clampSteps(stepsOf(exactValue(value), grid), domain)
  const at = (value: Rational) => noise.moments(pointOf(value))
  const squared = mul(grid, grid)
  function randomise(value: number): number
  function randomise(value: Rational): Rational
  function randomise(value: number | Rational): number | Rational {
    const steps = pointOf(value)
    spend()
    const released = mul(integer(noise.draw(steps)), grid)
    return typeof value === 'number' ? nearestNumber(released) : released
  }
  return Object.freeze({
    facts,
    loss: Object.freeze(loss),
    grid,
    bias: (value: Rational) => scaled(at(value).bias, grid),
    variance: (value: Rational) => scaled(at(value).variance, squared),
    mse: (value: Rational) => scaled(at(value).mse, squared),
    interval: (confidence: Rational) => withRounding(noise.halfWidth(confidence), grid),
    randomise,
  })
}

/** The distances from a point to the two ends. */
export const distances = (steps: bigint, { lower, upper }: Domain): readonly [below: Rational, above: Rational] => [
  sub(integer(steps), lower),
  sub(upper, integer(steps)),
]
