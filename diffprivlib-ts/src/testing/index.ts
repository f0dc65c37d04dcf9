import type { Neighbours } from '../bounding.ts'
import { type DiscreteGaussianOptions, gaussianMechanismOver } from '../mechanisms/discrete-gaussian.ts'
import { type DiscreteLaplaceOptions, laplaceMechanismOver } from '../mechanisms/discrete-laplace.ts'
import type { Mechanism } from '../mechanisms/mechanism.ts'
import type { Rational } from '../rational.ts'
import { gaussianSampler } from '../samplers/discrete-gaussian.ts'
import { laplaceSampler } from '../samplers/discrete-laplace.ts'
import type { IntegerSampler } from '../samplers/sampler.ts'
import { refuseProduction, type SeededBits } from './seeded-bits.ts'

export { seededMechanisms } from './mechanisms.ts'
export { seededContinualRelease, seededPartitionSelection, seededThresholdedCounts } from './releases.ts'
export { type SeededBits, seededBits } from './seeded-bits.ts'

/** `discreteGaussian` over reproducible bits. Throws ParameterError where NODE_ENV is production or sigma2 is not positive. */
export const seededGaussian = (sigma2: Rational, bits: SeededBits): IntegerSampler => {
  refuseProduction('a seeded sampler')
  return gaussianSampler(sigma2, bits)
}

/** `discreteLaplace` over reproducible bits. Throws ParameterError where NODE_ENV is production or the scale is not positive. */
export const seededLaplace = (scale: Rational, bits: SeededBits): IntegerSampler => {
  refuseProduction('a seeded sampler')
  return laplaceSampler(scale, bits)
}

/** `discreteGaussianMechanism` over reproducible bits. Throws ParameterError where NODE_ENV is production, and as the original does. */
export const seededGaussianMechanism = <N extends Neighbours>(
  options: DiscreteGaussianOptions<N>,
  bits: SeededBits,
): Mechanism => {
  refuseProduction('a seeded mechanism')
  return gaussianMechanismOver(options, bits)
}

/** `discreteLaplaceMechanism` over reproducible bits. Throws ParameterError where NODE_ENV is production, and as the original does. */
export const seededLaplaceMechanism = <N extends Neighbours>(
  options: DiscreteLaplaceOptions<N>,
  bits: SeededBits,
): Mechanism => {
  refuseProduction('a seeded mechanism')
  return laplaceMechanismOver(options, bits)
}
