import type { BitSource } from '../../random/bit-source.ts'
import { compare, integer, powerOfTwo, type Rational, toNumber } from '../../rational.ts'
import { centreOf } from './centre.ts'
import { lazyExponential } from './exponential.ts'
import { lazyGeometric, lazyTakes } from './geometric.ts'
import type { Prefix } from './prefix.ts'
import { exponentialReal, halfNormalAccepts, shiftedReal, uniformReal } from './real.ts'
import { type SphericalParts, sphericalOf } from './spherical-parts.ts'

const largestDimension = 64
// Every magnitude is then below 16.
const largestSquares = 256
const largestScale = integer(1n << 24n)

/** Whether the lazy vector is proved and fast for these: up to 64 coordinates and scales from 2^-20 to 2^24. */
export const lazyTakesSpherical = (dimension: number, scale: Rational): boolean =>
  dimension >= 1 && dimension <= largestDimension && lazyTakes(scale) && compare(scale, largestScale) <= 0

const highUnit = powerOfTwo(-20)
const lowUnit = powerOfTwo(-52)
const acceptanceMargin = powerOfTwo(-42)
const unit = powerOfTwo(-35)
const allowance = powerOfTwo(-50)
const rootError = powerOfTwo(-50)

/** The root of a sum of squares, by Heron's rule, from a line that is right to a fortieth between 1/4 and 1. */
const squareRoot = (value: number): number => {
  let [rest, unit] = [value, 1]
  while (rest >= 1) {
    rest /= 4
    unit *= 2
  }
  while (rest < 0.25) {
    rest *= 4
    unit /= 2
  }
  let root = 0.34 + 0.68 * rest
  for (let i = 0; i < 4; i++) root = (root + rest / root) / 2
  return root * unit
}

/**
 * A vector of density proportional to exp(-|b| / scale) around a centre, rounded: every coordinate is scale G n_i / |n|, with G the sum of
 * `dimension` exponentials and n_i standard normals.
 *
 * A magnitude n = k + x is accepted when L = -ln U is at least g = (k (k - 1) + x (2 k + x)) / 2, where x is known to 52 bits. Where g is
 * below 32, k is at most 8, so the undrawn bits of x move g by at most 9 * 2^-52, its four operations round by less than 2^-47 in all, L is off by
 * 2^-47 and the difference rounds by 2^-48: less than 2^-45, and the margin is 2^-42. Where g is above 32, L < 30.5 leaves no doubt.
 *
 * The result, with d <= 64, t the scale, ' for doubles. n_i' < 16 and |n_i' - n_i| <= 2^-52 + 2^-50, so the length |n| moves by at most 2^-48.8 sqrt(d); with
 * |n'| >= 2^-12 sqrt(d), or the exact path, n_i / |n| is off by at most 2 * 2^-36.8. The sum of squares, its root (only
 * believed when its square is within a relative 2^-50 of it), two products and a quotient add less than 2^-46 to that. G is off
 * by 64 * 2^-47 and the roundings of its sum, below 1952, by 64 * 2^-43: together less than 2^-36.9. So t G n_i / |n| is off by less than
 * t (2^-36.9 + 2^-35.7 G'), and adding it to the centre's rest rounds by less than t 2^-42 + 2^-52. The margin is
 * t 2^-35 (1 + G') + 2^-50. When both ends have one floor in every coordinate they are the answer for every continuation of all bits; when not,
 * `sphericalOf` draws more.
 */
export const lazySpherical = (
  dimension: number,
  scale: Rational,
  source: BitSource,
): ((centre: readonly Rational[]) => readonly bigint[]) => {
  const { word } = source
  const exponentials = Array.from({ length: dimension }, () => lazyExponential(source))
  const coin = lazyExponential(source)
  const steps = lazyGeometric(integer(2n), coin, source)
  const approximate = toNumber(scale, 'down')
  const shortest = dimension * powerOfTwo(-24)
  const [whole, high, low, size, place] = Array.from({ length: 5 }, () => new Float64Array(dimension)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const negative = new Uint8Array(dimension)
  // The x of a coordinate whose acceptance had to draw more of it.
  const grown = new Map<number, (length: number) => Prefix>()
  const xOf = (i: number) =>
    grown.get(i) ?? uniformReal(source, { value: (BigInt(high[i]!) << 32n) | BigInt(low[i]!), length: 52 })

  const undecided = (i: number): boolean => {
    grown.delete(i)
    const x = xOf(i)
    grown.set(i, x)
    return halfNormalAccepts(BigInt(whole[i]!), x, uniformReal(source, coin.prefix()))
  }

  const drawNormal = (i: number): void => {
    for (;;) {
      const k = steps()
      const first = word()
      const rest = word()
      whole[i] = k
      high[i] = first & 0xfffff
      low[i] = rest
      negative[i] = (first >>> 20) & 1
      const x = (first & 0xfffff) * highUnit + rest * lowUnit
      size[i] = k + x
      const difference = coin.next() - (k * (k - 1) + x * (2 * k + x)) / 2
      if (difference > acceptanceMargin) return
      if (!(difference < -acceptanceMargin)) {
        if (undecided(i)) return
        grown.delete(i)
      }
    }
  }

  const exactly = (centre: readonly Rational[]): readonly bigint[] => {
    const parts: SphericalParts = {
      exponentials: exponentials.map(({ prefix }) => exponentialReal(uniformReal(source, prefix()))),
      coordinates: centre.map((_, i) => ({
        size: shiftedReal(BigInt(whole[i]!), xOf(i)),
        negative: negative[i] === 1,
      })),
    }
    return sphericalOf(parts, centre, scale)
  }

  /** Fills `place` with the whole steps from the centres, or says that it cannot. */
  const certain = (rests: readonly { readonly rest: number }[], sum: number, squares: number): boolean => {
    if (!(squares >= shortest && squares < largestSquares)) return false
    const root = squareRoot(squares)
    const difference = root * root - squares
    if (!(difference <= squares * rootError && -difference <= squares * rootError)) return false
    const factor = (approximate * sum) / root
    const margin = approximate * unit * (1 + sum) + allowance
    for (let i = 0; i < dimension; i++) {
      const part = factor * size[i]!
      const at = negative[i] === 1 ? rests[i]!.rest - part : rests[i]!.rest + part
      const floor = Math.floor(at - margin)
      if (!(at + margin < floor + 1)) return false
      place[i] = floor
    }
    return true
  }

  const forget = () => {
    for (const exponential of exponentials) exponential.forget()
    coin.forget()
    for (const numbers of [whole, high, low, size, place, negative]) numbers.fill(0)
    if (grown.size > 0) grown.clear()
  }

  return (centre) => {
    let sum = 0
    let squares = 0
    for (let i = 0; i < dimension; i++) {
      sum += exponentials[i]!.next()
      drawNormal(i)
      squares += size[i]! * size[i]!
    }
    const centres = centre.map(centreOf)
    const drawn = certain(centres, sum, squares)
      ? centres.map(({ whole: middle }, i) => middle + BigInt(place[i]!))
      : exactly(centre)
    forget()
    return drawn
  }
}
