import { ParameterError } from './errors.ts'
import { bitLength, format, type Rational, sign } from './rational.ts'

const largestPower = 1024
const largestLength = 65_536

/**
 * Refuses a noise parameter that is not positive, lies outside 2^-1024 to 2^1024, or is written with more than 65,536 bits: past these a draw
 * would take unbounded time, and no query has such a unit. `subject` begins the sentence of the ParameterError.
 */
export const requireNoiseParameter = (value: Rational, subject: string): void => {
  if (sign(value) <= 0) throw new ParameterError(`${subject} must be greater than 0, got ${short(value)}`)
  const [above, below] = [bitLength(value.num), bitLength(value.den)]
  if (Math.abs(above - below) > largestPower) throw new ParameterError(`${subject} must lie between 2^-1024 and 2^1024`)
  if (above + below > largestLength)
    throw new ParameterError(`${subject} must be a fraction of at most 65,536 bits: round it up first`)
}

const short = (value: Rational): string => {
  const text = format(value)
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`
}
