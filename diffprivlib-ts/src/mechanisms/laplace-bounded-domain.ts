import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { boundedDomainHalfWidth, boundedDomainMoments, boundedDomainRatio } from '../laws/bounded-laplace-law.ts'
import type { PrivacyLoss } from '../loss.ts'
import { directed } from '../numeric/directed.ts'
import { expNegativeRational } from '../numeric/fixed-point.ts'
import { leastWhere } from '../numeric/search.ts'
import type { BitSource } from '../random/bit-source.ts'
import { compare, div, format, integer, type Rational, toInteger } from '../rational.ts'
import { truncatedLaplaceSampler } from '../samplers/truncated-laplace.ts'
import { domainGrid, gridDomain } from './domain.ts'
import { laplaceNoise } from './laplace.ts'
import type { LaplaceDomainOptions } from './laplace-truncated.ts'
import { type GridMechanism, securely } from './release.ts'

/** `laplaceBoundedDomain`'s mechanism. */
export interface BoundedDomainMechanism<out N extends Neighbours> extends GridMechanism<N, [value: Rational]> {
  /** sensitivity / scale, rounded down: what epsilon would be without the cost of the domain's ends. */
  readonly effectiveEpsilon: Rational
}

/** `laplaceBoundedDomain` over any bits; only the secure door and the test door export it. */
export const laplaceBoundedDomainOver = <N extends Neighbours>(
  options: LaplaceDomainOptions<N>,
  bits: BitSource,
): BoundedDomainMechanism<N> => {
  const { lower, upper, grid, neighbours, epsilon } = options
  const { widened, effective, facts, loss } = laplaceNoise(options, 1)
  const domain = gridDomain(lower, upper, grid)
  const span = domain.upper.num - domain.lower.num
  const shift = toInteger(widened, 'up')
  if (shift > span)
    throw new ParameterError('the sensitivity, widened to the grid, must not be greater than upper - lower')
  // e^epsilon as 1 / e^-epsilon, rounded down, so that a scale that passes is on the safe side.
  const most = directed((precision) => {
    const { lower: low, upper: high, shift: bits } = expNegativeRational(effective, precision)
    const one = 1n << BigInt(2 * precision + bits)
    return { lower: one / high, upper: one / low + 1n }
  }, 'down')
  const holds = (scale: Rational): boolean => compare(boundedDomainRatio(scale, span, shift).upper, most) <= 0
  const scale = div(integer(shift), effective)
  // At this scale the pair of a domain's two ends already costs epsilon; the search starts there.
  const enough = holds(scale) ? scale : leastWhere((candidate) => compare(candidate, scale) > 0 && holds(candidate))
  const noise = (steps: bigint) => ({ below: steps - domain.lower.num, above: domain.upper.num - steps })
  const pure: PrivacyLoss<N> = loss.kind === 'laplace' ? { kind: 'pure', neighbours, epsilon } : loss
  const mechanism = domainGrid<N>({
    facts: facts('laplace-bounded-domain', enough, { lower: format(lower), upper: format(upper) }),
    loss: pure,
    domain,
    noise: {
      draw: (steps) => steps + truncatedLaplaceSampler(enough, noise(steps), bits).next(),
      moments: (steps) => boundedDomainMoments(enough, noise(steps).below, noise(steps).above),
      halfWidth: (confidence) => boundedDomainHalfWidth(enough, span, confidence),
    },
    grid,
  })
  return Object.freeze({ ...mechanism, effectiveEpsilon: div(widened, enough) })
}

/**
 * Laplace noise drawn again until the release lies in the domain (Holohan, Antonatos, Braghin and Mac Aonghusa, 2020). Unlike truncation this is
 * no post-processing: the scale grows so that the weights of the two neighbours' domains are paid for, by the exact worst pair on the grid.
 * Throws ParameterError for parameters outside their range, bounds that are not multiples of the grid, and a sensitivity above upper - lower.
 */
export const laplaceBoundedDomain = securely(laplaceBoundedDomainOver)
