import type { L1Sensitivity, Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { discreteLaplaceLaw } from '../laws/discrete-laplace-law.ts'
import type { PrivacyLoss } from '../loss.ts'
import type { BitSource } from '../random/bit-source.ts'
import { div, format, type Rational, sign, toInteger } from '../rational.ts'
import { laplaceSampler } from '../samplers/discrete-laplace.ts'
import { additiveInteger } from './additive.ts'
import { requireDimension } from './grid.ts'
import { type AdditiveIntegerMechanism, factsOf, requireSame, securely } from './release.ts'

/** What the geometric family is given. */
export interface GeometricOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step. Required. */
  readonly sensitivity: L1Sensitivity<NoInfer<N>>
  /** The pure epsilon to spend, greater than 0: the noise has scale sensitivity / epsilon. Required. */
  readonly epsilon: Rational
}

/** Options of `geometric`. */
export interface GeometricVectorOptions<N extends Neighbours> extends GeometricOptions<N> {
  /** How many coordinates a vector may have; accounts compose one coordinate more tightly than several. Optional, 1. */
  readonly dimension?: number
}

/** The loss of Laplace noise whose sensitivity is this many steps: how many is known to accounts where it is one coordinate that moves. */
export const laplaceLoss = <N extends Neighbours>(
  neighbours: N,
  epsilon: Rational,
  sensitivity: Rational,
  dimension: number,
): PrivacyLoss<N> => {
  const steps = toInteger(sensitivity, 'down')
  return dimension === 1 && steps > 0n
    ? { kind: 'laplace', neighbours, epsilon, steps }
    : { kind: 'laplace', neighbours, epsilon }
}

/** What the geometric family shares: checked options, and the noise in whole units of the query. */
export const geometricNoise = <N extends Neighbours>(options: GeometricOptions<N>, bits: BitSource, dimension = 1) => {
  const { neighbours, sensitivity, epsilon } = options
  requireSame(neighbours, sensitivity)
  if (sign(epsilon) <= 0) throw new ParameterError('epsilon must be greater than 0')
  const scale = div(sensitivity.l1, epsilon)
  const parameters = { epsilon: format(epsilon), sensitivity: format(sensitivity.l1), scale: format(scale) }
  return {
    scale,
    law: discreteLaplaceLaw(scale),
    sampler: laplaceSampler(scale, bits),
    loss: laplaceLoss(neighbours, epsilon, sensitivity.l1, dimension),
    facts: (mechanism: string, more: Readonly<Record<string, string>> = {}) =>
      factsOf({ mechanism, neighbours, bound: sensitivity.because, parameters: { ...parameters, ...more } }),
  }
}

/** `geometric` over any bits; only the secure door and the test door export it. */
export const geometricOver = <N extends Neighbours>(
  options: GeometricVectorOptions<N>,
  bits: BitSource,
): AdditiveIntegerMechanism<N> => {
  const { dimension = 1 } = options
  requireDimension(dimension)
  const { law, sampler, loss, facts } = geometricNoise(options, bits, dimension)
  return additiveInteger<N>({ facts: facts('geometric'), loss, law, sampler, dimension })
}

/**
 * The two-sided geometric: integer noise with P[k] proportional to exp(-|k| epsilon / sensitivity), for pure epsilon-differential privacy
 * (Ghosh, Roughgarden and Sundararajan, 2009). Exact. Throws ParameterError unless epsilon > 0.
 */
export const geometric = securely(geometricOver)
