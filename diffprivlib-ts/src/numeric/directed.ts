import { ParameterError } from '../errors.ts'
import { bitLength, type Rational, type Rounding, ratio } from '../rational.ts'
import { type Enclosure, largestShift, type Scaled } from './fixed-point.ts'

const significantBits = 72
const precisionLimit = 1 << 16

const isTight = ({ lower, upper }: Enclosure): boolean => {
  const width = upper - lower
  const size = bitLength(lower)
  return width === 0n || (lower > 0n && bitLength(width) + significantBits <= size)
}

/** One end of an enclosure as a fraction, cut to 80 significant bits away from the exact value's other side. */
export const endOf = (
  value: Enclosure & { readonly shift?: number },
  precision: number,
  rounding: Rounding,
): Rational => {
  const end = rounding === 'up' ? value.upper : value.lower
  const excess = BigInt(Math.max(bitLength(end) - 80, 0))
  const cut = rounding === 'up' ? -(-end >> excess) : end >> excess
  return ratio(cut << excess, 1n << BigInt(precision + (value.shift ?? 0)))
}

/**
 * Evaluates at growing precision until the enclosure is tight to 72 significant bits, then returns its safe end.
 * A value that is not positive is returned as soon as its sign is certain: callers clip it to zero.
 * Throws ParameterError when 65,536 bits do not suffice, or the value lies below 2^-16777216.
 */
export const directed = (
  evaluate: (precision: number) => Enclosure | Scaled,
  rounding: Rounding,
  startPrecision = 192,
): Rational => {
  for (let precision = startPrecision; precision <= precisionLimit; precision *= 2) {
    const value = evaluate(precision)
    if ('shift' in value && value.shift >= largestShift) break
    if (isTight(value) || value.upper <= 0n) return endOf(value, precision, rounding)
  }
  throw new ParameterError('the parameters are too extreme to evaluate this bound')
}
