// The samplers behind the mechanisms that answer in doubles, held to the bigint decision on the same bits, whatever bits follow.

import type { BitSource } from '../../src/random/bit-source.ts'
import {
  add,
  compare,
  decimal,
  div,
  divide,
  format,
  integer,
  mul,
  type Rational,
  ratio,
  toInteger,
} from '../../src/rational.ts'
import { belowOf, type Real } from '../../src/samplers/lazy/coin.ts'
import { acceptsOf, geometricOf, type Prefix } from '../../src/samplers/lazy/prefix.ts'
import { exponentialReal, halfNormalAccepts, shiftedReal, uniformReal } from '../../src/samplers/lazy/real.ts'
import { type SphericalParts, sphericalOf } from '../../src/samplers/lazy/spherical-parts.ts'
import { snappedOf } from '../../src/samplers/snapped-laplace.ts'
import { type SeededBits, seededBits } from '../../src/testing/seeded-bits.ts'
import {
  constantBits,
  firstAnswer,
  listedWords,
  type Maker,
  OutOfWords,
  offsetOf,
  pick,
  prefixOf,
  randomUniform,
  type Uniform,
  uniformAt,
  wordsOf,
} from './word-coupling.ts'

const bothEnds = [0, 1] as const

/** A uniform number at random, or one whose first 53 bits hold exp(-x) or lie near it. */
const uniformNear = (bits: SeededBits, i: number, x: Rational): Uniform | undefined =>
  i % 4 === 0 ? randomUniform(bits) : uniformAt(x, i % 4 === 1 ? 0n : offsetOf(bits), bits.bits(1) === 1)

/** Runs a geometric on words at random and words around exp(-k/scale). Returns a sentence per wrong answer. */
export const geometricFaults = (make: Maker, scale: Rational, cases: number, seed: number): readonly string[] => {
  const bits = seededBits(seed)
  const faults: string[] = []
  for (let i = 0; i < cases; i++) {
    const k = pick(bits, (30n * scale.num) / scale.den + 2n)
    const u = uniformNear(bits, i, div(integer(k), scale))
    if (!u) continue
    for (const bit of bothEnds) {
      const wanted = Number(geometricOf(prefixOf(u), scale, constantBits(bit), 32))
      const got = firstAnswer(make(scale, listedWords(wordsOf(u), constantBits(bit))))
      if (got !== wanted) faults.push(`scale ${format(scale)}, near ${k}: got ${got}, not ${wanted}`)
    }
  }
  return faults
}

/** Runs a coin of probability exp(-exponent) on words at random and words around it. Returns a sentence per wrong answer. */
export const expFaults = (
  make: (exponent: Rational, source: BitSource) => () => boolean,
  exponent: Rational,
  cases: number,
  seed: number,
): readonly string[] => {
  const bits = seededBits(seed)
  const faults: string[] = []
  const deep = { words: [0, 7, 0], prefix: { value: 0n, length: 43 } }
  for (let i = 0; i < cases; i++) {
    const u = i % 8 === 7 ? undefined : uniformNear(bits, i, exponent)
    const { words, prefix } = u ? { words: wordsOf(u), prefix: prefixOf(u) } : deep
    // A number of zeros alone lies below every bias, but a large exponent would have to see billions of them.
    for (const bit of u || compare(exponent, integer(100)) < 0 ? bothEnds : ([1] as const)) {
      const wanted = acceptsOf(prefix, exponent, constantBits(bit), 32)
      const got = firstAnswer(make(exponent, listedWords(words, constantBits(bit))))
      if (got !== wanted) faults.push(`exponent ${format(exponent)}: got ${got}, not ${wanted}`)
    }
  }
  return faults
}

/** Runs a decision on one word on words at random and those beside the borders given. Returns a sentence per wrong answer. */
export const wordFaults = <T>(
  make: (source: BitSource) => () => T,
  decide: (prefix: Prefix, source: BitSource, step: number) => T,
  borders: readonly Rational[],
  seed: number,
  cases = 200,
): readonly string[] => {
  const bits = seededBits(seed)
  const near = borders.flatMap((border) => {
    const word = toInteger(mul(border, integer(1n << 32n)), 'down')
    return [-2n, -1n, 0n, 1n, 2n].map((offset) => word + offset)
  })
  const words = [0n, 0xffffffffn, ...near, ...Array.from({ length: cases }, () => BigInt(bits.word()))]
  return words
    .filter((word) => word >= 0n && word < 1n << 32n)
    .flatMap((word) =>
      bothEnds.flatMap((bit) => {
        const wanted = decide({ value: word, length: 32 }, constantBits(bit), 32)
        const got = firstAnswer(make(listedWords([Number(word)], constantBits(bit))))
        return got === wanted ? [] : [`word ${word}: got ${String(got)}, not ${String(wanted)}`]
      }),
    )
}

/** Runs a coin of a real bias. */
export const realCoinFaults = (
  make: (bias: Real, source: BitSource) => () => boolean,
  bias: Real,
  seed: number,
): readonly string[] =>
  wordFaults(
    (source) => make(bias, source),
    (prefix, source, step) => belowOf(prefix, bias, source, step),
    [ratio(bias(64).lower, 1n << 64n)],
    seed,
  )

/** Runs a rounded Laplace on words at random and words around the borders between its values. Returns a sentence per wrong answer. */
export const snappedFaults = (
  make: (scale: Rational, source: BitSource) => (centre: Rational) => bigint,
  scale: Rational,
  centre: Rational,
  cases: number,
  seed: number,
): readonly string[] => {
  const bits = seededBits(seed)
  const faults: string[] = []
  const half = ratio(1n, 2n)
  const middle = add(centre, half)
  const first = divide(middle.num, middle.den, 'up')
  for (let i = 0; i < cases; i++) {
    const k = pick(bits, (30n * scale.num) / scale.den + 2n)
    // The distance from centre + 1/2 to an integer above it, or below it.
    const up = add(integer(first + k), mul(middle, integer(-1)))
    const down = add(middle, integer(1n - first + k))
    const negative = bits.bits(1) === 1
    const near = uniformNear(bits, i, div(negative ? down : up, scale))
    const u = near && { ...near, negative }
    if (!u) continue
    for (const bit of bothEnds) {
      const wanted = snappedOf(prefixOf(u), { centre, scale, negative }, constantBits(bit), 32)
      const got = firstAnswer(() => make(scale, listedWords(wordsOf(u), constantBits(bit)))(centre))
      if (got !== wanted) faults.push(`scale ${format(scale)} around ${format(centre)}: got ${got}, not ${wanted}`)
    }
  }
  return faults
}

interface Normal {
  readonly k: bigint
  readonly x: Prefix
  readonly negative: boolean
  readonly coin: Uniform
}

const two = integer(2n)

/** The words of one try at a normal: k, x, and the number that accepts it. */
const wordsOfNormal = (steps: Uniform, { x, negative, coin }: Normal): readonly number[] => [
  ...wordsOf(steps),
  (((negative ? 1 : 0) << 20) | Number(x.value >> 32n)) >>> 0,
  Number(x.value & 0xffffffffn),
  ...wordsOf(coin),
]

/** k(k - 1)/2 + x (2 k + x)/2. */
const normalExponent = (k: bigint, { value, length }: Prefix): Rational => {
  const x = ratio(value, 1n << BigInt(length))
  return div(add(integer(k * (k - 1n)), mul(x, add(integer(2n * k), x))), two)
}

/** Words from a list, then the same bit for ever; a sampler that goes on for long has missed the end. */
const wordsThen = (words: readonly number[], bit: 0 | 1): BitSource => {
  let position = 0
  const rest = constantBits(bit)
  const word = () => {
    const value = words[position++]
    if (position > words.length + 1_000) throw new OutOfWords('a vector that has all of its words')
    return value ?? rest.word()
  }
  return { word, bits: rest.bits }
}

/**
 * Runs a spherical Laplace on words made for it, normals accepted and refused by numbers at random and beside exp(-g), against the vector that
 * its numbers stand for. Returns a sentence per wrong answer.
 */
export const sphericalFaults = (
  make: (dimension: number, scale: Rational, source: BitSource) => (centre: readonly Rational[]) => readonly bigint[],
  { centre, scale }: { readonly centre: readonly Rational[]; readonly scale: Rational },
  cases: number,
  seed: number,
): readonly string[] => {
  const bits = seededBits(seed)
  const faults: string[] = []
  const dimension = centre.length
  const trial = (bit: 0 | 1, hostile: boolean) => {
    const rest = constantBits(bit)
    const words: number[] = []
    const exponentials: Uniform[] = []
    const normals: Normal[] = []
    while (normals.length < dimension) {
      if (exponentials.length === normals.length) {
        exponentials.push(randomUniform(bits))
        words.push(...wordsOf(exponentials.at(-1)!))
      }
      const steps = randomUniform(bits)
      const k = geometricOf(prefixOf(steps), two, rest, 32)
      const x = { value: prefixOf(randomUniform(bits)).value & ((1n << 52n) - 1n), length: 52 }
      const near = hostile ? uniformAt(normalExponent(k, x), offsetOf(bits) / 4n, false) : undefined
      const normal = { k, x, negative: bits.bits(1) === 1, coin: near ?? randomUniform(bits) }
      words.push(...wordsOfNormal(steps, normal))
      if (halfNormalAccepts(k, uniformReal(rest, x), uniformReal(rest, prefixOf(normal.coin)))) normals.push(normal)
    }
    const parts: SphericalParts = {
      exponentials: exponentials.map((u) => exponentialReal(uniformReal(rest, prefixOf(u)))),
      coordinates: normals.map(({ k, x, negative }) => ({ size: shiftedReal(k, uniformReal(rest, x)), negative })),
    }
    return { words, wanted: sphericalOf(parts, centre, scale) }
  }
  for (let i = 0; i < cases; i++)
    for (const bit of bothEnds) {
      const { words, wanted } = trial(bit, i % 2 === 1)
      const got = firstAnswer(() => make(dimension, scale, wordsThen(words, bit))(centre))
      if (got?.join() !== wanted.join()) faults.push(`scale ${format(scale)}: got ${got}, not ${wanted}`)
    }
  return faults
}

/** Exponents on both sides of what the doubles take. */
export const hostileExponents: readonly Rational[] = [
  '0',
  '1e-30',
  '1e-6',
  '0.4',
  '1',
  '2.5',
  '29',
  '31',
  '63',
  '65',
  '1e9',
].map(decimal)
