// Elementary functions in doubles from + - * / alone, so that every machine computes the same bits: the language leaves the error of its own
// open. For figures that no guarantee rests on (expected errors, audits); guarantees are computed in fixed-point.ts.
import { ParameterError } from '../errors.ts'
import { fromDouble, powerOfTwo } from '../rational.ts'
import { integerSqrt } from './fixed-point.ts'

const ln2High = 0.6931471803691238
const ln2Low = 1.9082149292705877e-10

/** The square root of a double that is not negative, rounded down to 53 bits or more. Throws ParameterError for a negative one. */
export const squareRoot = (value: number): number => {
  if (!(value >= 0)) throw new ParameterError('a square root needs a number that is not negative')
  if (value === 0 || value === Infinity) return value
  const { num, den } = fromDouble(value)
  // num / den as an integer of 110 bits or more times an even power of two.
  const excess = num.toString(2).length - den.toString(2).length
  const shift = Math.ceil((112 - excess) / 2)
  const scaled = shift >= 0 ? (num << BigInt(2 * shift)) / den : num / (den << BigInt(-2 * shift))
  return Number(integerSqrt(scaled)) * powerOfTwo(-shift)
}

/** The natural logarithm of a positive double, to about 2 units in the last place; -Infinity of 0. */
export const ln = (value: number): number => {
  if (value === 0) return -Infinity
  if (!(value > 0)) throw new ParameterError('a logarithm needs a positive number')
  if (value === Infinity) return value
  let mantissa = value
  let exponent = 0
  while (mantissa >= 1.5e100) {
    mantissa *= powerOfTwo(-300)
    exponent += 300
  }
  while (mantissa < 1e-100) {
    mantissa *= powerOfTwo(300)
    exponent -= 300
  }
  while (mantissa >= 1.5) {
    mantissa /= 2
    exponent += 1
  }
  while (mantissa < 0.75) {
    mantissa *= 2
    exponent -= 1
  }
  const s = (mantissa - 1) / (mantissa + 1)
  const square = s * s
  let sum = 0
  for (let odd = 23; odd >= 1; odd -= 2) sum = sum * square + 1 / odd
  return exponent * ln2High + (2 * s * sum + exponent * ln2Low)
}

/** e to the power of a double, to a few units in the last place; 0 below -745 and Infinity above 709.7. */
export const exp = (value: number): number => {
  if (value > 709.7) return Infinity
  if (value < -745) return 0
  const whole = Math.round(value / Math.LN2)
  const rest = value - whole * ln2High - whole * ln2Low
  let sum = 1
  for (let n = 16; n >= 1; n--) sum = 1 + (sum * rest) / n
  const half = Math.trunc(whole / 2)
  return sum * powerOfTwo(half) * powerOfTwo(whole - half)
}

/** The sine of an angle from 0 to pi/2. */
export const sine = (angle: number): number => {
  const square = angle * angle
  let sum = 0
  for (let n = 25; n >= 1; n -= 2) sum = 1 - (sum * square) / ((n + 1) * (n + 2))
  return angle * sum
}
