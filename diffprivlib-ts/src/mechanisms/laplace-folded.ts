import type { Neighbours } from '../bounding.ts'
import { foldedMoments } from '../laws/bounded-laplace-law.ts'
import { discreteLaplaceLaw } from '../laws/discrete-laplace-law.ts'
import type { BitSource } from '../random/bit-source.ts'
import { format, type Rational } from '../rational.ts'
import { laplaceSampler } from '../samplers/discrete-laplace.ts'
import { distances, domainGrid, foldSteps, gridDomain } from './domain.ts'
import { laplaceNoise } from './laplace.ts'
import type { LaplaceDomainOptions } from './laplace-truncated.ts'
import { type GridMechanism, securely } from './release.ts'

/** `laplaceFolded` over any bits; only the secure door and the test door export it. */
export const laplaceFoldedOver = <N extends Neighbours>(
  options: LaplaceDomainOptions<N>,
  bits: BitSource,
): GridMechanism<N, [value: Rational]> => {
  const { lower, upper, grid } = options
  const { scale, loss, facts } = laplaceNoise(options, 1)
  const domain = gridDomain(lower, upper, grid)
  const sampler = laplaceSampler(scale, bits)
  return domainGrid<N>({
    facts: facts('laplace-folded', scale, { lower: format(lower), upper: format(upper) }),
    loss,
    domain,
    noise: {
      draw: (steps) => foldSteps(steps + sampler.next(), domain),
      moments: (steps) => foldedMoments(scale, ...distances(steps, domain)),
      halfWidth: discreteLaplaceLaw(scale).halfWidth,
    },
    grid,
  })
}

/**
 * `laplace` whose releases beyond an end of the domain are reflected there until they lie inside: post-processing, at no cost in privacy.
 * Throws ParameterError for parameters outside their range and bounds that are not multiples of the grid.
 */
export const laplaceFolded = securely(laplaceFoldedOver)
