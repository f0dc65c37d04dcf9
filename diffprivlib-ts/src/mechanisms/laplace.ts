import type { L1Sensitivity, Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { discreteLaplaceLaw } from '../laws/discrete-laplace-law.ts'
import type { PrivacyLoss } from '../loss.ts'
import { directed } from '../numeric/directed.ts'
import { ln } from '../numeric/fixed-point.ts'
import type { BitSource } from '../random/bit-source.ts'
import { add, compare, div, format, mul, one, type Rational, sign, sub, zero } from '../rational.ts'
import { laplaceSampler } from '../samplers/discrete-laplace.ts'
import { additiveGrid } from './additive.ts'
import { laplaceLoss } from './geometric.ts'
import { requireDimension, requireGrid, widenedL1 } from './grid.ts'
import { type AdditiveGridMechanism, factsOf, requireSame, securely } from './release.ts'

/** What every Laplace mechanism on the reals is given. */
export interface LaplaceFamilyOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step, in units of the query. Required. */
  readonly sensitivity: L1Sensitivity<NoInfer<N>>
  /** Greater than 0, or 0 with a positive delta. Required. */
  readonly epsilon: Rational
  /** What every release is a multiple of; see `gridForLaplace`. A coarse grid widens the sensitivity and costs accuracy. Required. */
  readonly grid: Rational
  /** At least 0 and less than 1: spends (epsilon, delta), with noise for epsilon - ln(1 - delta). Optional. */
  readonly delta?: Rational
}

/** Options of `laplace`. */
export interface LaplaceOptions<N extends Neighbours> extends LaplaceFamilyOptions<N> {
  /** How many coordinates a vector may have; rounding widens the sensitivity by one step for each beyond the first. Optional, 1. */
  readonly dimension?: number
}

/** The epsilon that noise is made for: epsilon - ln(1 - delta), rounded down (Holohan, Leith and Mason, 2015). */
export const relaxedEpsilon = (epsilon: Rational, delta: Rational): Rational => {
  if (sign(epsilon) < 0) throw new ParameterError('epsilon must not be negative')
  if (sign(delta) < 0 || compare(delta, one) >= 0) throw new ParameterError('delta must be at least 0 and less than 1')
  if (sign(epsilon) === 0 && sign(delta) === 0) throw new ParameterError('epsilon must be greater than 0')
  if (sign(delta) === 0) return epsilon
  return add(
    epsilon,
    directed((precision) => ln(div(one, sub(one, delta)), precision), 'down'),
  )
}

/** What the Laplace family shares: checked options, in steps of the grid. */
export const laplaceNoise = <N extends Neighbours>(options: LaplaceFamilyOptions<N>, dimension: number) => {
  const { neighbours, sensitivity, epsilon, grid, delta = zero } = options
  requireSame(neighbours, sensitivity)
  requireGrid(grid)
  requireDimension(dimension)
  const effective = relaxedEpsilon(epsilon, delta)
  const widened = widenedL1(sensitivity, grid, dimension)
  const loss: PrivacyLoss<N> =
    sign(delta) === 0
      ? laplaceLoss(neighbours, epsilon, widened, dimension)
      : { kind: 'approximate', neighbours, epsilon, delta }
  const parameters = {
    epsilon: format(epsilon),
    ...(sign(delta) === 0 ? {} : { delta: format(delta) }),
    sensitivity: format(sensitivity.l1),
    widened: format(mul(widened, grid)),
    grid: format(grid),
  }
  return {
    widened,
    effective,
    /** Of the noise, in steps. */
    scale: div(widened, effective),
    loss,
    facts: (mechanism: string, scale: Rational, more: Readonly<Record<string, string>> = {}) =>
      factsOf({
        mechanism,
        neighbours,
        bound: sensitivity.because,
        parameters: { ...parameters, scale: format(mul(scale, grid)), ...more },
      }),
  }
}

/** `laplace` over any bits; only the secure door and the test door export it. */
export const laplaceOver = <N extends Neighbours>(
  options: LaplaceOptions<N>,
  bits: BitSource,
): AdditiveGridMechanism<N> => {
  const { dimension = 1, grid } = options
  const { scale, loss, facts } = laplaceNoise(options, dimension)
  return additiveGrid<N>({
    facts: facts('laplace', scale),
    loss,
    law: discreteLaplaceLaw(scale),
    sampler: laplaceSampler(scale, bits),
    grid,
    dimension,
  })
}

/**
 * Laplace noise for a real query (Dwork, McSherry, Nissim and Smith, 2006), on a declared grid: the value is rounded to the nearest multiple of
 * `grid`, the sensitivity is widened to what neighbours can then be apart, and the noise is an exact whole number of steps with
 * P[k] proportional to exp(-|k| grid / scale). No floating point touches the noise, so its low bits tell nothing (Mironov, 2012).
 * Throws ParameterError for parameters outside their range.
 */
export const laplace = securely(laplaceOver)
