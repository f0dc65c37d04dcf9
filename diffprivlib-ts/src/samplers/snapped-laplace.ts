// A Laplace variable on the reals around a centre, rounded to the nearest integer. Its uniform number is drawn until the rounding is certain.
import type { BitSource } from '../random/bit-source.ts'
import { add, bitLength, divide, mul, type Rational, ratio } from '../rational.ts'
import { extend, negativeLog, type Prefix, unknownPrefix, usualStep } from './lazy/prefix.ts'

/** The integer nearest to centre + sign * scale * (-ln U), drawing bits until it is certain. */
export const snappedOf = (
  prefix: Prefix,
  { centre, scale, negative }: { readonly centre: Rational; readonly scale: Rational; readonly negative: boolean },
  source: BitSource,
  step: number,
): bigint => {
  const signed = negative ? mul(scale, ratio(-1n, 1n)) : scale
  const middle = add(centre, ratio(1n, 2n))
  const den = middle.den * signed.den
  let known = prefix
  for (;;) {
    const precision = known.length + bitLength(scale.num) + bitLength(centre.den) + 64
    const { lower, upper } = negativeLog(known, precision)
    if (upper !== undefined) {
      const end = (log: bigint): bigint =>
        divide(
          ((middle.num * signed.den) << BigInt(precision)) + log * signed.num * middle.den,
          den << BigInt(precision),
          'down',
        )
      const [first, last] = [end(lower), end(upper)]
      if (first === last) return first
    }
    known = extend(known, source, step)
  }
}

/** Draws the integer nearest to centre + Laplace(scale). */
export const snappedLaplace = (centre: Rational, scale: Rational, source: BitSource): bigint =>
  snappedOf(unknownPrefix, { centre, scale, negative: source.bits(1) === 1 }, source, usualStep)
