import type { Neighbours } from '../bounding.ts'
import type { BitSource } from '../random/bit-source.ts'
import { integer } from '../rational.ts'
import { domainInteger, requireDomain, truncating } from './domain.ts'
import { type GeometricOptions, geometricNoise } from './geometric.ts'
import { type IntegerMechanism, securely } from './release.ts'

/** Options of `geometricTruncated`. */
export interface GeometricTruncatedOptions<N extends Neighbours> extends GeometricOptions<N> {
  /** The ends of the domain, fixed without looking at the data. Required. */
  readonly lower: bigint
  readonly upper: bigint
}

/** `geometricTruncated` over any bits; only the secure door and the test door export it. */
export const geometricTruncatedOver = <N extends Neighbours>(
  options: GeometricTruncatedOptions<N>,
  bits: BitSource,
): IntegerMechanism<N, [value: bigint]> => {
  const domain = { lower: integer(options.lower), upper: integer(options.upper) }
  requireDomain(domain)
  const { scale, law, sampler, loss, facts } = geometricNoise(options, bits)
  return domainInteger<N>({
    facts: facts('geometric-truncated', { lower: `${options.lower}`, upper: `${options.upper}` }),
    loss,
    domain,
    noise: truncating(domain, scale, law.halfWidth, sampler),
    sampler,
  })
}

/**
 * `geometric` whose releases beyond an end of the domain are moved to that end: post-processing, at no cost in privacy, with a bias near the
 * ends. Throws ParameterError unless epsilon > 0 and lower < upper.
 */
export const geometricTruncated = securely(geometricTruncatedOver)
