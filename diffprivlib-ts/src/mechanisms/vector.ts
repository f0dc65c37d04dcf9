import type { L2Sensitivity, Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { Bounds } from '../laws/law.ts'
import { integerSqrt } from '../numeric/fixed-point.ts'
import { requirePositive } from '../parameters.ts'
import type { BitSource } from '../random/bit-source.ts'
import { add, compare, div, format, integer, mul, type Rational, ratio, sub, zero } from '../rational.ts'
import { sphericalSampler } from '../samplers/spherical-laplace.ts'
import { exactValue, nearestNumber, requireDimension, requireGrid } from './grid.ts'
import { factsOf, once, type PrivateMechanism, requireSame, securely } from './release.ts'

/** Options of `vector`. */
export interface VectorOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step, in squared units of the query. Required. */
  readonly sensitivity: L2Sensitivity<NoInfer<N>>
  /** The pure epsilon to spend, greater than 0. Required. */
  readonly epsilon: Rational
  /** How many coordinates the vector has. Required. */
  readonly dimension: number
  /** What every coordinate of the release is a multiple of. Required. */
  readonly grid: Rational
}

/** `vector`'s mechanism. */
export interface VectorMechanism<out N extends Neighbours>
  extends PrivateMechanism<N, readonly number[], readonly number[]> {
  /** E[(released - value)^2] of one coordinate: (dimension + 1) scale^2, give or take the rounding to the grid. */
  readonly mse: () => Bounds
}

/** The square root between two fractions 2^-64 apart at the most, relatively to 1. */
const rootOf = (value: Rational): Bounds => {
  const unit = 1n << 64n
  const root = integerSqrt((value.num * unit * unit) / value.den)
  return { lower: ratio(root, unit), upper: ratio(root + 1n, unit) }
}

/** `vector` over any bits; only the secure door and the test door export it. */
export const vectorOver = <N extends Neighbours>(options: VectorOptions<N>, bits: BitSource): VectorMechanism<N> => {
  const { neighbours, sensitivity, epsilon, dimension, grid } = options
  requireSame(neighbours, sensitivity)
  requirePositive(epsilon, 'epsilon')
  requireGrid(grid)
  requireDimension(dimension)
  // The scale in steps, rounded up.
  const scale = rootOf(div(sensitivity.l2Squared, mul(mul(epsilon, epsilon), mul(grid, grid)))).upper
  const noisy = sphericalSampler(dimension, scale, bits)
  const spend = once()
  return Object.freeze({
    facts: factsOf({
      mechanism: 'vector',
      neighbours,
      bound: sensitivity.because,
      parameters: {
        epsilon: format(epsilon),
        l2Squared: format(sensitivity.l2Squared),
        scale: format(mul(scale, grid)),
        dimension: `${dimension}`,
        grid: format(grid),
      },
    }),
    loss: Object.freeze({ kind: 'pure', neighbours, epsilon } as const),
    mse: () => {
      const deviation = rootOf(mul(integer(dimension + 1), mul(scale, scale)))
      const half = ratio(1n, 2n)
      const low = sub(deviation.lower, half)
      const high = add(deviation.upper, half)
      const squared = mul(grid, grid)
      const floor = compare(low, zero) > 0 ? low : zero
      return { lower: mul(mul(floor, floor), squared), upper: mul(mul(high, high), squared) }
    },
    randomise: (values: readonly number[]) => {
      if (values.length !== dimension)
        throw new ParameterError(
          `the vector has ${values.length} coordinates, the mechanism was built for ${dimension}`,
        )
      const centre = values.map((value) => div(exactValue(value), grid))
      spend()
      return noisy(centre).map((steps) => nearestNumber(mul(integer(steps), grid)))
    },
  })
}

/**
 * Adds a vector with density proportional to exp(-epsilon |b| / sensitivity), |b| its Euclidean length, for pure epsilon-differential privacy of
 * a vector query (Chaudhuri, Monteleoni and Sarwate, 2011, algorithm 1: output perturbation). The sum on the reals is drawn exactly and then
 * rounded to the grid, so no sensitivity is widened. Throws ParameterError for parameters outside their range.
 */
export const vector = securely(vectorOver)
