// The lazy samplers answer most draws from 64 bits in doubles. Each is an exact function of its uniform numbers, so it must agree with the
// bigint decision on the same bits, whatever bits follow: above all where the first 64 do not decide. The checks below build such words.

import { expNegativeRational } from '../../src/numeric/fixed-point.ts'
import { type BitSource, wideBits } from '../../src/random/bit-source.ts'
import { bitLength, div, format, integer, type Rational } from '../../src/rational.ts'
import { acceptanceExponent, proposalScale } from '../../src/samplers/canonne-kamath-steinke.ts'
import { acceptsOf, geometricOf, type Prefix } from '../../src/samplers/lazy/prefix.ts'
import { type SeededBits, seededBits } from '../../src/testing/seeded-bits.ts'

/** The words of one uniform number: the place j of its first one, the 52 bits after it, and a sign bit. */
export interface Uniform {
  readonly j: number
  readonly mantissa: bigint
  readonly negative: boolean
}

/** The words that the samplers read for a uniform number, in their order. */
export const wordsOf = ({ j, mantissa, negative }: Uniform): readonly number[] => {
  const place = j <= 11 ? 1 << (11 - j) : 0
  const first = ((place << 21) | (negative ? 0x100000 : 0) | Number(mantissa >> 32n)) >>> 0
  const words = [first, Number(mantissa & 0xffffffffn)]
  return j <= 11 ? words : [...words, (1 << (43 - j)) >>> 0]
}

/** All zeros, or all ones. */
export const constantBits = (bit: 0 | 1): BitSource => {
  const word = () => (bit ? 0xffffffff : 0)
  return { word, bits: (count) => word() >>> (32 - count) }
}

export class OutOfWords extends Error {}

/** Words from a list for fresh uniform numbers, and other bits for the extension of an undecided one, which reads through `bits`. */
export const listedWords = (words: readonly number[], { bits }: BitSource): BitSource => {
  let position = 0
  const word = () => {
    const value = words[position++]
    if (value === undefined) throw new OutOfWords('another uniform number')
    return value
  }
  return { word, bits }
}

/** What the two words say of the uniform number. */
export const prefixOf = ({ j, mantissa }: Uniform): Prefix => ({ value: (1n << 52n) | mantissa, length: 52 + j })

/** The uniform number whose 52 bits hold exp(-x), moved by `offset` in its last bit. */
export const uniformAt = (x: Rational, offset: bigint, negative: boolean): Uniform | undefined => {
  const { lower, shift } = expNegativeRational(x, 160)
  const top = bitLength(lower)
  const moved = (lower >> BigInt(top - 53)) + offset
  if (bitLength(moved) !== 53) return undefined
  const j = 160 + shift - top + 1
  return j >= 1 && j <= 43 ? { j, mantissa: moved & ((1n << 52n) - 1n), negative } : undefined
}

/** Nearly uniform below a bound far under 2^64. */
export const pick = (bits: SeededBits, below: bigint): bigint => wideBits(bits, 64) % below

/** A uniform number at random. */
export const randomUniform = (bits: SeededBits): Uniform => ({
  j: 1 + Math.clz32(bits.word() | 1),
  mantissa: wideBits(bits, 52),
  negative: bits.bits(1) === 1,
})

/** Offsets in the last of the 52 bits: on the boundary, beside it, and as far as the doubles' margins reach. */
export const offsetOf = (bits: SeededBits): bigint => {
  const reach = 1n << BigInt(bits.bits(5) % 14)
  return pick(bits, 2n * reach + 1n) - reach
}

/** Makes a sampler of a scale or a sigma^2 over a source. */
export type Maker = (parameter: Rational, source: BitSource) => () => number

/** The first answer on these words, or undefined when the sampler refuses them and goes on to another uniform number. */
export const firstAnswer = <T>(sampler: () => T): T | undefined => {
  try {
    return sampler()
  } catch (error) {
    if (error instanceof OutOfWords) return undefined
    throw error
  }
}

/** Runs a Laplace sampler on words at random and words around the boundaries exp(-k/scale). Returns a sentence per wrong answer. */
export const laplaceFaults = (make: Maker, scale: Rational, cases: number, seed: number): readonly string[] => {
  const bits = seededBits(seed)
  const faults: string[] = []
  const most = (30n * scale.num) / scale.den + 2n
  for (let i = 0; i < cases; i++) {
    const k = pick(bits, most)
    const offset = i % 4 === 1 ? 0n : offsetOf(bits)
    const negative = bits.bits(1) === 1
    const u = i % 4 === 0 ? randomUniform(bits) : uniformAt(div(integer(k), scale), offset, negative)
    if (!u) continue
    for (const bit of [0, 1] as const) {
      const size = Number(geometricOf(prefixOf(u), scale, constantBits(bit), 32))
      const wanted = !u.negative ? size : size === 0 ? undefined : -size
      const got = firstAnswer(make(scale, listedWords(wordsOf(u), constantBits(bit))))
      if (got !== wanted) faults.push(`scale ${format(scale)}, near ${k}: got ${got}, not ${wanted}`)
    }
  }
  return faults
}

/** Runs a Gaussian sampler on proposals y and acceptance words around exp(-g(y)). Returns a sentence per wrong answer. */
export const gaussianFaults = (make: Maker, sigma2: Rational, cases: number, seed: number): readonly string[] => {
  const bits = seededBits(seed)
  const faults: string[] = []
  const scale = proposalScale(sigma2)
  for (let i = 0; i < cases; i++) {
    const proposal: Uniform = { ...randomUniform(bits), negative: false }
    const y = geometricOf(prefixOf(proposal), integer(scale), constantBits(0), 32)
    if (y !== geometricOf(prefixOf(proposal), integer(scale), constantBits(1), 32)) continue
    const exponent = acceptanceExponent(y, scale, sigma2)
    const offset = i % 4 === 1 ? 0n : offsetOf(bits)
    const u = i % 4 === 0 ? randomUniform(bits) : uniformAt(exponent, offset, false)
    if (!u) continue
    for (const bit of [0, 1] as const) {
      const wanted = acceptsOf(prefixOf(u), exponent, constantBits(bit), 32)
      const answer = firstAnswer(make(sigma2, listedWords([...wordsOf(proposal), ...wordsOf(u)], constantBits(bit))))
      if (answer !== (wanted ? Number(y) : undefined))
        faults.push(`sigma^2 ${format(sigma2)}, y = ${y}: got ${answer} where it is ${wanted ? 'accepted' : 'refused'}`)
    }
  }
  return faults
}

/** Words of a uniform number below 2^-43, of which nothing more is known. */
const deepWords = (negative: boolean): readonly number[] => [negative ? 0x100000 : 0, 7, 0]
const deep: Prefix = { value: 0n, length: 43 }

/** Runs both samplers on uniform numbers whose first 43 bits are zero, which they meet once in 2^43 draws. */
export const deepFaults = (laplace: Maker, gaussian: Maker, scale: bigint, cases: number): readonly string[] => {
  const faults: string[] = []
  for (let seed = 0; seed < cases; seed++) {
    const size = Number(geometricOf(deep, integer(scale), seededBits(seed), 32))
    for (const negative of [false, true]) {
      const got = firstAnswer(laplace(integer(scale), listedWords(deepWords(negative), seededBits(seed))))
      if (got !== (negative ? -size : size))
        faults.push(`scale ${scale}: got ${got}, not ${size}, with sign ${negative}`)
    }
    // A proposal around 30 to 60 in the exponent of acceptance, so that a number below 2^-43 does not settle it.
    const sigma2 = integer((scale - 1n) * (scale - 1n))
    const place = 11 + (seed % 5)
    const proposal: Uniform = { j: place, mantissa: BigInt(seed * 2 ** 40), negative: false }
    const y = geometricOf(prefixOf(proposal), integer(scale), seededBits(seed), 32)
    const wanted = acceptsOf(deep, acceptanceExponent(y, scale, sigma2), seededBits(seed), 32)
    const words = [...wordsOf(proposal), ...deepWords(false)]
    const answer = firstAnswer(gaussian(sigma2, listedWords(words, seededBits(seed))))
    if (answer !== (wanted ? Number(y) : undefined))
      faults.push(`scale ${scale}, y = ${y}: got ${answer}, not ${wanted}`)
  }
  return faults
}
