// A Laplace variable on the reals around a centre, rounded to the nearest integer and clamped to -bound .. bound, in closed form. Everything is
// counted in grains; q = exp(-1/scale).
import type { Intervals } from '../numeric/interval.ts'
import { add, div, integer, mul, one, type Rational, ratio, sign, sub, toInteger } from '../rational.ts'
import { type Moments, momentsOf } from './bounded-laplace-law.ts'

const half = ratio(1n, 2n)

/**
 * With m the integer nearest to the centre, the rounded variable is m + j or more with probability e^(-(m + 1/2 - centre) / scale) q^(j - 1) / 2
 * for j >= 1, and as likely m - j or less, mirrored: a geometric on either side, cut where the bound lies h away. With n = floor(h),
 * E[min(J, h)] is the sum over j = 1 .. n of P[J >= j] and (h - n) P[J > n], and E[min(J, h)^2] that of (2 j - 1) P[J >= j] and
 * (h^2 - n^2) P[J > n]. Where the centre is rounded past a bound, at most half a grain, h is negative and every value from m on lands there.
 */
export const snappedMoments = (scale: Rational, centre: Rational, bound: Rational): Moments => {
  const nearest = toInteger(add(centre, half), 'down')
  const shift = sub(integer(nearest), centre)
  const above = { first: add(half, shift), reach: sub(bound, integer(nearest)) }
  const below = { first: sub(half, shift), reach: add(bound, integer(nearest)) }

  /** P[J >= 1] of a side. */
  const beyond = (at: Intervals, { first }: typeof above) => at.mul(at.of(half), at.decay(div(first, scale)))

  /** E[min(J, h)] and E[min(J, h)^2] of a side. */
  const sideOf = (at: Intervals, side: typeof above, other: typeof above) => {
    const { reach } = side
    if (sign(reach) < 0) {
      const here = at.sub(at.whole(1n), beyond(at, other))
      return { mean: at.mul(at.of(reach), here), square: at.mul(at.of(mul(reach, reach)), here) }
    }
    const n = toInteger(reach, 'down')
    const [q, last] = [at.decay(div(one, scale)), at.decay(div(integer(n), scale))]
    const rest = at.sub(at.whole(1n), q)
    const start = beyond(at, side)
    const sum = at.div(at.sub(at.whole(1n), last), rest)
    const odd = at.add(at.whole(1n), q, at.mul(last, at.sub(at.mul(at.whole(2n * n - 1n), q), at.whole(2n * n + 1n))))
    const tail = (power: (h: Rational) => Rational) => at.mul(at.of(sub(power(reach), power(integer(n)))), last)
    return {
      mean: at.mul(
        start,
        at.add(
          sum,
          tail((h) => h),
        ),
      ),
      square: at.mul(
        start,
        at.add(
          at.div(odd, at.mul(rest, rest)),
          tail((h) => mul(h, h)),
        ),
      ),
    }
  }
  const parts = (at: Intervals) => {
    const [up, down] = [sideOf(at, above, below), sideOf(at, below, above)]
    return { mean: at.sub(up.mean, down.mean), square: at.add(up.square, down.square) }
  }
  return momentsOf(
    (at) => at.add(at.of(shift), parts(at).mean),
    (at) => {
      const { mean, square } = parts(at)
      return at.add(at.of(mul(shift, shift)), at.mul(at.of(add(shift, shift)), mean), square)
    },
  )
}
