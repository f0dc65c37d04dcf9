// Real values on a declared grid. A value is rounded to the nearest multiple, noise is a whole number of steps, and the sum is turned back into
// a number at the end: between the secret and the output stands no arithmetic in floating point.
import type { L1Sensitivity, L2Sensitivity } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { integerSqrt } from '../numeric/fixed-point.ts'
import {
  add,
  bitLength,
  compare,
  div,
  divide,
  fromDouble,
  integer,
  mul,
  type Rational,
  ratio,
  sign,
  sub,
  toInteger,
  toNumber,
} from '../rational.ts'

/** The multiple of `grid` nearest to `value`, counted in steps; half-way values go towards plus infinity. */
export const stepsOf = (value: Rational, grid: Rational): bigint =>
  // floor(value / grid + 1/2), without reducing the fractions in between: tools do this for every value.
  divide(2n * value.num * grid.den + value.den * grid.num, 2n * value.den * grid.num, 'down')

/** The multiple of `grid` nearest to `value`; half-way values go towards plus infinity. Throws ParameterError unless grid > 0. */
export const snapToGrid = (value: Rational, grid: Rational): Rational => {
  requireGrid(grid)
  return mul(integer(stepsOf(value, grid)), grid)
}

/** Refuses a grid that is not positive. */
export const requireGrid = (grid: Rational): void => {
  if (sign(grid) <= 0) throw new ParameterError('the grid must be greater than 0')
}

/** A secret as an exact fraction. The message of a refusal does not hold the value: it is the secret. */
export const exactValue = (value: number | Rational): Rational => {
  if (typeof value !== 'number') return value
  if (!Number.isFinite(value)) throw new ParameterError('a value to release must be a finite number')
  return fromDouble(value)
}

/** The double nearest to a fraction, the lower one when two are as near. */
export const nearestNumber = (value: Rational): number => {
  const [low, high] = [toNumber(value, 'down'), toNumber(value, 'up')]
  if (low === high || !Number.isFinite(high)) return low
  if (!Number.isFinite(low)) return high
  return compare(sub(value, fromDouble(low)), sub(fromDouble(high), value)) <= 0 ? low : high
}

/** A bound of a domain as whole steps. Throws ParameterError when it is not a multiple of the grid. */
export const boundInSteps = (bound: Rational, grid: Rational, name: string): bigint => {
  const steps = div(bound, grid)
  if (steps.den !== 1n) throw new ParameterError(`the ${name} bound must be a multiple of the grid`)
  return steps.num
}

/**
 * How many steps neighbours can be apart once each coordinate is rounded. One value moved by at most S moves by at most ceil(S / grid) steps;
 * in a vector, each coordinate may gain one step.
 */
export const widenedL1 = <N extends 'add-remove' | 'replace-one'>(
  sensitivity: L1Sensitivity<N>,
  grid: Rational,
  dimension: number,
): Rational => {
  const steps = div(sensitivity.l1, grid)
  return dimension === 1 ? integer(toInteger(steps, 'up')) : add(steps, integer(dimension))
}

/** The same in Euclidean distance, squared: ceil(S / grid)^2 for one value, (S / grid + sqrt(dimension))^2 rounded up for a vector. */
export const widenedL2 = <N extends 'add-remove' | 'replace-one'>(
  sensitivity: L2Sensitivity<N>,
  grid: Rational,
  dimension: number,
): Rational => {
  const squared = div(sensitivity.l2Squared, mul(grid, grid))
  if (dimension === 1) {
    const whole = toInteger(squared, 'up')
    const root = integerSqrt(whole)
    const steps = root * root === whole ? root : root + 1n
    return integer(steps * steps)
  }
  const product = mul(integer(4 * dimension), squared)
  const unit = 1n << 64n
  const root = ratio(integerSqrt((product.num * unit * unit) / product.den) + 1n, unit)
  return add(add(squared, integer(dimension)), root)
}

/** Refuses a number of coordinates that is not a safe integer of at least 1. */
export const requireDimension = (dimension: number): void => {
  if (!Number.isSafeInteger(dimension) || dimension < 1 || dimension > 2 ** 32)
    throw new ParameterError('dimension must be an integer from 1 to 2^32')
}

/** The smallest power of two that is at least `value` > 0. */
const powerOfTwoFrom = (value: Rational): Rational => {
  const exponent = bitLength(value.num) - bitLength(value.den)
  const power = (e: number): Rational => (e >= 0 ? ratio(1n << BigInt(e), 1n) : ratio(1n, 1n << BigInt(-e)))
  const candidate = [exponent - 1, exponent, exponent + 1].find((e) => compare(power(e), value) >= 0)
  return power(candidate ?? exponent + 1)
}

/**
 * A grid fine against Laplace noise of this scale: the smallest power of two that is at least scale / 2^40. Sums of doubles stay on it exactly
 * as long as they stay below 2^53 steps. Throws ParameterError unless scale > 0.
 */
export const gridForLaplace = (scale: Rational): Rational => {
  if (sign(scale) <= 0) throw new ParameterError('the scale must be greater than 0')
  return powerOfTwoFrom(div(scale, ratio(1n << 40n, 1n)))
}

/** A grid fine against Gaussian noise: the smallest power of two that is at least 2 sigma / 2^57. Throws ParameterError unless sigma > 0. */
export const gridForGaussian = (sigma: Rational): Rational => {
  if (sign(sigma) <= 0) throw new ParameterError('sigma must be greater than 0')
  return powerOfTwoFrom(div(sigma, ratio(1n << 56n, 1n)))
}
