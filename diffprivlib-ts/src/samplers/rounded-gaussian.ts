// A Gaussian on the reals, rounded to the nearest integer: P[k] is its integral over [k - 1/2, k + 1/2]. Rounding is post-processing, so a
// release on a grid has exactly the guarantee of the continuous Gaussian.
//
// The proposal is a discrete Gaussian of variance s' = 4 s^2 / (4 s - 1), s = sigma^2. Given k it is accepted with probability
//   a(k) = exp(-k^2 / (8 s^2)) * the integral over [-1/2, 1/2] of cosh(k x / s) exp(-x^2 / (2 s)) dx,
// which makes accepted mass exp(-k^2 / (2 s')) a(k) = the integral of exp(-y^2 / (2 s)) over k's cell, because 1/s' = 1/s - 1/(4 s^2).
// a(k) <= 1, as cosh u <= exp(u^2 / 2) with u = k / (2 s) at the most; and a(k) >= 1 - k^2 / (8 s^2) - 1 / (24 s).

import { ParameterError } from '../errors.ts'
import { requireNoiseParameter } from '../limits.ts'
import { erfcOfSquare } from '../numeric/erfc.ts'
import { type Enclosure, expNegativeRational, pi, sqrtOfEnclosure, timesRational } from '../numeric/fixed-point.ts'
import type { BitSource } from '../random/bit-source.ts'
import {
  add,
  bitLength,
  compare,
  div,
  integer,
  mul,
  one,
  powerOfTwo,
  type Rational,
  ratio,
  sub,
  toNumber,
} from '../rational.ts'
import { gaussianSampler } from './discrete-gaussian.ts'
import { belowOf, type Real } from './lazy/coin.ts'
import { lazyGaussian, lazyTakesGaussian } from './lazy/gaussian.ts'
import { type Prefix, usualStep } from './lazy/prefix.ts'
import { wideTakesGaussian } from './lazy/wide.ts'
import { untilAccepted } from './rejection.ts'
import { fromBigints, fromNumbers, type IntegerSampler } from './sampler.ts'

/** The variance of the proposal. */
export const roundedProposal = (sigma2: Rational): Rational =>
  div(mul(integer(4n), mul(sigma2, sigma2)), sub(mul(integer(4n), sigma2), one))

/** P[k] of the rounded Gaussian for k >= 0, as a mantissa at `precision` times 2^-shift. */
export const roundedMass = (k: bigint, sigma2: Rational, precision: number) => {
  const edge = (twice: bigint): Rational => div(ratio(twice * twice, 8n), sigma2)
  const far = erfcOfSquare(edge(2n * k + 1n), precision)
  const whole = 1n << BigInt(precision + far.shift)
  if (k === 0n) return { lower: whole - far.upper, upper: whole - far.lower, shift: far.shift }
  const near = erfcOfSquare(edge(2n * k - 1n), precision)
  // Both at the finer of the two scales, then halved: the mass lies on one side.
  const shift = Math.max(near.shift, far.shift)
  const [a, b] = [BigInt(shift - near.shift), BigInt(shift - far.shift)]
  const lower = (near.lower << a) - (far.upper << b)
  return { lower: lower > 0n ? lower : 0n, upper: (near.upper << a) - (far.lower << b), shift: shift + 1 }
}

/** A bound below the chance to accept k, which costs no transcendental function. */
export const roundedAtLeast = (k: bigint, sigma2: Rational): Rational => {
  const shortfall = div(integer(k * k), mul(integer(8n), mul(sigma2, sigma2)))
  return sub(one, add(shortfall, div(one, mul(integer(24n), sigma2))))
}

/** The chance to accept the proposal k: a(k) = P[k] sigma sqrt(2 pi) exp(k^2 / (2 s')). */
export const roundedAcceptance = (k: bigint, sigma2: Rational): Real => {
  const size = k < 0n ? -k : k
  const growth = div(integer(size * size), mul(integer(2n), roundedProposal(sigma2)))
  const sigmaBits = Math.max(bitLength(sigma2.num) - bitLength(sigma2.den), 0)
  return (precision): Enclosure => {
    const working = precision + 2 * sigmaBits + 64
    const mass = roundedMass(size, sigma2, working)
    const decay = expNegativeRational(growth, working)
    const root = sqrtOfEnclosure(timesRational(pi(working), mul(integer(2n), sigma2)), working)
    const bits = decay.shift - mass.shift - (working - precision)
    const scaled = (value: bigint): bigint => (bits >= 0 ? value << BigInt(bits) : value >> BigInt(-bits))
    return {
      lower: scaled((mass.lower * root.lower) / decay.upper),
      upper: scaled((mass.upper * root.upper) / decay.lower + 1n) + 1n,
    }
  }
}

/** Whether U, of which 32 bits are known, accepts k: the cheap bound decides nearly always, and where it does not, the chance itself. */
export const roundedAccepts = (k: bigint, sigma2: Rational, source: BitSource): boolean => {
  const prefix: Prefix = { value: BigInt(source.word()), length: 32 }
  const { num, den } = roundedAtLeast(k, sigma2)
  if ((prefix.value + 1n) * den <= num << 32n) return true
  return belowOf(prefix, roundedAcceptance(k, sigma2), source, usualStep)
}

const kept = 1024
const words = 2 ** 32

/**
 * `roundedAccepts` in numbers. The shortfall q = k^2 / (8 s^2) + 1 / (24 s) as a double is not below q by more than a relative 2^-50: its two
 * factors are rounded up, a bigint k is off by 2^-53 and four operations round by 2^-53 each; a product with the least of all doubles is exact
 * where it is not normal, and one that is infinite decides nothing. So q is not above its double times 1 + 2^-40, and U, not above (word + 1) 2^-32, is accepted when that is not above 1 - q. Where this does not decide, the chance of a small k is computed to
 * 32 bits once and kept.
 */
export const lazyRoundedAccepts = (sigma2: Rational, source: BitSource): ((k: number | bigint) => boolean) => {
  const slope = toNumber(div(one, mul(integer(8n), mul(sigma2, sigma2))), 'up')
  const constant = toNumber(div(one, mul(integer(24n), sigma2)), 'up')
  const unit = words * (1 + powerOfTwo(-40))
  const surely = new Float64Array(kept).fill(-1)
  const possibly = new Float64Array(kept)
  const { word } = source

  return (k) => {
    const drawn = word()
    const near = Number(k)
    if (words - 1 - drawn >= (near * near * slope + constant) * unit) return true
    const size = near < 0 ? -near : near
    const chance = () => roundedAcceptance(BigInt(k), sigma2)
    if (size < kept) {
      if (surely[size] === -1) {
        const { lower, upper } = chance()(32)
        surely[size] = Number(lower)
        possibly[size] = Number(upper)
      }
      if (drawn < surely[size]!) return true
      if (drawn >= possibly[size]!) return false
    }
    return belowOf({ value: BigInt(drawn), length: 32 }, chance(), source, usualStep)
  }
}

/** One try at a rounded Gaussian. */
export const roundedAttempt = <T extends bigint | number>(
  proposal: () => T,
  accepts: (k: T) => boolean,
): T | undefined => {
  const k = proposal()
  return accepts(k) ? k : undefined
}

/**
 * A sampler of the rounded Gaussian, lazy where that is proved, else by bigints; sigma2 is the continuous one's variance. Throws ParameterError
 * unless 1 <= sigma2 <= 2^1023.
 */
export const roundedGaussianSampler = (sigma2: Rational, source: BitSource): IntegerSampler => {
  requireNoiseParameter(sigma2, 'sigma^2 of a rounded Gaussian')
  if (compare(sigma2, one) < 0)
    throw new ParameterError('sigma of a rounded Gaussian must be at least one step of the grid: declare a finer grid')
  const proposed = roundedProposal(sigma2)
  if (lazyTakesGaussian(proposed)) {
    const proposal = lazyGaussian(proposed, source)
    const accepts = lazyRoundedAccepts(sigma2, source)
    return fromNumbers(() => untilAccepted(() => roundedAttempt(proposal, accepts)))
  }
  const proposal = gaussianSampler(proposed, source)
  const accepts = wideTakesGaussian(proposed)
    ? lazyRoundedAccepts(sigma2, source)
    : (k: bigint): boolean => roundedAccepts(k, sigma2, source)
  return fromBigints(() => untilAccepted(() => roundedAttempt(proposal.next, accepts)), proposal.numbers)
}
