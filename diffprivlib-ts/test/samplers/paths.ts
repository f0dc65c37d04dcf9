// The enumerations of every integer sampler, as functions of the sampler, so that the planted bugs run through the same checks.
import type { BitSource } from '../../src/random/bit-source.ts'
import { compare, div, integer, type Rational, ratio, sub } from '../../src/rational.ts'
import type { Coin } from '../../src/samplers/bernoulli.ts'
import type { Bricks } from '../../src/samplers/canonne-kamath-steinke.ts'
import type { Prefix } from '../../src/samplers/lazy/prefix.ts'
import type { WideBricks } from '../../src/samplers/lazy/wide.ts'
import { blur, disagreements, exactly, middle, refused, twoToMinus } from '../helpers/agreement.ts'
import {
  type Choose,
  type Enumeration,
  enumerateBits,
  enumerateChoices,
  enumeratePrefixes,
} from '../helpers/enumerate.ts'
import { around, expBounds, expCoin, gaussianLaw, geometricLaw, uniformLaw, upTo } from '../helpers/exact-laws.ts'

const sharpness = 40

/** The law's disagreements, or the complaint that the enumeration looked less finely than 2^-40. */
export const judged = <T extends bigint | boolean>(
  found: Enumeration<T | typeof refused>,
  law: Parameters<typeof disagreements<T>>[1],
  expected: readonly T[],
): readonly string[] =>
  compare(blur(found), twoToMinus(sharpness)) > 0
    ? ['the paths cut off carry more than 2^-40 of the accepted mass']
    : disagreements(found, law, expected)

/** An attempt's refusal as an outcome. */
export const orRefused = <T>(outcome: T | undefined): T | typeof refused => outcome ?? refused

/** A uniform attempt below `bound`, by its bits. */
export const checkUniform = (
  attempt: (source: BitSource, bound: bigint) => bigint | undefined,
  bound: bigint,
): readonly string[] =>
  judged(
    enumerateBits((source) => orRefused(attempt(source, bound)), 12),
    uniformLaw(bound),
    upTo(bound - 1n),
  )

/** A coin of rational bias, by its bits; denominators 2^k and 2^k - 1 keep the tree of retries small. */
export const checkCoin = (
  coin: (source: BitSource, probability: Rational) => boolean,
  probability: Rational,
): readonly string[] =>
  judged(
    enumerateBits((source) => coin(source, probability), 44 * 2),
    (outcome: boolean) => exactly(outcome ? probability : sub(integer(1n), probability)),
    [true, false],
  )

/** A coin of rational bias by exact choice. */
export const coinOf =
  (choose: Choose) =>
  (probability: Rational): boolean =>
    choose(2, (branch) => (branch === 0 ? probability : sub(integer(1n), probability))) === 0

/** A coin of bias exp(-x) by exact choice. */
export const expCoinOf =
  (choose: Choose) =>
  (exponent: Rational): boolean =>
    coinOf(choose)(middle(expBounds(exponent)))

/** Bernoulli(exp(-x)) for 0 <= x <= 1, over exact coins. */
export const checkExpBelowOne = (
  sampler: (coin: Coin, exponent: Rational) => boolean,
  exponent: Rational,
): readonly string[] =>
  judged(
    enumerateChoices((choose) => sampler(coinOf(choose), exponent), 60),
    expCoin(exponent),
    [true, false],
  )

/** Bernoulli(exp(-x)) for any x >= 0, over exact exponential coins. */
export const checkExp = (
  sampler: (belowOne: (exponent: Rational) => boolean, exponent: Rational) => boolean,
  exponent: Rational,
): readonly string[] =>
  judged(
    enumerateChoices((choose) => sampler(expCoinOf(choose), exponent), 60),
    expCoin(exponent),
    [true, false],
  )

/** The bricks of the integer samplers by exact choice. */
export const bricksOver = (choose: Choose): Bricks => ({
  uniformBelow: (bound) => BigInt(choose(Number(bound), () => ratio(1n, bound))),
  bernoulliExp: expCoinOf(choose),
  unitGeometric: () => {
    const law = geometricLaw(integer(1n))
    return BigInt(choose(48, (branch) => middle(law(BigInt(branch)))))
  },
})

/** One attempt at a geometric, over exact bricks. */
export const checkGeometric = (
  attempt: (bricks: Bricks, scale: Rational) => bigint | undefined,
  scale: Rational,
): readonly string[] =>
  judged(
    enumerateChoices((choose) => orRefused(attempt(bricksOver(choose), scale)), 80),
    geometricLaw(scale),
    upTo(30n),
  )

/** One attempt at a geometric whose low bits are drawn apart, over an exact geometric for the rest, exact bits and exact coins. */
export const checkWide = (
  attempt: (bricks: WideBricks, low: number) => bigint | undefined,
  scale: Rational,
  low: number,
): readonly string[] =>
  judged(
    enumerateChoices((choose) => {
      const law = geometricLaw(div(scale, integer(1n << BigInt(low))))
      const bricks: WideBricks = {
        high: () => BigInt(choose(200, (branch) => middle(law(BigInt(branch))))),
        bits: (count) => BigInt(choose(2 ** count, () => ratio(1n, 1n << BigInt(count)))),
        decays: (value) => expCoinOf(choose)(div(integer(value), scale)),
      }
      return orRefused(attempt(bricks, low))
    }, 80),
    geometricLaw(scale),
    upTo(30n),
  )

/** One attempt at a discrete Laplace, over exact bricks. */
export const checkLaplace = (
  attempt: (bricks: Bricks, scale: Rational) => bigint | undefined,
  scale: Rational,
  law: (k: bigint) => ReturnType<typeof exactly>,
): readonly string[] =>
  judged(
    enumerateChoices((choose) => orRefused(attempt(bricksOver(choose), scale)), 80),
    law,
    around(30n),
  )

/** One attempt at a discrete Gaussian, over exact bricks and an exact discrete Laplace. */
export const checkGaussian = (
  attempt: (bricks: Bricks, laplace: () => bigint) => bigint | undefined,
  proposal: (k: bigint) => ReturnType<typeof exactly>,
  sigma2: Rational,
): readonly string[] => {
  const reach = 200n
  const weights = around(reach).map((k) => middle(proposal(k)))
  return judged(
    enumerateChoices((choose) => {
      const bricks = bricksOver(choose)
      const laplace = () => BigInt(choose(weights.length, (branch) => weights[branch]!)) - reach
      return orRefused(attempt(bricks, laplace))
    }, 120),
    gaussianLaw(sigma2),
    around(12n),
  )
}

/** A lazy geometric, by the bits of its uniform number. */
export const checkLazyGeometric = (
  sampler: (prefix: Prefix, source: BitSource, step: number) => bigint,
  scale: Rational,
): readonly string[] => judged(enumeratePrefixes(sampler, 52), geometricLaw(scale), upTo(40n))

/** A lazy exponential coin, by the bits of its uniform number. */
export const checkLazyCoin = (
  sampler: (prefix: Prefix, source: BitSource, step: number) => boolean,
  exponent: Rational,
): readonly string[] => judged(enumeratePrefixes(sampler, 48), expCoin(exponent), [true, false])

/**
 * One whole attempt at a lazy discrete Gaussian: the sign bit, every bit of the magnitude and, for each magnitude, every bit of the
 * acceptance, multiplied out exactly.
 */
export const checkLazyGaussian = (
  magnitude: (prefix: Prefix, source: BitSource, step: number) => bigint,
  accepts: (y: bigint) => (prefix: Prefix, source: BitSource, step: number) => boolean,
  sigma2: Rational,
): readonly string[] => {
  const magnitudes = enumeratePrefixes(magnitude, 54)
  const acceptDepth = 48
  const unitBits = 1 + magnitudes.unitBits + acceptDepth
  const masses = new Map<bigint | typeof refused, bigint>()
  const put = (key: bigint | typeof refused, mass: bigint) => masses.set(key, (masses.get(key) ?? 0n) + mass)
  let reached = 0n
  const unit = 1n << BigInt(acceptDepth)
  for (const [size, mass] of magnitudes.masses) {
    const coin = enumeratePrefixes(accepts(size), acceptDepth)
    const yes = coin.masses.get(true) ?? 0n
    const no = coin.masses.get(false) ?? 0n
    put(size, mass * yes)
    put(refused, mass * no)
    if (size === 0n) put(refused, mass * unit)
    else {
      put(-size, mass * yes)
      put(refused, mass * no)
    }
    reached += mass * (yes + no) + mass * (size === 0n ? unit : yes + no)
  }
  const found = { unitBits, masses, residual: (1n << BigInt(unitBits)) - reached, paths: magnitudes.paths }
  return judged(found, gaussianLaw(sigma2), around(12n))
}
