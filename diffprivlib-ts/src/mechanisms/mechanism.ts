import type { Neighbours } from '../bounding.ts'
import { AlreadyReleasedError, ParameterError } from '../errors.ts'
import type { NoiseLaw } from '../laws/law.ts'
import type { PrivacyLoss } from '../loss.ts'
import type { Rational } from '../rational.ts'
import type { IntegerSampler } from '../samplers/sampler.ts'

/** What a release may say about its noise: everything here is public. Fractions are exact, as `"num/den"`. */
export interface MechanismFacts {
  readonly mechanism: 'discrete-gaussian' | 'discrete-laplace'
  /** Raised when the law of the noise or the meaning of a parameter changes. */
  readonly version: 1
  readonly neighbours: Neighbours
  /** The bound that makes the sensitivity, in one sentence. */
  readonly bound: string
  /** The squared L2 sensitivity (Gaussian), in squared units of the query. */
  readonly l2Squared?: string
  /** The L1 sensitivity (Laplace), in units of the query. */
  readonly l1?: string
  /** The Gaussian's parameter, in squared units of the query. */
  readonly sigma2?: string
  /** The Laplace's parameter, in units of the query. */
  readonly scale?: string
  /** The pure epsilon of a Laplace release. */
  readonly epsilon?: string
  /** The zCDP cost of the one release. */
  readonly rho: string
}

/** A mechanism that adds noise to one query, once. */
export interface Mechanism<out N extends Neighbours = Neighbours> {
  readonly facts: MechanismFacts
  /** The strongest statement proved of the one release, for accounts that read losses. */
  readonly loss: PrivacyLoss<N>
  /** The zCDP cost to charge, before `release` is called. */
  readonly rho: Rational
  /** E[noise^2] in squared units of the query, rounded up. */
  readonly variance: Rational
  /**
   * The half-width h of an interval value - h .. value + h that holds the bounded truth with at least this probability, from the exact law
   * of the noise and rounded up to an integer. It does not cover what the bounding step cut away. Throws ParameterError unless
   * 0 < confidence < 1.
   */
  readonly interval: (confidence: Rational) => bigint
  /**
   * The value with noise. One release only: a second call, of this or of `releaseAll`, throws AlreadyReleasedError. A number must be an
   * integer of magnitude at most 2^52 and the scale at most 2^36, or ParameterError is thrown and nothing released; a bigint may have any size.
   */
  readonly release: { (value: number): number; (value: bigint): bigint }
  /**
   * The vector with independent noise in each coordinate: one release whose sensitivity is that of the whole vector. Throws ParameterError, and
   * releases nothing, for more coordinates than the mechanism was built for.
   */
  readonly releaseAll: { (values: readonly number[]): number[]; (values: readonly bigint[]): bigint[] }
}

const largestNumber = 2 ** 52

/** Refuses a number that is not an integer of magnitude at most 2^52, or any number where the noise may not be a safe integer. */
export const requireNumber = (value: number, sampler: IntegerSampler): void => {
  if (!sampler.numbers) throw new ParameterError('the scale is above 2^36: pass a bigint, which is returned as one')
  // The message must not hold the value: it is the secret.
  if (!Number.isInteger(value) || Math.abs(value) > largestNumber)
    throw new ParameterError(
      'a released number must be an integer of magnitude at most 2^52: pass a bigint for larger ones',
    )
}

/** Refuses a vector of more coordinates than the mechanism was built for. */
export const requireLength = (values: readonly unknown[], dimension: number): void => {
  if (values.length > dimension)
    throw new ParameterError(`the vector has ${values.length} coordinates, the mechanism was built for ${dimension}`)
}

/** Puts a sampler and its law together into a mechanism that releases once. */
export const oneShot = <N extends Neighbours>(parts: {
  readonly facts: MechanismFacts
  readonly loss: PrivacyLoss<N>
  readonly rho: Rational
  readonly law: NoiseLaw
  readonly sampler: IntegerSampler
  readonly dimension?: number
}): Mechanism<N> => {
  const { facts, loss, rho, law, sampler, dimension = Infinity } = parts
  let spent = false
  const spend = () => {
    if (spent) throw new AlreadyReleasedError('this mechanism has released its one value: charge and build another')
    spent = true
  }
  function release(value: number): number
  function release(value: bigint): bigint
  function release(value: number | bigint): number | bigint {
    if (typeof value === 'number') requireNumber(value, sampler)
    spend()
    return typeof value === 'number' ? value + sampler.nextNumber() : value + sampler.next()
  }
  function releaseAll(values: readonly number[]): number[]
  function releaseAll(values: readonly bigint[]): bigint[]
  function releaseAll(values: readonly (number | bigint)[]): (number | bigint)[] {
    requireLength(values, dimension)
    for (const value of values) if (typeof value === 'number') requireNumber(value, sampler)
    spend()
    return values.map((value) => (typeof value === 'number' ? value + sampler.nextNumber() : value + sampler.next()))
  }
  let variance: Rational | undefined
  return Object.freeze({
    facts: Object.freeze({ ...facts }),
    loss: Object.freeze(loss),
    rho,
    get variance() {
      variance ??= law.variance().upper
      return variance
    },
    interval: law.halfWidth,
    release,
    releaseAll,
  })
}
