import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { foldedMoments } from '../laws/bounded-laplace-law.ts'
import type { BitSource } from '../random/bit-source.ts'
import { format, type Rational } from '../rational.ts'
import { distances, domainInteger, foldSteps, requireDomain } from './domain.ts'
import { type GeometricOptions, geometricNoise } from './geometric.ts'
import { type IntegerMechanism, securely } from './release.ts'

/** Options of `geometricFolded`. */
export interface GeometricFoldedOptions<N extends Neighbours> extends GeometricOptions<N> {
  /** The ends of the domain, whole or half numbers, fixed without looking at the data. Required. */
  readonly lower: Rational
  readonly upper: Rational
}

/** `geometricFolded` over any bits; only the secure door and the test door export it. */
export const geometricFoldedOver = <N extends Neighbours>(
  options: GeometricFoldedOptions<N>,
  bits: BitSource,
): IntegerMechanism<N, [value: bigint]> => {
  const { lower, upper } = options
  const domain = { lower, upper }
  requireDomain(domain)
  if (lower.den > 2n || upper.den > 2n) throw new ParameterError('the bounds of a fold are whole or half numbers')
  const { scale, law, sampler, loss, facts } = geometricNoise(options, bits)
  return domainInteger<N>({
    facts: facts('geometric-folded', { lower: format(lower), upper: format(upper) }),
    loss,
    domain,
    noise: {
      draw: (steps) => foldSteps(steps + sampler.next(), domain),
      moments: (steps) => foldedMoments(scale, ...distances(steps, domain)),
      halfWidth: law.halfWidth,
    },
    sampler,
  })
}

/**
 * `geometric` whose releases beyond an end of the domain are reflected there until they lie inside: post-processing, at no cost in privacy.
 * Throws ParameterError unless epsilon > 0, lower < upper, and both are whole or half numbers.
 */
export const geometricFolded = securely(geometricFoldedOver)
