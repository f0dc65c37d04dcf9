// A uniform real U in (0, 1) of which only the first bits are known. Whatever is decided from a prefix holds for every U that begins so;
// when a prefix cannot decide, more bits are drawn. The outcome is therefore an exact function of U, although U is never written down.
import { type Enclosure, lnFraction } from '../../numeric/fixed-point.ts'
import { type BitSource, wideBits } from '../../random/bit-source.ts'
import { bitLength, type Rational } from '../../rational.ts'

/** All that is known of U: it lies in [value, value + 1] * 2^-length. */
export interface Prefix {
  readonly value: bigint
  readonly length: number
}

/** U of which nothing is known yet. */
export const unknownPrefix: Prefix = { value: 0n, length: 0 }

/** How many bits an undecided prefix grows by. */
export const usualStep = 32

/** The prefix with `step` more bits. */
export const extend = ({ value, length }: Prefix, source: BitSource, step: number): Prefix => ({
  value: (value << BigInt(step)) | wideBits(source, step),
  length: length + step,
})

/** -ln U for every U of the prefix; no upper end while U may still be 0. */
export const negativeLog = (
  { value, length }: Prefix,
  precision: number,
): Partial<Enclosure> & Pick<Enclosure, 'lower'> => {
  const whole = 1n << BigInt(length)
  const lower = lnFraction(whole, value + 1n, precision).lower
  const positive = lower > 0n ? lower : 0n
  return value === 0n ? { lower: positive } : { lower: positive, upper: lnFraction(whole, value, precision).upper }
}

/**
 * floor(-scale ln U), drawing bits until it is certain: geometric with P[X >= k] = P[U <= exp(-k/scale)] = exp(-k/scale).
 * `step` is how many bits to draw at a time.
 */
export const geometricOf = (prefix: Prefix, scale: Rational, source: BitSource, step: number): bigint => {
  let known = prefix
  for (;;) {
    const precision = known.length + bitLength(scale.num) + 32
    const { lower, upper } = negativeLog(known, precision)
    if (upper !== undefined) {
      const unit = scale.den << BigInt(precision)
      const low = (lower * scale.num) / unit
      if (low === (upper * scale.num) / unit) return low
    }
    known = extend(known, source, step)
  }
}

/** Whether U <= exp(-exponent), drawing bits until it is certain: true with probability exp(-exponent), for exponent >= 0. */
export const acceptsOf = (prefix: Prefix, exponent: Rational, source: BitSource, step: number): boolean => {
  let known = prefix
  for (;;) {
    const precision = known.length + 64
    const { lower, upper } = negativeLog(known, precision)
    const threshold = exponent.num << BigInt(precision)
    if (lower * exponent.den >= threshold) return true
    if (upper !== undefined && upper * exponent.den <= threshold) return false
    known = extend(known, source, step)
  }
}
