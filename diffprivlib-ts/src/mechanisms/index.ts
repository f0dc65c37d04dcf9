export type { BinaryMechanism, BinaryOptions } from './binary.ts'
export { binary } from './binary.ts'
export { type ExponentialOptions, exponential, type SelectionOptions } from './exponential.ts'
export {
  type Distance,
  type ExponentialCategoricalOptions,
  exponentialCategorical,
} from './exponential-categorical.ts'
export {
  type ExponentialHierarchicalOptions,
  exponentialHierarchical,
  type Hierarchy,
} from './exponential-hierarchical.ts'
export { classicGaussianSigma2, type GaussianOptions, gaussian } from './gaussian.ts'
export { type GaussianAnalyticOptions, gaussianAnalytic } from './gaussian-analytic.ts'
export { type GaussianDiscreteOptions, gaussianDiscrete } from './gaussian-discrete.ts'
export { type GeometricOptions, type GeometricVectorOptions, geometric } from './geometric.ts'
export { type GeometricFoldedOptions, geometricFolded } from './geometric-folded.ts'
export { type GeometricTruncatedOptions, geometricTruncated } from './geometric-truncated.ts'
export { gridForGaussian, gridForLaplace, snapToGrid } from './grid.ts'
export { type LaplaceOptions, laplace } from './laplace.ts'
export { type BoundedDomainMechanism, laplaceBoundedDomain } from './laplace-bounded-domain.ts'
export { type LaplaceBoundedNoiseOptions, laplaceBoundedNoise } from './laplace-bounded-noise.ts'
export { laplaceFolded } from './laplace-folded.ts'
export { type LaplaceDomainOptions, laplaceTruncated } from './laplace-truncated.ts'
export { permuteAndFlip } from './permute-and-flip.ts'
export type {
  Accuracy,
  AdditiveGridMechanism,
  AdditiveIntegerMechanism,
  GridMechanism,
  IntegerMechanism,
  PrivateMechanism,
  ReleaseFacts,
} from './release.ts'
export { type SnappingMechanism, type SnappingOptions, snapping } from './snapping.ts'
export { type StaircaseOptions, staircase, staircaseGamma } from './staircase.ts'
export { type UniformOptions, uniform } from './uniform.ts'
export { type VectorMechanism, type VectorOptions, vector } from './vector.ts'
