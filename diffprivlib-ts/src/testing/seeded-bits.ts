import { ParameterError } from '../errors.ts'
import type { BitSource } from '../random/bit-source.ts'

declare const seeded: unique symbol

/** Reproducible bits for tests. Mechanisms refuse them, at compile time and at run time. */
export interface SeededBits extends BitSource {
  readonly [seeded]: true
}

/** Throws where NODE_ENV is "production": noise that can be reproduced protects nobody. */
export const refuseProduction = (what: string): void => {
  const environment = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env
  if (environment?.['NODE_ENV'] === 'production')
    throw new ParameterError(`${what} is for tests and refuses to run where NODE_ENV is production`)
}

/**
 * The same bits for the same seed on every machine: a splitmix-started xoshiro128** (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2021). Throws ParameterError where NODE_ENV is production or the seed is not an unsigned 32-bit integer.
 */
export const seededBits = (seed: number): SeededBits => {
  refuseProduction('a seeded source')
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
    throw new ParameterError(`a seed is an integer from 0 to 4294967295, got ${seed}`)
  let state = seed
  const expand = () => {
    state = (state + 0x9e3779b9) | 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return z ^ (z >>> 15)
  }
  let [a, b, c, d] = [expand(), expand(), expand(), expand() | 1]
  const word = () => {
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }
  return Object.freeze({ word, bits: (count: number) => word() >>> (32 - count) }) as SeededBits
}
