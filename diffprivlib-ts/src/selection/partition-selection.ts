import type { Neighbours } from '../bounding.ts'
import { AlreadyReleasedError, ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import type { BitSource, SecureBits } from '../random/bit-source.ts'
import { requireSecure, secureBits } from '../random/secure.ts'
import { div, format, integer, type Rational } from '../rational.ts'
import { bernoulli } from '../samplers/bernoulli.ts'
import { changedGroups, type GroupLimit, requireCounts } from './group-limit.ts'
import { keepProbabilities, requireEpsilonDelta } from './keep-probability.ts'

/** Options of `partitionSelection`. */
export interface PartitionSelectionOptions<N extends Neighbours> {
  /** The neighbour relation that the guarantee is about; must be the one of the limit. Required. */
  readonly neighbours: N
  /** From `limitGroups`. Required. */
  readonly groups: GroupLimit<NoInfer<N>>
  /** The epsilon and delta of the whole selection; both are split evenly over the groups that one unit can change. */
  readonly epsilon: Rational
  readonly delta: Rational
  /** A group of fewer units is never kept, whatever is drawn; 1 when left out. */
  readonly preThreshold?: number
}

/** Public facts of a selection. Fractions are exact, as `"num/den"`. */
export interface PartitionSelectionFacts {
  readonly mechanism: 'partition-selection'
  readonly version: 1
  readonly neighbours: Neighbours
  readonly bound: string
  readonly epsilon: string
  readonly delta: string
  readonly preThreshold: number
}

/** Decides once which groups may be named. */
export interface PartitionSelection<N extends Neighbours> {
  readonly facts: PartitionSelectionFacts
  /** What to charge, before `select` is called. */
  readonly loss: PrivacyLoss<N>
  /** The probability with which a group of `units` units is kept. Public. */
  readonly keepProbability: (units: number) => Rational
  /**
   * The names of the groups to keep, sorted, from the number of units of each. One selection only: a second call throws
   * AlreadyReleasedError. Throws ParameterError, without drawing, for a count that is not a safe integer of at least 0.
   */
  readonly select: (counts: ReadonlyMap<string, number>) => readonly string[]
}

/**
 * Selects the groups that may be named when the groups themselves come from the data, keeping as many as any (epsilon, delta) mechanism can
 * (`keepProbabilities`). With a pre-threshold k the count n is taken as n - (k - 1), so that groups below k are never kept and the
 * guarantee stands. It is about names only: counts and sums of the groups are charged apart. Throws ParameterError for parameters outside
 * their range or a limit of the other relation.
 */
export const partitionSelection = <N extends Neighbours>(
  options: PartitionSelectionOptions<N>,
  bits: SecureBits = secureBits(),
): PartitionSelection<N> => partitionSelectionOver(options, requireSecure(bits))

/** The selection over any bits; only the secure door above and the test door export it. */
export const partitionSelectionOver = <N extends Neighbours>(
  options: PartitionSelectionOptions<N>,
  bits: BitSource,
): PartitionSelection<N> => {
  const { neighbours, groups, epsilon, delta, preThreshold = 1 } = options
  if (groups.neighbours !== neighbours)
    throw new ParameterError(`the groups were limited for ${groups.neighbours} neighbours, not for ${neighbours}`)
  requireEpsilonDelta(epsilon, delta)
  if (!Number.isSafeInteger(preThreshold) || preThreshold < 1)
    throw new ParameterError(`a pre-threshold is an integer of at least 1, got ${preThreshold}`)
  const parts = integer(changedGroups(groups))
  const kept = keepProbabilities(div(epsilon, parts), div(delta, parts))
  const keepProbability = (units: number) => {
    if (!Number.isSafeInteger(units) || units < 0)
      throw new ParameterError('the count of a group is a safe integer of at least 0')
    return kept(units - (preThreshold - 1))
  }
  let spent = false
  return Object.freeze({
    facts: Object.freeze({
      mechanism: 'partition-selection' as const,
      version: 1 as const,
      neighbours,
      bound: groups.because,
      epsilon: format(epsilon),
      delta: format(delta),
      preThreshold,
    }),
    loss: Object.freeze({ kind: 'approximate' as const, neighbours, epsilon, delta }),
    keepProbability,
    select: (counts: ReadonlyMap<string, number>) => {
      const sorted = requireCounts(counts)
      if (spent) throw new AlreadyReleasedError('this selection was made: charge and build another')
      spent = true
      return sorted.filter(([, units]) => bernoulli(bits, keepProbability(units))).map(([name]) => name)
    },
  })
}
