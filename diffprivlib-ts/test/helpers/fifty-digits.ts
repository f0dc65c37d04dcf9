// Plain decimal fixed point on bigint with 90 places, for references good to 50 digits and more. It shares no line and no series with src/numeric:
// exp and ln by halving and Taylor, erfc by the alternating series of erf. Results are within a few hundred units of the last place.
import type { Rational } from '../../src/rational.ts'

export const places = 90
export const unit = 10n ** BigInt(places)

/** A fraction, cut. */
export const fixed = ({ num, den }: Rational): bigint => (num * unit) / den
export const multiply = (a: bigint, b: bigint): bigint => (a * b) / unit
export const divide = (a: bigint, b: bigint): bigint => (a * unit) / b

export const root = (value: bigint): bigint => {
  const x = value * unit
  if (x < 2n) return x
  let guess = 1n << BigInt(x.toString(2).length / 2 + 1 > 0 ? Math.ceil(x.toString(2).length / 2) + 1 : 1)
  for (;;) {
    const next = (guess + x / guess) >> 1n
    if (next >= guess) return guess
    guess = next
  }
}

/** e^x for any sign. */
export const exp = (x: bigint): bigint => {
  const extra = 10n ** 60n
  const halvings = 40n
  let term = unit * extra
  let sum = term
  const small = (x * extra) >> halvings
  for (let n = 1n; term !== 0n; n += 1n) {
    term = (term * small) / (unit * extra) / n
    sum += term
  }
  for (let i = 0n; i < halvings; i += 1n) sum = (sum * sum) / (unit * extra)
  return sum / extra
}

/** ln x for x > 0, by Newton's iteration on exp. */
export const ln = (x: bigint): bigint => {
  const digits = x.toString().length
  let y = (BigInt(digits - places) * 2302585093n * unit) / 1_000_000_000n
  for (let i = 0; i < 400; i++) {
    const power = exp(y)
    const step = divide(2n * (x - power), x + power)
    y += step
    if (step < 100n && step > -100n) return y
  }
  throw new RangeError('the logarithm did not settle')
}

const arctan = (inverse: bigint): bigint => {
  let power = (unit * 10n ** 10n) / inverse
  let sum = 0n
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += (n % 4n === 1n ? power : -power) / n
    power /= inverse * inverse
  }
  return sum / 10n ** 10n
}
/** By Euler's formula. */
export const pi = 4n * (arctan(2n) + arctan(3n))

/** erfc x for any sign and |x| < 40; the alternating series needs as many places more as its largest term has digits. */
export const erfc = (x: bigint): bigint => {
  const size = Number(x / 10n ** BigInt(places - 6)) / 1e6
  const extra = 10n ** BigInt(Math.ceil(size * size * 0.9) + 20)
  const square = multiply(x, x)
  let term = x * extra
  let sum = term
  for (let n = 1n; term !== 0n; n += 1n) {
    term = (-term * square) / unit / n
    sum += term / (2n * n + 1n)
  }
  // Relative digits of the difference are the caller's to mind: there are 90 - x^2 / 2.3 of them.
  return unit - (2n * divide(sum, root(pi))) / extra
}

/** delta(epsilon) of Gaussian noise, in the form of Balle and Wang, with mu itself and not its square. */
export const gaussianDelta = (muSquared: bigint, epsilon: bigint): bigint => {
  const mu = root(muSquared)
  const scaled = divide(epsilon, mu)
  const two = root(2n * unit)
  const a = divide(scaled - mu / 2n, two)
  const b = divide(scaled + mu / 2n, two)
  return (erfc(a) - multiply(exp(epsilon), erfc(b))) / 2n
}

/** The least of a convex function, by ternary search on the logarithm of its argument. */
export const least = (of: (x: bigint) => bigint, low: bigint, high: bigint): bigint => {
  let [from, to] = [low, high]
  for (let i = 0; i < 260; i++) {
    const [left, right] = [from + (to - from) / 3n, to - (to - from) / 3n]
    if (of(left) <= of(right)) to = right
    else from = left
  }
  return of((from + to) / 2n)
}

/** The epsilon of rho-zCDP at delta: the least over orders 1 + x of a rho + ln(1 - 1/a) - ln(delta a) / (a - 1). */
export const zcdpEpsilon = (rho: bigint, delta: bigint): bigint => {
  const at = (logExcess: bigint): bigint => {
    const excess = exp(logExcess)
    const order = excess + unit
    return multiply(order, rho) + ln(divide(excess, order)) - divide(ln(multiply(delta, order)), excess)
  }
  return least(at, -20n * unit, 20n * unit)
}
