// The natural logarithm in doubles with a proved error bound, from + - * and tables only: Math.log promises no accuracy.
//
// A uniform U is drawn as U = 2^-j (1 + F), with j >= 1 the place of its first one bit and F = (M + rest) 2^-52, where M holds the next
// 52 bits and 0 <= rest <= 1 the bits not drawn. Then -ln U = j ln 2 - ln(1 + F).
//
// Claim: for 1 <= j <= 43, the result is within 2^-47 of -ln U for every rest in [0, 1]. Doubles round to nearest, so an operation
// with a result below 2^e in magnitude errs by at most 2^(e-54), and no operation here is near the subnormal range unless its exact
// result is 0.
//   f = 1 + M 2^-52 is a double. Its node c is the middle of its 1/128, so |f - c| <= 2^-8, and f - c is exact, as both are multiples
//   of 2^-52 and the difference is small. With r = (f - c)/c, |r| < 2^-8 and ln f = ln c + ln(1 + r).
//   (a) 1/c is off by a relative 2^-53 and the product by another, so r is off by less than 2^-8 2^-51.9 = 2^-59.9, and ln(1 + r), of
//       slope at most 1.004, by less than 2^-59.8.
//   (b) The six terms kept of ln(1 + r) leave out less than r^7 / 7 / (1 - |r|) < 2^-58.7.
//   (c) Horner: the bracket that multiplies the outermost r lies in (0.99, 1.01). Its last sum errs by at most 2^-53; all below it is
//       multiplied by |r| < 2^-8 and adds less than 2^-58. The outermost product adds 2^-8 (2^-53 + 2^-58) + 2^-62 < 2^-60.
//   (d) The tables are rounded to nearest from enclosures a few 2^-100 wide: ln c < 1 errs by 2^-54 and j ln 2 < 32 by 2^-49, both
//       up to 2^-97.
//   (e) The two subtractions have results below 32 and err by at most 2^-49 each.
//   (f) The undrawn bits: ln((M + 1 + 2^52) / (M + 2^52)) <= 2^-52.
//   Sum: 3 * 2^-49 + 2^-52 + 2^-54 + 2^-57.5 + 2^-96 < 2^-47.2.
import { lnFraction } from '../../numeric/fixed-point.ts'
import { powerOfTwo } from '../../rational.ts'

const nodes = 128
/** The largest j that the tables hold: 11 zero bits in the first word and at most 31 in the second, then the one. */
export const largestExponent = 43
const tablePrecision = 100

const toDouble = (scaled: bigint): number => Number(scaled) * powerOfTwo(-tablePrecision)

const nodeValue = new Float64Array(nodes)
const nodeInverse = new Float64Array(nodes)
const nodeLog = new Float64Array(nodes)
const powerLog = new Float64Array(largestExponent + 1)
let ready = false

/** Fills the tables; every sampler calls it once, so that importing the package costs nothing. */
export const prepareLogarithm = (): void => {
  if (ready) return
  for (let i = 0; i < nodes; i++) {
    const numerator = BigInt(2 * (nodes + i) + 1)
    const value = Number(numerator) / (2 * nodes)
    nodeValue[i] = value
    nodeInverse[i] = 1 / value
    nodeLog[i] = toDouble(lnFraction(numerator, BigInt(2 * nodes), tablePrecision).lower)
  }
  for (let j = 1; j <= largestExponent; j++)
    powerLog[j] = toDouble(lnFraction(1n << BigInt(j), 1n, tablePrecision).lower)
  ready = true
}

const highUnit = powerOfTwo(-20)
const lowUnit = powerOfTwo(-52)
const c2 = -1 / 2
const c3 = 1 / 3
const c4 = -1 / 4
const c5 = 1 / 5
const c6 = -1 / 6

/** By how much `negativeLogarithm` may be off, whatever the bits not drawn. */
export const logarithmError = powerOfTwo(-47)

/** -ln U within 2^-47, for U = 2^-j (1 + (high 2^32 + low) 2^-52): `high` holds 20 bits and `low` 32. */
export const negativeLogarithm = (j: number, high: number, low: number): number => {
  const i = high >>> 13
  const r = (1 + high * highUnit + low * lowUnit - nodeValue[i]!) * nodeInverse[i]!
  const p = r * (1 + r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * c6)))))
  return powerLog[j]! - nodeLog[i]! - p
}
