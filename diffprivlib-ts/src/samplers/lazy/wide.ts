// Scales above those whose draws fit a double: the high part of a magnitude is a lazy geometric, the low part uniform bits, nearly always kept.
import { type BitSource, wideBits } from '../../random/bit-source.ts'
import { bitLength, compare, div, integer, mul, one, powerOfTwo, type Rational, toNumber } from '../../rational.ts'
import { acceptanceExponent, proposalScale } from '../canonne-kamath-steinke.ts'
import { untilAccepted } from '../rejection.ts'
import { numberScaleLimit } from '../sampler.ts'
import { type LazyExponential, lazyExponential } from './exponential.ts'
import { lazyGeometric } from './geometric.ts'
import { acceptsOf, usualStep } from './prefix.ts'

/** What an attempt at a wide geometric draws from. */
export interface WideBricks {
  /** A geometric of scale / 2^low. */
  readonly high: () => bigint
  /** So many uniform bits. */
  readonly bits: (count: number) => bigint
  /** True with probability exp(-value / scale). */
  readonly decays: (value: bigint) => boolean
}

/**
 * One try at a geometric of any scale: exp(-(high 2^low + rest) / scale) is the product of a geometric's weight and exp(-rest / scale), and every
 * integer has one high part and one rest below 2^low.
 */
export const wideAttempt = ({ high, bits, decays }: WideBricks, low: number): bigint | undefined => {
  const rest = bits(low)
  return decays(rest) ? (high() << BigInt(low)) + rest : undefined
}

/** Whether a scale is above what numbers take. */
export const isWide = (scale: Rational): boolean => compare(scale, integer(numberScaleLimit)) > 0

/** How many low bits are drawn apart: scale / 2^low lies between 2^34 and 2^36. */
export const lowBitsOf = ({ num, den }: Rational): number => bitLength(num) - bitLength(den) - 35

const surely = powerOfTwo(-33)

/**
 * The coin of the low part: true with probability exp(-value / scale), for a value below scale 2^-34. Where -ln U, known to 2^-47, is above 2^-33
 * it is above value / scale; elsewhere, once in 2^33 draws, `acceptsOf` decides.
 */
export const lowCoin = (
  { num, den }: Rational,
  { next, prefix, forget }: LazyExponential,
  source: BitSource,
): ((value: bigint) => boolean) => {
  return (value) => {
    const accepted = next() > surely || acceptsOf(prefix(), { num: value * den, den: num }, source, usualStep)
    forget()
    return accepted
  }
}

/** A geometric of a wide scale, and the fair bit drawn with its high part. */
const wideMagnitude = (scale: Rational, source: BitSource) => {
  const low = lowBitsOf(scale)
  const exponential = lazyExponential(source)
  const size = lazyGeometric(div(scale, integer(1n << BigInt(low))), exponential, source)
  let negative = false
  const bricks: WideBricks = {
    high: () => {
      const value = BigInt(size())
      negative = exponential.negative()
      exponential.forget()
      return value
    },
    bits: (count) => wideBits(source, count),
    decays: lowCoin(scale, lazyExponential(source), source),
  }
  return { next: () => untilAccepted(() => wideAttempt(bricks, low)), negative: () => negative }
}

/** A geometric of a wide scale. */
export const wideGeometric = (scale: Rational, source: BitSource): (() => bigint) => wideMagnitude(scale, source).next

/** A discrete Laplace of a wide scale: a geometric magnitude under a fair sign, refusing the second zero. */
export const wideLaplace = (scale: Rational, source: BitSource): (() => bigint) => {
  const { next, negative } = wideMagnitude(scale, source)
  return () => {
    for (;;) {
      const size = next()
      if (!negative()) return size
      if (size !== 0n) return -size
    }
  }
}

const largestGaussian = 1n << 400n

/** Whether a Gaussian's proposal is wide and its squares are doubles: a scale above 2^36 and up to 2^400. */
export const wideTakesGaussian = (sigma2: Rational): boolean => {
  const scale = proposalScale(sigma2)
  return isWide(integer(scale)) && scale <= largestGaussian
}

/**
 * Whether y is accepted as a discrete Gaussian: as in `lazyGaussian` for sigma >= 1, but y is a double within a relative 2^-53, so that d is off by
 * another 2^-53 62 sigma, 2^-46 sigma in all, and d^2 / (2 sigma^2) by 62 * 2^-46 (1 + 2^-52): with the products and the rounding of the
 * difference less than 2^-38.9, and the margin is 2^-37.
 */
export const wideAccepts = (sigma2: Rational, source: BitSource): ((y: bigint) => boolean) => {
  const scale = proposalScale(sigma2)
  const centre = toNumber(div(sigma2, integer(scale)), 'down')
  const inverse = toNumber(div(one, mul(integer(2n), sigma2)), 'down')
  const reach = 31 * Number(scale)
  const margin = powerOfTwo(-37)
  const { next, prefix, forget } = lazyExponential(source)
  return (y) => {
    const log = next()
    const size = Number(y < 0n ? -y : y)
    const distance = size - centre
    const difference = size > reach ? Number.NaN : log - distance * distance * inverse
    const accepted =
      difference > margin ||
      (!(difference < -margin) && acceptsOf(prefix(), acceptanceExponent(y, scale, sigma2), source, usualStep))
    forget()
    return accepted
  }
}

/** A discrete Gaussian of a wide sigma. */
export const wideGaussian = (sigma2: Rational, source: BitSource): (() => bigint) => {
  const proposal = wideLaplace(integer(proposalScale(sigma2)), source)
  const accepts = wideAccepts(sigma2, source)
  return () => {
    for (;;) {
      const y = proposal()
      if (accepts(y)) return y
    }
  }
}
