/** Seeded numbers for simulations: the same seed gives the same run everywhere. */
export interface Random {
  /** From 0 to below `count`. */
  readonly below: (count: number) => number
  readonly chance: (probability: number) => boolean
}

export function random(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { below: (count) => Math.floor(next() * count), chance: (probability) => next() < probability }
}
