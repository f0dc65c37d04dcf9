import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { boundedNoiseLaw, boundedTop } from '../laws/bounded-noise-law.ts'
import type { BitSource } from '../random/bit-source.ts'
import { compare, div, format, integer, mul, type Rational, ratio, sign, toInteger } from '../rational.ts'
import { truncatedLaplaceSampler } from '../samplers/truncated-laplace.ts'
import { additiveGrid } from './additive.ts'
import { type LaplaceFamilyOptions, laplaceNoise } from './laplace.ts'
import { type AdditiveGridMechanism, securely } from './release.ts'

/** Options of `laplaceBoundedNoise`. */
export interface LaplaceBoundedNoiseOptions<N extends Neighbours> extends Omit<LaplaceFamilyOptions<N>, 'delta'> {
  /** Between 0 and 1/2. Required. */
  readonly delta: Rational
}

/** The least of the whole numbers above `from` - 1 of which `holds` is true, where it is false below some point and true above it. */
export const leastWhole = (from: bigint, holds: (candidate: bigint) => boolean): bigint => {
  if (holds(from)) return from
  let low = from
  let high = 2n * from
  while (!holds(high)) [low, high] = [high, 2n * high]
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}

/** `laplaceBoundedNoise` over any bits; only the secure door and the test door export it. */
export const laplaceBoundedNoiseOver = <N extends Neighbours>(
  options: LaplaceBoundedNoiseOptions<N>,
  bits: BitSource,
): AdditiveGridMechanism<N> => {
  const { neighbours, epsilon, delta, grid } = options
  if (sign(epsilon) <= 0) throw new ParameterError('epsilon must be greater than 0; for 0, use uniform')
  if (sign(delta) <= 0 || compare(delta, ratio(1n, 2n)) >= 0)
    throw new ParameterError('delta must lie between 0 and 1/2; for 0, use laplace')
  // Inside both neighbours' reach the noise is a pure epsilon; what only one of them reaches is the delta.
  const { widened, facts } = laplaceNoise({ ...options, delta: ratio(0n, 1n) }, 1)
  const shift = toInteger(widened, 'up')
  const scale = div(integer(shift), epsilon)
  const reach = leastWhole(
    shift,
    (candidate) => compare(boundedTop(scale, candidate, candidate - shift).upper, delta) <= 0,
  )
  return additiveGrid<N>({
    facts: facts('laplace-bounded-noise', scale, {
      delta: format(delta),
      reach: format(mul(integer(reach), grid)),
    }),
    loss: { kind: 'approximate', neighbours, epsilon, delta },
    law: boundedNoiseLaw(scale, reach),
    sampler: truncatedLaplaceSampler(scale, { below: reach, above: reach }, bits),
    grid,
    dimension: 1,
  })
}

/**
 * Laplace noise that never exceeds a reach, for (epsilon, delta) (Geng, Ding, Guo and Kumar, 2018, arXiv 1810.00877); the reach is the least
 * whole number of steps that keeps the exact delta. One value, no vectors. Throws ParameterError for parameters outside their range.
 */
export const laplaceBoundedNoise = securely(laplaceBoundedNoiseOver)
