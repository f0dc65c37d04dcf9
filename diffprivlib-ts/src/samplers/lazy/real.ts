// Random real numbers whose bits are drawn only when asked for: what is certain about one stays so as it is drawn further.
import { type Enclosure, narrow, timesPositive } from '../../numeric/fixed-point.ts'
import type { BitSource } from '../../random/bit-source.ts'
import { integer } from '../../rational.ts'
import type { Real } from './coin.ts'
import { extend, geometricOf, negativeLog, type Prefix, unknownPrefix, usualStep } from './prefix.ts'

/** A uniform number in (0, 1), as its first bits: at least so many, and always the same ones. */
export type GrowingUniform = (length: number) => Prefix

/** The uniform number of which this much is known. */
export const uniformReal = (source: BitSource, prefix: Prefix = unknownPrefix): GrowingUniform => {
  let known = prefix
  return (length) => {
    const missing = length - known.length
    if (missing > 0) known = extend(known, source, Math.ceil(missing / 32) * 32)
    return known
  }
}

const at = (precision: number, { value, length }: Prefix): Enclosure =>
  length >= precision
    ? narrow({ lower: value, upper: value + 1n }, length - precision)
    : { lower: value << BigInt(precision - length), upper: (value + 1n) << BigInt(precision - length) }

/** An exponential of mean 1: -ln U. */
export const exponentialReal = (uniform: GrowingUniform): Real => {
  return (precision) => {
    for (let length = precision + 32; ; length += 32) {
      const { lower, upper } = negativeLog(uniform(length), precision)
      if (upper !== undefined) return { lower, upper }
    }
  }
}

/**
 * Whether k + x is accepted as the magnitude of a standard normal, where k is geometric of scale 2 and x uniform: with probability
 * exp(-(k (k - 1) + x (2 k + x)) / 2), so that the density is that of exp(-(k + x)^2 / 2) (Karney, "Sampling exactly from the normal
 * distribution", 2016, arXiv 1303.6257). Both numbers are drawn as far as it takes.
 */
export const halfNormalAccepts = (k: bigint, x: GrowingUniform, other: GrowingUniform): boolean => {
  for (let precision = 64; ; precision += 32) {
    const unit = BigInt(precision)
    const part = at(precision, x(precision))
    const doubled = (2n * k) << unit
    const shifted = { lower: part.lower + doubled, upper: part.upper + doubled }
    const exponent = timesPositive(part, shifted, precision + 1)
    const first = (k * (k - 1n)) << (unit - 1n)
    const { lower, upper } = negativeLog(other(precision), precision)
    if (lower >= first + exponent.upper) return true
    if (upper !== undefined && upper <= first + exponent.lower) return false
  }
}

/** k + x. */
export const shiftedReal =
  (k: bigint, x: GrowingUniform): Real =>
  (precision) => {
    const { lower, upper } = at(precision, x(precision + 8))
    return { lower: lower + (k << BigInt(precision)), upper: upper + (k << BigInt(precision)) }
  }

const two = integer(2n)

/** The magnitude of a standard normal. */
export const halfNormalReal = (source: BitSource): Real => {
  for (;;) {
    const k = geometricOf(unknownPrefix, two, source, usualStep)
    const x = uniformReal(source)
    if (halfNormalAccepts(k, x, uniformReal(source))) return shiftedReal(k, x)
  }
}
