import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { SecureBits } from '../random/bit-source.ts'
import { secureBits } from '../random/secure.ts'
import { one } from '../rational.ts'
import { chargeFirst } from './charge.ts'
import { noiseFor, reachOf, scaledInterval } from './noise.ts'
import {
  keepNumber,
  type NanOption,
  type ReleasedWithInterval,
  requireSpend,
  type Spend,
  type ToolOptions,
} from './options.ts'

/** Options of `count`. */
export type CountOptions<N extends Neighbours, T> = ToolOptions<N> &
  Spend & {
    /** Which values are counted. Required under replace-one, where the number of all is public; optional under add-remove, all. */
    readonly where?: (value: T) => boolean
  }

const releaseCount = <N extends Neighbours>(
  truth: number,
  options: ToolOptions<N> & Spend,
  bits: SecureBits,
): ReleasedWithInterval<N, number> => {
  const { neighbours, account, label } = options
  const mechanism = noiseFor(neighbours, reachOf(1n, 'each unit is counted at most once'), options, 1, bits)
  chargeFirst<N>(account, label, mechanism.loss)
  return Object.freeze({
    value: mechanism.randomise(truth),
    loss: mechanism.loss,
    facts: mechanism.facts,
    interval: scaledInterval(mechanism.interval, one),
  })
}

/**
 * How many values there are, or fulfil `where`, with integer noise. The charge comes first. Throws ParameterError without `where` under
 * replace-one, and what the account throws.
 */
export const count = <N extends Neighbours, T>(
  values: Iterable<T>,
  options: CountOptions<N, T>,
  bits: SecureBits = secureBits(),
): ReleasedWithInterval<N, number> => {
  requireSpend(options)
  const { where, neighbours } = options
  if (!where && neighbours === 'replace-one')
    throw new ParameterError('under replace-one the number of values is public: count them, or say which with where')
  let truth = 0
  for (const value of values) if (!where || where(value)) truth += 1
  return releaseCount<N>(truth, options, bits)
}

/** Options of `countNonzero`. */
export type CountNonzeroOptions<N extends Neighbours> = ToolOptions<N> & Spend & NanOption

/** How many values are not zero, with integer noise. The charge comes first. Throws ParameterError for NaN where it is refused. */
export const countNonzero = <N extends Neighbours>(
  values: Iterable<number | bigint>,
  options: CountNonzeroOptions<N>,
  bits: SecureBits = secureBits(),
): ReleasedWithInterval<N, number> => {
  requireSpend(options)
  let truth = 0
  for (const value of values) {
    if (typeof value === 'number' && !keepNumber(value, options.nan)) continue
    if (value !== 0 && value !== 0n) truth += 1
  }
  return releaseCount<N>(truth, options, bits)
}
