import { ParameterError } from '../errors.ts'
import { type BitSource, wideBits } from '../random/bit-source.ts'
import { bitLength } from '../rational.ts'
import { untilAccepted } from './rejection.ts'

/** One try at a uniform integer below `bound`: the fewest bits that can hold bound - 1, refused when they reach `bound`. */
export const uniformAttempt = (source: BitSource, bound: bigint): bigint | undefined => {
  const candidate = wideBits(source, bitLength(bound - 1n))
  return candidate < bound ? candidate : undefined
}

const wordSize = 2 ** 32

/** `uniformAttempt` in numbers, for bounds from 2 to 2^53: the same bits, and the same outcome. */
export const uniformNumberAttempt = (source: BitSource, bound: number): number | undefined => {
  let candidate: number
  if (bound <= wordSize) candidate = source.bits(32 - Math.clz32(bound - 1))
  else {
    const more = 32 - Math.clz32((bound - 1) / wordSize)
    candidate = source.word() * (1 << more) + source.bits(more)
  }
  return candidate < bound ? candidate : undefined
}

/** The largest bound, and denominator of a coin, that is taken in numbers. */
export const numberBoundLimit = 2 ** 53
const bigNumberBoundLimit = BigInt(numberBoundLimit)

/** A uniform integer in [0, bound), by rejection, for a bound from 1 to 2^53. */
export const uniformNumber = (source: BitSource, bound: number): number => {
  if (bound === 1) return 0
  for (;;) {
    const candidate = uniformNumberAttempt(source, bound)
    if (candidate !== undefined) return candidate
  }
}

/** A uniform integer in [0, bound), by rejection and never by remainder. Throws ParameterError when `bound` is below 1. */
export const uniformBelow = (source: BitSource, bound: bigint): bigint => {
  if (bound < 1n) throw new ParameterError(`a uniform integer needs a bound of at least 1, got ${bound}`)
  if (bound <= bigNumberBoundLimit) return BigInt(uniformNumber(source, Number(bound)))
  return untilAccepted(() => uniformAttempt(source, bound))
}
