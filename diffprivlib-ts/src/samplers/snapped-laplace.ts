// A Laplace variable on the reals around a centre, rounded to the nearest integer. Its uniform number is drawn until the rounding is certain.
import type { BitSource } from '../random/bit-source.ts'
import { add, bitLength, divide, mul, powerOfTwo, type Rational, ratio, toNumber } from '../rational.ts'
import { centreOf } from './lazy/centre.ts'
import { lazyExponential } from './lazy/exponential.ts'
import { lazyTakes } from './lazy/geometric.ts'
import { extend, negativeLog, type Prefix, unknownPrefix, usualStep } from './lazy/prefix.ts'

const half = ratio(1n, 2n)

/** The integer nearest to centre + sign * scale * (-ln U), drawing bits until it is certain. */
export const snappedOf = (
  prefix: Prefix,
  { centre, scale, negative }: { readonly centre: Rational; readonly scale: Rational; readonly negative: boolean },
  source: BitSource,
  step: number,
): bigint => {
  const signed = negative ? mul(scale, ratio(-1n, 1n)) : scale
  const middle = add(centre, half)
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

/**
 * A sampler of the integer nearest to centre + Laplace(scale), by the centre.
 *
 * Read off in doubles when it is certain, for scales that the lazy geometric takes. With m the whole part of centre + 1/2, f the rest and L =
 * -ln U, the answer is m + floor(f +- t L). The product is off by less than 2^-45.5 t (`lazyGeometric`), f by 2^-53, and their sum and the
 * margin's round by 2^-48 t + 2^-53 each: less than a margin of 2^-44 (t + 1). When both ends have one floor it is the answer for every
 * continuation of U; when not, `snappedOf` draws more bits.
 */
export const snappedSampler = (scale: Rational, source: BitSource): ((centre: Rational) => bigint) => {
  if (!lazyTakes(scale))
    return (centre) => snappedOf(unknownPrefix, { centre, scale, negative: source.bits(1) === 1 }, source, usualStep)
  const { next, negative, prefix, forget } = lazyExponential(source)
  const approximate = toNumber(scale, 'down')
  const margin = (approximate + 1) * powerOfTwo(-44)
  return (centre) => {
    const { whole, rest } = centreOf(centre)
    const distance = approximate * next()
    const place = negative() ? rest - distance : rest + distance
    const steps = Math.floor(place - margin)
    const snapped =
      place + margin < steps + 1
        ? whole + BigInt(steps)
        : snappedOf(prefix(), { centre, scale, negative: negative() }, source, usualStep)
    forget()
    return snapped
  }
}
