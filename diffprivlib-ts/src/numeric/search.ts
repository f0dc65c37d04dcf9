import { add, mul, one, type Rational, ratio, zero } from '../rational.ts'
import { turningPoint } from './root.ts'

const nudge = add(one, ratio(1n, 1n << 47n))

/**
 * The least argument, to 47 significant bits, of which `holds` is true, where `holds` is false below some point and true above it. What is
 * returned was seen to hold, so a caller whose predicate is certified has a certified answer: the search costs tightness, not truth.
 * Throws ParameterError when the point does not lie between 2^-100000 and 2^100000.
 */
export const leastWhere = (holds: (argument: Rational) => boolean): Rational => {
  if (holds(zero)) return zero
  let candidate = turningPoint(holds)
  while (!holds(candidate)) candidate = mul(candidate, nudge)
  return candidate
}

/** The greatest positive argument, to 48 significant bits, of which `holds` is true, where it is true below some point and false above it. */
export const greatestWhere = (holds: (argument: Rational) => boolean): Rational => {
  let candidate = turningPoint((argument) => !holds(argument))
  while (!holds(candidate)) candidate = mul(candidate, shrink)
  return candidate
}

const shrink = ratio((1n << 48n) - 1n, 1n << 48n)
