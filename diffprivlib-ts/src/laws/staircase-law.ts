import type { Enclosure } from '../numeric/fixed-point.ts'
import { certified, type Intervals } from '../numeric/interval.ts'
import type { Rational } from '../rational.ts'
import { compare, integer, mul } from '../rational.ts'
import type { Staircase } from '../samplers/staircase.ts'
import { missOf, type NoiseLaw } from './law.ts'

/** The sums of j^0, j^1 and j^2 over 0 <= j < n. */
const powerSums = (n: bigint): readonly [bigint, bigint, bigint] => [
  n,
  (n * (n - 1n)) / 2n,
  ((n - 1n) * n * (2n * n - 1n)) / 6n,
]

/**
 * The law of the staircase on integers: with q = e^-epsilon, P[+-(k width + j)] is proportional to q^k for j < riser and q^(k + 1) for the
 * rest of the step. Summed over both signs, 0 counted once.
 */
export const staircaseLaw = ({ epsilon, width, riser }: Staircase): NoiseLaw => {
  const q = (at: Intervals, steps: bigint): Enclosure => at.decay(mul(epsilon, integer(steps)))
  const unit = (at: Intervals): Enclosure => at.whole(1n)
  /** The weight of magnitudes j < n of the first step. */
  const inStep = (at: Intervals, n: bigint): Enclosure => {
    const low = n < riser ? n : riser
    return at.add(at.whole(low), at.mul(at.whole(n - low), q(at, 1n)))
  }
  /** The weight of all magnitudes. */
  const side = (at: Intervals): Enclosure => at.div(inStep(at, width), at.sub(unit(at), q(at, 1n)))
  const total = (at: Intervals): Enclosure => at.sub(at.mul(at.whole(2n), side(at)), unit(at))

  /** 2 times the weight of magnitudes above h. */
  const above = (at: Intervals, h: bigint): Enclosure => {
    const [k, j] = [(h + 1n) / width, (h + 1n) % width]
    return at.mul(at.whole(2n), q(at, k), at.sub(side(at), inStep(at, j)))
  }
  const tail = (h: bigint) => certified((at) => at.div(above(at, h), total(at)))

  return Object.freeze({
    probability: (value: bigint) => {
      const size = value < 0n ? -value : value
      const level = size / width + (size % width < riser ? 0n : 1n)
      return certified((at) => at.div(q(at, level), total(at)))
    },
    tail,
    variance: () =>
      certified((at) => {
        // Sum over k of q^k (k w + j)^2 = w^2 q (1 + q) / (1 - q)^3 + 2 w j q / (1 - q)^2 + j^2 / (1 - q), each weighted over j.
        const ratio = q(at, 1n)
        const rest = at.sub(unit(at), ratio)
        const [low, high] = [powerSums(riser), powerSums(width)]
        const [zeroth, first, second] = [0, 1, 2].map((i) =>
          at.add(at.whole(low[i]!), at.mul(at.whole(high[i]! - low[i]!), ratio)),
        ) as [Enclosure, Enclosure, Enclosure]
        const squares = at.div(
          at.mul(at.whole(width * width), ratio, at.add(unit(at), ratio), zeroth),
          at.mul(rest, rest, rest),
        )
        const cross = at.div(at.mul(at.whole(2n * width), ratio, first), at.mul(rest, rest))
        return at.div(at.mul(at.whole(2n), at.add(squares, cross, at.div(second, rest))), total(at))
      }),
    halfWidth: (confidence: Rational) => {
      const miss = missOf(confidence)
      const covers = (h: bigint): boolean => compare(tail(h).upper, miss) <= 0
      if (covers(0n)) return 0n
      let high = width
      while (!covers(high)) high *= 2n
      let low = 0n
      while (high - low > 1n) {
        const middle = (low + high) >> 1n
        if (covers(middle)) high = middle
        else low = middle
      }
      return high
    },
  })
}
