import { requireNoiseParameter } from '../limits.ts'
import type { BitSource } from '../random/bit-source.ts'
import type { Rational } from '../rational.ts'
import { integerGaussian, proposalScale } from './canonne-kamath-steinke.ts'
import { lazyGaussian, lazyTakesGaussian } from './lazy/gaussian.ts'
import { wideGaussian, wideTakesGaussian } from './lazy/wide.ts'
import { fromBigints, fromNumbers, type IntegerSampler, numberScaleLimit } from './sampler.ts'

/**
 * A sampler of the discrete Gaussian, P[k] proportional to exp(-k^2 / (2 sigma2)): lazy where it is proved, else by integers alone; one law
 * either way. Throws ParameterError unless 2^-1024 <= sigma2 <= 2^1024.
 */
export const gaussianSampler = (sigma2: Rational, source: BitSource): IntegerSampler => {
  requireNoiseParameter(sigma2, 'sigma^2 of a discrete Gaussian')
  if (lazyTakesGaussian(sigma2)) return fromNumbers(lazyGaussian(sigma2, source))
  if (wideTakesGaussian(sigma2)) return fromBigints(wideGaussian(sigma2, source), false)
  return fromBigints(integerGaussian(source, sigma2), proposalScale(sigma2) <= BigInt(numberScaleLimit))
}
