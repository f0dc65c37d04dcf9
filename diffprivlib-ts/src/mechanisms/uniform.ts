import type { L1Sensitivity, Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { uniformNoiseLaw } from '../laws/bounded-noise-law.ts'
import type { BitSource } from '../random/bit-source.ts'
import { compare, div, format, integer, mul, type Rational, ratio, sign, toInteger, zero } from '../rational.ts'
import { fromBigints, numberScaleLimit } from '../samplers/sampler.ts'
import { uniformBelow } from '../samplers/uniform.ts'
import { additiveGrid } from './additive.ts'
import { requireGrid, widenedL1 } from './grid.ts'
import { type AdditiveGridMechanism, factsOf, requireSame, securely } from './release.ts'

/** Options of `uniform`. */
export interface UniformOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step, in units of the query. Required. */
  readonly sensitivity: L1Sensitivity<NoInfer<N>>
  /** Greater than 0 and at most 1/2: the chance that the release gives the unit away. Required. */
  readonly delta: Rational
  /** What every release is a multiple of. Required. */
  readonly grid: Rational
}

/** `uniform` over any bits; only the secure door and the test door export it. */
export const uniformOver = <N extends Neighbours>(
  options: UniformOptions<N>,
  bits: BitSource,
): AdditiveGridMechanism<N> => {
  const { neighbours, sensitivity, delta, grid } = options
  requireSame(neighbours, sensitivity)
  requireGrid(grid)
  if (sign(delta) <= 0 || compare(delta, ratio(1n, 2n)) > 0)
    throw new ParameterError('delta must be greater than 0 and at most 1/2')
  const widened = widenedL1(sensitivity, grid, 1)
  // The least odd number of values that is at least widened / delta.
  const reach = toInteger(div(div(widened, delta), integer(2n)), 'up')
  return additiveGrid<N>({
    facts: factsOf({
      mechanism: 'uniform',
      neighbours,
      bound: sensitivity.because,
      parameters: {
        delta: format(delta),
        sensitivity: format(sensitivity.l1),
        widened: format(mul(widened, grid)),
        reach: format(mul(integer(reach), grid)),
        grid: format(grid),
      },
    }),
    loss: { kind: 'approximate', neighbours, epsilon: zero, delta },
    law: uniformNoiseLaw(reach),
    sampler: fromBigints(() => uniformBelow(bits, 2n * reach + 1n) - reach, reach <= BigInt(numberScaleLimit)),
    grid,
    dimension: 1,
  })
}

/**
 * Uniform noise for (0, delta) (Geng, Ding, Guo and Kumar, 2018, arXiv 1810.00877): neighbours' releases differ only where one of them cannot
 * reach, with probability sensitivity / width at most. One value, no vectors. Throws ParameterError for parameters outside their range.
 */
export const uniform = securely(uniformOver)
