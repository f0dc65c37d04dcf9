// Enumerations of the samplers behind the mechanisms, as functions of the sampler, so that the planted bugs run through the same checks.
import { boundedDomainProbability } from '../../src/laws/bounded-laplace-law.ts'
import { discreteGaussianLaw } from '../../src/laws/discrete-gaussian-law.ts'
import type { Bounds } from '../../src/laws/law.ts'
import { roundedGaussianLaw } from '../../src/laws/rounded-gaussian-law.ts'
import type { BitSource } from '../../src/random/bit-source.ts'
import { add, compare, div, integer, mul, one, type Rational, ratio, sub, zero } from '../../src/rational.ts'
import type { Bricks } from '../../src/samplers/canonne-kamath-steinke.ts'
import type { Real } from '../../src/samplers/lazy/coin.ts'
import { extend, type Prefix } from '../../src/samplers/lazy/prefix.ts'
import type { GrowingUniform } from '../../src/samplers/lazy/real.ts'
import { roundedAcceptance, roundedProposal } from '../../src/samplers/rounded-gaussian.ts'
import { envelopePower, type FlipBricks, type SelectionBricks, type Weighted } from '../../src/samplers/selection.ts'
import { riserBias, type Staircase, type StaircaseDraws } from '../../src/samplers/staircase.ts'
import type { Interval, TruncatedBricks } from '../../src/samplers/truncated-laplace.ts'
import { exactly, middle, refused } from '../helpers/agreement.ts'
import { type Choose, enumerateChoices, enumeratePrefixes } from '../helpers/enumerate.ts'
import { around, expBounds, geometricLaw } from '../helpers/exact-laws.ts'
import { bricksOver, coinOf, expCoinOf, judged, orRefused } from './paths.ts'

const precision = 200

/** A computable real between fractions. */
export const boundsOf = (real: Real): Bounds => {
  const { lower, upper } = real(precision)
  return { lower: ratio(lower, 1n << BigInt(precision)), upper: ratio(upper, 1n << BigInt(precision)) }
}

const quotient = (part: Bounds, whole: Bounds): Bounds => ({
  lower: div(part.lower, whole.upper),
  upper: div(part.upper, whole.lower),
})

const sumOf = (parts: readonly Bounds[]): Bounds =>
  parts.reduce((total, { lower, upper }) => ({ lower: add(total.lower, lower), upper: add(total.upper, upper) }), {
    lower: zero,
    upper: zero,
  })

const times = ({ lower, upper }: Bounds, factor: Rational): Bounds => ({
  lower: mul(lower, factor),
  upper: mul(upper, factor),
})

/** A coin whose bias is a computable real, by the bits of its uniform number. */
export const checkRealCoin = (
  coin: (prefix: Prefix, source: BitSource, step: number) => boolean,
  bias: Bounds,
): readonly string[] =>
  judged(
    enumeratePrefixes(coin, 48),
    (outcome: boolean) => (outcome ? bias : { lower: sub(one, bias.upper), upper: sub(one, bias.lower) }),
    [true, false],
  )

const asOutcome = (outcome: number | undefined): bigint | undefined =>
  outcome === undefined ? undefined : BigInt(outcome)

/** The staircase's probabilities, from its definition. */
const staircaseWeights = ({ epsilon, width, riser }: Staircase) => {
  const level = (k: bigint): bigint => {
    const size = k < 0n ? -k : k
    return size / width + (size % width < riser ? 0n : 1n)
  }
  const q = expBounds(epsilon)
  const rest: Bounds = { lower: sub(one, q.upper), upper: sub(one, q.lower) }
  const side = quotient(
    sumOf([times({ lower: one, upper: one }, integer(riser)), times(q, integer(width - riser))]),
    rest,
  )
  const total: Bounds = { lower: sub(add(side.lower, side.lower), one), upper: sub(add(side.upper, side.upper), one) }
  return (k: bigint): Bounds => quotient(expBounds(mul(epsilon, integer(level(k)))), total)
}

/** One attempt at a staircase, over exact bricks. */
export const checkStaircase = (
  attempt: (bricks: Bricks, inRiser: () => boolean, shape: Staircase) => bigint | undefined,
  shape: Staircase,
): readonly string[] =>
  judged(
    enumerateChoices(
      (choose) =>
        orRefused(attempt(bricksOver(choose), () => coinOf(choose)(middle(boundsOf(riserBias(shape)))), shape)),
      80,
    ),
    staircaseWeights(shape),
    around(20n),
  )

/** One attempt at a staircase in numbers, over an exact geometric, exact coins and an exact uniform choice. */
export const checkStaircaseNumbers = (
  attempt: (draws: StaircaseDraws, width: number, riser: number) => number | undefined,
  shape: Staircase,
): readonly string[] =>
  judged(
    enumerateChoices((choose) => {
      const law = geometricLaw(div(one, shape.epsilon))
      const draws: StaircaseDraws = {
        step: () => choose(100, (branch) => middle(law(BigInt(branch)))),
        negative: () => coinOf(choose)(ratio(1n, 2n)),
        inRiser: () => coinOf(choose)(middle(boundsOf(riserBias(shape)))),
        uniformBelow: (bound) => choose(bound, () => ratio(1n, BigInt(bound))),
      }
      return orRefused(asOutcome(attempt(draws, Number(shape.width), Number(shape.riser))))
    }, 80),
    staircaseWeights(shape),
    around(20n),
  )

/** One attempt at a discrete Laplace kept to an interval, over exact bricks. */
export const checkTruncated = (
  attempt: (bricks: TruncatedBricks) => bigint | undefined,
  scale: Rational,
  { below, above }: Interval,
  laplace: (k: bigint) => Bounds,
): readonly string[] => {
  const reach = 250n
  const weights = around(reach).map((k) => middle(laplace(k)))
  return judged(
    enumerateChoices((choose) => {
      const { uniformBelow, bernoulliExp } = bricksOver(choose)
      const draw = () => BigInt(choose(weights.length, (branch) => weights[branch]!)) - reach
      return orRefused(attempt({ uniformBelow, bernoulliExp, laplace: draw }))
    }, 120),
    (k) => boundedDomainProbability(scale, below, above, k),
    around(below > above ? below + 1n : above + 1n),
  )
}

/** The cells of a choice's envelope: weight 2^(256 - m). */
const cellsOf = (candidates: readonly Weighted[]): readonly bigint[] =>
  candidates.map(({ weight, exponent }) => weight << (256n - envelopePower(exponent)))

/** A candidate of a choice's envelope, by the bits of its uniform number. */
export const checkCells = (
  cell: (prefix: Prefix, source: BitSource, step: number) => number,
  candidates: readonly Weighted[],
): readonly string[] => {
  const cells = cellsOf(candidates)
  const whole = cells.reduce((total, size) => total + size, 0n)
  const decide = (prefix: Prefix, source: BitSource, step: number): bigint => BigInt(cell(prefix, source, step))
  return judged(
    enumeratePrefixes(decide, 48),
    (index) => exactly(ratio(cells[Number(index)]!, whole)),
    candidates.map((_, i) => BigInt(i)),
  )
}

/** One attempt at a weighted choice, over an exact proposal and exact coins. */
export const checkSelection = (
  attempt: (bricks: SelectionBricks) => number | undefined,
  candidates: readonly Weighted[],
): readonly string[] => {
  const cells = cellsOf(candidates)
  const whole = cells.reduce((total, cell) => total + cell, 0n)
  const weights = candidates.map(({ weight, exponent }) => times(expBounds(exponent), integer(weight)))
  const total = sumOf(weights)
  return judged(
    enumerateChoices((choose: Choose) => {
      const accepts = (candidate: number): boolean => {
        const { exponent } = candidates[candidate]!
        const bias = times(expBounds(exponent), integer(1n << envelopePower(exponent)))
        if (compare(bias.lower, one) > 0) throw new RangeError('a candidate weighs more than its envelope')
        return coinOf(choose)(middle(bias))
      }
      const propose = () => choose(cells.length, (branch) => ratio(cells[branch]!, whole))
      return orRefused(asOutcome(attempt({ propose, accepts })))
    }, 120),
    (index) => quotient(weights[Number(index)]!, total),
    candidates.map((_, i) => BigInt(i)),
  )
}

/**
 * Permute-and-flip, over exact bricks, against p_i times the sum over sets S of the others of (-1)^|S| / (|S| + 1) times the product of their p:
 * the chance that i comes up and all before it fail.
 */
export const checkFlip = (
  choice: (bricks: FlipBricks, order: number[]) => number,
  exponents: readonly Rational[],
): readonly string[] => {
  const p = exponents.map((exponent) => middle(expBounds(exponent)))
  const probability = (i: number): Rational => {
    const others = p.filter((_, j) => j !== i)
    let sum = zero
    for (let set = 0; set < 1 << others.length; set++) {
      const members = others.filter((_, j) => (set >> j) & 1)
      const product = members.reduce(mul, one)
      sum = add(sum, mul(product, ratio(members.length % 2 === 0 ? 1n : -1n, BigInt(members.length + 1))))
    }
    return mul(p[i]!, sum)
  }
  return judged(
    enumerateChoices((choose) => {
      const bricks: FlipBricks = {
        uniformBelow: (bound) => choose(bound, () => ratio(1n, BigInt(bound))),
        accepts: (candidate) => expCoinOf(choose)(exponents[candidate]!),
      }
      return BigInt(
        choice(
          bricks,
          exponents.map((_, i) => i),
        ),
      )
    }, 120),
    (index) => ({ lower: probability(Number(index)), upper: probability(Number(index)) }),
    exponents.map((_, i) => BigInt(i)),
  )
}

/** One attempt at a rounded Gaussian, over an exact proposal and exact coins. */
export const checkRounded = (
  attempt: (proposal: () => bigint, accepts: (k: bigint) => boolean) => bigint | undefined,
  sigma2: Rational,
  acceptance: (k: bigint, sigma2: Rational) => Real = roundedAcceptance,
): readonly string[] => {
  const reach = 60n
  const proposal = discreteGaussianLaw(roundedProposal(sigma2))
  const weights = around(reach).map((k) => middle(proposal.probability(k)))
  return judged(
    enumerateChoices((choose) => {
      const draw = () => BigInt(choose(weights.length, (branch) => weights[branch]!)) - reach
      return orRefused(attempt(draw, (k) => coinOf(choose)(middle(boundsOf(acceptance(k, sigma2))))))
    }, 200),
    roundedGaussianLaw(sigma2).probability,
    around(12n),
  )
}

/** A rounded Laplace on the reals under each sign, by the bits of its uniform number. */
export const checkSnapped = (
  sampler: (negative: boolean) => (prefix: Prefix, source: BitSource, step: number) => bigint,
  centre: Rational,
  scale: Rational,
): readonly string[] =>
  [false, true].flatMap((negative) => {
    const half = ratio(1n, 2n)
    // P[-ln U >= (edge - centre) / scale] for an edge on the side of the sign.
    const beyond = (distance: Rational): Bounds =>
      compare(distance, zero) <= 0 ? { lower: one, upper: one } : expBounds(div(distance, scale))
    const law = (k: bigint): Bounds => {
      const low = sub(sub(integer(k), half), centre)
      const high = sub(add(integer(k), half), centre)
      const [near, far] = negative
        ? [beyond(mul(high, integer(-1))), beyond(mul(low, integer(-1)))]
        : [beyond(low), beyond(high)]
      return { lower: sub(near.lower, far.upper), upper: sub(near.upper, far.lower) }
    }
    return judged(enumeratePrefixes(sampler(negative), 52), law, around(30n))
  })

/** A randomised response, over exact coins. */
export const checkKeep = (
  attempt: (coin: () => boolean, flips: () => boolean) => boolean | undefined,
  epsilon: Rational,
): readonly string[] => {
  const q = expBounds(epsilon)
  const kept: Bounds = { lower: div(one, add(one, q.upper)), upper: div(one, add(one, q.lower)) }
  return judged(
    enumerateChoices(
      (choose) =>
        attempt(
          () => coinOf(choose)(ratio(1n, 2n)),
          () => expCoinOf(choose)(epsilon),
        ) ?? refused,
      80,
    ),
    (outcome: boolean) => (outcome ? kept : { lower: sub(one, kept.upper), upper: sub(one, kept.lower) }),
    [true, false],
  )
}

/** The acceptance of a magnitude k + x of a standard normal, by the bits of its uniform number; x is a fraction of 2^-`length`. */
export const checkHalfNormal = (
  accepts: (k: bigint, x: GrowingUniform, other: GrowingUniform) => boolean,
  k: bigint,
  { value, length }: Prefix,
): readonly string[] => {
  const x = ratio(value, 1n << BigInt(length))
  const exact = (wanted: number): Prefix => ({ value: value << BigInt(wanted), length: length + wanted })
  const exponent = div(add(mul(integer(k), integer(k - 1n)), mul(x, add(integer(2n * k), x))), integer(2n))
  return checkRealCoin((prefix, source, step) => {
    // The prefix as it is, once; a decision that asks again asks for more bits.
    let known: Prefix | undefined = prefix
    return accepts(k, exact, () => {
      const answer = known ?? extend(prefix, source, step)
      known = undefined
      return answer
    })
  }, expBounds(exponent))
}
