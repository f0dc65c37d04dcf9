import type { L1Sensitivity, Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { discreteLaplaceLaw } from '../laws/discrete-laplace-law.ts'
import type { BitSource, SecureBits } from '../random/bit-source.ts'
import { requireSecure, secureBits } from '../random/secure.ts'
import { div, format, type Rational, sign } from '../rational.ts'
import { laplaceSampler } from '../samplers/discrete-laplace.ts'
import { pureDpToRho } from '../zcdp.ts'
import { laplaceLoss } from './geometric.ts'
import { requireDimension } from './grid.ts'
import { type Mechanism, oneShot } from './mechanism.ts'

/** Options of `discreteLaplaceMechanism`; exactly one of `epsilon` and `scale`. */
export type DiscreteLaplaceOptions<N extends Neighbours> = {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From a bounding step. Required. */
  readonly sensitivity: L1Sensitivity<NoInfer<N>>
  /**
   * How many coordinates a vector may have. With 1 the loss tells accounts how many steps the query moves, and they compose it more tightly than
   * any pure epsilon; a vector of more is refused. Optional; vectors of any length when left out.
   */
  readonly dimension?: number
} & (
  | {
      /** The pure epsilon to spend: the scale is sensitivity / epsilon, exactly. */ readonly epsilon: Rational
      readonly scale?: never
    }
  | {
      /** The noise to add, in units of the query: epsilon is sensitivity / scale, exactly. */ readonly scale: Rational
      readonly epsilon?: never
    }
)

/**
 * Adds discrete Laplace noise to an integer query, or independently to each coordinate of an integer vector, for pure
 * epsilon-differential privacy (Ghosh, Roughgarden and Sundararajan, 2009), which costs rho = epsilon^2 / 2 under zCDP.
 * Throws ParameterError for parameters that are not positive, a dimension that is no count, or a sensitivity of the other neighbour relation.
 */
export const discreteLaplaceMechanism = <N extends Neighbours>(
  options: DiscreteLaplaceOptions<N>,
  bits: SecureBits = secureBits(),
): Mechanism<N> => laplaceMechanismOver(options, requireSecure(bits))

/** The mechanism over any bits; only the secure door above and the test door export it. */
export const laplaceMechanismOver = <N extends Neighbours>(
  options: DiscreteLaplaceOptions<N>,
  bits: BitSource,
): Mechanism<N> => {
  const { neighbours, sensitivity, dimension = Infinity } = options
  if (dimension !== Infinity) requireDimension(dimension)
  if (sensitivity.neighbours !== neighbours)
    throw new ParameterError(
      `the sensitivity was bounded for ${sensitivity.neighbours} neighbours, not for ${neighbours}`,
    )
  const given = options.scale ?? options.epsilon
  if (sign(given) <= 0) throw new ParameterError('epsilon and scale must be greater than 0')
  const other = div(sensitivity.l1, given)
  const [scale, epsilon] = options.scale ? [given, other] : [other, given]
  const rho = pureDpToRho(epsilon)
  return oneShot({
    facts: {
      mechanism: 'discrete-laplace',
      version: 1,
      neighbours,
      bound: sensitivity.because,
      l1: format(sensitivity.l1),
      scale: format(scale),
      epsilon: format(epsilon),
      rho: format(rho),
    },
    loss: laplaceLoss(neighbours, epsilon, sensitivity.l1, dimension),
    rho,
    law: discreteLaplaceLaw(scale),
    sampler: laplaceSampler(scale, bits),
    dimension,
  })
}
