import { binaryOver } from '../mechanisms/binary.ts'
import { exponentialOver } from '../mechanisms/exponential.ts'
import { exponentialCategoricalOver } from '../mechanisms/exponential-categorical.ts'
import { exponentialHierarchicalOver } from '../mechanisms/exponential-hierarchical.ts'
import { gaussianOver } from '../mechanisms/gaussian.ts'
import { gaussianAnalyticOver } from '../mechanisms/gaussian-analytic.ts'
import { gaussianDiscreteOver } from '../mechanisms/gaussian-discrete.ts'
import { geometricOver } from '../mechanisms/geometric.ts'
import { geometricFoldedOver } from '../mechanisms/geometric-folded.ts'
import { geometricTruncatedOver } from '../mechanisms/geometric-truncated.ts'
import { laplaceOver } from '../mechanisms/laplace.ts'
import { laplaceBoundedDomainOver } from '../mechanisms/laplace-bounded-domain.ts'
import { laplaceBoundedNoiseOver } from '../mechanisms/laplace-bounded-noise.ts'
import { laplaceFoldedOver } from '../mechanisms/laplace-folded.ts'
import { laplaceTruncatedOver } from '../mechanisms/laplace-truncated.ts'
import { permuteAndFlipOver } from '../mechanisms/permute-and-flip.ts'
import { snappingOver } from '../mechanisms/snapping.ts'
import { staircaseOver } from '../mechanisms/staircase.ts'
import { uniformOver } from '../mechanisms/uniform.ts'
import { vectorOver } from '../mechanisms/vector.ts'
import type { BitSource } from '../random/bit-source.ts'
import { refuseProduction, type SeededBits } from './seeded-bits.ts'

const seeded =
  <Options, Result>(over: (options: Options, bits: BitSource) => Result) =>
  (options: Options, bits: SeededBits): Result => {
    refuseProduction('a seeded mechanism')
    return over(options, bits)
  }

/** The mechanisms of `mechanisms` over reproducible bits, under the same names. Each throws ParameterError where NODE_ENV is production. */
export const seededMechanisms = Object.freeze({
  binary: seeded(binaryOver),
  exponential: seeded(exponentialOver),
  exponentialCategorical: seeded(exponentialCategoricalOver),
  exponentialHierarchical: seeded(exponentialHierarchicalOver),
  gaussian: seeded(gaussianOver),
  gaussianAnalytic: seeded(gaussianAnalyticOver),
  gaussianDiscrete: seeded(gaussianDiscreteOver),
  geometric: seeded(geometricOver),
  geometricFolded: seeded(geometricFoldedOver),
  geometricTruncated: seeded(geometricTruncatedOver),
  laplace: seeded(laplaceOver),
  laplaceBoundedDomain: seeded(laplaceBoundedDomainOver),
  laplaceBoundedNoise: seeded(laplaceBoundedNoiseOver),
  laplaceFolded: seeded(laplaceFoldedOver),
  laplaceTruncated: seeded(laplaceTruncatedOver),
  permuteAndFlip: seeded(permuteAndFlipOver),
  snapping: seeded(snappingOver),
  staircase: seeded(staircaseOver),
  uniform: seeded(uniformOver),
  vector: seeded(vectorOver),
})
