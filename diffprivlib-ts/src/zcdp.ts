// Zero-concentrated differential privacy (Bun and Steinke, 2016) and its conversions (Canonne, Kamath and Steinke, 2020,
// arXiv 2004.00010, proposition 12 and corollary 13). Every order alpha > 1 gives a valid bound, so the search for the best alpha may be
// approximate; the bound at the alpha found is then evaluated with certified enclosures and its safe end returned.
import { directed } from './numeric/directed.ts'
import {
  type Enclosure,
  encloseRational,
  expNegative,
  ln,
  lnFraction,
  type Scaled,
  subtract,
  timesRational,
} from './numeric/fixed-point.ts'
import { turningPoint } from './numeric/root.ts'
import { requireDelta, requireNotNegative, requirePositive } from './parameters.ts'
import { add, compare, div, integer, mul, one, type Rational, sign, sub, zero } from './rational.ts'

/**
 * The exact rho of a discrete or continuous Gaussian: S^2 / (2 sigma^2), from the squared L2 sensitivity (squared units of the query)
 * and sigma^2 (same units). Throws ParameterError when either is not positive.
 */
export const gaussianRho = (sensitivitySquared: Rational, sigma2: Rational): Rational => {
  requirePositive(sensitivitySquared, 'the squared sensitivity')
  requirePositive(sigma2, 'sigma^2')
  return div(sensitivitySquared, mul(integer(2n), sigma2))
}

/** The exact sigma^2 that spends `rho` on a Gaussian: S^2 / (2 rho). Throws ParameterError when either argument is not positive. */
export const gaussianSigma2 = (sensitivitySquared: Rational, rho: Rational): Rational => {
  requirePositive(sensitivitySquared, 'the squared sensitivity')
  requirePositive(rho, 'rho')
  return div(sensitivitySquared, mul(integer(2n), rho))
}

/** The exact rho that a pure epsilon guarantee implies: epsilon^2 / 2 (Bun and Steinke, proposition 3.3). */
export const pureDpToRho = (epsilon: Rational): Rational => {
  requireNotNegative(epsilon, 'epsilon')
  return div(mul(epsilon, epsilon), integer(2n))
}

const searchPrecision = 256

/** ln(1 - 1/alpha) for alpha = 1 + excess. */
const lnKept = (excess: Rational, precision: number): Enclosure =>
  lnFraction(excess.num, excess.num + excess.den, precision)

/** ln(delta * alpha) for alpha = 1 + excess. */
const lnDeltaAlpha = (delta: Rational, excess: Rational, precision: number): Enclosure =>
  ln(mul(delta, add(excess, one)), precision)

const sum = (...parts: readonly Enclosure[]): Enclosure => ({
  lower: parts.reduce((total, part) => total + part.lower, 0n),
  upper: parts.reduce((total, part) => total + part.upper, 0n),
})

/**
 * The epsilon that rho-zCDP gives at `delta`, rounded up: never below the tight value, and within 2^-64 of it relatively.
 * Throws ParameterError for a negative rho or a delta outside (0, 1).
 */
export const zcdpToEpsilon = (rho: Rational, delta: Rational): Rational => {
  requireNotNegative(rho, 'rho')
  requireDelta(delta)
  if (sign(rho) === 0) return zero
  // The bound alpha rho + ln(1 - 1/alpha) - ln(delta alpha)/(alpha - 1) is least where rho (alpha - 1)^2 + ln(delta alpha) = 0.
  const excess = turningPoint((candidate) => {
    const slope = encloseRational(mul(rho, mul(candidate, candidate)), searchPrecision)
    return slope.lower + lnDeltaAlpha(delta, candidate, searchPrecision).lower > 0n
  })
  const inverse = div(one, excess)
  const epsilon = directed(
    (precision) =>
      subtract(
        sum(encloseRational(mul(rho, add(excess, one)), precision), lnKept(excess, precision)),
        timesRational(lnDeltaAlpha(delta, excess, precision), inverse),
      ),
    'up',
  )
  return sign(epsilon) < 0 ? zero : epsilon
}

/**
 * The delta that rho-zCDP gives at `epsilon`, rounded up: never below the tight value, at most 1.
 * Throws ParameterError when an argument is negative.
 */
export const zcdpToDelta = (rho: Rational, epsilon: Rational): Rational => {
  requireNotNegative(rho, 'rho')
  requireNotNegative(epsilon, 'epsilon')
  if (sign(rho) === 0) return zero
  // ln of the bound, (alpha - 1)(alpha rho - epsilon) + alpha ln(1 - 1/alpha) - ln(alpha - 1), is least where
  // (2 alpha - 1) rho - epsilon + ln(1 - 1/alpha) = 0.
  const excess = turningPoint((candidate) => {
    const linear = sub(mul(rho, add(add(candidate, candidate), one)), epsilon)
    return encloseRational(linear, searchPrecision).lower + lnKept(candidate, searchPrecision).lower > 0n
  })
  const alpha = add(excess, one)
  const delta = directed((precision): Scaled => {
    const negated = subtract(
      sum(encloseRational(mul(excess, sub(epsilon, mul(alpha, rho))), precision), ln(excess, precision)),
      timesRational(lnKept(excess, precision), alpha),
    )
    if (negated.lower <= 0n) return { lower: 1n << BigInt(precision), upper: 1n << BigInt(precision), shift: 0 }
    return expNegative(negated, precision)
  }, 'up')
  return compare(delta, one) > 0 ? one : delta
}

/**
 * The largest rho whose conversion stays at (epsilon, delta), rounded down: spending it never exceeds that guarantee.
 * Throws ParameterError for an epsilon that is not positive or a delta outside (0, 1).
 */
export const approxDpToRho = (epsilon: Rational, delta: Rational): Rational => {
  requirePositive(epsilon, 'epsilon')
  requireDelta(delta)
  // rho(alpha) = (epsilon - ln(1 - 1/alpha) + ln(delta alpha)/(alpha - 1)) / alpha has its one maximum where
  // epsilon - ln(1 - 1/alpha) + ln(delta alpha)(2 alpha - 1)/(alpha - 1)^2 turns from negative to positive.
  const excess = turningPoint((candidate) => {
    const weight = div(add(add(candidate, candidate), one), mul(candidate, candidate))
    const turn = subtract(
      sum(
        encloseRational(epsilon, searchPrecision),
        timesRational(lnDeltaAlpha(delta, candidate, searchPrecision), weight),
      ),
      lnKept(candidate, searchPrecision),
    )
    return turn.lower > 0n
  })
  const inverse = div(one, excess)
  const inverseAlpha = div(one, add(excess, one))
  return directed((precision) => {
    const numerator = sum(
      subtract(encloseRational(epsilon, precision), lnKept(excess, precision)),
      timesRational(lnDeltaAlpha(delta, excess, precision), inverse),
    )
    return timesRational(numerator, inverseAlpha)
  }, 'down')
}
