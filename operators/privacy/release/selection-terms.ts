import { type Rational, rational, zcdpToEpsilon } from 'diffprivlib-ts'
import { type Level, levels } from '../../../schemas/register-entry.ts'
import type { SelectionPolicy } from '../../contract/selection-policy.ts'

/** What the selection of a level spends, and over all levels. */
export interface SelectionTerms {
  /** The name under which each level is charged: it holds delta, which a charge has no other place for. */
  readonly kind: string
  /** rho that a level is charged: at least epsilon^2 / 2. */
  readonly rho: Rational
  /** Epsilon and delta of the selection of one level. */
  readonly epsilon: Rational
  readonly delta: Rational
  /** Delta over all levels. */
  readonly deltaPerDay: Rational
}

/** Steps in which epsilon is rounded down. */
const steps = 1_000_000_000n

/** Smaller, and optimal selection would have to tell very many counts apart. */
const leastEpsilon = rational.ratio(1n, 1_000n)

/** Most counts that a selection tells apart: near the most that optimal selection takes. */
const mostUnits = 250_000

/** Days over which the statement of a year adds up delta, a leap year included. */
const longestSpan = 366

/**
 * The terms of a selection that spends these parts of a day's budget, split evenly over the levels. (epsilon, delta)-DP is
 * delta-approximate epsilon^2 / 2 -zCDP (Bun and Steinke 2016, section 8), so it adds up with the rho of the sums.
 */
export function selectionTerms(cap: Rational, share: Rational, deltaPerDay: Rational): SelectionTerms {
  const each = rational.integer(levels.length)
  const rho = rational.div(rational.mul(cap, share), each)
  const delta = rational.div(deltaPerDay, each)
  const square = rational.toInteger(rational.mul(rational.integer(2n * steps ** 2n), rho), 'down')
  return { kind: selectionKind(delta), rho, epsilon: rational.ratio(rootOf(square), steps), delta, deltaPerDay }
}

/** What one selection may spend, and the fewest of what it counts that a group must have. */
export interface SelectionOf {
  readonly epsilon: Rational
  readonly delta: Rational
  readonly preThreshold: number
}

/**
 * The terms of a selection that counts measuring points, so that it keeps those given for households of up to `points` of them.
 * A household may have its points in one group or in as many as it has points, and changes the counts of a level by `points`
 * together: these are so many steps of one point in one group. By group privacy they cost points x epsilon, and delta times
 * the sum of e^(j epsilon) over j < points, each epsilon that of a point; the sum is at most points / (1 - e), with e < 1 the
 * epsilon of the household. Fewer than `preThreshold` households never have as many points as the threshold of points asks.
 */
export function pointTerms(terms: SelectionOf, points: number): SelectionOf {
  if (points === 1) return terms
  const { epsilon, delta, preThreshold } = terms
  const parts = rational.integer(points)
  return {
    epsilon: rational.div(epsilon, parts),
    delta: rational.div(rational.mul(delta, rational.sub(rational.one, epsilon)), parts),
    preThreshold: points * (preThreshold - 1) + 1,
  }
}

/** Whether optimal selection can be worked out: the smaller epsilon, the more counts it tells apart. */
export function canSelect({ epsilon, delta }: Pick<SelectionOf, 'epsilon' | 'delta'>): boolean {
  const [e, d] = [rational.toNumber(epsilon, 'down'), rational.toNumber(delta, 'down')]
  return e > 0 && d > 0 && (2 * Math.log1p(Math.expm1(e) / (2 * d))) / e <= mostUnits
}

/**
 * What is wrong with terms for households of up to `points` measuring points, beside the cap and delta that a deployment
 * promises; undefined where nothing is.
 */
export function selectionProblem(
  { epsilon, delta, deltaPerDay }: SelectionTerms,
  points: number,
  promised: { readonly cap: Rational; readonly delta: Rational },
  rho: Rational,
): string | undefined {
  if (rational.compare(epsilon, leastEpsilon) < 0)
    return 'selection.share is too small: a level gets an epsilon below 0.001'
  if (!canSelect(pointTerms({ epsilon, delta, preThreshold: 1 }, points))) {
    return 'selection.share is too small for selection.delta and selection.pointsAtConnection: more than 250000 points would have to be told apart'
  }
  const most = rational.div(promised.delta, rational.integer(2 * longestSpan))
  if (rational.compare(deltaPerDay, most) > 0) return `selection.delta must be at most ${rational.format(most)}`
  const isAbove = [1, 7, longestSpan].some((days) => {
    const of = (perDay: Rational, delta: Rational) => zcdpToEpsilon(rational.mul(perDay, rational.integer(days)), delta)
    const left = deltaLeft(promised.delta, rational.mul(deltaPerDay, rational.integer(days)))
    return rational.compare(of(rho, left), of(promised.cap, promised.delta)) > 0
  })
  if (!isAbove) return undefined
  return 'shares and selection.share leave nothing for selection.delta: lower the shares by a thousandth, or selection.delta'
}

/** Shares of the levels cut down so that a selection fits beside them, its delta included. */
export function sharesBeside(
  shares: Readonly<Record<Level, string>>,
  { share }: Pick<SelectionPolicy, 'share'>,
): Readonly<Record<Level, string>> {
  const left = rational.mul(rational.sub(rational.one, rational.parse(share)), rational.ratio(999n, 1_000n))
  const cut = levels.map((level) => [level, rational.format(rational.mul(rational.parse(shares[level]), left))])
  return Object.fromEntries(cut) as Readonly<Record<Level, string>>
}

/** What is left of delta for the conversion of rho, beside what selections spent. Throws RangeError where nothing is. */
export function deltaLeft(delta: Rational, spent: Rational): Rational {
  const left = rational.sub(delta, spent)
  if (rational.sign(left) <= 0) throw new RangeError('selections spent all of delta')
  return left
}

/** The name under which the selection of a level is charged. */
export const selectionKind = (delta: Rational): string => `partition_selection(delta=${rational.format(delta)})`

const kindPattern = /^partition_selection\(delta=(\d{1,60}\/[1-9]\d{0,59})\)$/

/** The delta of a charge by the name of its kind; undefined for other kinds. */
export function selectionDelta(kind: string): Rational | undefined {
  const text = kindPattern.exec(kind)?.[1]
  return text === undefined ? undefined : rational.parse(text)
}

function rootOf(n: bigint): bigint {
  if (n < 2n) return n
  let root = BigInt(Math.floor(Math.sqrt(Number(n))))
  while (root * root > n) root -= 1n
  while ((root + 1n) * (root + 1n) <= n) root += 1n
  return root
}
