// Arithmetic on enclosures of either sign, for closed forms of several terms. Every result is moved outwards; what a form loses to
// cancellation shows as width, and `certified` evaluates again at more precision until the width is small.
import type { Bounds } from '../laws/law.ts'
import { bitLength, divide, type Rational, ratio } from '../rational.ts'
import { type Enclosure, encloseRational, expNegativeRational, plain } from './fixed-point.ts'

/** Arithmetic at one precision. */
export interface Intervals {
  readonly precision: number
  readonly of: (value: Rational) => Enclosure
  readonly whole: (value: bigint) => Enclosure
  /** exp(-x) for a fraction x >= 0. */
  readonly decay: (exponent: Rational) => Enclosure
  readonly add: (...terms: readonly Enclosure[]) => Enclosure
  readonly sub: (a: Enclosure, b: Enclosure) => Enclosure
  readonly mul: (...factors: readonly Enclosure[]) => Enclosure
  /** a / b for b > 0; throws RangeError while b is not known to be positive. */
  readonly div: (a: Enclosure, b: Enclosure) => Enclosure
}

const ends = (values: readonly bigint[]): Enclosure => ({
  lower: values.reduce((least, value) => (value < least ? value : least)),
  upper: values.reduce((most, value) => (value > most ? value : most)),
})

class TooCoarse extends RangeError {}

/** The arithmetic with `precision` fraction bits. */
export const intervalsAt = (precision: number): Intervals => {
  const scale = BigInt(precision)
  const product = (a: Enclosure, b: Enclosure): Enclosure => {
    const { lower, upper } = ends([a.lower * b.lower, a.lower * b.upper, a.upper * b.lower, a.upper * b.upper])
    return { lower: lower >> scale, upper: -(-upper >> scale) }
  }
  const whole = (value: bigint): Enclosure => ({ lower: value << scale, upper: value << scale })
  return {
    precision,
    of: (value) => encloseRational(value, precision),
    whole,
    decay: (exponent) => plain(expNegativeRational(exponent, precision)),
    add: (...terms) =>
      terms.reduce((sum, term) => ({ lower: sum.lower + term.lower, upper: sum.upper + term.upper }), whole(0n)),
    sub: (a, b) => ({ lower: a.lower - b.upper, upper: a.upper - b.lower }),
    mul: (...factors) => factors.reduce(product, whole(1n)),
    div: (a, b) => {
      if (b.lower <= 0n) throw new TooCoarse('the divisor is not known to be positive at this precision')
      const quotients = [b.lower, b.upper].flatMap((divisor) => [
        divide(a.lower << scale, divisor, 'down'),
        divide(a.upper << scale, divisor, 'up'),
      ])
      return ends(quotients)
    },
  }
}

const relativeBits = 64
const lastPrecision = 4096

/**
 * A closed form between two fractions: evaluated at growing precision until the two agree to 64 bits, or, for a value at or near 0, to about
 * 2^-4000. The form must be able to name its value at 4,096 bits; throws RangeError otherwise.
 */
export const certified = (form: (at: Intervals) => Enclosure): Bounds => {
  for (let precision = 192; ; precision *= 2) {
    const last = precision * 2 > lastPrecision
    try {
      const { lower, upper } = form(intervalsAt(precision))
      const sure = lower > 0n ? lower : upper < 0n ? -upper : 0n
      if (last || lower === upper || bitLength(upper - lower) + relativeBits <= bitLength(sure))
        return { lower: cut(lower, precision, 'down'), upper: cut(upper, precision, 'up') }
    } catch (error) {
      if (last || !(error instanceof TooCoarse)) throw error
    }
  }
}

const keptBits = 128

/** An end as a fraction of at most 128 significant bits, cut outwards. */
const cut = (end: bigint, precision: number, rounding: 'up' | 'down'): Rational => {
  const excess = BigInt(Math.max(bitLength(end) - keptBits, 0))
  const kept = rounding === 'up' ? -(-end >> excess) : end >> excess
  return ratio(kept << excess, 1n << BigInt(precision))
}
