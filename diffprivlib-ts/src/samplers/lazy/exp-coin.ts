import type { BitSource } from '../../random/bit-source.ts'
import { powerOfTwo, type Rational, toNumber } from '../../rational.ts'
import type { LazyExponential } from './exponential.ts'
import { acceptsOf, usualStep } from './prefix.ts'

const largestExact = 2n ** 53n

/** A double within a relative 2^-52 of a fraction from 0 to 2^1000, or within 2^-1074: one division where both parts are doubles. */
export const nearDouble = ({ num, den }: Rational): number =>
  num <= largestExact && den <= largestExact ? Number(num) / Number(den) : toNumber({ num, den }, 'down')

const margin = powerOfTwo(-43)

/**
 * True with probability exp(-exponent), exponent >= 0, where `threshold` is its double: whether -ln U >= exponent.
 *
 * Decided in doubles when it is certain. Up to 64, the exponent's double is off by at most 2^-46, -ln U by 2^-47, and their difference rounds
 * by 2^-48: less than the margin of 2^-43. Above, -ln U < 30.5 leaves no doubt. Inside the margin, or where -ln U is not a number,
 * `acceptsOf` draws more bits.
 */
export const expAccepts = (
  exponent: Rational,
  threshold: number,
  { next, prefix, forget }: LazyExponential,
  source: BitSource,
): boolean => {
  const difference = next() - threshold
  const accepted = difference > margin || (!(difference < -margin) && acceptsOf(prefix(), exponent, source, usualStep))
  forget()
  return accepted
}

/**
 * A coin of probability exp(-size / scale) for whole sizes from 0 to 2^53 and a scale from 2^-512 to 2^512: as `expAccepts`, with size times the
 * double of 1 / scale for the exponent, which errs by a relative 2^-51 in all, 2^-45 up to 64.
 */
export const decayCoin = (
  scale: Rational,
  { next, prefix, forget }: LazyExponential,
  source: BitSource,
): ((size: number) => boolean) => {
  const { num, den } = scale
  const rate = nearDouble({ num: den, den: num })
  return (size) => {
    const difference = next() - size * rate
    const accepted =
      difference > margin ||
      (!(difference < -margin) && acceptsOf(prefix(), { num: BigInt(size) * den, den: num }, source, usualStep))
    forget()
    return accepted
  }
}
