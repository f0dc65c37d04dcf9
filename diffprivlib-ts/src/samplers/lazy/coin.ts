// Coins whose bias is a real number that can be computed as finely as asked, but not written down. The uniform number is drawn as far as it
// takes to tell which side of the bias it lies on, so the coin has exactly that bias.
import type { Enclosure } from '../../numeric/fixed-point.ts'
import type { BitSource } from '../../random/bit-source.ts'
import { extend, type Prefix, usualStep } from './prefix.ts'

/** A real number as a function from a precision to an enclosure at that precision, narrower without limit as it grows. */
export type Real = (precision: number) => Enclosure

/** Whether U < bias, drawing bits until it is certain: true with probability `bias`. */
export const belowOf = (prefix: Prefix, bias: Real, source: BitSource, step: number): boolean => {
  let known = prefix
  for (;;) {
    const precision = known.length + 32
    const { lower, upper } = bias(precision)
    if ((known.value + 1n) << 32n <= lower) return true
    if (known.value << 32n >= upper) return false
    known = extend(known, source, step)
  }
}

/** A coin of this bias that computes it to 32 bits once, and again only where the first 32 of U are those of the bias. */
export const realCoin = (bias: Real, source: BitSource): (() => boolean) => {
  const { lower, upper } = bias(32)
  const [surely, possibly] = [Number(lower), Number(upper)]
  return () => {
    const word = source.word()
    if (word < surely) return true
    return word < possibly && belowOf({ value: BigInt(word), length: 32 }, bias, source, usualStep)
  }
}
