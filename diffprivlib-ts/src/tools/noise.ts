// The one step that all tools of sums share: an integer query with a sensitivity, noise for what is spent.
import { type Neighbours, statedL1, statedL2 } from '../bounding.ts'
import { gaussianDiscrete } from '../mechanisms/gaussian-discrete.ts'
import { geometric } from '../mechanisms/geometric.ts'
import type { AdditiveIntegerMechanism } from '../mechanisms/release.ts'
import type { SecureBits } from '../random/bit-source.ts'
import { div, integer, mul, type Rational } from '../rational.ts'
import type { Spend } from './options.ts'

/** How far neighbours move an integer query. */
export interface Reach {
  /** In the sum of absolute differences. */
  readonly l1: bigint
  /** In squared Euclidean distance. */
  readonly l2Squared: bigint
  readonly because: string
}

/** The reach of one number that neighbours move by at most `most`. */
export const reachOf = (most: bigint, because: string): Reach => ({ l1: most, l2Squared: most * most, because })

/** The mechanism for a query of this reach: discrete Laplace for an epsilon, discrete Gaussian for a rho. */
export const noiseFor = <N extends Neighbours>(
  neighbours: N,
  reach: Reach,
  spend: Spend,
  dimension: number,
  bits: SecureBits,
): AdditiveIntegerMechanism<N> => {
  const { because } = reach
  if (spend.epsilon) {
    const sensitivity = statedL1({ neighbours, l1: integer(reach.l1), because })
    return geometric<N>({ neighbours, sensitivity, epsilon: spend.epsilon, dimension }, bits)
  }
  const sensitivity = statedL2({ neighbours, l2Squared: integer(reach.l2Squared), because })
  return gaussianDiscrete<N>({ neighbours, sensitivity, rho: spend.rho as Rational }, bits)
}

/** An equal part of what is spent. */
export const partOf = (spend: Spend, parts: number): Spend =>
  spend.epsilon ? { epsilon: div(spend.epsilon, integer(parts)) } : { rho: div(spend.rho as Rational, integer(parts)) }

/** The half-width of a query that is released after division by a public number. */
export const scaledInterval =
  (interval: (confidence: Rational) => bigint, factor: Rational) =>
  (confidence: Rational): Rational =>
    mul(integer(interval(confidence)), factor)
