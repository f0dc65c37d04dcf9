import { ParameterError } from '../errors.ts'
import type { SecureBits } from '../random/bit-source.ts'
import { requireSecure, secureBits } from '../random/secure.ts'
import type { Rational } from '../rational.ts'
import { bernoulliExp as bernoulliExpOf, bernoulli as bernoulliOf } from './bernoulli.ts'
import { gaussianSampler } from './discrete-gaussian.ts'
import { laplaceSampler } from './discrete-laplace.ts'
import { geometricSampler } from './geometric.ts'
import { roundedGaussianSampler } from './rounded-gaussian.ts'
import type { IntegerSampler } from './sampler.ts'
import { flipSampler, selectionSampler, type Weighted } from './selection.ts'
import { type Staircase, staircaseSampler } from './staircase.ts'
import { uniformBelow } from './uniform.ts'

export type { IntegerSampler } from './sampler.ts'
export type { Weighted } from './selection.ts'
export type { Staircase } from './staircase.ts'

/**
 * A sampler of the discrete Gaussian N_Z(0, sigma2) over secure bits: P[k] proportional to exp(-k^2 / (2 sigma2)), exactly.
 * `sigma2` is in squared units of the query. Throws ParameterError unless 2^-1024 <= sigma2 <= 2^1024.
 */
export const discreteGaussian = (sigma2: Rational, bits: SecureBits = secureBits()): IntegerSampler =>
  gaussianSampler(sigma2, requireSecure(bits))

/**
 * A sampler of the discrete Laplace over secure bits: P[k] proportional to exp(-|k| / scale), exactly. `scale` is in units of the query
 * (L1 sensitivity / epsilon). Throws ParameterError unless 2^-1024 <= scale <= 2^1024.
 */
export const discreteLaplace = (scale: Rational, bits: SecureBits = secureBits()): IntegerSampler =>
  laplaceSampler(scale, requireSecure(bits))

/** True with exactly this probability. Throws ParameterError outside [0, 1]. */
export const bernoulli = (probability: Rational, bits: SecureBits = secureBits()): boolean =>
  bernoulliOf(requireSecure(bits), probability)

/** True with probability exactly exp(-exponent). Throws ParameterError for a negative exponent. */
export const bernoulliExp = (exponent: Rational, bits: SecureBits = secureBits()): boolean =>
  bernoulliExpOf(requireSecure(bits), exponent)

/** A uniform integer in [0, bound), by rejection and never by remainder. Throws ParameterError when `bound` is below 1. */
export const uniformInteger = (bound: bigint, bits: SecureBits = secureBits()): bigint =>
  uniformBelow(requireSecure(bits), bound)

/**
 * A sampler of the geometric on 0, 1, 2, ... over secure bits: P[k] proportional to exp(-k / scale), exactly. Throws ParameterError unless
 * 2^-1024 <= scale <= 2^1024.
 */
export const geometric = (scale: Rational, bits: SecureBits = secureBits()): IntegerSampler =>
  geometricSampler(scale, requireSecure(bits))

/**
 * A sampler of the staircase on integers over secure bits, exactly: steps of `width`, each e^-epsilon as likely as the one before, the first
 * `riser` values of a step e^epsilon times as likely as the rest. Throws ParameterError unless 1 <= riser <= width.
 */
export const discreteStaircase = (shape: Staircase, bits: SecureBits = secureBits()): IntegerSampler =>
  staircaseSampler(shape, requireSecure(bits))

/**
 * A sampler of a Gaussian on the reals, rounded to the nearest integer, over secure bits, exactly. `sigma2` is the continuous one's variance.
 * Throws ParameterError unless 1 <= sigma2 <= 2^1023.
 */
export const roundedGaussian = (sigma2: Rational, bits: SecureBits = secureBits()): IntegerSampler =>
  roundedGaussianSampler(sigma2, requireSecure(bits))

/**
 * The index of a candidate, with P[i] proportional to weight_i exp(-exponent_i), exactly. Throws ParameterError for a negative weight or
 * exponent, and without a positive weight.
 */
export const selectByWeight = (candidates: readonly Weighted[], bits: SecureBits = secureBits()): number =>
  selectionSampler(candidates, requireSecure(bits))()

/**
 * The index of a candidate by permute-and-flip: in random order, each is taken with probability exp(-exponent_i), exactly. Throws
 * ParameterError when no exponent is 0 or one is negative.
 */
export const selectByFlip = (exponents: readonly Rational[], bits: SecureBits = secureBits()): number => {
  if (exponents.length === 0) throw new ParameterError('a choice needs at least one candidate')
  return flipSampler(exponents, requireSecure(bits))()
}
