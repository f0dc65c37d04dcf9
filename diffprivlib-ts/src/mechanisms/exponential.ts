import type { Neighbours, UtilitySensitivity } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { BitSource } from '../random/bit-source.ts'
import { div, format, integer, max, mul, type Rational, sign, sub } from '../rational.ts'
import { selectionSampler } from '../samplers/selection.ts'
import { factsOf, once, type PrivateMechanism, requireSame, securely } from './release.ts'

/** What every choice among candidates is given. */
export interface SelectionOptions<N extends Neighbours, T> {
  /** The neighbour relation that the guarantee is about; must be the one of the sensitivity. Required. */
  readonly neighbours: N
  /** From `statedUtility`, in units of the utility. Required. */
  readonly sensitivity: UtilitySensitivity<NoInfer<N>>
  /** The pure epsilon to spend, greater than 0. Required. */
  readonly epsilon: Rational
  /** How good each candidate is on the data; secret. Required, at least one. */
  readonly utility: readonly Rational[]
  /** What is released for each; must not depend on the data. Optional, the index. */
  readonly candidates?: readonly T[]
}

/** Options of `exponential`. */
export interface ExponentialOptions<N extends Neighbours, T> extends SelectionOptions<N, T> {
  /** How much of the domain each candidate stands for, at least 0; must not depend on the data beyond its length. Optional, 1 each. */
  readonly measure?: readonly Rational[]
}

/** What a choice shares: checked options, and each candidate's exponent (best - utility) epsilon / (2 sensitivity), half of that divisor when monotonic. */
export const selectionParts = <N extends Neighbours, T>(mechanism: string, options: SelectionOptions<N, T>) => {
  const { neighbours, sensitivity, epsilon, utility, candidates } = options
  requireSame(neighbours, sensitivity)
  if (sign(epsilon) <= 0) throw new ParameterError('epsilon must be greater than 0')
  if (utility.length === 0) throw new ParameterError('a choice needs at least one candidate')
  if (candidates && candidates.length !== utility.length)
    throw new ParameterError('there must be as many candidates as utilities')
  const best = utility.reduce(max)
  const rate = div(epsilon, sensitivity.monotonic ? sensitivity.most : mul(integer(2n), sensitivity.most))
  return {
    exponents: utility.map((value) => mul(sub(best, value), rate)),
    release: (index: number): T => (candidates ? candidates[index]! : (index as T)),
    loss: Object.freeze({ kind: 'pure', neighbours, epsilon } as const),
    facts: factsOf({
      mechanism,
      neighbours,
      bound: sensitivity.because,
      parameters: {
        epsilon: format(epsilon),
        sensitivity: format(sensitivity.most),
        monotonic: `${sensitivity.monotonic}`,
      },
    }),
  }
}

/** `exponential` over any bits; only the secure door and the test door export it. */
export const exponentialOver = <N extends Neighbours, T = number>(
  options: ExponentialOptions<N, T>,
  bits: BitSource,
): PrivateMechanism<N, void, T> => {
  const { exponents, release, loss, facts } = selectionParts('exponential', options)
  const weights = weightsOf(options.measure, exponents.length)
  const spend = once()
  const sample = selectionSampler(
    exponents.map((exponent, i) => ({ weight: weights[i]!, exponent })),
    bits,
  )
  return Object.freeze({
    facts,
    loss,
    randomise: () => {
      spend()
      return release(sample())
    },
  })
}

/** Measures as whole numbers, all multiplied by their common denominator. */
const weightsOf = (measure: readonly Rational[] | undefined, count: number): readonly bigint[] => {
  if (!measure) return new Array<bigint>(count).fill(1n)
  if (measure.length !== count) throw new ParameterError('there must be as many measures as utilities')
  if (measure.some((part) => sign(part) < 0)) throw new ParameterError('a measure must not be negative')
  const common = measure.reduce((product, { den }) => (product % den === 0n ? product : product * den), 1n)
  return measure.map(({ num, den }) => num * (common / den))
}

/**
 * Releases one candidate with P[i] proportional to measure_i exp(epsilon utility_i / (2 sensitivity)), or without the 2 for a monotonic
 * utility (McSherry and Talwar, 2007). Exact: weights are decided by rejection in integers, never computed as floating-point numbers. Throws
 * ParameterError for parameters outside their range.
 */
export const exponential = securely(exponentialOver)
