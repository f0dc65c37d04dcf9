// Hockey-stick curves, held as kept(epsilon) = 1 - delta(epsilon), of the noises that privacy-loss distributions are made of. All of them are
// symmetric: kept(-epsilon) = e^-epsilon kept(epsilon), so one curve serves both directions of a neighbour relation.
import { dividePositive, type Enclosure, expNegativeRational, plain, timesPositive } from '../numeric/fixed-point.ts'
import { add, compare, div, integer, mul, type Rational, ratio, sign, sub, toInteger } from '../rational.ts'
import { gaussianCurve } from './gaussian.ts'

/** kept(epsilon) = 1 - delta(epsilon) at any fraction, as an enclosure. */
export type KeptCurve = (epsilon: Rational, precision: number) => Enclosure

const decay = (exponent: Rational, precision: number): Enclosure => plain(expNegativeRational(exponent, precision))

/**
 * The curve of discrete Laplace noise whose query moves by `steps` steps of the grid and `epsilon` in all. On the lattice of its losses,
 * bound - 2 m bound / steps, it is e^((epsilon - bound) / 2) as on the reals; between two of them it is linear in e^epsilon. One step is
 * randomised response, the worst of all pure guarantees. Moves spread over several coordinates cost no more than one move of their sum:
 * for a <= b and |epsilon| <= a + b the loss of the smaller move exceeds epsilon + b only where e^(epsilon - a) >= e^((epsilon - a - b) / 2).
 */
export const laplaceKept =
  (bound: Rational, steps: bigint): KeptCurve =>
  (epsilon, precision) => {
    const one = 1n << BigInt(precision)
    if (compare(epsilon, bound) >= 0) return { lower: one, upper: one }
    if (compare(add(epsilon, bound), integer(0n)) <= 0) return decay(sub(integer(0n), epsilon), precision)
    const step = div(bound, integer(steps))
    const position = div(sub(bound, epsilon), mul(integer(2n), step))
    const below = toInteger(position, 'down')
    const corner = decay(mul(integer(below), step), precision)
    const past = mul(integer(2n), mul(sub(position, integer(below)), step))
    if (sign(past) === 0) return corner
    const whole = decay(step, precision)
    const part = decay(past, precision)
    const sum = { lower: whole.lower + part.lower, upper: whole.upper + part.upper }
    const divisor = { lower: one + whole.lower, upper: one + whole.upper }
    return timesPositive(corner, dividePositive(sum, divisor, precision), precision)
  }

/** The curve of Gaussian noise on the reals. */
export const gaussianKept =
  (muSquared: Rational): KeptCurve =>
  (epsilon, precision) => {
    const one = 1n << BigInt(precision)
    const magnitude = sign(epsilon) < 0 ? sub(integer(0n), epsilon) : epsilon
    const { lower, upper } = plain(gaussianCurve(muSquared, magnitude, precision))
    const kept = { lower: upper < one ? one - upper : 0n, upper: one - lower }
    return sign(epsilon) < 0 ? timesPositive(kept, decay(magnitude, precision), precision) : kept
  }

/** Privacy losses on a grid: `masses[i]` times 2^-bits is the probability, rounded up, of the loss (`first` + i) * grid. */
export interface LossMasses {
  readonly first: number
  readonly masses: readonly bigint[]
  /** The probability, rounded up and in the same unit, of a loss that counts as boundless. */
  readonly boundless: bigint
}

/**
 * The privacy-loss distribution whose curve is the chain of chords of `kept` between the points of a grid (Doroshenko, Ghazi, Kamath, Kumar
 * and Manurangsi, "Connect the dots", 2022): by convexity it lies above the true curve everywhere, so it dominates the noise in any
 * composition, and unlike losses rounded up its error is of second order in the grid. The chords run from `first` to `last`, with the
 * loss below taken up and the rest above boundless. Masses are rounded up.
 */
export const connectTheDots = (options: {
  readonly kept: KeptCurve
  readonly grid: Rational
  /** Every so many steps of the grid there is a dot. */
  readonly stride: number
  readonly first: number
  readonly last: number
  readonly bits: number
}): LossMasses => {
  const { kept, grid, stride, first, last, bits } = options
  const width = mul(grid, integer(stride))
  // (1 - u) is about the width; second differences lose its square.
  const fine = Math.max(Number(toInteger(div(integer(1n), width), 'up').toString(2).length), 1)
  const precision = bits + 3 * fine + 32
  const one = 1n << BigInt(precision)
  const u = decay(width, precision)
  const dots: Enclosure[] = []
  for (let i = first; i <= last; i += stride) dots.push(kept(mul(grid, integer(i)), precision))
  const lowest = dots[0]!
  const highest = dots[dots.length - 1]!
  const before: Enclosure = timesPositive(lowest, u, precision)
  const masses = new Array<bigint>((dots.length - 1) * stride + 1).fill(0n)
  const divisor = one - u.upper
  const excess = BigInt(precision - bits)
  for (const [i, here] of dots.entries()) {
    const left = dots[i - 1] ?? before
    const right = dots[i + 1] ?? highest
    // p = ((1 + u) kept(i) - kept(i - 1) - u kept(i + 1)) / (1 - u), from the change of slope at the dot.
    const numerator =
      here.upper +
      (((u.upper * here.upper) >> BigInt(precision)) + 1n) -
      left.lower -
      ((u.lower * right.lower) >> BigInt(precision))
    if (numerator > 0n) masses[i * stride] = -(-((numerator << BigInt(precision)) / divisor + 1n) >> excess)
  }
  return { first, masses, boundless: -(-(one - highest.lower) >> excess) }
}

/** The unit of masses as a fraction. */
export const massUnit = (bits: number): Rational => ratio(1n, 1n << BigInt(bits))
