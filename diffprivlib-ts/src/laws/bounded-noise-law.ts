import type { Enclosure } from '../numeric/fixed-point.ts'
import { certified, type Intervals } from '../numeric/interval.ts'
import { compare, div, integer, type Rational, ratio, zero } from '../rational.ts'
import { boundedDomainMoments, boundedDomainProbability } from './bounded-laplace-law.ts'
import { type Bounds, missOf, type NoiseLaw } from './law.ts'

const none: Bounds = { lower: zero, upper: zero }

/** The sum of q^m over m = from .. to, with q = exp(-1/scale). */
const between = (at: Intervals, scale: Rational, from: bigint, to: bigint): Enclosure =>
  from > to
    ? at.whole(0n)
    : at.div(
        at.sub(at.decay(div(integer(from), scale)), at.decay(div(integer(to + 1n), scale))),
        at.sub(at.whole(1n), at.decay(div(integer(1n), scale))),
      )

const whole = (at: Intervals, scale: Rational, reach: bigint): Enclosure =>
  at.add(at.whole(1n), at.mul(at.whole(2n), between(at, scale, 1n, reach)))

/** P[X > h] of a discrete Laplace kept to -reach .. reach: with h = reach - shift, the delta of a shift. */
export const boundedTop = (scale: Rational, reach: bigint, h: bigint): Bounds =>
  certified((at) => at.div(between(at, scale, h + 1n, reach), whole(at, scale, reach)))

const leastCovering = (reach: bigint, covers: (h: bigint) => boolean): bigint => {
  let [low, high] = [-1n, reach]
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (covers(middle)) high = middle
    else low = middle
  }
  return high
}

/** The law of a discrete Laplace of this scale given that it lies in -reach .. reach. */
export const boundedNoiseLaw = (scale: Rational, reach: bigint): NoiseLaw => {
  const tail = (h: bigint): Bounds =>
    h >= reach
      ? none
      : certified((at) => at.div(at.mul(at.whole(2n), between(at, scale, h + 1n, reach)), whole(at, scale, reach)))
  return Object.freeze({
    probability: (k: bigint) => boundedDomainProbability(scale, reach, reach, k),
    tail,
    variance: () => boundedDomainMoments(scale, reach, reach).variance,
    halfWidth: (confidence: Rational) => {
      const miss = missOf(confidence)
      return leastCovering(reach, (h) => compare(tail(h).upper, miss) <= 0)
    },
  })
}

/** The law of a uniform integer in -reach .. reach. */
export const uniformNoiseLaw = (reach: bigint): NoiseLaw => {
  const width = 2n * reach + 1n
  const exactly = (num: bigint, den: bigint): Bounds => ({ lower: ratio(num, den), upper: ratio(num, den) })
  const tail = (h: bigint): Bounds => (h >= reach ? none : exactly(2n * (reach - h), width))
  return Object.freeze({
    probability: (k: bigint) => (k < -reach || k > reach ? none : exactly(1n, width)),
    tail,
    variance: () => exactly(reach * (reach + 1n), 3n),
    halfWidth: (confidence: Rational) => {
      const miss = missOf(confidence)
      return leastCovering(reach, (h) => compare(tail(h).upper, miss) <= 0)
    },
  })
}
