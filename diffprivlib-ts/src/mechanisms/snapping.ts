import type { L1Sensitivity, Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { missOf } from '../laws/law.ts'
import { snappedMoments } from '../laws/snapped-laplace-law.ts'
import type { PrivacyLoss } from '../loss.ts'
import { directed } from '../numeric/directed.ts'
import { ln } from '../numeric/fixed-point.ts'
import type { BitSource } from '../random/bit-source.ts'
import { add, compare, div, format, integer, mul, one, type Rational, ratio, sign, sub } from '../rational.ts'
import { snappedSampler } from '../samplers/snapped-laplace.ts'
import { exactValue, gridForLaplace, nearestNumber } from './grid.ts'
import { type Accuracy, factsOf, once, type ReleaseFacts, requireSame, scaled, securely } from './release.ts'

/** Options of `snapping`. */
export interface SnappingOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step, in units of the query. Required. */
  readonly sensitivity: L1Sensitivity<NoInfer<N>>
  /** The pure epsilon to spend, greater than 2^-52. Required. */
  readonly epsilon: Rational
  /** The ends of the domain, fixed without looking at the data. Required. */
  readonly lower: Rational
  readonly upper: Rational
}

/** `snapping`'s mechanism. A value outside the domain counts as its nearer end. */
export interface SnappingMechanism<out N extends Neighbours> extends Accuracy<[value: Rational]> {
  readonly facts: ReleaseFacts
  readonly loss: PrivacyLoss<N>
  /** The epsilon that the noise is made for, a little less than what is spent. */
  readonly effectiveEpsilon: Rational
  /** The value with noise, snapped; once. A number is returned as the nearest double, a fraction exactly. */
  readonly randomise: { (value: number): number; (value: Rational): Rational }
  /** The half-width of an interval around the release that holds the bounded truth with at least this probability; rounded up. */
  readonly interval: (confidence: Rational) => Rational
}

const roundingError = ratio(1n, 1n << 53n)

/** Half the domain in units of the sensitivity; of the query, where nothing is bounded. */
export const snappingBound = (lower: Rational, upper: Rational, sensitivity: Rational): Rational => {
  const half = div(sub(upper, lower), integer(2n))
  return sign(sensitivity) === 0 ? half : div(half, sensitivity)
}

/** (epsilon - 2 eta) / (1 + 12 B eta) with eta = 2^-53: what rounding may take from epsilon in the published mechanism (Mironov, 2012, section 5.2). */
export const snappingEpsilon = (epsilon: Rational, bound: Rational): Rational =>
  div(sub(epsilon, mul(integer(2n), roundingError)), add(one, mul(integer(12n), mul(bound, roundingError))))

/** `snapping` over any bits; only the secure door and the test door export it. */
export const snappingOver = <N extends Neighbours>(
  options: SnappingOptions<N>,
  bits: BitSource,
): SnappingMechanism<N> => {
  const { neighbours, sensitivity, epsilon, lower, upper } = options
  requireSame(neighbours, sensitivity)
  if (compare(epsilon, mul(integer(2n), roundingError)) <= 0)
    throw new ParameterError('epsilon must be greater than 2^-52')
  if (compare(lower, upper) >= 0) throw new ParameterError('the lower bound must lie below the upper bound')
  const bound = snappingBound(lower, upper, sensitivity.l1)
  const effectiveEpsilon = snappingEpsilon(epsilon, bound)
  const scale = div(one, effectiveEpsilon)
  // The smallest power of two that is at least the scale.
  const grain = mul(gridForLaplace(scale), integer(1n << 40n))
  const middle = div(add(lower, upper), integer(2n))
  const noisy = snappedSampler(div(scale, grain), bits)
  const spend = once()
  const clamp = (value: Rational): Rational =>
    compare(value, bound) > 0 ? bound : compare(add(value, bound), integer(0n)) < 0 ? sub(integer(0n), bound) : value
  const centredOf = (value: Rational): Rational => clamp(div(sub(value, middle), sensitivity.l1))
  const step = mul(grain, sensitivity.l1)
  const at = (value: Rational) => snappedMoments(div(scale, grain), div(centredOf(value), grain), div(bound, grain))
  function randomise(value: number): number
  function randomise(value: Rational): Rational
  function randomise(value: number | Rational): number | Rational {
    const centred = centredOf(exactValue(value))
    spend()
    const snapped = noisy(div(centred, grain))
    const released = add(mul(clamp(mul(integer(snapped), grain)), sensitivity.l1), middle)
    return typeof value === 'number' ? nearestNumber(released) : released
  }
  return Object.freeze({
    facts: factsOf({
      mechanism: 'snapping',
      neighbours,
      bound: sensitivity.because,
      parameters: {
        epsilon: format(epsilon),
        effectiveEpsilon: format(effectiveEpsilon),
        sensitivity: format(sensitivity.l1),
        grain: format(step),
        lower: format(lower),
        upper: format(upper),
      },
    }),
    loss: Object.freeze({ kind: 'pure', neighbours, epsilon } as const),
    effectiveEpsilon,
    bias: (value: Rational) => scaled(at(value).bias, step),
    variance: (value: Rational) => scaled(at(value).variance, mul(step, step)),
    mse: (value: Rational) => scaled(at(value).mse, mul(step, step)),
    randomise,
    interval: (confidence: Rational) => {
      const tail = directed((precision) => ln(div(one, missOf(confidence)), precision), 'up')
      return mul(add(mul(scale, tail), div(grain, integer(2n))), sensitivity.l1)
    },
  })
}

/**
 * The snapping mechanism (Mironov, 2012): the value is clamped to the domain, Laplace noise added, the sum rounded to a power of two at least as
 * large as the noise's scale, and clamped again. Here the sum and its rounding are exact, so the guarantee needs no allowance for rounding;
 * the published allowance is made all the same, and the law is the published one. Coarse: `laplace` on a fine grid is as safe and more
 * accurate. Throws ParameterError for parameters outside their range.
 */
export const snapping = securely(snappingOver)
