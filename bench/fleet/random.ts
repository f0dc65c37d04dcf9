/**
 * Seeded numbers for the simulated fleet. FOR SIMULATION ONLY: they can be foretold from the seed, so nothing that
 * protects a person (noise, keys in production, nonces) may ever come from here.
 *
 * A stream is named by (seed, purpose, a, b), so the numbers of one meter and day do not depend on which other meters
 * or days were made before: any meter-day can be made alone, in any order, on any thread.
 */
export interface SimulationRandom {
  /** Uniform over [0, 2^32). */
  readonly u32: () => number
  /** Uniform over [0, 1). */
  readonly unit: () => number
  /** Uniform over the whole numbers [0, n). */
  readonly below: (n: number) => number
  /** True with probability `p`. */
  readonly chance: (p: number) => boolean
  readonly between: (low: number, high: number) => number
  /** Standard normal. */
  readonly normal: () => number
  readonly exponential: (mean: number) => number
  /** Poisson count; for means up to some tens. */
  readonly poisson: (mean: number) => number
}

/** What a stream of numbers is for; two purposes never share numbers. */
export const purposes = {
  home: 1,
  homeDay: 2,
  homeWeek: 3,
  weather: 4,
  topology: 5,
  meter: 6,
  schedule: 7,
  gateway: 8,
  corruption: 9,
  identity: 10,
  profile: 11,
} as const
/** One of `purposes`. */
export type Purpose = keyof typeof purposes

/** Finalizer of MurmurHash3: spreads every input bit over the word. */
function mix(h: number): number {
  let x = h | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** One 32-bit word that depends on all of its inputs. For simulation only. */
export function simulationHash(seed: number, purpose: Purpose, a: number, b: number): number {
  let h = mix(seed ^ 0x9e3779b9)
  h = mix(h + Math.imul(purposes[purpose], 0x85ebca77))
  h = mix(h ^ Math.imul(a + 1, 0xc2b2ae3d))
  return mix(h + Math.imul(b + 1, 0x27d4eb2f))
}

/** The stream of (seed, purpose, a, b): sfc32 (Doty-Humphrey, PractRand), four words of state. For simulation only. */
export function simulationRandom(seed: number, purpose: Purpose, a: number, b = 0): SimulationRandom {
  let s0 = simulationHash(seed, purpose, a, b) | 0
  let s1 = mix(s0 ^ Math.imul(a, 0x9e3779b1)) | 0
  let s2 = mix(s1 ^ Math.imul(b, 0x85ebca77) ^ seed) | 0
  let count = 1
  const u32 = (): number => {
    const out = (s0 + s1 + count) | 0
    count = (count + 1) | 0
    s0 = s1 ^ (s1 >>> 9)
    s1 = (s2 + (s2 << 3)) | 0
    s2 = ((s2 << 21) | (s2 >>> 11)) + out
    s2 |= 0
    return out >>> 0
  }
  for (let i = 0; i < 8; i++) u32()

  const unit = (): number => u32() / 4_294_967_296
  const normal = (): number => {
    const radius = Math.sqrt(-2 * Math.log(1 - unit()))
    return radius * Math.cos(2 * Math.PI * unit())
  }
  const poisson = (mean: number): number => {
    const limit = Math.exp(-mean)
    let product = unit()
    let n = 0
    while (product > limit) {
      product *= unit()
      n++
    }
    return n
  }
  return {
    u32,
    unit,
    below: (n) => Math.floor(unit() * n),
    chance: (p) => unit() < p,
    between: (low, high) => low + (high - low) * unit(),
    normal,
    exponential: (mean) => -mean * Math.log(1 - unit()),
    poisson,
  }
}
