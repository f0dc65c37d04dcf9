import { requireNoiseParameter } from '../limits.ts'
import { erfcOfSquare } from '../numeric/erfc.ts'
import {
  dividePositive,
  type Enclosure,
  expNegative,
  expNegativeRational,
  integerSqrt,
  pi,
  plain,
  sqrtOfEnclosure,
  times,
  timesPositive,
  timesRational,
} from '../numeric/fixed-point.ts'
import { add, bitLength, compare, div, integer, mul, one, type Rational, ratio, sub, toInteger } from '../rational.ts'
import { type Bounds, bitsBelowOne, missOf, type NoiseLaw, toBounds } from './law.ts'

/** Up to this sigma^2 tails are summed term by term; above it they are bounded by the error function. */
const summedUpTo = integer(65_536n)

/** exp(-k^2 / (2 sigma2)) for k = 0, 1, 2, ...: each from the one before by two products. */
function* weights(sigma2: Rational, precision: number): Generator<Enclosure, never> {
  const half = plain(expNegativeRational(div(one, mul(integer(2n), sigma2)), precision))
  const step = plain(expNegativeRational(div(one, sigma2), precision))
  let weight: Enclosure = { lower: 1n << BigInt(precision), upper: 1n << BigInt(precision) }
  let quotient = half
  for (;;) {
    yield weight
    weight = timesPositive(weight, quotient, precision)
    quotient = timesPositive(quotient, step, precision)
  }
}

/** The sum of all weights over the integers. */
const normaliser = (sigma2: Rational, precision: number): Enclosure => {
  // Poisson summation: sqrt(2 pi sigma2) (1 + 2 sum over j >= 1 of exp(-2 pi^2 sigma2 j^2)); below 1 the plain sum converges faster.
  if (compare(sigma2, one) < 0)
    return plainSum((k) => plain(expNegativeRational(halfSquare(k, sigma2), precision)), precision)
  const circle = pi(precision)
  const rate = timesRational(timesPositive(circle, circle, precision), mul(integer(2n), sigma2))
  const theta = plainSum((j) => plain(expNegative(times(rate, j * j), precision)), precision)
  const base = sqrtOfEnclosure(timesRational(circle, mul(integer(2n), sigma2)), precision)
  return timesPositive(base, theta, precision)
}

const halfSquare = (k: bigint, sigma2: Rational): Rational => div(integer(k * k), mul(integer(2n), sigma2))

/** 1 + 2 (term(1) + term(2) + ...), where from the second on each term is less than half of the one before. */
const plainSum = (term: (k: bigint) => Enclosure, precision: number): Enclosure => {
  let lower = 1n << BigInt(precision)
  let upper = lower
  for (let k = 1n; ; k += 1n) {
    const value = term(k)
    lower += 2n * value.lower
    upper += 2n * value.upper
    if (value.upper <= 2n) return { lower, upper: upper + 4n }
  }
}

/** The law of the discrete Gaussian, P[k] proportional to exp(-k^2 / (2 sigma2)). Throws ParameterError unless 2^-1024 <= sigma2 <= 2^1024. */
export const discreteGaussianLaw = (sigma2: Rational): NoiseLaw => {
  requireNoiseParameter(sigma2, 'sigma^2 of a discrete Gaussian')
  const summed = compare(sigma2, summedUpTo) <= 0
  const sigmaBits = Math.max(bitLength(sigma2.num) - bitLength(sigma2.den), 0)

  /**
   * P[|X| > h] by summation outwards from h + 1, relative to the first term. When a term is down to its rounding, k is past sigma and
   * sigma at most 256, so later terms shrink by exp(-1/256) or more each and add up to less than 300 times the last one, of 3 units at most.
   */
  const tailBySummation = (h: bigint): Bounds => {
    const precision = 192 + sigmaBits
    const first = expNegativeRational(halfSquare(h + 1n, sigma2), precision)
    const step = plain(expNegativeRational(div(one, sigma2), precision))
    let quotient = plain(expNegativeRational(div(integer(2n * h + 3n), mul(integer(2n), sigma2)), precision))
    let term: Enclosure = { lower: 1n << BigInt(precision), upper: 1n << BigInt(precision) }
    let { lower, upper } = term
    while (term.upper > 3n) {
      term = timesPositive(term, quotient, precision)
      quotient = timesPositive(quotient, step, precision)
      lower += term.lower
      upper += term.upper
    }
    const relative = timesPositive({ lower: 2n * lower, upper: 2n * (upper + 900n) }, first, precision)
    return toBounds(dividePositive(relative, normaliser(sigma2, precision), precision), precision, first.shift)
  }

  /**
   * An upper bound of P[|X| > h] for sigma2 above 65,536. With f(x) = exp(-x^2 / (2 sigma2)), f(k) is at most the integral of f over
   * [k - 1/2, k + 1/2] wherever f is convex there; where k < sigma + 1/2 it may exceed it by |f''| / 24 <= 1 / (24 sigma2). The
   * normaliser is at least sigma sqrt(2 pi). So the tail is at most erfc((h + 1/2) / (sigma sqrt 2)), plus 1 / (30 sigma2) when
   * h + 1/2 < sigma.
   */
  const tailAbove = (h: bigint, precision: number): Rational => {
    const middle = ratio(2n * h + 1n, 2n)
    const square = div(mul(middle, middle), mul(integer(2n), sigma2))
    const { upper, shift } = erfcOfSquare(square, precision)
    const convex = ratio(upper, 1n << BigInt(precision + shift))
    return compare(mul(middle, middle), sigma2) >= 0 ? convex : add(convex, div(one, mul(integer(30n), sigma2)))
  }

  const halfWidthBySummation = (miss: Rational): bigint => {
    const precision = 192 + bitsBelowOne(miss)
    const total = normaliser(sigma2, precision)
    const enough = timesRational(total, sub(one, miss)).upper
    let sum = 0n
    let h = 0n
    for (const weight of weights(sigma2, precision)) {
      sum += (h === 0n ? 1n : 2n) * weight.lower
      if (sum >= enough) return h
      h += 1n
    }
    return h
  }

  const halfWidthByBound = (miss: Rational): bigint => {
    const covers = (h: bigint) => compare(tailAbove(h, 128), miss) <= 0
    let high = integerSqrt(toInteger(sigma2, 'up'))
    while (!covers(high)) high *= 2n
    let low = -1n
    while (high - low > 1n) {
      const middle = (low + high) >> 1n
      if (middle >= 0n && covers(middle)) high = middle
      else low = middle
    }
    return high
  }

  return Object.freeze({
    probability: (k: bigint) => {
      const precision = 192 + sigmaBits
      const weight = expNegativeRational(halfSquare(k, sigma2), precision)
      return toBounds(dividePositive(weight, normaliser(sigma2, precision), precision), precision, weight.shift)
    },
    tail: (h: bigint) => {
      if (summed) return tailBySummation(h)
      // Every integer k > h also carries at least the integral of f over [k, k + 1], and the normaliser is within 2^-1000 of its integral.
      const next = integer(h + 1n)
      const below = erfcOfSquare(div(mul(next, next), mul(integer(2n), sigma2)), 128)
      const lower = ratio(below.lower, 1n << BigInt(128 + below.shift))
      return { lower: mul(lower, sub(one, ratio(1n, 1n << 1000n))), upper: tailAbove(h, 128) }
    },
    variance: () => {
      // By Poisson summation the variance falls short of sigma2 by less than 9 pi^2 sigma2^2 exp(-2 pi^2 sigma2).
      if (compare(sigma2, integer(64n)) >= 0)
        return { lower: mul(sigma2, sub(one, ratio(1n, 1n << 1000n))), upper: sigma2 }
      const precision = 320
      let lower = 0n
      let upper = 0n
      let k = 0n
      for (const weight of weights(sigma2, precision)) {
        lower += 2n * k * k * weight.lower
        upper += 2n * k * k * weight.upper
        // Past 2^-256 the terms left, k^2 exp(-k^2 / (2 sigma2)) with sigma2 < 64, add up to less than 2^-200.
        if (k > 8n && weight.upper >> 64n === 0n) break
        k += 1n
      }
      const spread = { lower, upper: upper + (1n << BigInt(precision - 200)) }
      return toBounds(dividePositive(spread, normaliser(sigma2, precision), precision), precision)
    },
    halfWidth: (confidence: Rational) => {
      const miss = missOf(confidence)
      return summed ? halfWidthBySummation(miss) : halfWidthByBound(miss)
    },
  })
}
