import { ParameterError } from '../errors.ts'
import type { BitSource } from '../random/bit-source.ts'
import { format, mul, one, type Rational, sign } from '../rational.ts'
import { expAccepts, nearDouble } from './lazy/exp-coin.ts'
import { exponentialOf } from './lazy/exponential.ts'
import { numberBoundLimit, uniformBelow, uniformNumber } from './uniform.ts'

/** A coin of rational bias, the brick of the samplers below; the fraction need not be in lowest terms. */
export type Coin = (probability: Rational) => boolean

const largestNumber = BigInt(numberBoundLimit)

/** True with exactly `probability`. Throws ParameterError outside [0, 1]. */
export const bernoulli = (source: BitSource, probability: Rational): boolean => {
  const { num, den } = probability
  if (num < 0n || num > den) throw new ParameterError(`a probability lies between 0 and 1, got ${format(probability)}`)
  return den <= largestNumber ? uniformNumber(source, Number(den)) < Number(num) : uniformBelow(source, den) < num
}

/**
 * True with probability exp(-exponent) for 0 <= exponent <= 1: the number of successes of coins exponent/1, exponent/2, ... before the
 * first failure is even with exactly that probability (Canonne, Kamath and Steinke, 2020, algorithm 1).
 */
export const bernoulliExpBelowOne = (coin: Coin, exponent: Rational): boolean => {
  let k = 1n
  while (coin({ num: exponent.num, den: exponent.den * k })) k += 1n
  return k % 2n === 1n
}

/** True with probability exp(-exponent) for any exponent >= 0: whole units first, one coin each, then the rest. */
export const bernoulliExpFrom = (belowOne: (exponent: Rational) => boolean, exponent: Rational): boolean => {
  const { num, den } = exponent
  const whole = num / den
  for (let unit = 0n; unit < whole; unit += 1n) if (!belowOne(one)) return false
  return belowOne({ num: num - whole * den, den })
}

/** True with probability exactly exp(-exponent), exponent >= 0, by integers alone. */
export const integerBernoulliExp = (source: BitSource, exponent: Rational): boolean => {
  const coin: Coin = (probability) => bernoulli(source, probability)
  return bernoulliExpFrom((part) => bernoulliExpBelowOne(coin, part), exponent)
}

/** True with probability exactly exp(-exponent). Throws ParameterError when `exponent` is negative. */
export const bernoulliExp = (source: BitSource, exponent: Rational): boolean => {
  if (sign(exponent) < 0) throw new ParameterError(`exp(-x) is a probability for x >= 0 only, got ${format(exponent)}`)
  return expAccepts(exponent, nearDouble(exponent), exponentialOf(source), source)
}

/** The square of a fraction. */
export const squared = (value: Rational): Rational => mul(value, value)
