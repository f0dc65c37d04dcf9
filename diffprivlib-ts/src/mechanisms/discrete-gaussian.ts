import type { L2Sensitivity, Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { discreteGaussianLaw } from '../laws/discrete-gaussian-law.ts'
import type { BitSource, SecureBits } from '../random/bit-source.ts'
import { requireSecure, secureBits } from '../random/secure.ts'
import { format, type Rational } from '../rational.ts'
import { gaussianSampler } from '../samplers/discrete-gaussian.ts'
import { gaussianRho, gaussianSigma2 } from '../zcdp.ts'
import { type Mechanism, oneShot } from './mechanism.ts'

/** Options of `discreteGaussianMechanism`; exactly one of `rho` and `sigma2`. */
export type DiscreteGaussianOptions<N extends Neighbours> = {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step. Required. */
  readonly sensitivity: L2Sensitivity<NoInfer<N>>
} & (
  | {
      /** The zCDP cost to spend: sigma^2 follows, exactly. */ readonly rho: Rational
      readonly sigma2?: never
    }
  | {
      /** The noise to add, in squared units of the query: rho follows, exactly. */ readonly sigma2: Rational
      readonly rho?: never
    }
)

/**
 * Adds discrete Gaussian noise N_Z(0, sigma^2) to an integer query, or independently to each coordinate of an integer vector, for
 * rho = S^2 / (2 sigma^2) under zero-concentrated differential privacy (Canonne, Kamath and Steinke, 2020, theorems 4 and 14).
 * Calibrated through rho only: delta is not monotone in sigma for the discrete law, so no search over delta is made.
 * Throws ParameterError for parameters that are not positive or a sensitivity of the other neighbour relation.
 */
export const discreteGaussianMechanism = <N extends Neighbours>(
  options: DiscreteGaussianOptions<N>,
  bits: SecureBits = secureBits(),
): Mechanism<N> => gaussianMechanismOver(options, requireSecure(bits))

/** The mechanism over any bits; only the secure door above and the test door export it. */
export const gaussianMechanismOver = <N extends Neighbours>(
  options: DiscreteGaussianOptions<N>,
  bits: BitSource,
): Mechanism<N> => {
  const { neighbours, sensitivity } = options
  if (sensitivity.neighbours !== neighbours)
    throw new ParameterError(
      `the sensitivity was bounded for ${sensitivity.neighbours} neighbours, not for ${neighbours}`,
    )
  const sigma2 = options.sigma2 ?? gaussianSigma2(sensitivity.l2Squared, options.rho)
  const rho = gaussianRho(sensitivity.l2Squared, sigma2)
  return oneShot({
    facts: {
      mechanism: 'discrete-gaussian',
      version: 1,
      neighbours,
      bound: sensitivity.because,
      l2Squared: format(sensitivity.l2Squared),
      sigma2: format(sigma2),
      rho: format(rho),
    },
    loss: { kind: 'zcdp', neighbours, rho },
    rho,
    law: discreteGaussianLaw(sigma2),
    sampler: gaussianSampler(sigma2, bits),
  })
}
