import type { L2Sensitivity, Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { roundedGaussianLaw } from '../laws/rounded-gaussian-law.ts'
import { directed } from '../numeric/directed.ts'
import { ln } from '../numeric/fixed-point.ts'
import { requireDelta, requirePositive } from '../parameters.ts'
import type { BitSource } from '../random/bit-source.ts'
import { compare, decimal, div, format, integer, mul, one, type Rational } from '../rational.ts'
import { roundedGaussianSampler } from '../samplers/rounded-gaussian.ts'
import { additiveGrid } from './additive.ts'
import { requireDimension, requireGrid, widenedL2 } from './grid.ts'
import { type AdditiveGridMechanism, factsOf, requireSame, securely } from './release.ts'

/** What every Gaussian mechanism on the reals is given. */
export interface GaussianFamilyOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step, in squared units of the query. Required. */
  readonly sensitivity: L2Sensitivity<NoInfer<N>>
  /** What every release is a multiple of, at most sigma; see `gridForGaussian`. Required. */
  readonly grid: Rational
  /** How many coordinates a vector may have; rounding widens the sensitivity with their number. Optional, 1. */
  readonly dimension?: number
}

/** Options of `gaussian`: either what to spend or the noise to add. */
export type GaussianOptions<N extends Neighbours> = GaussianFamilyOptions<N> &
  (
    | {
        /** Greater than 0 and at most 1. */ readonly epsilon: Rational
        /** Between 0 and 1. */ readonly delta: Rational
        readonly sigma2?: never
      }
    | {
        /** The variance of the noise, in squared units of the query. */ readonly sigma2: Rational
        readonly epsilon?: never
        readonly delta?: never
      }
  )

/** A Gaussian of which the variance follows from the squared sensitivity, widened to the grid; both in squared steps. */
export const gaussianWith = <N extends Neighbours>(
  name: string,
  options: GaussianFamilyOptions<N>,
  sigma2Of: (widened: Rational) => Rational,
  parameters: Readonly<Record<string, string>>,
  bits: BitSource,
): AdditiveGridMechanism<N> => {
  const { neighbours, sensitivity, grid, dimension = 1 } = options
  requireSame(neighbours, sensitivity)
  requireGrid(grid)
  requireDimension(dimension)
  const widened = widenedL2(sensitivity, grid, dimension)
  const sigma2 = sigma2Of(widened)
  const squared = mul(grid, grid)
  return additiveGrid<N>({
    facts: factsOf({
      mechanism: name,
      neighbours,
      bound: sensitivity.because,
      parameters: {
        ...parameters,
        l2Squared: format(sensitivity.l2Squared),
        widenedSquared: format(mul(widened, squared)),
        sigma2: format(mul(sigma2, squared)),
        grid: format(grid),
      },
    }),
    // Rounding to the grid is post-processing of the Gaussian on the reals, whose loss this is.
    loss: { kind: 'gaussian', neighbours, muSquared: div(widened, sigma2) },
    law: roundedGaussianLaw(sigma2),
    sampler: roundedGaussianSampler(sigma2, bits),
    grid,
    dimension,
  })
}

/**
 * The variance of the classical Gaussian mechanism, 2 ln(1.25 / delta) S^2 / epsilon^2, rounded up (Dwork and Roth, 2014, theorem A.1).
 * Throws ParameterError unless 0 < epsilon <= 1, 0 < delta < 1 and S^2 > 0.
 */
export const classicGaussianSigma2 = (l2Squared: Rational, epsilon: Rational, delta: Rational): Rational => {
  requirePositive(l2Squared, 'the squared sensitivity')
  requirePositive(epsilon, 'epsilon')
  requireDelta(delta)
  if (compare(epsilon, one) > 0)
    throw new ParameterError('the classical Gaussian is proved for epsilon up to 1: use gaussianAnalytic')
  const logarithm = directed((precision) => ln(div(decimal('1.25'), delta), precision), 'up')
  return div(mul(mul(integer(2n), logarithm), l2Squared), mul(epsilon, epsilon))
}

/** `gaussian` over any bits; only the secure door and the test door export it. */
export const gaussianOver = <N extends Neighbours>(
  options: GaussianOptions<N>,
  bits: BitSource,
): AdditiveGridMechanism<N> => {
  const { epsilon, delta, sigma2, grid } = options
  if (sigma2 === undefined)
    return gaussianWith(
      'gaussian',
      options,
      (widened) => classicGaussianSigma2(widened, epsilon, delta),
      { epsilon: format(epsilon), delta: format(delta) },
      bits,
    )
  requirePositive(sigma2, 'sigma^2')
  return gaussianWith('gaussian', options, () => div(sigma2, mul(grid, grid)), {}, bits)
}

/**
 * Gaussian noise for a real query, on a declared grid: the value is rounded to the nearest multiple of `grid`, the sensitivity widened to
 * what neighbours can then be apart, and the noise is a Gaussian on the reals, drawn exactly and rounded to the grid. Calibrated by the
 * classical formula, or by the variance wanted; `gaussianAnalytic` needs less noise. Throws ParameterError for parameters outside their
 * range and a grid coarser than sigma.
 */
export const gaussian = securely(gaussianOver)
