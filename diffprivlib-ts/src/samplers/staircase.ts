// The staircase of Geng and Viswanath, "The optimal noise-adding mechanism in differential privacy" (2012, arXiv 1212.1186), on integers:
// steps `width` wide, each e^-epsilon as likely as the one before, and within a step the first `riser` values e^epsilon times as likely
// as the others. In numbers over the lazy geometric where that is proved, else by integers alone; one law either way.
import { ParameterError } from '../errors.ts'
import { requireNoiseParameter } from '../limits.ts'
import { dividePositive, expNegativeRational, plain } from '../numeric/fixed-point.ts'
import type { BitSource } from '../random/bit-source.ts'
import { div, one, type Rational } from '../rational.ts'
import { type Bricks, bricksOf, geometricAttempt } from './canonne-kamath-steinke.ts'
import { type Real, realCoin } from './lazy/coin.ts'
import { lazyExponential } from './lazy/exponential.ts'
import { lazyGeometric, lazyTakes } from './lazy/geometric.ts'
import { untilAccepted } from './rejection.ts'
import { fromBigints, fromNumbers, type IntegerSampler, numberScaleLimit, requireSafe } from './sampler.ts'
import { uniformNumber } from './uniform.ts'

/** The shape of a staircase: 1 <= riser <= width. */
export interface Staircase {
  readonly epsilon: Rational
  readonly width: bigint
  readonly riser: bigint
}

/** How likely a value lies in the riser of its step: riser / (riser + (width - riser) e^-epsilon). */
export const riserBias =
  ({ epsilon, width, riser }: Staircase): Real =>
  (precision) => {
    const decay = plain(expNegativeRational(epsilon, precision))
    const unit = BigInt(precision)
    const whole = { lower: riser << unit, upper: riser << unit }
    const rest = width - riser
    const total = { lower: whole.lower + rest * decay.lower, upper: whole.upper + rest * decay.upper }
    return dividePositive(whole, total, precision)
  }

/** One try at a staircase: the step is geometric, then riser or rest, then uniform, under a fair sign, refusing the second zero. */
export const staircaseAttempt = (
  bricks: Bricks,
  inRiser: () => boolean,
  { epsilon, width, riser }: Staircase,
): bigint | undefined => {
  const step = geometricAttempt(bricks, div(one, epsilon))
  if (step === undefined) return undefined
  const place = inRiser() ? bricks.uniformBelow(riser) : riser + bricks.uniformBelow(width - riser)
  const magnitude = step * width + place
  const negative = bricks.uniformBelow(2n) === 1n
  if (negative && magnitude === 0n) return undefined
  return negative ? -magnitude : magnitude
}

/** What the attempt in numbers draws from. */
export interface StaircaseDraws {
  /** The step, a geometric of scale 1 / epsilon. */
  readonly step: () => number
  /** A fair bit, called after `step`. */
  readonly negative: () => boolean
  readonly inRiser: () => boolean
  readonly uniformBelow: (bound: number) => number
}

/** `staircaseAttempt` in numbers, over a geometric that is drawn whole. */
export const staircaseNumberAttempt = (
  { step, negative, inRiser, uniformBelow }: StaircaseDraws,
  width: number,
  riser: number,
): number | undefined => {
  const whole = step()
  const below = negative()
  const place = inRiser() ? uniformBelow(riser) : riser + uniformBelow(width - riser)
  const magnitude = requireSafe(whole * width + place)
  if (!below) return magnitude
  return magnitude === 0 ? undefined : -magnitude
}

const lazyStaircase = ({ epsilon, width, riser }: Staircase, inRiser: () => boolean, source: BitSource) => {
  const exponential = lazyExponential(source)
  const draws: StaircaseDraws = {
    step: lazyGeometric(div(one, epsilon), exponential, source),
    negative: () => {
      const negative = exponential.negative()
      exponential.forget()
      return negative
    },
    inRiser,
    uniformBelow: (bound) => uniformNumber(source, bound),
  }
  const [wide, first] = [Number(width), Number(riser)]
  return fromNumbers(() => untilAccepted(() => staircaseNumberAttempt(draws, wide, first)))
}

const largestWidth = 1n << 1024n

/** A sampler of the staircase. Throws ParameterError unless 1 <= riser <= width <= 2^1024 and 2^-1024 <= epsilon <= 2^1024. */
export const staircaseSampler = (shape: Staircase, source: BitSource): IntegerSampler => {
  const { epsilon, width, riser } = shape
  requireNoiseParameter(epsilon, 'the epsilon of a staircase')
  if (riser < 1n || riser > width || width > largestWidth)
    throw new ParameterError('a staircase has steps of 1 to 2^1024 integers, of which at least one is in the riser')
  const coin = riser === width ? () => true : realCoin(riserBias(shape), source)
  const limit = BigInt(numberScaleLimit)
  const numbers = width * epsilon.den <= limit * epsilon.num && width <= limit
  if (numbers && lazyTakes(div(one, epsilon))) return lazyStaircase(shape, coin, source)
  const bricks = bricksOf(source)
  return fromBigints(() => untilAccepted(() => staircaseAttempt(bricks, coin, shape)), numbers)
}
