// Convolution of masses by one multiplication of integers: exact, so nothing is lost to a transform at any delta.
import { bitLength } from '../rational.ts'
import type { LossMasses } from './loss-curve.ts'

const largest = (masses: readonly bigint[]): bigint => masses.reduce((most, mass) => (mass > most ? mass : most), 0n)

/** The masses side by side in one integer, the first lowest, each in `digits` hexadecimal digits. */
const pack = (masses: readonly bigint[], digits: number): bigint => {
  const parts = new Array<string>(masses.length)
  for (let i = 0; i < masses.length; i++) parts[masses.length - 1 - i] = masses[i]!.toString(16).padStart(digits, '0')
  return BigInt(`0x${parts.join('')}`)
}

const unpack = (packed: bigint, count: number, digits: number): bigint[] => {
  const text = packed.toString(16).padStart(count * digits, '0')
  const result = new Array<bigint>(count)
  for (let i = 0; i < count; i++) {
    const end = text.length - i * digits
    result[i] = BigInt(`0x${text.slice(end - digits, end)}`)
  }
  return result
}

/** What may be cut from either end of a distribution, in its unit of mass. */
export interface Cut {
  readonly bits: number
  readonly tail: bigint
}

/**
 * The same distribution without its thin ends: above, at most `tail` of mass becomes boundless; below, at most `tail` is moved up to the
 * first loss that stays. Both only raise the curve.
 */
export const trim = ({ first, masses, boundless }: LossMasses, { tail }: Cut): LossMasses => {
  let end = masses.length
  let above = 0n
  while (end > 1 && above + masses[end - 1]! <= tail) above += masses[--end]!
  let start = 0
  let below = 0n
  while (start < end - 1 && below + masses[start]! <= tail) below += masses[start++]!
  const kept = masses.slice(start, end)
  kept[0] = kept[0]! + below
  return { first: first + start, masses: kept, boundless: boundless + above }
}

/** The sum of two independent losses: masses rounded up, thin ends cut. */
export const convolve = (a: LossMasses, b: LossMasses, cut: Cut): LossMasses => {
  const terms = Math.min(a.masses.length, b.masses.length)
  const width = bitLength(largest(a.masses)) + bitLength(largest(b.masses)) + bitLength(BigInt(terms))
  const digits = Math.ceil(width / 4)
  const left = pack(a.masses, digits)
  const product = a === b ? left * left : left * pack(b.masses, digits)
  const exact = unpack(product, a.masses.length + b.masses.length - 1, digits)
  const shift = BigInt(cut.bits)
  const masses = exact.map((mass) => -(-mass >> shift))
  return trim({ first: a.first + b.first, masses, boundless: a.boundless + b.boundless }, cut)
}

/** The sum of `count` independent losses of one law, `count` >= 1. */
export const convolvePower = (base: LossMasses, count: bigint, cut: Cut): LossMasses => {
  let result = base
  for (const bit of count.toString(2).slice(1)) {
    result = convolve(result, result, cut)
    if (bit === '1') result = convolve(result, base, cut)
  }
  return result
}
