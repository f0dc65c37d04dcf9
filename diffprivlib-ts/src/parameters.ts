import { ParameterError } from './errors.ts'
import { compare, one, type Rational, sign } from './rational.ts'

/** Refuses a value that is not greater than 0; `name` begins the sentence of the ParameterError. */
export const requirePositive = (value: Rational, name: string): void => {
  if (sign(value) <= 0) throw new ParameterError(`${name} must be greater than 0`)
}

/** Refuses a value below 0. */
export const requireNotNegative = (value: Rational, name: string): void => {
  if (sign(value) < 0) throw new ParameterError(`${name} must not be negative`)
}

/** Refuses a delta outside the open interval from 0 to 1. */
export const requireDelta = (delta: Rational): void => {
  if (sign(delta) <= 0 || compare(delta, one) >= 0) throw new ParameterError('delta must lie strictly between 0 and 1')
}

/** Refuses a delta outside [0, 1): no guarantee is left at 1. */
export const requireDeltaOrZero = (delta: Rational): void => {
  if (sign(delta) < 0 || compare(delta, one) >= 0) throw new ParameterError('delta must be at least 0 and less than 1')
}

/** Refuses a count that is not a safe integer of at least 1. */
export const requireCount = (count: number, name: string): void => {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new ParameterError(`${name} must be an integer of at least 1, got ${count}`)
}
