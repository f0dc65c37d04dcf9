// Bounding steps: what one privacy unit can add to a query is limited here, and only here does a sensitivity come into being. A mechanism
// takes no bare number as its sensitivity.
import { clipL1, clipL2 } from './clipping.ts'
import { ParameterError } from './errors.ts'
import { format, integer, max, mul, type Rational, sign } from './rational.ts'

/**
 * When two data sets count as neighbours: they differ by one whole privacy unit that is there or not (`add-remove`), or by one unit
 * whose data are replaced while the number of units is public (`replace-one`). There is no default: the same query has another
 * sensitivity under each.
 */
export type Neighbours = 'add-remove' | 'replace-one'

declare const bounded: unique symbol

/** How far neighbours can move a query in the sum of absolute differences, in units of the query. */
export interface L1Sensitivity<out N extends Neighbours> {
  readonly neighbours: N
  readonly l1: Rational
  /** What bounds it, in one sentence, for the published facts. */
  readonly because: string
  readonly [bounded]: 'l1'
}

/** How far neighbours can move a query in Euclidean distance, squared, in squared units of the query. */
export interface L2Sensitivity<out N extends Neighbours> {
  readonly neighbours: N
  readonly l2Squared: Rational
  /** What bounds it, in one sentence, for the published facts. */
  readonly because: string
  readonly [bounded]: 'l2'
}

const l1 = <N extends Neighbours>(neighbours: N, value: Rational, because: string): L1Sensitivity<N> =>
  Object.freeze({ neighbours: known(neighbours), l1: positive(value), because }) as L1Sensitivity<N>

const l2 = <N extends Neighbours>(neighbours: N, squared: Rational, because: string): L2Sensitivity<N> =>
  Object.freeze({ neighbours: known(neighbours), l2Squared: positive(squared), because }) as L2Sensitivity<N>

const known = <N extends Neighbours>(neighbours: N): N => {
  if (neighbours !== 'add-remove' && neighbours !== 'replace-one')
    throw new ParameterError(`neighbours must be "add-remove" or "replace-one", got ${JSON.stringify(neighbours)}`)
  return neighbours
}

const positive = (value: Rational): Rational => {
  if (sign(value) <= 0)
    throw new ParameterError('a sensitivity must be greater than 0: a query that nobody moves needs no noise')
  return value
}

/** A sum of values clamped one by one, one value a unit. */
export interface ClampedSum<N extends Neighbours> {
  /** The value inside [lower, upper]. Every value must pass through before it is summed. */
  readonly clamp: (value: bigint) => bigint
  readonly l1: L1Sensitivity<N>
  readonly l2: L2Sensitivity<N>
}

/**
 * Bounds a sum to which each unit adds one integer in [lower, upper]: the sensitivity is max(|lower|, |upper|) under add-remove and
 * upper - lower under replace-one. Throws ParameterError when lower > upper or the sensitivity is 0.
 */
export const clampedSum = <N extends Neighbours>(options: {
  readonly neighbours: N
  readonly lower: bigint
  readonly upper: bigint
}): ClampedSum<N> => {
  const { neighbours, lower, upper } = options
  if (lower > upper) throw new ParameterError(`the lower bound ${lower} is above the upper bound ${upper}`)
  const reach = max(integer(lower < 0n ? -lower : lower), integer(upper < 0n ? -upper : upper))
  const sensitivity = neighbours === 'replace-one' ? integer(upper - lower) : reach
  const because = `each unit adds one value clamped to [${lower}, ${upper}]`
  return Object.freeze({
    clamp: (value: bigint) => (value < lower ? lower : value > upper ? upper : value),
    l1: l1(neighbours, sensitivity, because),
    l2: l2(neighbours, mul(sensitivity, sensitivity), because),
  })
}

/** Bounds a count to which each unit adds 0 or 1: the sensitivity is 1 under either relation. */
export const countOnce = <N extends Neighbours>(options: {
  readonly neighbours: N
}): { readonly l1: L1Sensitivity<N>; readonly l2: L2Sensitivity<N> } => {
  const because = 'each unit is counted at most once'
  return Object.freeze({
    l1: l1(options.neighbours, integer(1n), because),
    l2: l2(options.neighbours, integer(1n), because),
  })
}

/** A sum of vectors, one a unit, each clipped into a Euclidean ball. */
export interface ClippedVectorSum<N extends Neighbours> {
  /** The vector scaled down into the ball, each coordinate cut towards 0; without signs, negative coordinates become 0 first. */
  readonly clip: (vector: readonly bigint[]) => readonly bigint[]
  readonly l2: L2Sensitivity<N>
}

/**
 * Bounds a vector sum to which each unit adds one integer vector of Euclidean norm at most `radius`. Under add-remove the squared
 * sensitivity is radius^2; under replace-one it is 2 radius^2 when coordinates are never negative, and 4 radius^2 when they may be.
 * Throws ParameterError when radius <= 0.
 */
export const clippedVectorSum = <N extends Neighbours>(options: {
  readonly neighbours: N
  readonly radius: Rational
  readonly signs: 'non-negative' | 'signed'
}): ClippedVectorSum<N> => {
  const { neighbours, radius, signs } = options
  if (sign(radius) <= 0) throw new ParameterError('the radius of a clip must be greater than 0')
  const radiusSquared = mul(radius, radius)
  const factor = neighbours === 'add-remove' ? 1n : signs === 'non-negative' ? 2n : 4n
  const clip = (vector: readonly bigint[]): readonly bigint[] =>
    clipL2(signs === 'signed' ? vector : vector.map((x) => (x < 0n ? 0n : x)), radius)
  const because = `each unit adds one ${signs} vector clipped to a Euclidean norm of ${format(radius)}`
  return Object.freeze({ clip, l2: l2(neighbours, mul(integer(factor), radiusSquared), because) })
}

/** A sum of vectors, one a unit, each clipped in the sum of absolute values. */
export interface ClippedVectorSumL1<N extends Neighbours> {
  /** The vector scaled down into the ball, each coordinate cut towards 0; without signs, negative coordinates become 0 first. */
  readonly clip: (vector: readonly bigint[]) => readonly bigint[]
  readonly l1: L1Sensitivity<N>
}

/**
 * Bounds a vector sum to which each unit adds one integer vector whose absolute values add up to at most `radius`. The sensitivity is radius
 * under add-remove and 2 radius under replace-one, with signs or without. Throws ParameterError when radius <= 0.
 */
export const clippedVectorSumL1 = <N extends Neighbours>(options: {
  readonly neighbours: N
  readonly radius: Rational
  readonly signs: 'non-negative' | 'signed'
}): ClippedVectorSumL1<N> => {
  const { neighbours, radius, signs } = options
  if (sign(radius) <= 0) throw new ParameterError('the radius of a clip must be greater than 0')
  const because = `each unit adds one ${signs} vector clipped to a sum of absolute values of ${format(radius)}`
  return Object.freeze({
    clip: (vector: readonly bigint[]) =>
      clipL1(signs === 'signed' ? vector : vector.map((x) => (x < 0n ? 0n : x)), radius),
    l1: l1(neighbours, mul(integer(neighbours === 'add-remove' ? 1n : 2n), radius), because),
  })
}

/**
 * Takes over a Euclidean bound that another step enforces, for example a clip that runs as readings arrive. `because` names that step and
 * is published with every release. Throws ParameterError when the squared sensitivity is not positive or the reason is empty.
 */
export const statedL2 = <N extends Neighbours>(options: {
  readonly neighbours: N
  readonly l2Squared: Rational
  readonly because: string
}): L2Sensitivity<N> => l2(options.neighbours, options.l2Squared, reason(options.because))

/** The same for a bound on the sum of absolute differences. */
export const statedL1 = <N extends Neighbours>(options: {
  readonly neighbours: N
  readonly l1: Rational
  readonly because: string
}): L1Sensitivity<N> => l1(options.neighbours, options.l1, reason(options.because))

const reason = (because: string): string => {
  if (because.trim() === '') throw new ParameterError('a stated sensitivity needs the reason why it holds')
  return because
}

/** How far neighbours can move the utility of any one candidate of a choice, in units of the utility. */
export interface UtilitySensitivity<out N extends Neighbours> {
  readonly neighbours: N
  readonly most: Rational
  /** Whether adding a unit moves all utilities in one direction, or leaves them where they are. */
  readonly monotonic: boolean
  /** What bounds it, in one sentence, for the published facts. */
  readonly because: string
  readonly [bounded]: 'utility'
}

/**
 * Takes over a bound on the utilities of a choice: neighbours move each by at most `sensitivity`, and when `monotonic` all in one direction,
 * which is worth a factor of two. Throws ParameterError when the sensitivity is not positive, the reason is empty, or monotonic is claimed
 * under replace-one, where one unit leaves and another comes.
 */
export const statedUtility = <N extends Neighbours>(options: {
  readonly neighbours: N
  readonly sensitivity: Rational
  readonly monotonic: boolean
  readonly because: string
}): UtilitySensitivity<N> => {
  const { neighbours, sensitivity, monotonic, because } = options
  if (monotonic && neighbours === 'replace-one')
    throw new ParameterError(
      'a utility is monotonic under add-remove only: replacing a unit can move utilities both ways',
    )
  return Object.freeze({
    neighbours: known(neighbours),
    most: positive(sensitivity),
    monotonic,
    because: reason(because),
  }) as UtilitySensitivity<N>
}
