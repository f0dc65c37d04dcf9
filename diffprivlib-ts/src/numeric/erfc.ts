import type { Rational } from '../rational.ts'
import { type Enclosure, encloseRational, expNegative, pi, type Scaled, sqrt, sqrtOfEnclosure } from './fixed-point.ts'

/**
 * erfc(sqrt(square)) for square >= 0, with about `precision` correct bits relative to the value. From
 * erf(x) = (2 x / sqrt(pi)) exp(-x^2) sum over n of (2 x^2)^n / (1 * 3 * ... * (2 n + 1)), whose terms are all positive; erfc is the
 * difference from 1, so the working precision grows by the bits that the difference loses, x^2 log2(e) and a margin.
 */
export const erfcOfSquare = (square: Rational, precision: number): Scaled => {
  const lost = Math.ceil(Number((square.num << 10n) / square.den) / 700) + 40
  const working = precision + lost
  const scale = BigInt(working)
  const x2 = encloseRational(square, working)
  const series = (doubled: bigint, roundUp: boolean): bigint => {
    let term = 1n << scale
    let sum = term
    for (let odd = 3n; term > 0n; odd += 2n) {
      const product = term * doubled
      term = roundUp ? -(-product >> scale) / odd + 1n : (product >> scale) / odd
      sum += term
      // Once terms at least halve, those left out add up to no more than the last one; one unit suffices when it is one unit.
      if (roundUp && term <= 2n && doubled * 2n < odd << scale) break
    }
    return roundUp ? sum + 4n : sum
  }
  const sum: Enclosure = { lower: series(2n * x2.lower, false), upper: series(2n * x2.upper, true) }
  const decay = expNegative(x2, working)
  const root = sqrt(square, working)
  const sqrtPi = sqrtOfEnclosure(pi(working), working)
  const shift = BigInt(decay.shift)
  // sum and root are large where decay is small: multiply first, shift last.
  const lowerErf = (((2n * root.lower * sum.lower * decay.lower) >> (2n * scale + shift)) << scale) / sqrtPi.upper
  const upperErf =
    ((((2n * root.upper * sum.upper * decay.upper) >> (2n * scale + shift)) + 1n) << scale) / sqrtPi.lower + 1n
  const one = 1n << scale
  const lower = one - upperErf
  return { lower: lower > 0n ? lower : 0n, upper: one - lowerErf, shift: lost }
}
