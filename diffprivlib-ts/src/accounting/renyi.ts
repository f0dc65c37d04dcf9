// Rényi differential privacy (Mironov, 2017): divergences of each order, which add up under composition, and their conversion (Canonne, Kamath
// and Steinke, 2020, proposition 12). Orders are exact fractions; every divergence, epsilon and delta is rounded up.
import { ParameterError } from '../errors.ts'
import { directed } from '../numeric/directed.ts'
import {
  dividePositive,
  type Enclosure,
  encloseRational,
  expNegative,
  expNegativeRational,
  lnFraction,
  plain,
  type Scaled,
  subtract,
  timesPositive,
  timesRational,
} from '../numeric/fixed-point.ts'
import { requireDelta, requireNotNegative, requirePositive } from '../parameters.ts'
import {
  add,
  bitLength,
  compare,
  div,
  format,
  integer,
  mul,
  one,
  type Rational,
  ratio,
  sign,
  sub,
  zero,
} from '../rational.ts'
import { deltaLeft, deltaWith, type LossTally, sumOver } from './tally.ts'

/** The divergence at an order above 1, rounded up. */
export type RenyiCurve = (order: Rational) => Rational

/** Orders 1 + k 2^j / 4 for k from 4 to 7 and j from -8 to 18: four to each doubling of order - 1, from 1.004 to 458,753. */
export const defaultOrders: readonly Rational[] = Object.freeze(
  Array.from({ length: 27 }, (_, j) => j - 8).flatMap((j) =>
    [4n, 5n, 6n, 7n].map((k) => add(one, j >= 2 ? integer(k << BigInt(j - 2)) : ratio(k, 1n << BigInt(2 - j)))),
  ),
)

const requireOrder = (order: Rational): Rational => {
  if (compare(order, one) <= 0) throw new ParameterError(`an order must be greater than 1, got ${format(order)}`)
  return order
}

/** ln of an enclosed positive value. */
const lnOf = ({ lower, upper }: Enclosure, precision: number): Enclosure => ({
  lower: lnFraction(lower, 1n << BigInt(precision), precision).lower,
  upper: lnFraction(upper, 1n << BigInt(precision), precision).upper,
})

const decay = (exponent: Rational, precision: number): Enclosure => plain(expNegativeRational(exponent, precision))

/**
 * The divergence of discrete Laplace noise whose query moves by `steps` steps and `epsilon` in all, at one order a: with w = epsilon / steps,
 * q = e^-w and r = e^(-(2 a - 1) w), epsilon + ln((1 + (1 - q)(r - r^steps) / (1 - r) + r^steps) / (1 + q)) / (a - 1), rounded up. One step, the
 * default, is randomised response and the most of all pure guarantees; many steps approach Laplace noise on the reals (Mironov, 2017, table
 * II). Throws ParameterError for an order not above 1 or arguments out of range.
 */
export const laplaceRenyi = (epsilon: Rational, order: Rational, steps = 1n): Rational => {
  requireNotNegative(epsilon, 'epsilon')
  requireOrder(order)
  if (steps < 1n) throw new ParameterError('a Laplace loss has at least one step')
  if (sign(epsilon) === 0) return zero
  const step = div(epsilon, integer(steps))
  const twice = sub(add(order, order), one)
  const inverse = div(one, sub(order, one))
  // The value is about order * epsilon^2 / 2 where that is small: the digits that the difference from epsilon loses are added.
  const lost = 2 * Math.max(bitLength(epsilon.den) - bitLength(epsilon.num), 0) + bitLength(steps)
  return directed(
    (precision) => {
      const whole = 1n << BigInt(precision)
      const q = decay(step, precision)
      const r = decay(mul(twice, step), precision)
      const last = decay(mul(twice, epsilon), precision)
      const span = { lower: r.lower > last.upper ? r.lower - last.upper : 0n, upper: r.upper - last.lower }
      const part = timesPositive(
        { lower: whole - q.upper, upper: whole - q.lower },
        dividePositive(span, { lower: whole - r.upper, upper: whole - r.lower }, precision),
        precision,
      )
      const middle = steps === 1n ? { lower: 0n, upper: 0n } : part
      const inside = { lower: whole + middle.lower + last.lower, upper: whole + middle.upper + last.upper }
      const kept = dividePositive(inside, { lower: whole + q.lower, upper: whole + q.upper }, precision)
      const logarithm = timesRational(lnOf(kept, precision), inverse)
      const bound = encloseRational(epsilon, precision)
      return { lower: bound.lower + logarithm.lower, upper: bound.upper + logarithm.upper }
    },
    'up',
    192 + lost,
  )
}

/** The divergence of a Gaussian at one order: order mu^2 / 2, exactly. Throws ParameterError for an order not above 1. */
export const gaussianRenyi = (muSquared: Rational, order: Rational): Rational =>
  div(mul(requireOrder(order), muSquared), integer(2n))

/**
 * The divergence at order 1 of any mechanism whose losses span at most `range`, such as an exponential mechanism of that epsilon:
 * x - 1 - ln x for x = range / (e^range - 1), rounded up (Dong, Durfee and Rogers, 2020). Throws ParameterError unless range > 0.
 */
export const boundedRangeKl = (range: Rational): Rational => {
  requirePositive(range, 'the range')
  const lost = 3 * Math.max(bitLength(range.den) - bitLength(range.num), 0)
  return directed(
    (precision) => {
      const whole = 1n << BigInt(precision)
      const u = decay(range, precision)
      const x = dividePositive(
        timesPositive(encloseRational(range, precision), u, precision),
        { lower: whole - u.upper, upper: whole - u.lower },
        precision,
      )
      return subtract({ lower: x.lower - whole, upper: x.upper - whole }, lnOf(x, precision))
    },
    'up',
    192 + lost,
  )
}

/** The rho of any mechanism whose losses span at most `range`: range^2 / 8, exactly (Cesar and Rogers, 2021). */
export const boundedRangeRho = (range: Rational): Rational => {
  requireNotNegative(range, 'the range')
  return div(mul(range, range), integer(8n))
}

/** The divergence of a whole tally at one order, outright failures aside. Throws ParameterError for an order not above 1. */
export const tallyRenyi = (tally: LossTally, order: Rational): Rational =>
  add(
    add(gaussianRenyi(tally.muSquared, order), mul(order, tally.rho)),
    sumOver(tally, ({ epsilon, steps }) => laplaceRenyi(epsilon, order, steps)),
  )

/** An epsilon and the order that gave it. */
export interface RenyiEpsilon {
  readonly epsilon: Rational
  readonly order: Rational
}

/** d + ln(1 - 1/a) - ln(delta a) / (a - 1), rounded up. */
const epsilonAt = (divergence: Rational, order: Rational, delta: Rational): Rational => {
  const excess = sub(order, one)
  const product = mul(delta, order)
  return directed((precision) => {
    const kept = lnFraction(excess.num * order.den, excess.den * order.num, precision)
    const rest = timesRational(lnFraction(product.num, product.den, precision), div(one, excess))
    const base = encloseRational(divergence, precision)
    return subtract({ lower: base.lower + kept.lower, upper: base.upper + kept.upper }, rest)
  }, 'up')
}

/**
 * The least epsilon over `orders` that a curve gives at `delta`, rounded up and not below 0. Throws ParameterError for a delta outside (0, 1), no
 * orders, or one not above 1.
 */
export const renyiToEpsilon = (
  curve: RenyiCurve,
  delta: Rational,
  orders: readonly Rational[] = defaultOrders,
): RenyiEpsilon => {
  requireDelta(delta)
  let best: RenyiEpsilon | undefined
  for (const order of orders) {
    const epsilon = epsilonAt(curve(requireOrder(order)), order, delta)
    if (!best || compare(epsilon, best.epsilon) < 0) best = { epsilon, order }
  }
  if (!best) throw new ParameterError('a conversion needs at least one order')
  return sign(best.epsilon) < 0 ? { ...best, epsilon: zero } : best
}

/**
 * The least delta over `orders` that a curve gives at `epsilon`: e^((a - 1)(d - epsilon)) (1 - 1/a)^a / (a - 1), rounded up and at most 1. Throws
 * ParameterError for a negative epsilon or an order not above 1.
 */
export const renyiToDelta = (
  curve: RenyiCurve,
  epsilon: Rational,
  orders: readonly Rational[] = defaultOrders,
): Rational => {
  requireNotNegative(epsilon, 'epsilon')
  let best = one
  for (const order of orders) {
    const excess = sub(requireOrder(order), one)
    const exponent = mul(excess, sub(epsilon, curve(order)))
    const delta = directed((precision): Scaled => {
      const kept = timesRational(lnFraction(excess.num * order.den, excess.den * order.num, precision), order)
      const base = encloseRational(exponent, precision)
      const size = lnFraction(excess.num, excess.den, precision)
      const negated = subtract({ lower: base.lower + size.lower, upper: base.upper + size.upper }, kept)
      if (negated.lower <= 0n) return { lower: 1n << BigInt(precision), upper: 1n << BigInt(precision), shift: 0 }
      return expNegative(negated, precision)
    }, 'up')
    if (compare(delta, best) < 0) best = delta
  }
  return best
}

/** The epsilon of a tally at `delta` by Rényi divergences, rounded up. Throws ParameterError when the outright failures exceed delta. */
export const tallyRenyiEpsilon = (tally: LossTally, delta: Rational, orders = defaultOrders): Rational => {
  const left = deltaLeft(tally, delta)
  if (!left || sign(left) === 0) throw new ParameterError('the deltas of the losses add up to this delta or more')
  return renyiToEpsilon((order) => tallyRenyi(tally, order), left, orders).epsilon
}

/** The delta of a tally at `epsilon` by Rényi divergences, rounded up. */
export const tallyRenyiDelta = (tally: LossTally, epsilon: Rational, orders = defaultOrders): Rational =>
  deltaWith(
    tally,
    renyiToDelta((order) => tallyRenyi(tally, order), epsilon, orders),
  )
