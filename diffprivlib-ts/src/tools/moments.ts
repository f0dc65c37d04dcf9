// Mean, variance and standard deviation. Under replace-one the number of values is public and one noisy figure is enough; under add-remove the
// number, the sum and the sum of squares are each released and divided.
import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import { nearestNumber } from '../mechanisms/grid.ts'
import { factsOf } from '../mechanisms/release.ts'
import { integerSqrt } from '../numeric/fixed-point.ts'
import type { SecureBits } from '../random/bit-source.ts'
import { secureBits } from '../random/secure.ts'
import { add, compare, div, format, integer, mul, type Rational, ratio, sub, zero } from '../rational.ts'
import { chargeFirst } from './charge.ts'
import { noiseFor, partOf, type Reach, reachOf } from './noise.ts'
import {
  type BoundedSteps,
  type BoundsOptions,
  boundedSteps,
  type Released,
  requirePublicCount,
  requireSpend,
  type Spend,
  type ToolOptions,
} from './options.ts'

/** Options of `mean`, `variance` and `std`. */
export type MomentOptions<N extends Neighbours> = ToolOptions<N> & Spend & BoundsOptions

/** Charges once for several integer queries and releases each with its part of the spend. */
const releaseParts = <N extends Neighbours>(
  tool: string,
  parts: readonly (readonly [truth: bigint, reach: Reach])[],
  options: MomentOptions<N>,
  bits: SecureBits,
) => {
  const { neighbours, account, label, grid } = options
  const spend = partOf(options, parts.length)
  const mechanisms = parts.map(([, reach]) => noiseFor(neighbours, reach, spend, 1, bits))
  const loss: PrivacyLoss<N> = options.epsilon
    ? { kind: 'pure', neighbours, epsilon: options.epsilon }
    : { kind: 'zcdp', neighbours, rho: options.rho as Rational }
  const charged = parts.length === 1 ? mechanisms[0]!.loss : loss
  chargeFirst<N>(account, label, charged)
  return {
    noisy: mechanisms.map((mechanism, i) => mechanism.randomise(parts[i]![0])),
    loss: charged,
    facts: factsOf({
      mechanism: tool,
      neighbours,
      bound: parts.map(([, { because }]) => because).join('; '),
      parameters: {
        grid: format(grid),
        parts: `${parts.length}`,
        ...(options.epsilon ? { epsilon: format(options.epsilon) } : { rho: format(options.rho as Rational) }),
      },
    }),
  }
}

const within = (value: Rational, least: Rational, most: Rational): Rational =>
  compare(value, least) < 0 ? least : compare(value, most) > 0 ? most : value

const total = (steps: readonly bigint[], of: (step: bigint) => bigint): bigint =>
  steps.reduce((sum, step) => sum + of(step), 0n)

const readAll = <N extends Neighbours>(values: Iterable<number | bigint>, options: MomentOptions<N>): BoundedSteps => {
  requireSpend(options)
  requirePublicCount(options.neighbours, options.nan)
  return boundedSteps(values, options)
}

/** Twice the distance from the middle of the bounds, so that it is whole: between -span and span. */
const centredOn =
  ({ lower, upper }: BoundedSteps) =>
  (step: bigint): bigint =>
    2n * step - lower - upper

const counted = reachOf(1n, 'each unit is counted once')
const atLeastOne = (noisy: bigint): bigint => (noisy < 1n ? 1n : noisy)

/**
 * The mean of all values, each clamped to [lower, upper] and rounded to the grid. Under replace-one: a noisy sum over the public number of values;
 * under add-remove: half of the spend each for the number of values and for the sum around the middle of the bounds, and the quotient.
 * Always inside the bounds. The charge comes first. Throws ParameterError for refused options or values and, under replace-one, for no
 * values at all; and what the account throws.
 */
export const mean = <N extends Neighbours>(
  values: Iterable<number | bigint>,
  options: MomentOptions<N>,
  bits: SecureBits = secureBits(),
): Released<N, number> => {
  const data = readAll(values, options)
  const { lower, upper, steps } = data
  const { neighbours, grid } = options
  const span = upper - lower
  const finish = (mid: Rational) => nearestNumber(mul(within(mid, integer(lower), integer(upper)), grid))
  if (neighbours === 'replace-one') {
    if (steps.length === 0) throw new ParameterError('there is no mean of no values')
    const reach = reachOf(span, `each unit moves one value inside [${lower}, ${upper}] steps of the grid`)
    const { noisy, loss, facts } = releaseParts('mean', [[total(steps, (step) => step), reach]], options, bits)
    return Object.freeze({ value: finish(ratio(noisy[0]!, BigInt(steps.length))), loss, facts })
  }
  const reach = reachOf(span, `each unit adds one value within ${span} half steps of the middle of the bounds`)
  const { noisy, loss, facts } = releaseParts(
    'mean',
    [
      [BigInt(steps.length), counted],
      [total(steps, centredOn(data)), reach],
    ],
    options,
    bits,
  )
  const [number, sum] = noisy as [bigint, bigint]
  const middle = div(integer(lower + upper), integer(2n))
  const offset = ratio(sum, 2n * atLeastOne(number))
  return Object.freeze({ value: finish(add(middle, offset)), loss, facts })
}

/** The variance in squared units of the query, as a fraction between 0 and the largest that the bounds allow. */
const varianceOf = <N extends Neighbours>(
  tool: string,
  values: Iterable<number | bigint>,
  options: MomentOptions<N>,
  bits: SecureBits,
): Released<N, Rational> => {
  const data = readAll(values, options)
  const { lower, upper, steps } = data
  const span = upper - lower
  const squared = mul(options.grid, options.grid)
  const finish = (inSteps: Rational) => mul(within(inSteps, zero, ratio(span * span, 4n)), squared)
  const number = BigInt(steps.length)
  if (options.neighbours === 'replace-one') {
    if (number < 2n) throw new ParameterError('a variance needs at least two values')
    // n times the sum of squares less the squared sum is n^2 times the variance; one value inside the bounds moves it by at most (n - 1) span^2.
    const sum = total(steps, (step) => step)
    const truth = number * total(steps, (step) => step * step) - sum * sum
    const reach = reachOf((number - 1n) * span * span, 'each unit moves one value inside the bounds')
    const { noisy, loss, facts } = releaseParts(tool, [[truth, reach]], options, bits)
    return { value: finish(ratio(noisy[0]!, number * number)), loss, facts }
  }
  const centred = centredOn(data)
  const { noisy, loss, facts } = releaseParts(
    tool,
    [
      [number, counted],
      [total(steps, centred), reachOf(span, 'each unit adds one value around the middle of the bounds')],
      [
        // Squares around the middle of their own range, doubled so that they are whole: between -span^2 and span^2.
        total(steps, (step) => 2n * centred(step) * centred(step) - span * span),
        reachOf(span * span, 'each unit adds one square around the middle of its range'),
      ],
    ],
    options,
    bits,
  )
  const [count, sum, squares] = noisy as [bigint, bigint, bigint]
  const among = atLeastOne(count)
  const average = ratio(sum, among)
  const meanSquare = div(add(ratio(squares, among), integer(span * span)), integer(2n))
  return { value: finish(div(sub(meanSquare, mul(average, average)), integer(4n))), loss, facts }
}

/**
 * The variance of all values (dividing by their number), each clamped and rounded to the grid; never negative and never above
 * (upper - lower)^2 / 4. Under replace-one one noisy figure over the public number of values, which must be at least two; under add-remove a
 * third of the spend each for number, sum and sum of squares. The charge comes first. Throws as `mean` does.
 */
export const variance = <N extends Neighbours>(
  values: Iterable<number | bigint>,
  options: MomentOptions<N>,
  bits: SecureBits = secureBits(),
): Released<N, number> => {
  const { value, loss, facts } = varianceOf('variance', values, options, bits)
  return Object.freeze({ value: nearestNumber(value), loss, facts })
}

/** The square root of `variance`, in units of the query. Charged and refused alike. */
export const std = <N extends Neighbours>(
  values: Iterable<number | bigint>,
  options: MomentOptions<N>,
  bits: SecureBits = secureBits(),
): Released<N, number> => {
  const { value, loss, facts } = varianceOf('std', values, options, bits)
  const unit = 1n << 128n
  const root = ratio(integerSqrt((value.num * unit * unit) / value.den), unit)
  return Object.freeze({ value: nearestNumber(root), loss, facts })
}
