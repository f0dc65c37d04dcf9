// Certified elementary functions in fixed point on bigint. A value v at `precision` p is held between two integers,
// lower * 2^-p <= v <= upper * 2^-p. Nothing here is rounded to nearest: every step moves the two ends outwards, and each series
// states how many units in the last place its truncations can cost. There is no floating point in this file.
import { bitLength, divide, type Rational } from '../rational.ts'

/** Two integers that hold a real number between them, both scaled by 2^precision. */
export interface Enclosure {
  readonly lower: bigint
  readonly upper: bigint
}

const guardBits = 24

/** Moves an enclosure to fewer fraction bits, outwards. */
export const narrow = ({ lower, upper }: Enclosure, bits: number): Enclosure => ({
  lower: lower >> BigInt(bits),
  upper: -(-upper >> BigInt(bits)),
})

/** The enclosure of a fraction. */
export const encloseRational = (r: Rational, precision: number): Enclosure => ({
  lower: divide(r.num << BigInt(precision), r.den, 'down'),
  upper: divide(r.num << BigInt(precision), r.den, 'up'),
})

/** The enclosure of the difference a - b. */
export const subtract = (a: Enclosure, b: Enclosure): Enclosure => ({
  lower: a.lower - b.upper,
  upper: a.upper - b.lower,
})

/** The enclosure of an exact integer multiple. */
export const times = (a: Enclosure, factor: bigint): Enclosure =>
  factor >= 0n
    ? { lower: a.lower * factor, upper: a.upper * factor }
    : { lower: a.upper * factor, upper: a.lower * factor }

/** The enclosure of a * r for an exact fraction r, at the precision of `a`. */
export const timesRational = (a: Enclosure, r: Rational): Enclosure => {
  const product = times(a, r.num)
  return { lower: divide(product.lower, r.den, 'down'), upper: divide(product.upper, r.den, 'up') }
}

/** The enclosure of a product of two enclosed values that are not negative. */
export const timesPositive = (a: Enclosure, b: Enclosure, precision: number): Enclosure =>
  narrow({ lower: a.lower * b.lower, upper: a.upper * b.upper }, precision)

/**
 * atanh(num/den) for 0 <= num/den <= 1/3, by its Taylor series with every term rounded down.
 * Units lost, with S, S2 and P the fixed-point values of s, s^2 and s^(2k+1): S < 1, S2 < 2 (2 * s * 1 + 1), P < 2 at every k
 * (P / 9 + 2 * s + 1 stays below 2), so a term, after its own division, loses less than 3 and the terms left out less than 1.
 */
const atanhSmall = (num: bigint, den: bigint, precision: number): Enclosure => {
  const scale = BigInt(precision)
  const s = (num << scale) / den
  const square = (s * s) >> scale
  let power = s
  let sum = 0n
  let terms = 0n
  for (let odd = 1n; power > 0n; odd += 2n) {
    sum += power / odd
    power = (power * square) >> scale
    terms += 1n
  }
  return { lower: sum, upper: sum + 3n * terms + 1n }
}

/** arctan(1/x) for an integer x >= 2; each term is rounded down, so both ends move by one unit a term and one for the rest. */
const arctanInverse = (x: bigint, precision: number): Enclosure => {
  let power = (1n << BigInt(precision)) / x
  let sum = 0n
  let terms = 1n
  for (let odd = 1n, plus = true; power > 0n; odd += 2n, plus = !plus) {
    sum += plus ? power / odd : -(power / odd)
    power /= x * x
    // Repeated division rounds the power down by less than 2 units, which the division by `odd` does not enlarge.
    terms += 3n
  }
  return { lower: sum - terms, upper: sum + terms }
}

const cached = (compute: (precision: number) => Enclosure) => {
  const known = new Map<number, Enclosure>()
  return (precision: number): Enclosure => {
    const stored = Math.ceil((precision + guardBits) / 64) * 64
    let value = known.get(stored)
    if (!value) {
      value = compute(stored)
      known.set(stored, value)
    }
    return narrow(value, stored - precision)
  }
}

/** ln 2. */
export const ln2 = cached((precision) => times(atanhSmall(1n, 3n, precision), 2n))

/** pi, by Machin's formula. */
export const pi = cached((precision) =>
  subtract(times(arctanInverse(5n, precision), 16n), times(arctanInverse(239n, precision), 4n)),
)

/** ln(num/den) for positive integers, with an absolute width of a few units of 2^-precision. */
export const lnFraction = (num: bigint, den: bigint, precision: number): Enclosure => {
  let exponent = bitLength(num) - bitLength(den)
  let n = exponent >= 0 ? num : num << BigInt(-exponent)
  let d = exponent >= 0 ? den << BigInt(exponent) : den
  // n/d lies in (1/2, 2); bring it to [3/4, 3/2) so that |s| <= 1/5.
  if (4n * n < 3n * d) {
    n <<= 1n
    exponent -= 1
  } else if (2n * n >= 3n * d) {
    d <<= 1n
    exponent += 1
  }
  const working = precision + guardBits
  const fold = n >= d ? atanhSmall(n - d, n + d, working) : times(atanhSmall(d - n, n + d, working), -1n)
  const whole = times(ln2(working + bitLength(BigInt(exponent))), BigInt(exponent))
  const shifted = narrow(whole, bitLength(BigInt(exponent)))
  return narrow({ lower: shifted.lower + 2n * fold.lower, upper: shifted.upper + 2n * fold.upper }, guardBits)
}

/** ln of a positive fraction. */
export const ln = (r: Rational, precision: number): Enclosure => lnFraction(r.num, r.den, precision)

/** A positive real as mantissa times a power of two: mantissa * 2^(-precision - shift), so that tiny values keep their digits. */
export interface Scaled {
  readonly lower: bigint
  readonly upper: bigint
  readonly shift: number
}

/** Below 2^-(this), about 5 million decimal digits, exp(-x) is only said to lie between 0 and it. */
export const largestShift = 1 << 24

/** exp(-x) for an enclosed x >= 0 given at `precision`; the result's mantissa lies between 1/4 and 1 at the same precision. */
export const expNegative = (x: Enclosure, precision: number): Scaled => {
  const scale = BigInt(precision)
  // As many bits more as the number of halvings has, which is less than 1.5 x + 2.
  const extra = bitLength(x.upper >> scale) + 2 + guardBits
  const working = precision + extra
  const wide: Enclosure = { lower: x.lower << BigInt(extra), upper: x.upper << BigInt(extra) }
  const log2 = ln2(working)
  // With the upper end of ln 2 the remainder cannot be negative.
  const halvings = wide.lower / log2.upper
  if (halvings > BigInt(largestShift)) return { lower: 0n, upper: 1n << scale, shift: largestShift }
  const lowest = wide.lower - halvings * log2.upper
  const highest = wide.upper - halvings * log2.lower
  // Alternating Taylor series at the lowest remainder r < 0.7: a term loses less than 2 units, the terms left out less than 1.
  const one = 1n << BigInt(working)
  let term = one
  let sum = one
  let lost = 1n
  for (let n = 1n; term > 0n; n += 1n) {
    term = ((term * lowest) >> BigInt(working)) / n
    sum += n % 2n === 1n ? -term : term
    lost += 2n
  }
  // exp(-r) has slope at most one, so a wider remainder lowers the lower end by no more than its width.
  const result = narrow({ lower: sum - lost - (highest - lowest), upper: sum + lost }, extra)
  return { lower: result.lower > 0n ? result.lower : 0n, upper: result.upper, shift: Number(halvings) }
}

/** exp(-r) for a fraction r >= 0. */
export const expNegativeRational = (r: Rational, precision: number): Scaled =>
  expNegative(encloseRational(r, precision), precision)

/** The integer square root, rounded down, by Newton's iteration from above. */
export const integerSqrt = (value: bigint): bigint => {
  if (value < 2n) return value
  let root = 1n << BigInt(Math.ceil(bitLength(value) / 2))
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

/** The square root of a fraction that is not negative. */
export const sqrt = (r: Rational, precision: number): Enclosure => {
  const root = integerSqrt((r.num << BigInt(2 * precision)) / r.den)
  return { lower: root, upper: root + 1n }
}

/** The square root of an enclosed value that is not negative. */
export const sqrtOfEnclosure = ({ lower, upper }: Enclosure, precision: number): Enclosure => ({
  lower: integerSqrt(lower << BigInt(precision)),
  upper: integerSqrt(upper << BigInt(precision)) + 1n,
})

/** The enclosure of a quotient of two enclosed values, a >= 0 and b > 0. */
export const dividePositive = (a: Enclosure, b: Enclosure, precision: number): Enclosure => ({
  lower: (a.lower << BigInt(precision)) / b.upper,
  upper: divide(a.upper << BigInt(precision), b.lower, 'up'),
})

/** A scaled value at plain precision, outwards. */
export const plain = ({ lower, upper, shift }: Scaled): Enclosure => narrow({ lower, upper }, shift)
