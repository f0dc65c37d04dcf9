import { ParameterError } from '../errors.ts'
import type { Enclosure } from '../numeric/fixed-point.ts'
import { bitLength, compare, one, type Rational, ratio, sign, sub, zero } from '../rational.ts'

/** A real number between two fractions. */
export interface Bounds {
  readonly lower: Rational
  readonly upper: Rational
}

/** The exact law of an integer noise, symmetric around 0. Every figure is held between certified bounds. */
export interface NoiseLaw {
  /** P[X = k]. */
  readonly probability: (k: bigint) => Bounds
  /** P[|X| > h] for h >= 0. */
  readonly tail: (h: bigint) => Bounds
  /** E[X^2]. */
  readonly variance: () => Bounds
  /** An h with P[|X| <= h] at least `confidence`, rounded up. Throws ParameterError unless 0 < confidence < 1, and 1 - confidence >= 2^-1024. */
  readonly halfWidth: (confidence: Rational) => bigint
}

/** 1 - confidence. Throws ParameterError unless confidence lies strictly between 0 and 1 and is not closer to 1 than 2^-1024. */
export const missOf = (confidence: Rational): Rational => {
  if (sign(confidence) <= 0 || compare(confidence, one) >= 0)
    throw new ParameterError('a confidence lies strictly between 0 and 1, for example 0.95')
  const miss = sub(one, confidence)
  if (bitLength(miss.den) - bitLength(miss.num) > 1024)
    throw new ParameterError('a confidence may not be closer to 1 than 2^-1024')
  return miss
}

/** Values below 2^-(this) are only said to lie between 0 and it. */
const smallestShift = 1 << 20

/** An enclosure at `precision`, times 2^-shift, as two fractions. */
export const toBounds = ({ lower, upper }: Enclosure, precision: number, shift = 0): Bounds => {
  if (shift > smallestShift) return { lower: zero, upper: ratio(1n, 1n << BigInt(smallestShift)) }
  const unit = 1n << BigInt(precision + shift)
  return { lower: ratio(lower, unit), upper: ratio(upper, unit) }
}

/** How many bits a value near `miss` needs before its first significant one. */
export const bitsBelowOne = (miss: Rational): number => Math.max(bitLength(miss.den) - bitLength(miss.num) + 1, 0)
