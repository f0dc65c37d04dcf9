import type { Neighbours } from '../bounding.ts'
import { AlreadyReleasedError, ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import type { BitSource, SecureBits } from '../random/bit-source.ts'
import { requireSecure, secureBits } from '../random/secure.ts'
import { div, format, integer, one, type Rational, toNumber } from '../rational.ts'
import { laplaceSampler } from '../samplers/discrete-laplace.ts'
import { changedGroups, type GroupLimit, requireCounts } from './group-limit.ts'
import { requireEpsilonDelta } from './keep-probability.ts'
import { thresholdFor } from './threshold.ts'

/** Options of `thresholdedCounts`. */
export interface ThresholdedCountsOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the limit. Required. */
  readonly neighbours: N
  /** From `limitGroups`. Required. */
  readonly groups: GroupLimit<NoInfer<N>>
  /** The epsilon of all noisy counts together. */
  readonly epsilon: Rational
  /** The probability with which a group of one unit may show. */
  readonly delta: Rational
}

/** Public facts of a thresholded release. Fractions are exact, as `"num/den"`. */
export interface ThresholdedCountsFacts {
  readonly mechanism: 'thresholded-counts'
  readonly version: 1
  readonly neighbours: Neighbours
  readonly bound: string
  readonly epsilon: string
  readonly delta: string
  /** The scale of the discrete Laplace noise, in units. */
  readonly scale: string
  /** A group shows when its noisy count is strictly greater. */
  readonly threshold: number
}

/** Releases noisy counts of the groups that are large enough, once. */
export interface ThresholdedCounts<N extends Neighbours> {
  readonly facts: ThresholdedCountsFacts
  /** What to charge, before `release` is called. */
  readonly loss: PrivacyLoss<N>
  /**
   * The noisy counts that are strictly greater than the threshold, by name. One release only: a second call throws AlreadyReleasedError. Throws
   * ParameterError, without drawing, for a count that is not a safe integer of at least 0.
   */
  readonly release: (counts: ReadonlyMap<string, number>) => ReadonlyMap<string, number>
}

/**
 * Counts of groups that come from the data: discrete Laplace noise on every count, and only noisy counts strictly greater than a threshold are
 * released, with their group. A group that one unit brings up alone shows with probability at most delta, over all of its groups
 * (Korolova, Kenthapadi, Mishra and Ntoulas, 2009). Strictly greater is part of the guarantee: at the threshold itself delta would
 * already be passed. Throws ParameterError for parameters outside their range, or an epsilon whose noise has a scale above 2^36.
 */
export const thresholdedCounts = <N extends Neighbours>(
  options: ThresholdedCountsOptions<N>,
  bits: SecureBits = secureBits(),
): ThresholdedCounts<N> => thresholdedCountsOver(options, requireSecure(bits))

/** The release over any bits; only the secure door above and the test door export it. */
export const thresholdedCountsOver = <N extends Neighbours>(
  options: ThresholdedCountsOptions<N>,
  bits: BitSource,
): ThresholdedCounts<N> => {
  const { neighbours, groups, epsilon, delta } = options
  if (groups.neighbours !== neighbours)
    throw new ParameterError(`the groups were limited for ${groups.neighbours} neighbours, not for ${neighbours}`)
  requireEpsilonDelta(epsilon, delta)
  const changed = changedGroups(groups)
  const scale = div(integer(changed), epsilon)
  const sampler = laplaceSampler(scale, bits)
  if (!sampler.numbers) throw new ParameterError('epsilon is too small: the scale of the noise would pass 2^36')
  const question = { noise: { kind: 'discrete-laplace', scale }, most: one, groups: changed } as const
  const threshold = toNumber(thresholdFor(question, delta), 'up')
  let spent = false
  return Object.freeze({
    facts: Object.freeze({
      mechanism: 'thresholded-counts' as const,
      version: 1 as const,
      neighbours,
      bound: groups.because,
      epsilon: format(epsilon),
      delta: format(delta),
      scale: format(scale),
      threshold,
    }),
    loss: Object.freeze({ kind: 'approximate' as const, neighbours, epsilon, delta }),
    release: (counts: ReadonlyMap<string, number>) => {
      const sorted = requireCounts(counts)
      if (spent) throw new AlreadyReleasedError('these counts were released: charge and build another')
      spent = true
      const noisy = sorted
        .filter(([, count]) => count > 0)
        .map(([name, count]) => [name, count + sampler.nextNumber()] as const)
      return new Map(noisy.filter(([, value]) => value > threshold))
    },
  })
}
