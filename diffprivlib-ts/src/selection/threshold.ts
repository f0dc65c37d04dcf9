import { ParameterError } from '../errors.ts'
import { discreteGaussianLaw } from '../laws/discrete-gaussian-law.ts'
import { discreteLaplaceLaw } from '../laws/discrete-laplace-law.ts'
import type { Bounds } from '../laws/law.ts'
import { requireNoiseParameter } from '../limits.ts'
import { erfcOfSquare } from '../numeric/erfc.ts'
import { expNegativeRational, type Scaled } from '../numeric/fixed-point.ts'
import { compare, div, divide, integer, mul, one, type Rational, ratio, sign, sub, toInteger } from '../rational.ts'

/** Noise added to the count of a group: on integers, or on the reals, by its scale or squared sigma in units of the count. */
export type ThresholdNoise =
  | { readonly kind: 'discrete-laplace' | 'laplace'; readonly scale: Rational }
  | { readonly kind: 'discrete-gaussian' | 'gaussian'; readonly sigma2: Rational }

/** Whose groups are released above a threshold. */
export interface ThresholdQuestion {
  readonly noise: ThresholdNoise
  /** The most that one unit adds to one group's count. */
  readonly most: Rational
  /** How many groups one unit can add to. */
  readonly groups: number
}

const precision = 192
const half = ratio(1n, 2n)

const boundsOf = ({ lower, upper, shift }: Scaled): Bounds => {
  const unit = 1n << BigInt(precision + shift)
  return { lower: ratio(lower, unit), upper: ratio(upper, unit) }
}

/** P[noise > distance] for a distance of at least 0, for integer noise an integer. */
const tailOf = (noise: ThresholdNoise): ((distance: Rational) => Bounds) => {
  if (noise.kind === 'laplace') {
    requireNoiseParameter(noise.scale, 'the scale of the noise')
    return (distance) => halved(boundsOf(expNegativeRational(div(distance, noise.scale), precision)))
  }
  if (noise.kind === 'gaussian') {
    requireNoiseParameter(noise.sigma2, 'sigma^2 of the noise')
    return (distance) =>
      halved(boundsOf(erfcOfSquare(div(mul(distance, distance), mul(integer(2n), noise.sigma2)), precision)))
  }
  const law = 'scale' in noise ? discreteLaplaceLaw(noise.scale) : discreteGaussianLaw(noise.sigma2)
  return (distance) => halved(law.tail(toInteger(distance, 'down')))
}

const halved = ({ lower, upper }: Bounds): Bounds => ({ lower: mul(half, lower), upper: mul(half, upper) })

const isDiscrete = ({ kind }: ThresholdNoise): boolean => kind === 'discrete-laplace' || kind === 'discrete-gaussian'

/** 1 - (1 - chance)^groups, rounded up. */
const anyOf = (chance: Rational, groups: number): Rational => {
  const scale = 512n + BigInt(chance.den.toString(2).length)
  let base = divide(sub(one, chance).num << scale, sub(one, chance).den, 'down')
  let none = 1n << scale
  for (let left = groups; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) none = (none * base) >> scale
    base = (base * base) >> scale
  }
  return sub(one, ratio(none, 1n << scale))
}

const requireQuestion = ({ noise, most, groups }: ThresholdQuestion): void => {
  if (sign(most) <= 0) throw new ParameterError('what one unit adds to a group must be greater than 0')
  if (isDiscrete(noise) && most.den !== 1n)
    throw new ParameterError('integer noise goes with integer counts: what one unit adds must be an integer')
  if (!Number.isInteger(groups) || groups < 1 || groups > 1_000_000)
    throw new ParameterError(`the groups of a unit are an integer from 1 to 1,000,000, got ${groups}`)
}

const deltaAt = ({ noise, most, groups }: ThresholdQuestion): ((threshold: Rational) => Rational) => {
  const tail = tailOf(noise)
  const discrete = isDiscrete(noise)
  return (threshold) => {
    const exact = sub(threshold, most)
    const distance = discrete ? integer(toInteger(exact, 'down')) : exact
    if (sign(distance) >= 0) return anyOf(tail(distance).upper, groups)
    // Below the middle: 1 - P[noise <= distance], which by symmetry is 1 - P[noise > -distance - 1] on integers.
    const mirrored = sub(integer(0), distance)
    return anyOf(sub(one, tail(discrete ? sub(mirrored, one) : mirrored).lower), groups)
  }
}

/**
 * The probability, rounded up, that some group to which one unit alone contributes is released when a group is released if its noisy count is
 * strictly greater than `threshold`: the delta of the threshold. For `groups` groups it is 1 - (1 - delta of one)^groups. Throws
 * ParameterError for parameters that are not positive.
 */
export const thresholdDelta = (question: ThresholdQuestion, threshold: Rational): Rational => {
  requireQuestion(question)
  return deltaAt(question)(threshold)
}

/**
 * The smallest threshold whose `thresholdDelta` is at most `delta`: an integer for integer noise, else a multiple of 2^-40; never
 * too small. Throws ParameterError for parameters that are not positive or a delta outside (0, 1).
 */
export const thresholdFor = (question: ThresholdQuestion, delta: Rational): Rational => {
  requireQuestion(question)
  if (sign(delta) <= 0 || compare(delta, one) >= 0) throw new ParameterError('delta must lie strictly between 0 and 1')
  const chance = deltaAt(question)
  const grid = isDiscrete(question.noise) ? 1n : 1n << 40n
  const at = (cells: bigint): Rational => ratio(cells, grid)
  const suffices = (cells: bigint): boolean => compare(chance(at(cells)), delta) <= 0
  const start = toInteger(mul(question.most, integer(grid)), 'down')
  let span = grid
  const up = !suffices(start)
  while (suffices(up ? start + span : start - span) !== up) span *= 2n
  let [low, high] = up ? [start, start + span] : [start - span, start]
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (suffices(middle)) high = middle
    else low = middle
  }
  return at(high)
}
