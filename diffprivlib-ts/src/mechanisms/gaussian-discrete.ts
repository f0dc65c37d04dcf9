import type { L2Sensitivity, Neighbours } from '../bounding.ts'
import { discreteGaussianLaw } from '../laws/discrete-gaussian-law.ts'
import type { BitSource } from '../random/bit-source.ts'
import { format, type Rational } from '../rational.ts'
import { gaussianSampler } from '../samplers/discrete-gaussian.ts'
import { approxDpToRho, gaussianRho, gaussianSigma2 } from '../zcdp.ts'
import { additiveInteger } from './additive.ts'
import { type AdditiveIntegerMechanism, factsOf, requireSame, securely } from './release.ts'

/** Options of `gaussianDiscrete`: a rho to spend, an (epsilon, delta) to stay within, or the variance to add. */
export type GaussianDiscreteOptions<N extends Neighbours> = {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step, in squared units of the query. Required. */
  readonly sensitivity: L2Sensitivity<NoInfer<N>>
} & (
  | { readonly rho: Rational; readonly epsilon?: never; readonly delta?: never; readonly sigma2?: never }
  | { readonly epsilon: Rational; readonly delta: Rational; readonly rho?: never; readonly sigma2?: never }
  | { readonly sigma2: Rational; readonly rho?: never; readonly epsilon?: never; readonly delta?: never }
)

/** `gaussianDiscrete` over any bits; only the secure door and the test door export it. */
export const gaussianDiscreteOver = <N extends Neighbours>(
  options: GaussianDiscreteOptions<N>,
  bits: BitSource,
): AdditiveIntegerMechanism<N> => {
  const { neighbours, sensitivity } = options
  requireSame(neighbours, sensitivity)
  const wanted = options.epsilon ? approxDpToRho(options.epsilon, options.delta) : options.rho
  const sigma2 = wanted ? gaussianSigma2(sensitivity.l2Squared, wanted) : (options.sigma2 as Rational)
  const rho = gaussianRho(sensitivity.l2Squared, sigma2)
  return additiveInteger<N>({
    facts: factsOf({
      mechanism: 'gaussian-discrete',
      neighbours,
      bound: sensitivity.because,
      parameters: { l2Squared: format(sensitivity.l2Squared), sigma2: format(sigma2), rho: format(rho) },
    }),
    loss: { kind: 'zcdp', neighbours, rho },
    law: discreteGaussianLaw(sigma2),
    sampler: gaussianSampler(sigma2, bits),
  })
}

/**
 * The discrete Gaussian (Canonne, Kamath and Steinke, 2020), exact, for an integer query or vector. Calibrated by zero-concentrated
 * differential privacy alone, an (epsilon, delta) by the largest rho inside it: the delta of the discrete Gaussian is not monotone in
 * sigma, so a search over delta may settle where the true delta is above the claim. Throws ParameterError for parameters outside their range.
 */
export const gaussianDiscrete = securely(gaussianDiscreteOver)
