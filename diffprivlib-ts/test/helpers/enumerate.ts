import type { BitSource } from '../../src/random/bit-source.ts'
import type { Rational } from '../../src/rational.ts'
import { type Prefix, unknownPrefix } from '../../src/samplers/lazy/prefix.ts'

/** What an enumeration found. Masses are exact, in units of 2^-unitBits. */
export interface Enumeration<T> {
  readonly unitBits: number
  readonly masses: ReadonlyMap<T, bigint>
  /** The mass of all paths that were cut off. Masses and residual add up to one. */
  readonly residual: bigint
  readonly paths: number
}

class OutOfScript extends Error {}

/** A bit source that hands out a script, most significant bit first, and asks for more by throwing. */
export const scriptedBits = (script: readonly number[]): BitSource & { readonly used: () => number } => {
  let position = 0
  const bits = (count: number): number => {
    let value = 0
    for (let i = 0; i < count; i++) {
      const bit = script[position]
      if (bit === undefined) throw new OutOfScript('the script has no more bits')
      position += 1
      value = value * 2 + bit
    }
    return value
  }
  return { bits, word: () => bits(32), used: () => position }
}

/**
 * Runs `program` on every bit sequence: the tree of all its paths, cut where a path has used `depth` bits. The program must be a function
 * of the bits alone. Outcomes are compared by identity, so they should be bigints, numbers, booleans or strings.
 */
export const enumerateBits = <T>(program: (source: BitSource) => T, depth: number): Enumeration<T> => {
  const masses = new Map<T, bigint>()
  let residual = 0n
  let paths = 0
  const open: number[][] = [[]]
  for (let script = open.pop(); script; script = open.pop()) {
    const mass = 1n << BigInt(depth - script.length)
    const source = scriptedBits(script)
    try {
      const outcome = program(source)
      if (source.used() !== script.length) throw new RangeError('the program did not use the bits it asked for')
      masses.set(outcome, (masses.get(outcome) ?? 0n) + mass)
      paths += 1
    } catch (error) {
      if (!(error instanceof OutOfScript)) throw error
      if (script.length === depth) {
        residual += mass
        paths += 1
      } else open.push([...script, 0], [...script, 1])
    }
  }
  return { unitBits: depth, masses, residual, paths }
}

/**
 * The same tree for a decision on the bits of one uniform number: a decision depends on the prefix alone, so each node is run from its prefix
 * instead of from the first bit, one bit at a time.
 */
export const enumeratePrefixes = <T>(
  decide: (prefix: Prefix, source: BitSource, step: number) => T,
  depth: number,
): Enumeration<T> => {
  const masses = new Map<T, bigint>()
  let residual = 0n
  let paths = 0
  const open: Prefix[] = [unknownPrefix]
  const nothing = scriptedBits([])
  for (let prefix = open.pop(); prefix; prefix = open.pop()) {
    const mass = 1n << BigInt(depth - prefix.length)
    try {
      const outcome = decide(prefix, nothing, 1)
      masses.set(outcome, (masses.get(outcome) ?? 0n) + mass)
      paths += 1
    } catch (error) {
      if (!(error instanceof OutOfScript)) throw error
      if (prefix.length === depth) {
        residual += mass
        paths += 1
      } else {
        const { value, length } = prefix
        open.push({ value: value * 2n, length: length + 1 }, { value: value * 2n + 1n, length: length + 1 })
      }
    }
  }
  return { unitBits: depth, masses, residual, paths }
}

/** An exact choice among branches, in place of a lower sampler whose law is already known. */
export type Choose = (branches: number, weight: (branch: number) => Rational) => number

const choiceBits = 320

class OutOfChoices extends Error {
  readonly branches: number
  readonly weight: (branch: number) => Rational
  constructor(branches: number, weight: (branch: number) => Rational) {
    super('the script has no more choices')
    this.branches = branches
    this.weight = weight
  }
}

/**
 * Runs `program` over every sequence of choices, each branch with its weight; weights that add up to less than one (a tail left out) count
 * as residual, as do paths below `smallest` bits of mass. Products are rounded down by less than 2^-320 a choice.
 */
export const enumerateChoices = <T>(program: (choose: Choose) => T, smallest: number): Enumeration<T> => {
  const masses = new Map<T, bigint>()
  const whole = 1n << BigInt(choiceBits)
  const cut = 1n << BigInt(choiceBits - smallest)
  let reached = 0n
  let paths = 0
  const open: { readonly script: readonly number[]; readonly mass: bigint }[] = [{ script: [], mass: whole }]
  for (let node = open.pop(); node; node = open.pop()) {
    const { script, mass } = node
    let position = 0
    try {
      const outcome = program((branches, weight) => {
        const choice = script[position]
        if (choice === undefined) throw new OutOfChoices(branches, weight)
        position += 1
        return choice
      })
      masses.set(outcome, (masses.get(outcome) ?? 0n) + mass)
      reached += mass
      paths += 1
    } catch (error) {
      if (!(error instanceof OutOfChoices)) throw error
      for (let branch = 0; branch < error.branches; branch++) {
        const { num, den } = error.weight(branch)
        const share = (mass * num) / den
        if (share > cut) open.push({ script: [...script, branch], mass: share })
      }
    }
  }
  return { unitBits: choiceBits, masses, residual: whole - reached, paths }
}
