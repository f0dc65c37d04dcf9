import { type Neighbours, statedUtility } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import { exponential } from '../mechanisms/exponential.ts'
import { nearestNumber } from '../mechanisms/grid.ts'
import { factsOf } from '../mechanisms/release.ts'
import type { SecureBits } from '../random/bit-source.ts'
import { secureBits } from '../random/secure.ts'
import { compare, div, format, integer, max, mul, one, type Rational, ratio, sign, sub, zero } from '../rational.ts'
import { uniformBelow } from '../samplers/uniform.ts'
import { chargeFirst } from './charge.ts'
import { type BoundsOptions, boundedSteps, type Released, requireSpend, type ToolOptions } from './options.ts'

/** Options of the quantiles; they spend a pure epsilon. */
export type QuantileOptions<N extends Neighbours> = ToolOptions<N> & BoundsOptions & { readonly epsilon: Rational }

/** Grid points of equal rank: `size` of them from `first` on, with so many values below and so many at or below. */
interface Run {
  readonly first: bigint
  readonly size: bigint
  readonly below: number
  readonly atOrBelow: number
}

/** The grid points between the bounds, cut at the values. */
const runsOf = (sorted: readonly bigint[], lower: bigint, upper: bigint): readonly Run[] => {
  const runs: Run[] = []
  let next = lower
  let below = 0
  while (below < sorted.length) {
    const value = sorted[below]!
    if (value > next) runs.push({ first: next, size: value - next, below, atOrBelow: below })
    let end = below
    while (sorted[end] === value) end += 1
    runs.push({ first: value, size: 1n, below, atOrBelow: end })
    next = value + 1n
    below = end
  }
  if (next <= upper) runs.push({ first: next, size: upper - next + 1n, below, atOrBelow: below })
  return runs
}

/** How far the wanted rank lies from the ranks of a point, negated: 0 is best. */
const utilityOf = ({ below, atOrBelow }: Run, rank: Rational): Rational =>
  sub(zero, max(zero, max(sub(integer(below), rank), sub(rank, integer(atOrBelow)))))

const releaseQuantiles = <N extends Neighbours>(
  tool: string,
  values: Iterable<number | bigint>,
  wanted: readonly Rational[],
  options: QuantileOptions<N>,
  bits: SecureBits,
): Released<N, readonly number[]> => {
  requireSpend(options)
  const { neighbours, account, label, epsilon, grid } = options
  if (wanted.length === 0) throw new ParameterError('there must be at least one quantile')
  for (const quantile of wanted)
    if (sign(quantile) < 0 || compare(quantile, one) > 0) throw new ParameterError('a quantile lies between 0 and 1')
  const { lower, upper, steps } = boundedSteps(values, options)
  const sorted = [...steps].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const runs = runsOf(sorted, lower, upper)
  const measure = runs.map(({ size }) => integer(size))
  const choices = wanted.map((quantile) => {
    const rank = mul(quantile, integer(sorted.length))
    // A unit more moves the ranks of a point by 0 or 1 and the wanted rank by the quantile; a unit replaced moves ranks alone, by at most 1.
    const most = neighbours === 'add-remove' ? max(quantile, sub(one, quantile)) : one
    const sensitivity = statedUtility<N>({
      neighbours,
      sensitivity: most,
      monotonic: false,
      because: 'each unit moves the rank of a point by at most one',
    })
    const utility = runs.map((run) => utilityOf(run, rank))
    return exponential<N, number>(
      { neighbours, sensitivity, epsilon: div(epsilon, integer(wanted.length)), utility, measure },
      bits,
    )
  })
  const loss: PrivacyLoss<N> = Object.freeze({ kind: 'pure', neighbours, epsilon })
  chargeFirst<N>(account, label, loss)
  const released = choices.map((choice) => {
    const run = runs[choice.randomise()]!
    return nearestNumber(mul(integer(run.first + uniformBelow(bits, run.size)), grid))
  })
  return Object.freeze({
    value: Object.freeze(released),
    loss,
    facts: factsOf({
      mechanism: tool,
      neighbours,
      bound: 'each unit moves the rank of a point by at most one',
      parameters: { epsilon: format(epsilon), grid: format(grid), quantiles: wanted.map(format).join(' ') },
    }),
  })
}

const single = <N extends Neighbours>({ value, loss, facts }: Released<N, readonly number[]>): Released<N, number> =>
  Object.freeze({ value: value[0]!, loss, facts })

/**
 * Several quantiles of all values, each clamped and rounded to the grid, by the exponential mechanism over every grid point between the bounds: a
 * point is as good as its rank is near to the wanted one (Smith, 2011). Values that repeat are found, and an empty data set gives a uniform
 * answer. The spend is shared equally; answers may come out of order. The charge comes first. Throws ParameterError for refused options or
 * values, and what the account throws.
 */
export const quantiles = <N extends Neighbours>(
  values: Iterable<number | bigint>,
  options: QuantileOptions<N> & { readonly quantiles: readonly Rational[] },
  bits: SecureBits = secureBits(),
): Released<N, readonly number[]> => releaseQuantiles('quantiles', values, options.quantiles, options, bits)

/** One quantile, 0 to 1. As `quantiles`. */
export const quantile = <N extends Neighbours>(
  values: Iterable<number | bigint>,
  options: QuantileOptions<N> & { readonly quantile: Rational },
  bits: SecureBits = secureBits(),
): Released<N, number> => single(releaseQuantiles('quantile', values, [options.quantile], options, bits))

/** One percentile, 0 to 100. As `quantiles`. */
export const percentile = <N extends Neighbours>(
  values: Iterable<number | bigint>,
  options: QuantileOptions<N> & { readonly percent: Rational },
  bits: SecureBits = secureBits(),
): Released<N, number> =>
  single(releaseQuantiles('percentile', values, [div(options.percent, integer(100n))], options, bits))

/** The median. As `quantiles`. */
export const median = <N extends Neighbours>(
  values: Iterable<number | bigint>,
  options: QuantileOptions<N>,
  bits: SecureBits = secureBits(),
): Released<N, number> => single(releaseQuantiles('median', values, [ratio(1n, 2n)], options, bits))
