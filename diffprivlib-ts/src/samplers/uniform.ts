import { ParameterError } from '../errors.ts'
import { type BitSource, wideBits } from '../random/bit-source.ts'
import { bitLength } from '../rational.ts'
import { untilAccepted } from './rejection.ts'

/** One try at a uniform integer below `bound`: the fewest bits that can hold bound - 1, refused when they reach `bound`. */
export const uniformAttempt = (source: BitSource, bound: bigint): bigint | undefined => {
  const candidate = wideBits(source, bitLength(bound - 1n))
  return candidate < bound ? candidate : undefined
}

/** A uniform integer in [0, bound), by rejection and never by remainder. Throws ParameterError when `bound` is below 1. */
export const uniformBelow = (source: BitSource, bound: bigint): bigint => {
  if (bound < 1n) throw new ParameterError(`a uniform integer needs a bound of at least 1, got ${bound}`)
  return bound === 1n ? 0n : untilAccepted(() => uniformAttempt(source, bound))
}
