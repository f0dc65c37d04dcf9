import type { SecureBits } from '../random/bit-source.ts'
import { requireSecure, secureBits } from '../random/secure.ts'
import type { Rational } from '../rational.ts'
import { gaussianSampler } from './discrete-gaussian.ts'
import { laplaceSampler } from './discrete-laplace.ts'
import type { IntegerSampler } from './sampler.ts'

export type { IntegerSampler } from './sampler.ts'

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
