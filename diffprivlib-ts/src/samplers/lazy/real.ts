// Random real numbers whose bits are drawn only when asked for: what is certain about one stays so as it is drawn further.
import { type Enclosure, narrow, timesPositive } from '../../numeric/fixed-point.ts'
import type { BitSource } from '../../random/bit-source.ts'
import { ratio } from '../../rational.ts'
import { bernoulliExp } from '../bernoulli.ts'
import type { Real } from './coin.ts'
import { extend, negativeLog, type Prefix, unknownPrefix } from './prefix.ts'

/** A uniform number in (0, 1). */
const uniformReal = (source: BitSource): ((length: number) => Prefix) => {
  let known = unknownPrefix
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
export const exponentialReal = (source: BitSource): Real => {
  const uniform = uniformReal(source)
  return (precision) => {
    for (let length = precision + 32; ; length += 32) {
      const { lower, upper } = negativeLog(uniform(length), precision)
      if (upper !== undefined) return { lower, upper }
    }
  }
}

/**
 * The magnitude of a standard normal: k + x with k and x accepted by exp(-k(k - 1)/2) and exp(-x(2k + x)/2) (Karney, "Sampling exactly
 * from the normal distribution", 2016, arXiv 1303.6257). Uniform numbers are compared through as many bits as it takes.
 */
export const halfNormalReal = (source: BitSource): Real => {
  for (;;) {
    let k = 0n
    while (bernoulliExp(source, ratio(1n, 2n))) k += 1n
    if (k > 1n && !bernoulliExp(source, ratio(k * (k - 1n), 2n))) continue
    const x = uniformReal(source)
    const other = uniformReal(source)
    for (let precision = 64; ; precision += 32) {
      const part = at(precision, x(precision))
      const shifted = {
        lower: part.lower + ((2n * k) << BigInt(precision)),
        upper: part.upper + ((2n * k) << BigInt(precision)),
      }
      const exponent = timesPositive(part, shifted, precision + 1)
      const known = other(precision)
      const { lower, upper } = negativeLog(known, precision)
      if (lower >= exponent.upper) {
        const whole = k
        return (wanted) => {
          const { lower: low, upper: high } = at(wanted, x(wanted + 8))
          return { lower: low + (whole << BigInt(wanted)), upper: high + (whole << BigInt(wanted)) }
        }
      }
      if (upper !== undefined && upper <= exponent.lower) break
    }
  }
}
