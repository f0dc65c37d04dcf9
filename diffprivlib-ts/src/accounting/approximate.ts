// Composition of pure and approximate guarantees by formula: the sum, Dwork, Rothblum and Vadhan (2010) and Kairouz, Oh and Viswanath (2015,
// "The composition theorem for differential privacy"), each rounded up.
import { ParameterError } from '../errors.ts'
import {
  type Enclosure,
  expNegative,
  expNegativeRational,
  lnFraction,
  plain,
  sqrt,
  times,
} from '../numeric/fixed-point.ts'
import { power } from '../numeric/power.ts'
import { requireCount, requireDelta, requireDeltaOrZero, requireNotNegative } from '../parameters.ts'
import { add, bitLength, compare, div, integer, mul, one, type Rational, ratio, sign, sub, zero } from '../rational.ts'
import { type LossTally, sumOver } from './tally.ts'

const precision = 192
const unit = 1n << BigInt(precision)
const fraction = (value: bigint): Rational => ratio(value, unit)

const rootAbove = (value: Rational): Rational => fraction(sqrt(value, precision).upper)
const lnAbove = (value: Rational): Rational => fraction(lnFraction(value.num, value.den, precision).upper)
const eulerAbove = (): Rational => ratio(unit, plain(expNegativeRational(one, precision)).lower)

/** epsilon (1 - e^-epsilon) / (1 + e^-epsilon), the mean loss of randomised response, rounded up. */
const meanLoss = (epsilon: Rational): Rational => {
  const { lower } = plain(expNegativeRational(epsilon, precision))
  return mul(epsilon, ratio(unit - lower, unit + lower))
}

const requireNoGaussian = (tally: LossTally, rule: string): void => {
  if (sign(tally.muSquared) > 0 || sign(tally.rho) > 0)
    throw new ParameterError(`${rule} composition takes pure, approximate and Laplace losses only`)
}

/** The sum of the epsilons. Throws ParameterError when a loss is Gaussian or known as zCDP only. */
export const basicEpsilon = (tally: LossTally): Rational => {
  requireNoGaussian(tally, 'basic')
  return sumOver(tally, ({ epsilon }) => epsilon)
}

/**
 * The epsilon that holds but for `slack` besides the losses' own deltas, when the losses were fixed beforehand: the least of the sum and the
 * two forms of Kairouz, Oh and Viswanath's theorem 3.5, as diffprivlib computes it. With slack 0 it is the sum. Rounded up. Throws
 * ParameterError when a loss is Gaussian or known as zCDP only, or for a slack outside [0, 1).
 */
export const kairouzOhViswanathEpsilon = (tally: LossTally, slack: Rational): Rational => {
  requireNoGaussian(tally, 'Kairouz-Oh-Viswanath')
  requireDeltaOrZero(slack)
  const sum = sumOver(tally, ({ epsilon }) => epsilon)
  if (sign(slack) === 0 || sign(sum) === 0) return sum
  const mean = sumOver(tally, ({ epsilon }) => meanLoss(epsilon))
  const squares = sumOver(tally, ({ epsilon }) => mul(epsilon, epsilon))
  const wide = (logarithm: Rational): Rational => add(mean, rootAbove(mul(mul(integer(2n), squares), logarithm)))
  const first = wide(lnAbove(div(one, slack)))
  const second = wide(lnAbove(add(eulerAbove(), div(rootAbove(squares), slack))))
  return [first, second].reduce((least, value) => (compare(value, least) < 0 ? value : least), sum)
}

/**
 * The same for losses that may be chosen while results come in: the least of the sum and sum(epsilon^2) / 2 + sqrt(2 ln(1 / slack)
 * sum(epsilon^2)) (Whitehouse, Ramdas, Rogers and Wu, 2023, theorem 1). Rounded up; throws as `kairouzOhViswanathEpsilon` does.
 */
export const advancedEpsilon = (tally: LossTally, slack: Rational): Rational => {
  requireNoGaussian(tally, 'advanced')
  requireDeltaOrZero(slack)
  const sum = sumOver(tally, ({ epsilon }) => epsilon)
  if (sign(slack) === 0) return sum
  const squares = sumOver(tally, ({ epsilon }) => mul(epsilon, epsilon))
  const deviation = rootAbove(mul(mul(integer(2n), squares), lnAbove(div(one, slack))))
  const value = add(div(squares, integer(2n)), deviation)
  return compare(value, sum) < 0 ? value : sum
}

/**
 * The optimal composition of `count` equal guarantees (epsilon, delta): the least of epsilon times count, count - 2, count - 4, ... that
 * holds at `totalDelta` (Kairouz, Oh and Viswanath, theorem 3.3), exactly that multiple. Throws ParameterError for arguments out of
 * range or where the deltas alone exceed `totalDelta`.
 */
export const optimalComposition = (options: {
  readonly epsilon: Rational
  readonly delta: Rational
  readonly count: number
  readonly totalDelta: Rational
}): Rational => {
  const { epsilon, delta, count, totalDelta } = options
  requireNotNegative(epsilon, 'epsilon')
  requireDeltaOrZero(delta)
  requireCount(count, 'count')
  const all = power(sub(one, delta), BigInt(count))
  const left = sub(one, div(sub(one, totalDelta), all))
  if (sign(left) < 0) throw new ParameterError('the deltas of the parts add up to more than the total delta')
  if (sign(epsilon) === 0) return zero
  if (sign(left) === 0) return mul(epsilon, integer(count))
  requireDelta(left)
  let best = 0
  for (const [i, bound] of latticeDeltas(epsilon, count)) {
    if (compare(bound, left) > 0) break
    best = i
  }
  return mul(epsilon, integer(count - 2 * best))
}

/**
 * Upper bounds of delta at (count - 2 i) epsilon for i = 0, 1, ..., from the sum over l < i of C(count, l) (u^l - u^(2 i - l)) / (1 + u)^count with
 * u = e^-epsilon. A term is the one before times (count - l) u / (l + 1), held with an exponent so that the first, tiny ones keep their digits.
 */
export function* latticeDeltas(epsilon: Rational, count: number): Generator<readonly [number, Rational]> {
  const bits = 320 + bitLength(BigInt(count))
  const scale = BigInt(bits)
  const u = plain(expNegativeRational(epsilon, bits))
  const whole = 1n << scale
  const log: Enclosure = {
    lower: lnFraction(whole + u.lower, whole, bits).lower,
    upper: lnFraction(whole + u.upper, whole, bits).upper,
  }
  let { lower, upper, shift } = expNegative(times(log, BigInt(count)), bits)
  let sum = 0n
  let echo = 0n
  const square = (u.lower * u.lower) >> scale
  for (let i = 0; 2 * i <= count; i++) {
    yield [i, ratio(sum - echo + 1n, whole)]
    const exponent = BigInt(shift)
    sum += -(-upper >> exponent)
    echo = ((echo + (lower >> exponent)) * square) >> scale
    const [above, below] = [BigInt(count - i), BigInt(i + 1)]
    lower = ((lower * u.lower * above) / below) >> scale
    upper = -(-((upper * u.upper * above) / below + 1n) >> scale)
    const excess = Math.min(bitLength(upper) - bits, shift)
    if (excess > 0) {
      lower >>= BigInt(excess)
      upper = -(-upper >> BigInt(excess))
      shift -= excess
    } else if (excess < -1) {
      lower <<= BigInt(-excess)
      upper <<= BigInt(-excess)
      shift -= excess
    }
  }
}
