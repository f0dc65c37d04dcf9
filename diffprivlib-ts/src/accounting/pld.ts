// Composition by privacy-loss distributions (Sommer, Meiser and Mohammadi, 2019): for mixtures of Laplace, Gaussian, pure and approximate
// losses. Integers throughout: masses are rounded up, their convolution is exact, and what is cut from a tail counts as boundless, so no delta
// comes out below the truth however small it is.
import { ParameterError } from '../errors.ts'
import { endOf } from '../numeric/directed.ts'
import { dividePositive, expNegativeRational, integerSqrt, lnFraction, plain } from '../numeric/fixed-point.ts'
import { requireDeltaOrZero, requireNotNegative } from '../parameters.ts'
import {
  add,
  bitLength,
  compare,
  div,
  integer,
  mul,
  one,
  type Rational,
  ratio,
  sign,
  sub,
  toInteger,
  zero,
} from '../rational.ts'
import { zcdpToDelta } from '../zcdp.ts'
import { type Cut, convolve, convolvePower, trim } from './convolution.ts'
import { connectTheDots, gaussianKept, type LossMasses, laplaceKept } from './loss-curve.ts'
import { chooseGrid, type Grid } from './pld-grid.ts'
import { deltaLeft, deltaWith, type LossTally, sumOver } from './tally.ts'

const requireKnown = (tally: LossTally): void => {
  if (sign(tally.rho) !== 0)
    throw new ParameterError('a loss known as zCDP only has no loss distribution: compose it with "zcdp" or "renyi"')
}

/** The sum of the epsilons: what holds at delta 0 when no loss is Gaussian. */
const pureSum = (tally: LossTally): Rational | undefined =>
  sign(tally.muSquared) > 0 ? undefined : sumOver(tally, ({ epsilon }) => epsilon)

/** Gaussian losses lie within mu^2 / 2 +- reach mu but for e^(-reach^2 / 2) of the mass. */
const gaussianMasses = (muSquared: Rational, grid: Grid, cut: Cut): LossMasses => {
  const { step, stride, mu } = grid
  // e^(-reach^2 / 2) < 2^-bits for reach^2 > 1.3863 bits; these tails are cut again once they are known.
  const reach = integer(integerSqrt(BigInt(2 * cut.bits)) + 1n)
  const middle = div(muSquared, integer(2n))
  const last = Number(toInteger(div(add(middle, mul(reach, mu)), mul(step, integer(stride))), 'up')) * stride
  const first = Number(toInteger(div(sub(middle, mul(reach, mu)), mul(step, integer(stride))), 'down')) * stride
  const kept = gaussianKept(muSquared)
  return trim(connectTheDots({ kept, grid: step, stride, first, last, bits: cut.bits }), cut)
}

/** The distribution of the whole loss, fine enough for figures at `delta`. */
const distribution = (
  tally: LossTally,
  delta: Rational,
): { readonly masses: LossMasses; readonly cut: Cut; readonly grid: Grid } => {
  const kinds = [...tally.laplaces.values()]
  const count = kinds.reduce((sum, kind) => sum + kind.count, sign(tally.muSquared) > 0 ? 1n : 0n)
  const grid = chooseGrid(kinds, tally.muSquared)
  // Each of the `count` losses may lose a tail of delta 2^-18 / count; rounding up costs less than that again.
  const tailBits = bitLength(delta.den) - bitLength(delta.num) + 1 + 18 + bitLength(count)
  const bits = tailBits + 26
  const cut: Cut = { bits, tail: 1n << 26n }
  const parts: LossMasses[] = kinds.map(({ epsilon, steps, count: copies }) => {
    const last = Number(toInteger(div(epsilon, grid.step), 'up'))
    const kept = laplaceKept(epsilon, steps)
    const single = connectTheDots({ kept, grid: grid.step, stride: 1, first: -last, last, bits })
    return convolvePower(single, copies, cut)
  })
  if (sign(tally.muSquared) > 0) parts.push(gaussianMasses(tally.muSquared, grid, cut))
  parts.sort((a, b) => a.masses.length - b.masses.length)
  const masses = parts.reduce((whole, part) => convolve(whole, part, cut))
  return { masses, cut, grid }
}

/** delta, in the unit of mass and rounded up, at the points of the grid from 0 on; between them it is at most the chord in e^epsilon. */
const curveOf = ({ first, masses, boundless }: LossMasses, step: Rational, bits: number): readonly bigint[] => {
  const precision = bits + 32
  const u = plain(expNegativeRational(step, precision)).lower
  const scale = BigInt(precision)
  const last = first + masses.length - 1
  const curve = new Array<bigint>(Math.max(last, 0) + 1).fill(0n)
  // Over losses at or above a point, `all` sums their masses and `discounted` the masses times e^(point - loss), rounded down.
  let all = 0n
  let discounted = 0n
  for (let i = last; i >= 0; i--) {
    const mass = i >= first ? (masses[i - first] ?? 0n) : 0n
    all += mass
    discounted = (mass << 32n) + ((discounted * u) >> scale)
    curve[i] = all + boundless - (discounted >> 32n)
  }
  return curve
}

/** The figure where the chord from (left, above) to the next point reaches `wanted`: left + ln(1 + t (e^step - 1)). */
const along = (left: Rational, step: Rational, above: bigint, below: bigint, wanted: bigint): Rational => {
  const precision = 128
  const u = plain(expNegativeRational(step, precision))
  const width = 1n << BigInt(precision)
  const growth = ratio(width - u.lower, u.lower)
  const part = mul(growth, ratio(above - wanted, above - below))
  const value = add(one, part)
  const logarithm = lnFraction(value.num, value.den, precision)
  return add(left, endOf(logarithm, precision, 'up'))
}

/**
 * The epsilon of a tally at `delta`, rounded up: a bound that any order of the same losses keeps, when they were fixed before the first result
 * was seen. Within 10^-3 of the tight value up to tens of thousands of losses. Throws ParameterError for a loss known as zCDP only, a
 * delta outside [0, 1), or one that cannot be met: 0 with a Gaussian, or less than the outright failures.
 */
export const pldToEpsilon = (tally: LossTally, delta: Rational): Rational => {
  requireDeltaOrZero(delta)
  requireKnown(tally)
  const left = deltaLeft(tally, delta)
  if (left === undefined) throw new ParameterError('the deltas of the losses add up to more than this delta')
  const pure = pureSum(tally)
  if (pure && (sign(pure) === 0 || sign(left) === 0)) return pure
  if (sign(left) === 0) throw new ParameterError('a Gaussian has no epsilon at delta 0')
  const { masses, cut, grid } = distribution(tally, left)
  const curve = curveOf(masses, grid.step, cut.bits)
  const wanted = toInteger(mul(left, integer(1n << BigInt(cut.bits))), 'down')
  const index = curve.findIndex((delta) => delta <= wanted)
  if (index === 0) return zero
  if (index < 0) {
    if (pure) return pure
    throw new ParameterError('this delta is too small for the loss distribution')
  }
  const epsilon = along(mul(grid.step, integer(index - 1)), grid.step, curve[index - 1]!, curve[index]!, wanted)
  return pure && compare(pure, epsilon) < 0 ? pure : epsilon
}

/** The delta of a tally at `epsilon`, rounded up; figures below 2^-2000 may come out as that. Throws ParameterError as `pldToEpsilon` does. */
export const pldToDelta = (tally: LossTally, epsilon: Rational): Rational => {
  requireNotNegative(epsilon, 'epsilon')
  requireKnown(tally)
  const pure = pureSum(tally)
  if (pure && compare(epsilon, pure) >= 0) return tally.failure
  // Concentrated privacy says about how small the figure is.
  const squares = add(
    tally.muSquared,
    sumOver(tally, (kind) => mul(kind.epsilon, kind.epsilon)),
  )
  const guess = zcdpToDelta(div(squares, integer(2n)), epsilon)
  for (let power = bitLength(guess.den) - bitLength(guess.num) + 8; ; power *= 2) {
    const target = ratio(1n, 1n << BigInt(power))
    const { masses, cut, grid } = distribution(tally, target)
    const curve = curveOf(masses, grid.step, cut.bits)
    const unit = ratio(1n, 1n << BigInt(cut.bits))
    const index = Number(toInteger(div(epsilon, grid.step), 'down'))
    const rest = mul(unit, chord(curve, masses.boundless, index, epsilon, grid.step))
    const found = compare(rest, one) > 0 ? one : rest
    if (compare(found, target) >= 0 || power > 2000) return deltaWith(tally, found)
  }
}

/** The chord of the curve at `epsilon`, in the unit of mass. */
const chord = (
  curve: readonly bigint[],
  boundless: bigint,
  index: number,
  epsilon: Rational,
  step: Rational,
): Rational => {
  const above = curve[index] ?? boundless
  const below = curve[index + 1] ?? boundless
  const offset = sub(epsilon, mul(step, integer(index)))
  if (sign(offset) === 0 || above === below) return integer(above)
  const precision = 128
  // The share of the way, (e^offset - 1) / (e^step - 1), rounded down.
  const width = 1n << BigInt(precision)
  const whole = plain(expNegativeRational(step, precision))
  const part = plain(expNegativeRational(offset, precision))
  const share = dividePositive(
    { lower: (width - part.upper) * whole.lower, upper: 0n },
    { lower: 1n, upper: (width - whole.lower) * part.upper },
    precision,
  )
  return sub(integer(above), mul(integer(above - below), ratio(share.lower, width)))
}
