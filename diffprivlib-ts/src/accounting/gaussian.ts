// Gaussian differential privacy (Dong, Roth and Su, 2019): what Gaussian noise gives exactly, alone and composed. Squares of mu add up.
import { directed } from '../numeric/directed.ts'
import { erfcOfSquare } from '../numeric/erfc.ts'
import {
  expNegativeRational,
  pi,
  plain,
  type Scaled,
  sqrt,
  sqrtOfEnclosure,
  timesPositive,
} from '../numeric/fixed-point.ts'
import { greatestWhere, leastWhere } from '../numeric/search.ts'
import { requireDelta, requireNotNegative, requirePositive } from '../parameters.ts'
import { add, bitLength, compare, div, integer, mul, one, type Rational, ratio, sign, sub, zero } from '../rational.ts'

const shifted = (value: bigint, bits: number): bigint => (bits >= 0 ? value << BigInt(bits) : value >> BigInt(-bits))
const shiftedUp = (value: bigint, bits: number): bigint => -shifted(-value, bits)

/** Past this the square of an argument of erfc makes its series long, and bounds in closed form take over. */
const longSeries = integer(2048n)

/** The squares of a = (epsilon / mu - mu / 2) / sqrt(2) and b = (epsilon / mu + mu / 2) / sqrt(2), and the sign of a. */
const argumentsOf = (muSquared: Rational, epsilon: Rational) => {
  const half = div(muSquared, integer(2n))
  const square = (distance: Rational): Rational => div(mul(distance, distance), mul(integer(2n), muSquared))
  const left = sub(epsilon, half)
  return { negative: sign(left) < 0, a2: square(left), b2: square(add(epsilon, half)) }
}

/**
 * delta(epsilon) = (erfc(a) - e^epsilon erfc(b)) / 2 (Balle and Wang, 2018, theorem 8). The squares of a and b are fractions, so nothing
 * is rounded before the error function. `b2` may be at most 2,048 or this takes long.
 */
export const gaussianCurve = (muSquared: Rational, epsilon: Rational, precision: number): Scaled => {
  const { negative, a2, b2 } = argumentsOf(muSquared, epsilon)
  const a = erfcOfSquare(a2, precision)
  const b = erfcOfSquare(b2, precision)
  const decay = expNegativeRational(epsilon, precision)
  const whole = 2n << BigInt(precision + a.shift)
  const first = negative ? { lower: whole - a.upper, upper: whole - a.lower } : a
  // e^epsilon erfc(b), at the scale of the first term.
  const bits = precision + a.shift + decay.shift - b.shift
  const lower = first.lower - (shiftedUp(b.upper, bits) / decay.lower + 1n)
  const upper = first.upper - shifted(b.lower, bits) / decay.upper
  return { lower: lower > 0n ? lower : 0n, upper, shift: a.shift + 1 }
}

/**
 * An upper bound where b is large: e^epsilon erfc(b) >= 2 e^(-a^2) / (sqrt(pi) (b + sqrt(b^2 + 2))) (Abramowitz and Stegun, 7.1.13), which is
 * short of it by less than 1 / (4 b^2) of itself.
 */
const boundForLargeB = (a2: Rational, b2: Rational, negative: boolean): Rational => {
  const precision = 192
  const a = erfcOfSquare(a2, precision)
  const whole = 2n << BigInt(precision + a.shift)
  const first = ratio(negative ? whole - a.lower : a.upper, 1n << BigInt(precision + a.shift))
  const decay = plain(expNegativeRational(a2, precision))
  const below = { lower: 0n, upper: sqrt(b2, precision).upper + sqrt(add(b2, integer(2n)), precision).upper }
  const divisor = timesPositive(sqrtOfEnclosure(pi(precision), precision), below, precision)
  const second = ratio(2n * decay.lower, divisor.upper)
  return mul(sub(first, second), ratio(1n, 2n))
}

/** An upper bound of delta: the value itself, but for a tail below e^-2048 (then e^(-a^2) / 2) or a whole above 1 - e^-2048 (then 1). */
const deltaAbove = (muSquared: Rational, epsilon: Rational): Rational => {
  const { negative, a2, b2 } = argumentsOf(muSquared, epsilon)
  if (compare(a2, longSeries) > 0) {
    if (negative) return one
    return mul(
      ratio(1n, 2n),
      directed((precision) => expNegativeRational(a2, precision), 'up'),
    )
  }
  if (compare(b2, longSeries) > 0) return boundForLargeB(a2, b2, negative)
  return directed((precision) => gaussianCurve(muSquared, epsilon, precision), 'up')
}

/** Whether delta(epsilon) is certainly at most `delta`: quick where Chernoff's bound, e^(-a^2) / 2, decides. */
const staysWithin = (muSquared: Rational, epsilon: Rational, delta: Rational): boolean => {
  const { negative, a2 } = argumentsOf(muSquared, epsilon)
  // e^(-a^2) < 2^-n where a^2 >= n, for ln 2 < 1.
  const enough = integer(Math.max(bitLength(delta.den) - bitLength(delta.num) + 1, 1))
  if (!negative && compare(a2, enough) >= 0) return true
  return compare(deltaAbove(muSquared, epsilon), delta) <= 0
}

/**
 * The exact delta of mu-Gaussian differential privacy at `epsilon`, rounded up: by less than 2^-64 of itself, or 10^-4 where mu or
 * epsilon / mu is above 60; below e^-2048 it is bounded by Chernoff's e^(-a^2) / 2.
 * Throws ParameterError when mu^2 or epsilon is negative.
 */
export const gaussianToDelta = (muSquared: Rational, epsilon: Rational): Rational => {
  requireNotNegative(muSquared, 'mu^2')
  requireNotNegative(epsilon, 'epsilon')
  if (sign(muSquared) === 0) return zero
  const delta = deltaAbove(muSquared, epsilon)
  return compare(delta, one) > 0 ? one : delta
}

/**
 * The exact epsilon of mu-Gaussian differential privacy at `delta`, rounded up by less than 2^-46 of itself: for k Gaussians on the reals,
 * each of noise multiplier z, mu^2 = k / z^2. Throws ParameterError for a negative mu^2 or a delta outside (0, 1).
 */
export const gaussianToEpsilon = (muSquared: Rational, delta: Rational): Rational => {
  requireNotNegative(muSquared, 'mu^2')
  requireDelta(delta)
  if (sign(muSquared) === 0) return zero
  return leastWhere((epsilon) => staysWithin(muSquared, epsilon, delta))
}

/**
 * The largest mu^2 that stays at (epsilon, delta), rounded down. Throws ParameterError for a negative epsilon or a delta outside (0, 1).
 */
export const approxDpToMuSquared = (epsilon: Rational, delta: Rational): Rational => {
  requireNotNegative(epsilon, 'epsilon')
  requireDelta(delta)
  return greatestWhere((muSquared) => staysWithin(muSquared, epsilon, delta))
}

/**
 * The smallest sigma^2 of Gaussian noise on the reals that gives (epsilon, delta) to a query of squared L2 sensitivity `l2Squared`
 * (squared units of the query), rounded up: the analytic Gaussian of Balle and Wang (2018). Not for the discrete Gaussian, whose delta is
 * not monotone in sigma: calibrate that one by rho. Throws ParameterError for parameters outside their range.
 */
export const analyticGaussianSigma2 = (l2Squared: Rational, epsilon: Rational, delta: Rational): Rational => {
  requirePositive(l2Squared, 'the squared sensitivity')
  return div(l2Squared, approxDpToMuSquared(epsilon, delta))
}
