import { ParameterError } from './errors.ts'

/** An exact fraction in lowest terms: `den` is positive and the sign lives in `num`. Made only by the functions of this file. */
export interface Rational {
  readonly num: bigint
  readonly den: bigint
}

/** Where an inexact result goes: `up` is towards plus infinity, `down` towards minus infinity. */
export type Rounding = 'up' | 'down'

const gcd = (a: bigint, b: bigint): bigint => {
  // Certified bounds are dyadic with thousands of bits, where Euclid's steps would be many: a power of two shares powers of two only.
  if ((b & (b - 1n)) === 0n && a !== 0n) {
    const lowest = a & -a
    return lowest < b ? lowest : b
  }
  while (b !== 0n) [a, b] = [b, a % b]
  return a
}

/** The fraction `num / den` in lowest terms. Throws ParameterError when `den` is zero. */
export const ratio = (num: bigint, den: bigint): Rational => {
  if (den === 0n) throw new ParameterError('a fraction needs a denominator other than zero')
  const common = gcd(num < 0n ? -num : num, den < 0n ? -den : den)
  const unit = den < 0n ? -common : common
  return Object.freeze({ num: num / unit, den: den / unit })
}

/** A whole number as a fraction. Throws ParameterError for a number that is not a safe integer. */
export const integer = (value: bigint | number): Rational => {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new ParameterError(`expected a safe integer or a bigint, got ${value}`)
  return Object.freeze({ num: BigInt(value), den: 1n })
}

export const zero: Rational = integer(0n)
export const one: Rational = integer(1n)

const decimalForm = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,5}))?$/

/** Reads a decimal such as `"0.02435597"` or `"1e-6"` exactly. Throws ParameterError for anything else, exponents past 99999 included. */
export const decimal = (text: string): Rational => {
  const match = decimalForm.exec(text)
  if (!match) throw new ParameterError(`expected a decimal such as "0.5" or "1e-6", got ${JSON.stringify(text)}`)
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction)
  const power = Number(exponent) - fraction.length
  const signed = sign === '-' ? -digits : digits
  return power >= 0 ? ratio(signed * 10n ** BigInt(power), 1n) : ratio(signed, 10n ** BigInt(-power))
}

const doubleBits = new DataView(new ArrayBuffer(8))

/** The exact value of a double: every finite double is a dyadic fraction. Throws ParameterError for NaN and the infinities. */
export const fromDouble = (value: number): Rational => {
  if (!Number.isFinite(value)) throw new ParameterError(`expected a finite number, got ${value}`)
  doubleBits.setFloat64(0, value)
  const bits = doubleBits.getBigUint64(0)
  const biased = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n)
  const signed = value < 0 ? -mantissa : mantissa
  const power = (biased === 0 ? 1 : biased) - 1075
  return power >= 0 ? ratio(signed << BigInt(power), 1n) : ratio(signed, 1n << BigInt(-power))
}

/** Reads the `"num/den"` form that `format` writes, with or without a denominator. Throws ParameterError for anything else. */
export const parse = (text: string): Rational => {
  const match = /^(-?\d+)(?:\/(\d+))?$/.exec(text)
  if (!match) throw new ParameterError(`expected a fraction such as "3/8", got ${JSON.stringify(text)}`)
  return ratio(BigInt(match[1] ?? ''), BigInt(match[2] ?? '1'))
}

/** The exact text of a fraction: `"3/8"`, or `"3"` for a whole number. */
export const format = (r: Rational): string => (r.den === 1n ? `${r.num}` : `${r.num}/${r.den}`)

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. */
export const compare = (a: Rational, b: Rational): -1 | 0 | 1 => {
  const difference = a.num * b.den - b.num * a.den
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** Negative, zero or positive, as the fraction is. */
export const sign = (r: Rational): -1 | 0 | 1 => (r.num < 0n ? -1 : r.num > 0n ? 1 : 0)

/** The larger of two fractions. */
export const max = (a: Rational, b: Rational): Rational => (compare(a, b) < 0 ? b : a)

/** a + b. */
export const add = (a: Rational, b: Rational): Rational => ratio(a.num * b.den + b.num * a.den, a.den * b.den)

/** a - b. */
export const sub = (a: Rational, b: Rational): Rational => ratio(a.num * b.den - b.num * a.den, a.den * b.den)

/** a * b. */
export const mul = (a: Rational, b: Rational): Rational => ratio(a.num * b.num, a.den * b.den)

/** a / b. Throws ParameterError when `b` is zero. */
export const div = (a: Rational, b: Rational): Rational => ratio(a.num * b.den, a.den * b.num)

/** The integer quotient rounded towards minus or plus infinity; `den` must be positive. */
export const divide = (num: bigint, den: bigint, rounding: Rounding): bigint => {
  const quotient = num / den
  const exact = quotient * den === num
  if (exact) return quotient
  if (rounding === 'down') return num < 0n ? quotient - 1n : quotient
  return num < 0n ? quotient : quotient + 1n
}

/** The nearest integer at or below (`down`) or at or above (`up`) the fraction. */
export const toInteger = (r: Rational, rounding: Rounding): bigint => divide(r.num, r.den, rounding)

/** The fraction as a decimal with `digits` places after the point, never on the wrong side of the exact value. */
export const toDecimal = (r: Rational, digits: number, rounding: Rounding): string => {
  if (!Number.isInteger(digits) || digits < 0 || digits > 10_000)
    throw new ParameterError(`digits must be an integer from 0 to 10000, got ${digits}`)
  const scaled = divide(r.num * 10n ** BigInt(digits), r.den, rounding)
  const text = (scaled < 0n ? -scaled : scaled).toString().padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  const prefix = scaled < 0n ? '-' : ''
  return digits === 0 ? `${prefix}${whole}` : `${prefix}${whole}.${text.slice(text.length - digits)}`
}

/** How many bits the magnitude of an integer takes; 0 for 0. */
export const bitLength = (value: bigint): number => {
  const hex = (value < 0n ? -value : value).toString(16)
  return hex === '0' ? 0 : (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0] ?? '0', 16)))
}

/** The closest double at or below (`down`) or at or above (`up`) the fraction; past the largest double, the infinity or the largest double. */
export const toNumber = (r: Rational, rounding: Rounding): number => {
  if (r.num === 0n) return 0
  const negative = r.num < 0n
  const magnitude = negative ? -r.num : r.num
  const awayFromZero = (rounding === 'up') !== negative
  // The quotient is cut to 53 bits, or to the fixed spacing 2^-1074 where doubles are subnormal.
  const exponent = bitLength(magnitude) - bitLength(r.den)
  let shift = Math.min(53 - exponent, 1074)
  const quotient = () =>
    shift >= 0
      ? divide(magnitude << BigInt(shift), r.den, awayFromZero ? 'up' : 'down')
      : divide(magnitude, r.den << BigInt(-shift), awayFromZero ? 'up' : 'down')
  let mantissa = quotient()
  if (mantissa > 1n << 53n) {
    shift -= 1
    mantissa = quotient()
  }
  const result = scaleByPowerOfTwo(Number(mantissa), -shift)
  const finite = result === Infinity && !awayFromZero ? Number.MAX_VALUE : result
  return negative ? -finite : finite
}

/** 2^power for -1022 <= power <= 1023, from its bit pattern: the language does not promise that `**` is exact. */
export const powerOfTwo = (power: number): number => {
  doubleBits.setBigUint64(0, BigInt(power + 1023) << 52n)
  return doubleBits.getFloat64(0)
}

/** value * 2^power in steps that stay exact as long as the result is a double. */
const scaleByPowerOfTwo = (value: number, power: number): number => {
  let result = value
  let left = power
  while (left > 1000) {
    result *= powerOfTwo(1000)
    left -= 1000
  }
  while (left < -1000) {
    result *= powerOfTwo(-1000)
    left += 1000
  }
  return result * powerOfTwo(left)
}
