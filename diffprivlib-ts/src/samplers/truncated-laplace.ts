// A discrete Laplace given that it lands in an interval around 0: noise that is bounded, or that never leaves a domain.
import { ParameterError } from '../errors.ts'
import { requireNoiseParameter } from '../limits.ts'
import type { BitSource } from '../random/bit-source.ts'
import { bitLength, integer, type Rational, ratio, toInteger } from '../rational.ts'
import { bernoulliExp } from './bernoulli.ts'
import { laplaceSampler } from './discrete-laplace.ts'
import { decayCoin } from './lazy/exp-coin.ts'
import { lazyExponential } from './lazy/exponential.ts'
import { lazyTakes } from './lazy/geometric.ts'
import { lazyLaplace } from './lazy/laplace.ts'
import { untilAccepted } from './rejection.ts'
import { fromBigints, fromNumbers, type IntegerSampler, numberScaleLimit } from './sampler.ts'
import { uniformBelow, uniformNumber } from './uniform.ts'

/** What the attempts draw from. */
export interface TruncatedBricks {
  readonly uniformBelow: (bound: bigint) => bigint
  readonly bernoulliExp: (exponent: Rational) => boolean
  readonly laplace: () => bigint
}

/** The interval -below .. above, with below and above >= 0. */
export interface Interval {
  readonly below: bigint
  readonly above: bigint
}

/** Which attempt accepts more often: a uniform proposal where the interval is short against the scale, else a Laplace one. */
export const proposesUniform = (scale: Rational, { below, above }: Interval): boolean =>
  below + above <= 2n * toInteger(scale, 'up')

/** One try from a uniform proposal, accepted with probability exp(-|y|/scale). */
export const uniformProposal = (
  bricks: TruncatedBricks,
  scale: Rational,
  { below, above }: Interval,
): bigint | undefined => {
  const y = bricks.uniformBelow(below + above + 1n) - below
  const size = y < 0n ? -y : y
  return bricks.bernoulliExp(ratio(size * scale.den, scale.num)) ? y : undefined
}

/** One try from a Laplace proposal, accepted when it lands inside. */
export const laplaceProposal = (bricks: TruncatedBricks, { below, above }: Interval): bigint | undefined => {
  const y = bricks.laplace()
  return y >= -below && y <= above ? y : undefined
}

/** `uniformProposal` in numbers. */
export const uniformNumberProposal = (
  draws: { readonly uniformBelow: (bound: number) => number; readonly decays: (size: number) => boolean },
  below: number,
  above: number,
): number | undefined => {
  const y = draws.uniformBelow(below + above + 1) - below
  const size = y < 0 ? -y : y
  return size === 0 || draws.decays(size) ? y : undefined
}

/** `laplaceProposal` in numbers. */
export const laplaceNumberProposal = (laplace: () => number, below: number, above: number): number | undefined => {
  const y = laplace()
  return y >= -below && y <= above ? y : undefined
}

/** Whether `decayCoin` is proved for this scale: 2^-512 to 2^512. */
const decays = ({ num, den }: Rational): boolean => Math.abs(bitLength(num) - bitLength(den)) < 512

const lazyTruncated = (scale: Rational, interval: Interval, source: BitSource): IntegerSampler | undefined => {
  const { below, above } = interval
  if (below + above >= BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  const [low, high] = [Number(below), Number(above)]
  if (proposesUniform(scale, interval)) {
    if (!decays(scale)) return undefined
    const draws = {
      uniformBelow: (bound: number) => uniformNumber(source, bound),
      decays: decayCoin(scale, lazyExponential(source), source),
    }
    return fromNumbers(() => untilAccepted(() => uniformNumberProposal(draws, low, high)))
  }
  if (!lazyTakes(scale)) return undefined
  const laplace = lazyLaplace(scale, source)
  return fromNumbers(() => untilAccepted(() => laplaceNumberProposal(laplace, low, high)))
}

/**
 * A sampler of P[k] proportional to exp(-|k| / scale) on -below .. above: lazy where that is proved, else by bigints. Throws ParameterError for a negative end or a scale outside
 * 2^-1024 to 2^1024.
 */
export const truncatedLaplaceSampler = (scale: Rational, interval: Interval, source: BitSource): IntegerSampler => {
  requireNoiseParameter(scale, 'the scale of a discrete Laplace')
  const { below, above } = interval
  if (below < 0n || above < 0n) throw new ParameterError('the interval of a truncated Laplace must hold 0')
  const lazy = lazyTruncated(scale, interval, source)
  if (lazy) return lazy
  const laplace = laplaceSampler(scale, source)
  const bricks: TruncatedBricks = {
    uniformBelow: (bound) => uniformBelow(source, bound),
    bernoulliExp: (exponent) => bernoulliExp(source, exponent),
    laplace: laplace.next,
  }
  const attempt = proposesUniform(scale, interval)
    ? () => uniformProposal(bricks, scale, interval)
    : () => laplaceProposal(bricks, interval)
  const reach = below > above ? below : above
  return fromBigints(() => untilAccepted(attempt), laplace.numbers || reach <= integer(numberScaleLimit).num)
}
