import { ParameterError } from '../errors.ts'
import type { BitSource } from '../random/bit-source.ts'
import { compare, format, integer, mul, one, type Rational, ratio, sign, sub, toInteger } from '../rational.ts'
import { uniformBelow } from './uniform.ts'

/** A coin of rational bias, the brick of the samplers below. */
export type Coin = (probability: Rational) => boolean

/** True with exactly `probability`. Throws ParameterError outside [0, 1]. */
export const bernoulli = (source: BitSource, probability: Rational): boolean => {
  if (sign(probability) < 0 || compare(probability, one) > 0)
    throw new ParameterError(`a probability lies between 0 and 1, got ${format(probability)}`)
  return uniformBelow(source, probability.den) < probability.num
}

/**
 * True with probability exp(-exponent) for 0 <= exponent <= 1: the number of successes of coins exponent/1, exponent/2, ... before the
 * first failure is even with exactly that probability (Canonne, Kamath and Steinke, 2020, algorithm 1).
 */
export const bernoulliExpBelowOne = (coin: Coin, exponent: Rational): boolean => {
  let k = 1n
  while (coin(ratio(exponent.num, exponent.den * k))) k += 1n
  return k % 2n === 1n
}

/** True with probability exp(-exponent) for any exponent >= 0: whole units first, one coin each, then the rest. */
export const bernoulliExpFrom = (belowOne: (exponent: Rational) => boolean, exponent: Rational): boolean => {
  const whole = toInteger(exponent, 'down')
  for (let unit = 0n; unit < whole; unit += 1n) if (!belowOne(one)) return false
  return belowOne(sub(exponent, integer(whole)))
}

/** True with probability exactly exp(-exponent). Throws ParameterError when `exponent` is negative. */
export const bernoulliExp = (source: BitSource, exponent: Rational): boolean => {
  if (sign(exponent) < 0) throw new ParameterError(`exp(-x) is a probability for x >= 0 only, got ${format(exponent)}`)
  const coin: Coin = (probability) => bernoulli(source, probability)
  return bernoulliExpFrom((part) => bernoulliExpBelowOne(coin, part), exponent)
}

/** The square of a fraction. */
export const squared = (value: Rational): Rational => mul(value, value)
