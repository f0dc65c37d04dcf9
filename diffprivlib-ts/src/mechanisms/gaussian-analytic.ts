import { analyticGaussianSigma2 } from '../accounting/gaussian.ts'
import type { Neighbours } from '../bounding.ts'
import type { BitSource } from '../random/bit-source.ts'
import { format, type Rational } from '../rational.ts'
import { type GaussianFamilyOptions, gaussianWith } from './gaussian.ts'
import { type AdditiveGridMechanism, securely } from './release.ts'

/** Options of `gaussianAnalytic`. */
export interface GaussianAnalyticOptions<N extends Neighbours> extends GaussianFamilyOptions<N> {
  /** At least 0. Required. */
  readonly epsilon: Rational
  /** Between 0 and 1. Required. */
  readonly delta: Rational
}

/** `gaussianAnalytic` over any bits; only the secure door and the test door export it. */
export const gaussianAnalyticOver = <N extends Neighbours>(
  options: GaussianAnalyticOptions<N>,
  bits: BitSource,
): AdditiveGridMechanism<N> => {
  const { epsilon, delta } = options
  return gaussianWith(
    'gaussian-analytic',
    options,
    (widened) => analyticGaussianSigma2(widened, epsilon, delta),
    { epsilon: format(epsilon), delta: format(delta) },
    bits,
  )
}

/**
 * `gaussian` with the least variance that gives (epsilon, delta), by the exact delta of the Gaussian and rounded up (Balle and Wang, 2018).
 * Throws ParameterError for parameters outside their range and a grid coarser than sigma.
 */
export const gaussianAnalytic = securely(gaussianAnalyticOver)
