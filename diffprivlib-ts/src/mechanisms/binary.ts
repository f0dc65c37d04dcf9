import { ParameterError } from '../errors.ts'
import type { Bounds } from '../laws/law.ts'
import { certified } from '../numeric/interval.ts'
import type { BitSource } from '../random/bit-source.ts'
import { format, type Rational, sign } from '../rational.ts'
import { bernoulliExp } from '../samplers/bernoulli.ts'
import { untilAccepted } from '../samplers/rejection.ts'
import { factsOf, once, type PrivateMechanism, securely } from './release.ts'

/** Options of `binary`. */
export interface BinaryOptions<T extends string> {
  /** One record is randomised, and a neighbour holds the other value. Required. */
  readonly neighbours: 'replace-one'
  /** The pure epsilon to spend, greater than 0. Required. */
  readonly epsilon: Rational
  /** The two values. Required, and different. */
  readonly value0: T
  readonly value1: T
}

/** `binary`'s mechanism. */
export interface BinaryMechanism<T extends string> extends PrivateMechanism<'replace-one', T, T> {
  /** The chance that the other value is released: 1 / (1 + e^epsilon). */
  readonly flips: Bounds
}

/** One try at keeping the value: kept with weight 1, flipped with weight e^-epsilon. */
export const keepAttempt = (coin: () => boolean, flips: () => boolean): boolean | undefined =>
  coin() ? true : flips() ? false : undefined

/** `binary` over any bits; only the secure door and the test door export it. */
export const binaryOver = <T extends string>(options: BinaryOptions<T>, bits: BitSource): BinaryMechanism<T> => {
  const { neighbours, epsilon, value0, value1 } = options
  if (sign(epsilon) <= 0) throw new ParameterError('epsilon must be greater than 0')
  if (value0 === value1) throw new ParameterError('the two values must differ')
  const spend = once()
  const keep = () =>
    untilAccepted(() =>
      keepAttempt(
        () => bits.bits(1) === 1,
        () => bernoulliExp(bits, epsilon),
      ),
    )
  return Object.freeze({
    facts: factsOf({ mechanism: 'binary', neighbours, parameters: { epsilon: format(epsilon), value0, value1 } }),
    loss: Object.freeze({ kind: 'pure', neighbours, epsilon } as const),
    flips: certified((at) => at.div(at.decay(epsilon), at.add(at.whole(1n), at.decay(epsilon)))),
    randomise: (value: T) => {
      if (value !== value0 && value !== value1) throw new ParameterError('the value is neither value0 nor value1')
      spend()
      return keep() === (value === value0) ? value0 : value1
    },
  })
}

/**
 * Randomised response over two values (Warner, 1965; Holohan, Leith and Mason, 2017): the true one with probability e^epsilon / (1 + e^epsilon).
 * Exact. Throws ParameterError unless epsilon > 0 and the values differ.
 */
export const binary = securely(binaryOver)
