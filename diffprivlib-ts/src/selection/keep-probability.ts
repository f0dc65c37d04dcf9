import { ParameterError } from '../errors.ts'
import { expNegativeRational } from '../numeric/fixed-point.ts'
import { bitLength, compare, divide, format, type Rational, ratio, sign, one as unit } from '../rational.ts'

/** How many counts may be told apart before a group is certain to be kept. */
const longestTable = 1 << 18

/**
 * The probabilities with which optimal partition selection keeps a group of n units, for one group a unit (Desfontaines, Voss, Gipson and
 * Mandayam, PoPETs 2022, arXiv 2006.03684): p(0) = 0 and p(n) = min(e^epsilon p(n-1) + delta, 1 - e^-epsilon (1 - p(n-1) - delta), 1).
 * Fixed point: e^epsilon and delta are rounded down, e^-epsilon up, and every p(n) down from the p(n-1) that is used, so that the
 * p(n) of this table satisfy both inequalities of (epsilon, delta) privacy exactly; they fall short of the best by less than a
 * relative 2^-100. Throws ParameterError, when asked, for an epsilon so small that 262,144 units do not suffice.
 */
export const keepProbabilities = (epsilon: Rational, delta: Rational): ((n: number) => Rational) => {
  const precision =
    192 + Math.max(bitLength(delta.den) - bitLength(delta.num), 0) + bitLength(epsilon.num / epsilon.den) * 2
  const scale = BigInt(precision)
  const one = 1n << scale
  const decay = expNegativeRational(epsilon, precision)
  const shrink = divide(decay.upper, 1n << BigInt(decay.shift), 'up')
  const growth = divide(one << (scale + BigInt(decay.shift)), decay.upper, 'down')
  const chance = divide(delta.num << scale, delta.den, 'down')
  const table: bigint[] = [0n]

  const next = (p: bigint): bigint => {
    const rest = one - p - chance
    if (rest <= 0n) return one
    const rising = ((growth * p) >> scale) + chance
    const closing = one - divide(shrink * rest, one, 'up')
    return rising < closing ? rising : closing
  }

  return (n) => {
    while (table.length <= n && table.at(-1) !== one) {
      if (table.length > longestTable)
        throw new ParameterError(
          `epsilon ${format(epsilon)} for each group is too small for optimal selection: use thresholdedCounts, or fewer groups a unit`,
        )
      table.push(next(table.at(-1)!))
    }
    return n <= 0 ? ratio(0n, 1n) : ratio(table[Math.min(n, table.length - 1)]!, one)
  }
}

/** Refuses an epsilon that is not positive or a delta outside (0, 1), or either beyond what can be computed. */
export const requireEpsilonDelta = (epsilon: Rational, delta: Rational): void => {
  if (sign(epsilon) <= 0) throw new ParameterError('epsilon must be greater than 0')
  if (epsilon.num / epsilon.den >= 10_000n) throw new ParameterError('epsilon must be below 10,000')
  if (sign(delta) <= 0 || compare(delta, unit) >= 0) throw new ParameterError('delta must lie strictly between 0 and 1')
  if (bitLength(delta.den) - bitLength(delta.num) > 4096) throw new ParameterError('delta must not be below 2^-4096')
}
