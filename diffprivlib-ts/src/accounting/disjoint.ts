import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import { max, type Rational } from '../rational.ts'
import { tallyRho } from './composition.ts'
import { requireLoss, tallyOf } from './tally.ts'

declare const disjoint: unique symbol

/** Losses of which every privacy unit can meet at most one. Made by `disjointLosses` alone. */
export interface DisjointLosses<out N extends Neighbours = Neighbours> {
  /** The loss that covers each part: the largest of them. */
  readonly loss: PrivacyLoss<N>
  /** Why no privacy unit can be in two parts. */
  readonly because: string
  readonly [disjoint]: true
}

/** One part of the data and the loss of its release. */
export interface LossPart<N extends Neighbours> {
  readonly part: string
  readonly loss: PrivacyLoss<N>
  /** The privacy units of the part, where they are at hand: a unit in two parts is then refused. */
  readonly members?: Iterable<string>
}

const larger = (a: Rational, b: Rational): Rational => max(a, b)

/** A loss that covers both: the larger of two of a kind; across kinds, the weaker statement that both make. */
const covering = <N extends Neighbours>(a: PrivacyLoss<N>, b: PrivacyLoss<N>): PrivacyLoss<N> => {
  const { neighbours } = a
  if (a.kind === 'gaussian' && b.kind === 'gaussian')
    return { kind: 'gaussian', neighbours, muSquared: larger(a.muSquared, b.muSquared) }
  if (a.kind === 'laplace' && b.kind === 'laplace' && a.steps !== undefined && a.steps === b.steps)
    return { kind: 'laplace', neighbours, epsilon: larger(a.epsilon, b.epsilon), steps: a.steps }
  if ('epsilon' in a && 'epsilon' in b) {
    const epsilon = larger(a.epsilon, b.epsilon)
    const deltas = [a, b].flatMap((loss) => (loss.kind === 'approximate' ? [loss.delta] : []))
    return deltas.length === 0
      ? { kind: 'pure', neighbours, epsilon }
      : { kind: 'approximate', neighbours, epsilon, delta: deltas.reduce(larger) }
  }
  if (a.kind === 'approximate' || b.kind === 'approximate')
    throw new ParameterError('an approximate loss and a Gaussian or zCDP one have no largest: charge them one by one')
  return { kind: 'zcdp', neighbours, rho: larger(tallyRho(tallyOf([a])), tallyRho(tallyOf([b]))) }
}

/**
 * Declares that the parts share no privacy unit, so that together they cost the largest loss (parallel composition) and not the sum. `because`
 * states the reason and is required; it is a claim about the data, checked as far as the parts list their members. Throws ParameterError
 * without parts or reason, for a part named twice, a member of two parts, losses of two relations, or losses that have no largest.
 */
export const disjointLosses = <N extends Neighbours>(
  parts: readonly LossPart<N>[],
  because: string,
): DisjointLosses<N> => {
  const [first, ...rest] = parts
  if (!first) throw new ParameterError('parallel composition needs at least one part')
  if (because.trim() === '')
    throw new ParameterError('parallel composition needs the reason why no privacy unit is in two parts')
  const names = new Set<string>()
  const placed = new Map<string, string>()
  for (const { part, loss, members = [] } of parts) {
    requireLoss(loss)
    if (loss.neighbours !== first.loss.neighbours) throw new ParameterError('the parts are of two neighbour relations')
    if (names.has(part)) throw new ParameterError(`part "${part}" is named twice: its releases add up`)
    names.add(part)
    for (const member of members) {
      const other = placed.get(member)
      if (other !== undefined && other !== part)
        throw new ParameterError(
          `parts "${other}" and "${part}" overlap: a privacy unit is in both, so their losses add up`,
        )
      placed.set(member, part)
    }
  }
  const loss = rest.reduce((most, part) => covering(most, part.loss), first.loss)
  return Object.freeze({ loss: Object.freeze(loss), because }) as DisjointLosses<N>
}

/** Whether a charge is one of disjoint parts. */
export const isDisjoint = <N extends Neighbours>(
  charge: PrivacyLoss<N> | DisjointLosses<N>,
): charge is DisjointLosses<N> => 'because' in charge
