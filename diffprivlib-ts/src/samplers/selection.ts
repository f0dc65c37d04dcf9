// Choice among candidates with P[i] proportional to weight_i exp(-exponent_i), exactly: the exponential mechanism (McSherry and Talwar, 2007)
// and permute-and-flip (McKenna and Sheldon, 2020, arXiv 2010.12603).
import { ParameterError } from '../errors.ts'
import { encloseRational, expNegative, ln2, plain, times } from '../numeric/fixed-point.ts'
import type { BitSource } from '../random/bit-source.ts'
import { bitLength, type Rational, sign } from '../rational.ts'
import { cellSampler } from './lazy/cell.ts'
import { type Real, realCoin } from './lazy/coin.ts'
import { expAccepts, nearDouble } from './lazy/exp-coin.ts'
import { lazyExponential } from './lazy/exponential.ts'
import { untilAccepted } from './rejection.ts'
import { uniformNumber } from './uniform.ts'

/** A candidate: an integer weight >= 0 and how far its utility lies below the best, times the epsilon that counts: at least 0. */
export interface Weighted {
  readonly weight: bigint
  readonly exponent: Rational
}

const deepest = 256n
/** Just below 1 / ln 2, so that 2^-floor(x times this) is never below exp(-x). */
const [perUnit, unit] = [1_442_695n, 1_000_000n]

/** The power m with exp(-x) <= 2^-m, and 2^-m < 2.0001 exp(-x) unless m has reached 256: an envelope in integers. */
export const envelopePower = ({ num, den }: Rational): bigint => {
  const power = (num * perUnit) / (den * unit)
  return power > deepest ? deepest : power
}

/** x - m ln 2: what is left to accept by once a candidate was proposed with 2^-m. */
export const restOf =
  (exponent: Rational, power: bigint): Real =>
  (precision) => {
    const whole = encloseRational(exponent, precision)
    if (power === 0n) return whole
    const extra = bitLength(power)
    const wide = times(ln2(precision + extra), power)
    const doubled = { lower: wide.lower >> BigInt(extra), upper: -(-wide.upper >> BigInt(extra)) }
    const lower = whole.lower - doubled.upper
    return { lower: lower > 0n ? lower : 0n, upper: whole.upper - doubled.lower }
  }

/** exp(-rest): the chance to accept. */
export const acceptanceOf =
  (exponent: Rational, power: bigint): Real =>
  (precision) =>
    plain(expNegative(restOf(exponent, power)(precision), precision))

/** What a choice draws from. */
export interface SelectionBricks {
  /** A candidate, by its share of the envelope. */
  readonly propose: () => number
  /** True with probability exp(-(exponent - power ln 2)) of this candidate. */
  readonly accepts: (candidate: number) => boolean
}

/** The envelope of a choice: each candidate's power m_i, and the ends of the cells weight_i 2^(256 - m_i) laid side by side. */
export const envelopeOf = (candidates: readonly Weighted[]) => {
  if (candidates.length === 0) throw new ParameterError('a choice needs at least one candidate')
  const powers = candidates.map(({ exponent, weight }) => {
    if (sign(exponent) < 0 || weight < 0n) throw new ParameterError('weights and exponents of a choice are at least 0')
    return envelopePower(exponent)
  })
  let total = 0n
  const ends = candidates.map(({ weight }, i) => {
    total += weight << (deepest - powers[i]!)
    return total
  })
  if (total === 0n) throw new ParameterError('a choice needs a candidate of positive weight')
  return { powers, ends }
}

/** One try at a choice: a candidate by its cell of the envelope, accepted with probability exp(-x_i) 2^(m_i). */
export const selectionAttempt = ({ propose, accepts }: SelectionBricks): number | undefined => {
  const candidate = propose()
  return accepts(candidate) ? candidate : undefined
}

/** Draws the index of a candidate with P[i] proportional to weight_i exp(-exponent_i). Throws ParameterError without a positive weight. */
export const selectionSampler = (candidates: readonly Weighted[], source: BitSource): (() => number) => {
  const { powers, ends } = envelopeOf(candidates)
  const coins: (() => boolean)[] = []
  // A candidate's chance costs an exponential in bigints: it is computed when the candidate is first proposed.
  const coinOf = (candidate: number) =>
    realCoin(acceptanceOf(candidates[candidate]!.exponent, powers[candidate]!), source)
  const bricks: SelectionBricks = {
    propose: cellSampler(ends, source),
    accepts: (candidate) => {
      coins[candidate] ??= coinOf(candidate)
      return coins[candidate]()
    },
  }
  return () => untilAccepted(() => selectionAttempt(bricks))
}

/** What permute-and-flip draws from. */
export interface FlipBricks {
  readonly uniformBelow: (bound: number) => number
  /** True with probability exp(-exponent) of this candidate. */
  readonly accepts: (candidate: number) => boolean
}

/**
 * Candidates in random order, each taken with probability exp(-exponent); one whose exponent is 0 is always taken. `order` holds every candidate
 * once, in any order, and is left in another.
 */
export const permuteAndFlip = ({ uniformBelow, accepts }: FlipBricks, order: number[]): number => {
  for (let size = order.length; size > 0; size--) {
    const place = uniformBelow(size)
    const candidate = order[place]!
    order[place] = order[size - 1]!
    order[size - 1] = candidate
    if (accepts(candidate)) return candidate
  }
  throw new ParameterError('permute-and-flip needs a candidate whose exponent is 0')
}

/** Draws an index by permute-and-flip. Throws ParameterError when no exponent is 0 or one is negative. */
export const flipSampler = (exponents: readonly Rational[], source: BitSource): (() => number) => {
  if (!exponents.some((exponent) => sign(exponent) === 0) || exponents.some((exponent) => sign(exponent) < 0))
    throw new ParameterError('permute-and-flip takes exponents of at least 0, the best candidate with 0')
  const exponential = lazyExponential(source)
  const thresholds = exponents.map(nearDouble)
  const bricks: FlipBricks = {
    uniformBelow: (bound) => uniformNumber(source, bound),
    accepts: (candidate) => expAccepts(exponents[candidate]!, thresholds[candidate]!, exponential, source),
  }
  const order = exponents.map((_, i) => i)
  return () => permuteAndFlip(bricks, order)
}
