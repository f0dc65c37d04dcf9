import type { L1Sensitivity, Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { staircaseLaw } from '../laws/staircase-law.ts'
import { certified } from '../numeric/interval.ts'
import type { BitSource } from '../random/bit-source.ts'
import { compare, div, format, integer, mul, one, type Rational, ratio, sign, toInteger } from '../rational.ts'
import { staircaseSampler } from '../samplers/staircase.ts'
import { additiveGrid } from './additive.ts'
import { requireGrid, stepsOf, widenedL1 } from './grid.ts'
import { type AdditiveGridMechanism, factsOf, requireSame, securely } from './release.ts'

/** Options of `staircase`. */
export interface StaircaseOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step, in units of the query. Required. */
  readonly sensitivity: L1Sensitivity<NoInfer<N>>
  /** The pure epsilon to spend, greater than 0. Required. */
  readonly epsilon: Rational
  /** What every release is a multiple of. Required. */
  readonly grid: Rational
  /** Which part of each step is the likelier one, from 0 to 1. Optional, 1 / (1 + e^(epsilon / 2)), best for E|noise|. */
  readonly gamma?: Rational
}

/** 1 / (1 + e^(epsilon / 2)), rounded down by less than 2^-60 of itself. */
export const staircaseGamma = (epsilon: Rational): Rational => {
  if (sign(epsilon) <= 0) throw new ParameterError('epsilon must be greater than 0')
  return certified((at) => {
    const decay = at.decay(div(epsilon, integer(2n)))
    return at.div(decay, at.add(at.whole(1n), decay))
  }).lower
}

/** `staircase` over any bits; only the secure door and the test door export it. */
export const staircaseOver = <N extends Neighbours>(
  options: StaircaseOptions<N>,
  bits: BitSource,
): AdditiveGridMechanism<N> => {
  const { neighbours, sensitivity, epsilon, grid } = options
  requireSame(neighbours, sensitivity)
  requireGrid(grid)
  const gamma = options.gamma ?? staircaseGamma(epsilon)
  if (sign(gamma) < 0 || compare(gamma, one) > 0) throw new ParameterError('gamma must lie between 0 and 1')
  const width = toInteger(widenedL1(sensitivity, grid, 1), 'up')
  const nearest = stepsOf(mul(gamma, integer(width)), one)
  const shape = { epsilon, width, riser: nearest < 1n ? 1n : nearest }
  return additiveGrid<N>({
    facts: factsOf({
      mechanism: 'staircase',
      neighbours,
      bound: sensitivity.because,
      parameters: {
        epsilon: format(epsilon),
        sensitivity: format(sensitivity.l1),
        widened: format(mul(integer(width), grid)),
        gamma: format(ratio(shape.riser, width)),
        grid: format(grid),
      },
    }),
    loss: { kind: 'pure', neighbours, epsilon },
    law: staircaseLaw(shape),
    sampler: staircaseSampler(shape, bits),
    grid,
    dimension: 1,
  })
}

/**
 * Staircase noise (Geng and Viswanath, 2012), the least noise of pure epsilon-differential privacy for one value: far less than Laplace noise
 * where epsilon is large. Its steps are as wide as the widened sensitivity; `gamma` is rounded to whole steps of the grid, at least one.
 * One value, no vectors. Throws ParameterError for parameters outside their range.
 */
export const staircase = securely(staircaseOver)
