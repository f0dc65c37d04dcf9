// Choice among candidates with P[i] proportional to weight_i exp(-exponent_i), exactly: the exponential mechanism (McSherry and Talwar, 2007)
// and permute-and-flip (McKenna and Sheldon, 2020, arXiv 2010.12603).
import { ParameterError } from '../errors.ts'
import { encloseRational, ln2, times } from '../numeric/fixed-point.ts'
import type { BitSource } from '../random/bit-source.ts'
import { bitLength, type Rational, sign } from '../rational.ts'
import { bernoulliExp } from './bernoulli.ts'
import { acceptsRealOf, type Real } from './lazy/coin.ts'
import { unknownPrefix, usualStep } from './lazy/prefix.ts'
import { untilAccepted } from './rejection.ts'
import { uniformBelow } from './uniform.ts'

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

/** What a choice draws from. */
export interface SelectionBricks {
  readonly uniformBelow: (bound: bigint) => bigint
  /** True with probability exp(-(exponent - power ln 2)). */
  readonly accepts: (exponent: Rational, power: bigint) => boolean
}

/** One try at a choice: a candidate by its envelope weight_i 2^(256 - m_i), accepted with probability exp(-x_i) 2^(m_i). */
export const preparedSelection = (
  candidates: readonly Weighted[],
): ((bricks: SelectionBricks) => number | undefined) => {
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
  return (bricks) => {
    const place = bricks.uniformBelow(total)
    let low = 0
    let high = ends.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (ends[middle]! > place) high = middle
      else low = middle + 1
    }
    return bricks.accepts(candidates[low]!.exponent, powers[low]!) ? low : undefined
  }
}

/** Draws the index of a candidate with P[i] proportional to weight_i exp(-exponent_i). Throws ParameterError without a positive weight. */
export const selectionSampler = (candidates: readonly Weighted[], source: BitSource): (() => number) => {
  const attempt = preparedSelection(candidates)
  const bricks: SelectionBricks = {
    uniformBelow: (bound) => uniformBelow(source, bound),
    accepts: (exponent, power) =>
      power === 0n
        ? bernoulliExp(source, exponent)
        : acceptsRealOf(unknownPrefix, restOf(exponent, power), source, usualStep),
  }
  return () => untilAccepted(() => attempt(bricks))
}

/** What permute-and-flip draws from. */
export interface FlipBricks {
  readonly uniformBelow: (bound: bigint) => bigint
  readonly bernoulliExp: (exponent: Rational) => boolean
}

/** Candidates in random order, each taken with probability exp(-exponent); one whose exponent is 0 is always taken. */
export const permuteAndFlip = (bricks: FlipBricks, exponents: readonly Rational[]): number => {
  const left = exponents.map((_, i) => i)
  for (let size = left.length; size > 0; size--) {
    const place = Number(bricks.uniformBelow(BigInt(size)))
    const candidate = left[place]!
    left[place] = left[size - 1]!
    if (bricks.bernoulliExp(exponents[candidate]!)) return candidate
  }
  throw new ParameterError('permute-and-flip needs a candidate whose exponent is 0')
}

/** Draws an index by permute-and-flip. Throws ParameterError when no exponent is 0 or one is negative. */
export const flipSampler = (exponents: readonly Rational[], source: BitSource): (() => number) => {
  if (!exponents.some((exponent) => sign(exponent) === 0) || exponents.some((exponent) => sign(exponent) < 0))
    throw new ParameterError('permute-and-flip takes exponents of at least 0, the best candidate with 0')
  const bricks: FlipBricks = {
    uniformBelow: (bound) => uniformBelow(source, bound),
    bernoulliExp: (exponent) => bernoulliExp(source, exponent),
  }
  return () => permuteAndFlip(bricks, exponents)
}
