import { ParameterError } from '../errors.ts'
import type { BitSource } from '../random/bit-source.ts'
import { compare, div, format, integer, max, mul, type Rational, sign, zero } from '../rational.ts'
import { selectionSampler } from '../samplers/selection.ts'
import { factsOf, once, type PrivateMechanism, securely } from './release.ts'

/** How far apart two values are: the farther, the less likely one is released for the other. */
export type Distance<T extends string> = readonly [value1: T, value2: T, distance: Rational]

/** Options of `exponentialCategorical`. */
export interface ExponentialCategoricalOptions<T extends string> {
  /** One record is randomised, and a neighbour holds any other value. Required. */
  readonly neighbours: 'replace-one'
  /** The pure epsilon to spend, greater than 0. Required. */
  readonly epsilon: Rational
  /** A distance, at least 0, for every pair of values, in either order. Required; must not depend on the data. */
  readonly utilityList: readonly Distance<T>[]
}

const tableOf = <T extends string>(list: readonly Distance<T>[]) => {
  const values = [...new Set(list.map(([value1]) => value1).concat(list.map(([, value2]) => value2)))]
  if (values.length < 2) throw new ParameterError('a choice of a category needs at least two values')
  const place = new Map(values.map((value, i) => [value, i]))
  const table: (Rational | undefined)[][] = values.map((_, i) => values.map((_, j) => (i === j ? zero : undefined)))
  for (const [a, b, distance] of list) {
    if (sign(distance) < 0) throw new ParameterError('a distance between values must not be negative')
    if (a === b) continue
    const [i, j] = [place.get(a)!, place.get(b)!]
    table[i]![j] = distance
    table[j]![i] = distance
  }
  const distances = table.map((row, i) =>
    row.map((distance, j) => {
      if (!distance) throw new ParameterError(`no distance is given between "${values[i]}" and "${values[j]}"`)
      return distance
    }),
  )
  return { values, place, distances }
}

/**
 * Whether every value sees the same distances, in some order: then all have one normaliser, and the factor of two can go. Sums of exponentials
 * of different fractions are never equal by chance (Lindemann and Weierstrass), so this is exact.
 */
const isBalanced = (distances: readonly (readonly Rational[])[]): boolean => {
  const sorted = distances.map((row) => [...row].sort(compare).map(format).join(' '))
  return sorted.every((row) => row === sorted[0])
}

/** A category chosen by its distance from the true one, under a name of its own. */
export const categoricalWith = <T extends string>(
  mechanism: string,
  options: ExponentialCategoricalOptions<T>,
  bits: BitSource,
): PrivateMechanism<'replace-one', T, T> => {
  const { neighbours, epsilon, utilityList } = options
  if (sign(epsilon) <= 0) throw new ParameterError('epsilon must be greater than 0')
  const { values, place, distances } = tableOf(utilityList)
  const largest = distances.flat().reduce(max)
  if (sign(largest) === 0) throw new ParameterError('some distance between values must be greater than 0')
  const balanced = isBalanced(distances)
  const rate = div(epsilon, balanced ? largest : mul(integer(2n), largest))
  const spend = once()
  return Object.freeze({
    facts: factsOf({
      mechanism,
      neighbours,
      parameters: { epsilon: format(epsilon), sensitivity: format(largest), balanced: `${balanced}` },
    }),
    loss: Object.freeze({ kind: 'pure', neighbours, epsilon } as const),
    randomise: (value: T) => {
      const row = place.get(value)
      if (row === undefined) throw new ParameterError('the value is none of the utility list')
      spend()
      const choices = distances[row]!.map((distance) => ({ weight: 1n, exponent: mul(distance, rate) }))
      return values[selectionSampler(choices, bits)()]!
    },
  })
}

/** `exponentialCategorical` over any bits; only the secure door and the test door export it. */
export const exponentialCategoricalOver = <T extends string>(
  options: ExponentialCategoricalOptions<T>,
  bits: BitSource,
): PrivateMechanism<'replace-one', T, T> => categoricalWith('exponential-categorical', options, bits)

/**
 * Releases a category in place of the true one, with probability proportional to exp(-epsilon distance / (2 largest distance)), or without
 * the 2 where every value sees the same distances (McSherry and Talwar, 2007). Exact. Throws ParameterError for a missing pair.
 */
export const exponentialCategorical = securely(exponentialCategoricalOver)
