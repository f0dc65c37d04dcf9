// What every mechanism of this folder has in common: public facts, a loss to charge, and one release.
import type { Neighbours } from '../bounding.ts'
import { AlreadyReleasedError, ParameterError } from '../errors.ts'
import type { Bounds } from '../laws/law.ts'
import type { PrivacyLoss } from '../loss.ts'
import type { BitSource, SecureBits } from '../random/bit-source.ts'
import { requireSecure, secureBits } from '../random/secure.ts'
import { mul, type Rational, zero } from '../rational.ts'

/** What a release may say about itself: everything here is public. Parameters are exact fractions, as `"num/den"`. */
export interface ReleaseFacts {
  readonly mechanism: string
  /** Raised when the law of the noise or the meaning of a parameter changes. */
  readonly version: 1
  readonly neighbours: Neighbours
  /** The bound that makes the sensitivity, in one sentence; absent where the mechanism randomises one record. */
  readonly bound?: string
  readonly parameters: Readonly<Record<string, string>>
}

/** A mechanism that releases once, about data of one neighbour relation. */
export interface PrivateMechanism<out N extends Neighbours, in I, out O> {
  readonly facts: ReleaseFacts
  /** What to charge, before `randomise` is called. */
  readonly loss: PrivacyLoss<N>
  /** The release. A second call throws AlreadyReleasedError. */
  readonly randomise: (value: I) => O
}

/**
 * What a release is off by, between certified bounds. Mechanisms that add noise answer for every value; those that keep to a domain answer for
 * the value that is passed, and an answer computed at the true value is as secret as the value.
 */
export interface Accuracy<At extends readonly unknown[]> {
  /** E[released - value], in units of the query. */
  readonly bias: (...at: At) => Bounds
  /** Var[released], in squared units of the query. */
  readonly variance: (...at: At) => Bounds
  /** E[(released - value)^2], in squared units of the query. */
  readonly mse: (...at: At) => Bounds
}

/** Releases one integer. */
export interface IntegerMechanism<out N extends Neighbours, At extends readonly unknown[] = []> extends Accuracy<At> {
  readonly facts: ReleaseFacts
  readonly loss: PrivacyLoss<N>
  /**
   * The value with noise; once. A number must be an integer of magnitude at most 2^52 and the scale at most 2^36, or ParameterError is thrown
   * and nothing released; a bigint may have any size.
   */
  readonly randomise: { (value: number): number; (value: bigint): bigint }
  /**
   * The half-width h of an interval released - h .. released + h that holds the bounded truth with at least this probability, from the exact
   * law. Throws ParameterError unless 0 < confidence < 1.
   */
  readonly interval: (confidence: Rational) => bigint
}

/** An integer mechanism whose noise does not depend on the value, so that a vector takes independent noise in each coordinate. */
export interface AdditiveIntegerMechanism<out N extends Neighbours> extends IntegerMechanism<N> {
  /** The vector with independent noise: one release whose sensitivity is that of the whole vector. */
  readonly randomiseAll: { (values: readonly number[]): number[]; (values: readonly bigint[]): bigint[] }
}

/** Releases one real value on a declared grid. */
export interface GridMechanism<out N extends Neighbours, At extends readonly unknown[] = []> extends Accuracy<At> {
  readonly facts: ReleaseFacts
  readonly loss: PrivacyLoss<N>
  /** What every release is a multiple of. */
  readonly grid: Rational
  /** The value, rounded to the grid, with noise; once. A number is returned as the nearest double, a fraction exactly. */
  readonly randomise: { (value: number): number; (value: Rational): Rational }
  /**
   * The half-width of an interval around the release that holds the bounded truth with at least this probability, from the exact law and with
   * half a grid step for the rounding. Throws ParameterError unless 0 < confidence < 1.
   */
  readonly interval: (confidence: Rational) => Rational
}

/** A grid mechanism whose noise does not depend on the value. */
export interface AdditiveGridMechanism<out N extends Neighbours> extends GridMechanism<N> {
  /** The vector with independent noise: at most `dimension` coordinates, whose sensitivity is that of the whole vector. */
  readonly randomiseAll: { (values: readonly number[]): number[]; (values: readonly Rational[]): Rational[] }
}

/** Throws AlreadyReleasedError from the second call on. */
export const once = (): (() => void) => {
  let spent = false
  return () => {
    if (spent) throw new AlreadyReleasedError('this mechanism has released its one value: charge and build another')
    spent = true
  }
}

/** The public door of a mechanism: bits from the operating system, and no others. */
export const securely =
  <Options, Result>(over: (options: Options, bits: BitSource) => Result) =>
  (options: Options, bits: SecureBits = secureBits()): Result =>
    over(options, requireSecure(bits))

/** Refuses a sensitivity bounded for the other relation, where the types were forced. */
export const requireSame = (neighbours: Neighbours, sensitivity: { readonly neighbours: Neighbours }): void => {
  if (sensitivity.neighbours !== neighbours)
    throw new ParameterError(
      `the sensitivity was bounded for ${sensitivity.neighbours} neighbours, not for ${neighbours}`,
    )
}

/** Freezes the facts and their parameters. */
export const factsOf = (facts: Omit<ReleaseFacts, 'version'>): ReleaseFacts =>
  Object.freeze({ ...facts, version: 1, parameters: Object.freeze({ ...facts.parameters }) })

const nothing: Bounds = Object.freeze({ lower: zero, upper: zero })

/** The accuracy of noise without bias, in units of `step`. */
export const unbiased = (variance: () => Bounds, step?: Rational): Accuracy<[]> => {
  let known: Bounds | undefined
  const spread = (): Bounds => {
    known ??= scaled(variance(), step ? mul(step, step) : undefined)
    return known
  }
  return { bias: () => nothing, variance: spread, mse: spread }
}

/** Bounds times a positive factor. */
export const scaled = ({ lower, upper }: Bounds, factor: Rational | undefined): Bounds =>
  factor ? { lower: mul(lower, factor), upper: mul(upper, factor) } : { lower, upper }
