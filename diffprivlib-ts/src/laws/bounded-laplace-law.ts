// Discrete Laplace noise kept inside a domain, in closed form. Everything is counted in steps: `scale` is the noise's, `below` and `above` are
// the distances from the point to the two ends of the domain, and q = exp(-1/scale).
import type { Enclosure } from '../numeric/fixed-point.ts'
import { certified, type Intervals } from '../numeric/interval.ts'
import { add, compare, div, integer, mul, one, type Rational, ratio, sub } from '../rational.ts'
import { type Bounds, missOf } from './law.ts'

/** What a release at one point is off by: E[Y - x], Var[Y] and E[(Y - x)^2], each between certified bounds. */
export interface Moments {
  readonly bias: Bounds
  readonly variance: Bounds
  readonly mse: Bounds
}

/** The moments from a closed form of the bias and one of the mean square. */
export const momentsOf = (
  bias: (at: Intervals) => Enclosure,
  mse: (at: Intervals, bias: Enclosure) => Enclosure,
): Moments => ({
  bias: certified(bias),
  mse: certified((at) => mse(at, bias(at))),
  variance: certified((at) => {
    const mean = bias(at)
    return at.sub(mse(at, mean), at.mul(mean, mean))
  }),
})

/** q^k for a whole or half k >= 0. */
const power = (at: Intervals, scale: Rational, k: Rational): Enclosure => at.decay(div(k, scale))
const unitOf = (at: Intervals): Enclosure => at.whole(1n)

/** The sums over m = 1 .. n of q^m, m q^m and m^2 q^m. */
const sums = (at: Intervals, scale: Rational, n: bigint) => {
  const q = power(at, scale, one)
  const last = power(at, scale, integer(n))
  const rest = at.sub(unitOf(at), q)
  const zeroth = at.div(at.mul(q, at.sub(unitOf(at), last)), rest)
  const first = at.div(
    at.mul(q, at.add(unitOf(at), at.mul(last, at.sub(at.mul(at.whole(n), q), at.whole(n + 1n))))),
    at.mul(rest, rest),
  )
  const bracket = at.add(
    at.whole(-(n + 1n) * (n + 1n)),
    at.mul(at.whole(2n * n * n + 2n * n - 1n), q),
    at.mul(at.whole(-n * n), q, q),
  )
  const second = at.div(at.mul(q, at.add(unitOf(at), q, at.mul(last, bracket))), at.mul(rest, rest, rest))
  return { zeroth, first, second }
}

/** Noise beyond an end lands on that end: P[noise >= k] = q^k / (1 + q) gives both moments. */
export const truncatedMoments = (scale: Rational, below: bigint, above: bigint): Moments =>
  momentsOf(
    (at) => {
      const q = power(at, scale, one)
      const low = power(at, scale, integer(below + 1n))
      const high = power(at, scale, integer(above + 1n))
      return at.div(at.sub(low, high), at.sub(unitOf(at), at.mul(q, q)))
    },
    (at) => {
      // E[min(noise, n)^2] over the positive side is the sum over k = 1 .. n of (2 k - 1) P[noise >= k].
      const side = (n: bigint) => {
        const { zeroth, first } = sums(at, scale, n)
        return at.sub(at.mul(at.whole(2n), first), zeroth)
      }
      return at.div(at.add(side(below), side(above)), at.add(unitOf(at), power(at, scale, one)))
    },
  )

/**
 * Noise beyond an end is reflected there, as often as needed. The mean and the mean square are the solutions of
 * (1 + q^2) u(x) - q (u(x - 1) + u(x + 1)) = (1 - q)^2 f(x), f being x and x^2 inside, that are even around both ends; an end may be a whole
 * number or lie half-way between two, and distances with it.
 */
export const foldedMoments = (scale: Rational, below: Rational, above: Rational): Moments => {
  const span = add(below, above)
  /** 2 d / (q^-d - q^d), with d = 1 for a whole end and d = 1/2 for a half one. */
  const edge = (at: Intervals, distance: Rational): Enclosure => {
    const half = distance.den === 2n
    const d = half ? ratio(1n, 2n) : one
    const rest = at.sub(unitOf(at), power(at, scale, add(d, d)))
    return at.div(at.mul(at.whole(half ? 1n : 2n), power(at, scale, d)), rest)
  }
  const widest = (at: Intervals): Enclosure => at.sub(unitOf(at), power(at, scale, add(span, span)))
  const bias = (at: Intervals): Enclosure => {
    const [low, high] = [edge(at, below), edge(at, above)]
    const whole = power(at, scale, span)
    const fromLow = at.sub(low, at.mul(high, whole))
    const fromHigh = at.sub(at.mul(low, whole), high)
    return at.div(
      at.add(at.mul(fromLow, power(at, scale, below)), at.mul(fromHigh, power(at, scale, above))),
      widest(at),
    )
  }
  return momentsOf(bias, (at, mean) => {
    const q = power(at, scale, one)
    const rest = at.sub(unitOf(at), q)
    const free = at.div(at.mul(at.whole(2n), q), at.mul(rest, rest))
    const reflected = at.div(
      at.mul(
        at.of(mul(integer(2n), span)),
        edge(at, above),
        at.add(power(at, scale, add(span, below)), power(at, scale, above)),
      ),
      widest(at),
    )
    return at.sub(at.sub(free, reflected), at.mul(at.of(mul(integer(2n), below)), mean))
  })
}

/** The weight of the whole domain, 1 + sums of q^m on either side. */
const domainWeight = (at: Intervals, scale: Rational, below: bigint, above: bigint): Enclosure =>
  at.add(unitOf(at), sums(at, scale, below).zeroth, sums(at, scale, above).zeroth)

/** Noise is drawn again until it lands in the domain: P[Y = y] proportional to q^|y - x| on the domain alone. */
export const boundedDomainMoments = (scale: Rational, below: bigint, above: bigint): Moments =>
  momentsOf(
    (at) =>
      at.div(at.sub(sums(at, scale, above).first, sums(at, scale, below).first), domainWeight(at, scale, below, above)),
    (at) =>
      at.div(
        at.add(sums(at, scale, above).second, sums(at, scale, below).second),
        domainWeight(at, scale, below, above),
      ),
  )

/**
 * What two points `shift` apart can tell of each other through noise kept in a domain of `span`: shift/scale + ln(C(shift) / C(0)), where C is
 * the domain's weight around a point. q^-d C(d) never falls as d grows, so the end of the domain and the point `shift` from it are the
 * worst pair (Holohan, Antonatos, Braghin and Mac Aonghusa, 2020, for the reals). Returned as e^epsilon.
 */
export const boundedDomainRatio = (scale: Rational, span: bigint, shift: bigint): Bounds =>
  certified((at) =>
    at.div(
      domainWeight(at, scale, shift, span - shift),
      at.mul(power(at, scale, integer(shift)), domainWeight(at, scale, 0n, span)),
    ),
  )

/**
 * The least h such that a release lies within h steps of its point with probability `confidence` wherever in the domain the point is. The
 * chance to miss is largest at an end of the domain or, when h reaches both ways from there, in its middle.
 */
export const boundedDomainHalfWidth = (scale: Rational, span: bigint, confidence: Rational): bigint => {
  const miss = missOf(confidence)
  const missed = (below: bigint, above: bigint, h: bigint): Bounds =>
    certified((at) => {
      const side = (n: bigint) => (n <= h ? at.whole(0n) : at.sub(sums(at, scale, n).zeroth, sums(at, scale, h).zeroth))
      return at.div(at.add(side(below), side(above)), domainWeight(at, scale, below, above))
    })
  const covers = (h: bigint): boolean =>
    compare(missed(0n, span, h).upper, miss) <= 0 && compare(missed(span / 2n, span - span / 2n, h).upper, miss) <= 0
  let [low, high] = [-1n, span]
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (covers(middle)) high = middle
    else low = middle
  }
  return high
}

/** P[Y = x + k] of noise kept in the domain. */
export const boundedDomainProbability = (scale: Rational, below: bigint, above: bigint, k: bigint): Bounds =>
  k < -below || k > above
    ? { lower: sub(one, one), upper: sub(one, one) }
    : certified((at) => at.div(power(at, scale, integer(k < 0n ? -k : k)), domainWeight(at, scale, below, above)))
