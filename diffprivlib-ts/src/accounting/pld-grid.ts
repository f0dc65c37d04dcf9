// The grid of a privacy-loss distribution. Any grid is safe; this one keeps the variance that the chords add below 2 * 10^-4 of the losses' own.
import { ParameterError } from '../errors.ts'
import { sqrt } from '../numeric/fixed-point.ts'
import {
  add,
  compare,
  div,
  integer,
  max,
  mul,
  one,
  type Rational,
  ratio,
  sign,
  sub,
  toInteger,
  zero,
} from '../rational.ts'
import type { LaplaceTally } from './tally.ts'

/** The grid of one composition. */
export interface Grid {
  readonly step: Rational
  /** The distance of dots of the Gaussian's curve, in steps. */
  readonly stride: number
  /** The Gaussian's mu, rounded up. */
  readonly mu: Rational
}

const mostPoints = 1n << 18n
const added = ratio(12n, 10_000n)
/** Lattices of at most so many steps are kept as they are. */
const finestLattice = 64n

const root = (value: Rational, precision = 96): Rational => ratio(sqrt(value, precision).upper, 1n << BigInt(precision))

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b))
/** The largest fraction of which both are whole multiples. */
const commonMeasure = (a: Rational, b: Rational): Rational => ratio(gcd(a.num * b.den, b.num * a.den), a.den * b.den)

/** A loss's own variance, about: epsilon^2, or epsilon where that is less. */
const varianceOf = (epsilon: Rational): Rational => (compare(epsilon, one) > 0 ? epsilon : mul(epsilon, epsilon))

const total = (kinds: readonly LaplaceTally[], of: (kind: LaplaceTally) => Rational): Rational =>
  kinds.reduce((sum, kind) => add(sum, mul(integer(kind.count), of(kind))), zero)

/** The step where chords over whole steps, met by `share` of the mass of each loss, add what is allowed: d^2 / 6 each. */
const stepFor = (variance: Rational, share: Rational): Rational | undefined =>
  sign(share) === 0 ? undefined : root(div(mul(added, variance), share))

/** Throws ParameterError when the Gaussian part is so large that no useful guarantee is left. */
export const chooseGrid = (kinds: readonly LaplaceTally[], muSquared: Rational): Grid => {
  if (compare(muSquared, integer(1600n)) > 0)
    throw new ParameterError('mu^2 is above 1600, an epsilon in the hundreds: compose it with "zcdp" or "gaussian"')
  const variance = add(
    muSquared,
    total(kinds, ({ epsilon }) => varianceOf(epsilon)),
  )
  const mu = root(muSquared)
  const gaussian = sign(muSquared) > 0 ? one : zero
  const coarse = stepFor(
    variance,
    add(
      gaussian,
      total(kinds, () => one),
    ),
  )!
  // Losses at the ends of the lattice cost nothing when the ends are on the grid; of the rest there is at most epsilon / 2.
  const measures = [
    kinds.map(({ epsilon, steps }) => (steps <= finestLattice ? div(epsilon, integer(steps)) : epsilon)),
    kinds.map(({ epsilon }) => epsilon),
  ]
  let step = coarse
  for (const [i, measure] of measures.entries()) {
    if (measure.length === 0) continue
    const common = measure.reduce(commonMeasure)
    if (compare(mul(common, integer(3n)), coarse) < 0) continue
    const off = total(kinds, ({ epsilon, steps }) => {
      if (steps <= (i === 0 ? finestLattice : 1n)) return zero
      return compare(epsilon, integer(2n)) > 0 ? one : div(epsilon, integer(2n))
    })
    const allowed = stepFor(variance, add(gaussian, off))
    step = allowed ? div(common, integer(max(one, integer(toInteger(div(common, allowed), 'up'))).num)) : common
    break
  }
  const widest = kinds.reduce(
    (most, { epsilon }) => max(most, mul(integer(2n), epsilon)),
    mul(integer(24n), root(variance)),
  )
  const least = div(widest, integer(mostPoints))
  if (compare(step, least) < 0) step = least
  // A step with few bits keeps fractions short; a step on a common measure stays as it is.
  if (compare(step, coarse) === 0 || compare(step, least) === 0) step = shortened(step)
  const stride = Number(toInteger(div(mu, mul(integer(32n), step)), 'down'))
  return { step, stride: Math.max(stride, 1), mu }
}

const shortened = (step: Rational): Rational => {
  const bits = Math.max(step.den.toString(2).length - step.num.toString(2).length + 16, 16)
  const cut = ratio(toInteger(mul(step, integer(1n << BigInt(bits))), 'up'), 1n << BigInt(bits))
  return sign(sub(cut, zero)) > 0 ? cut : step
}
