import type { Neighbours } from '../bounding.ts'
import { discreteLaplaceLaw } from '../laws/discrete-laplace-law.ts'
import type { BitSource } from '../random/bit-source.ts'
import { format, type Rational } from '../rational.ts'
import { laplaceSampler } from '../samplers/discrete-laplace.ts'
import { domainGrid, gridDomain, truncating } from './domain.ts'
import { type LaplaceFamilyOptions, laplaceNoise } from './laplace.ts'
import { type GridMechanism, securely } from './release.ts'

/** Options of the Laplace mechanisms that keep to a domain. */
export interface LaplaceDomainOptions<N extends Neighbours> extends LaplaceFamilyOptions<N> {
  /** The ends of the domain, multiples of the grid, fixed without looking at the data. Required. */
  readonly lower: Rational
  readonly upper: Rational
}

/** `laplaceTruncated` over any bits; only the secure door and the test door export it. */
export const laplaceTruncatedOver = <N extends Neighbours>(
  options: LaplaceDomainOptions<N>,
  bits: BitSource,
): GridMechanism<N, [value: Rational]> => {
  const { lower, upper, grid } = options
  const { scale, loss, facts } = laplaceNoise(options, 1)
  const domain = gridDomain(lower, upper, grid)
  return domainGrid<N>({
    facts: facts('laplace-truncated', scale, { lower: format(lower), upper: format(upper) }),
    loss,
    domain,
    noise: truncating(domain, scale, discreteLaplaceLaw(scale).halfWidth, laplaceSampler(scale, bits)),
    grid,
  })
}

/**
 * `laplace` whose releases beyond an end of the domain are moved to that end: post-processing, at no cost in privacy, with a bias near the
 * ends. Throws ParameterError for parameters outside their range and bounds that are not multiples of the grid.
 */
export const laplaceTruncated = securely(laplaceTruncatedOver)
