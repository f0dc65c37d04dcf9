import type { NoiseLaw } from '../../src/laws/law.ts'
import type { BitSource } from '../../src/random/bit-source.ts'
import { type Rational, toNumber } from '../../src/rational.ts'

/** A sampler of integers, its law, and the cells to count in. */
export interface Family {
  readonly name: string
  readonly sampler: (source: BitSource) => () => number
  /** P[X <= x]. */
  readonly below: (x: number) => number
  /** The least value of the first cell, how wide a cell is and how many there are. */
  readonly from: number
  readonly width: number
  readonly cells: number
  /** Whether value mod 16 is uniform to far below what can be seen: scales of 10,000 and more. */
  readonly lowBits: boolean
}

const upper = (bound: { readonly upper: Rational }): number => toNumber(bound.upper, 'up')

/** The distribution function of a law that is symmetric around 0. */
export const belowOf =
  (law: Pick<NoiseLaw, 'tail'>) =>
  (x: number): number =>
    x < 0 ? upper(law.tail(BigInt(-x - 1))) / 2 : 1 - upper(law.tail(BigInt(x))) / 2

/** About a hundred cells a unit and 20 units on either side, or single integers where the unit is small. */
export const cellsOf = (unit: number, reach = 20) => {
  const width = Math.max(1, Math.floor(unit / 100))
  const half = Math.ceil((reach * unit) / width)
  return { from: -half * width, width, cells: 2 * half + 1 }
}

/** The fast form of a sampler. */
export const numbers =
  (make: (source: BitSource) => { readonly nextNumber: () => number }) =>
  (source: BitSource): (() => number) =>
    make(source).nextNumber

/** The distribution function of a choice with these probabilities. */
export const among = (masses: readonly number[]) => {
  const total = masses.reduce((a, b) => a + b)
  const upTo = masses.map((_, i) => masses.slice(0, i + 1).reduce((a, b) => a + b) / total)
  return (x: number): number => (x < 0 ? 0 : (upTo[Math.min(x, upTo.length - 1)] ?? 1))
}

/** How often a coin falls true before it falls false: geometric where its throws are independent and its bias is right. */
export const runs = (name: string, bias: number, coin: (source: BitSource) => boolean): Family => ({
  name: `runs of ${name}`,
  sampler: (source) => () => {
    let length = 0
    while (coin(source)) length += 1
    return length
  },
  below: (x) => 1 - bias ** (x + 1),
  from: 0,
  width: 1,
  cells: 60,
  lowBits: false,
})
