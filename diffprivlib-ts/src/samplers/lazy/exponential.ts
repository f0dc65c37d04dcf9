import type { BitSource } from '../../random/bit-source.ts'
import { negativeLogarithm, prepareLogarithm } from './logarithm.ts'
import type { Prefix } from './prefix.ts'

/** Exponential variables -ln U, one after the other, of which the first bits of U are known. */
export interface LazyExponential {
  /** -ln U of a fresh U, within 2^-47 for every continuation of its bits; NaN, which decides nothing, where its first 43 bits are zero. */
  readonly next: () => number
  /** An independent fair bit, drawn with the last U. */
  readonly negative: () => boolean
  /** All that is known of the last U. Throws RangeError when it was forgotten: a decision must draw a number of its own. */
  readonly prefix: () => Prefix
  /** Overwrites the last U, so that a later look into memory does not find it: called when its outcome is decided. */
  readonly forget: () => void
}

/** U below 2^-43: all that is known when the first 43 bits are zero. */
export const deepPrefix: Prefix = { value: 0n, length: 43 }

/** The prefix that j and the 52 bits after the first one stand for. */
export const prefixOf = (j: number, high: number, low: number): Prefix => ({
  value: (1n << 52n) | (BigInt(high) << 32n) | BigInt(low),
  length: 52 + j,
})

const forgotten = -1

/**
 * Draws U as two words: the first holds 11 bits that place U's first one, the fair bit, and 20 bits of the 52 after that one; the second holds
 * the other 32. A third places the first one where those 11 bits are zero.
 */
export const lazyExponential = (source: BitSource): LazyExponential => {
  prepareLogarithm()
  const word = source.word
  const last = { j: forgotten, high: 0, low: 0, negative: false }
  return {
    next: () => {
      const first = word()
      const low = word()
      const high = first & 0xfffff
      const place = first >>> 21
      let j = Math.clz32(place) - 20
      if (place === 0) {
        const more = word()
        j = more === 0 ? 0 : 12 + Math.clz32(more)
      }
      last.j = j
      last.high = high
      last.low = low
      last.negative = (first & 0x100000) !== 0
      return j === 0 ? Number.NaN : negativeLogarithm(j, high, low)
    },
    negative: () => last.negative,
    prefix: () => {
      if (last.j === forgotten) throw new RangeError('no number was drawn for this decision')
      return last.j === 0 ? deepPrefix : prefixOf(last.j, last.high, last.low)
    },
    forget: () => {
      last.j = forgotten
      last.high = 0
      last.low = 0
      last.negative = false
    },
  }
}

const known = new WeakMap<BitSource, LazyExponential>()

/** The exponentials of a source, made once, for single decisions. */
export const exponentialOf = (source: BitSource): LazyExponential => {
  let made = known.get(source)
  if (!made) {
    made = lazyExponential(source)
    known.set(source, made)
  }
  return made
}
