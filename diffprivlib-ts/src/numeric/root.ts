import { ParameterError } from '../errors.ts'
import { type Rational, ratio } from '../rational.ts'

const mantissaBits = 48
const exponentLimit = 100_000

const dyadic = (mantissa: bigint, exponent: number): Rational =>
  exponent >= 0 ? ratio(mantissa << BigInt(exponent), 1n) : ratio(mantissa, 1n << BigInt(-exponent))

/**
 * The positive argument where `rising` turns positive, to 48 significant bits and in plain bisection, so that every machine finds the
 * same one. Callers use it for the free parameter of a bound that holds at any argument: an inexact root costs tightness, not truth.
 * Throws ParameterError when the sign does not turn between 2^-100000 and 2^100000.
 */
export const turningPoint = (rising: (argument: Rational) => boolean): Rational => {
  let exponent = 0
  const above = rising(dyadic(1n, 0))
  const step = above ? -1 : 1
  // Gallop to the power of two just below the turn.
  let stride = 1
  while (rising(dyadic(1n, exponent + step * stride)) === above) {
    exponent += step * stride
    stride *= 2
    if (stride > exponentLimit) throw new ParameterError('the parameters are too extreme for this bound')
  }
  let far = exponent + step * stride
  while (Math.abs(far - exponent) > 1) {
    const middle = Math.trunc((far + exponent) / 2)
    if (rising(dyadic(1n, middle)) === above) exponent = middle
    else far = middle
  }
  const base = Math.min(exponent, far)
  let low = 1n << BigInt(mantissaBits)
  let high = low << 1n
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (rising(dyadic(middle, base - mantissaBits))) high = middle
    else low = middle
  }
  return dyadic(low, base - mantissaBits)
}
