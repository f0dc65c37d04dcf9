import type { Bounds } from '../../src/laws/law.ts'
import { add, compare, div, integer, type Rational, ratio, sub, toDecimal, zero } from '../../src/rational.ts'
import type { Enumeration } from './enumerate.ts'

/** What a rejection sampler's attempt returns when it refuses. */
export const refused = 'refused'

/** Irrational weights of choices stand as the middle of enclosures narrower than 2^-190; this covers some hundreds of them. */
const slack = ratio(1n, 1n << 150n)

/**
 * Compares an enumerated attempt with an exact law: given that it accepts, each outcome must have the law's probability, as far as the
 * paths cut off leave it open. Returns a sentence per disagreement; outcomes of the law that were never reached count too.
 */
export const disagreements = <T extends bigint | boolean>(
  found: Enumeration<T | typeof refused>,
  law: (outcome: T) => Bounds,
  expected: readonly T[],
): readonly string[] => {
  const unit = 1n << BigInt(found.unitBits)
  const refusedMass = found.masses.get(refused) ?? 0n
  const outcomes = new Set<T>(expected)
  for (const key of found.masses.keys()) if (key !== refused) outcomes.add(key as T)
  // Accepted mass lies between what was seen and what was seen plus everything cut off.
  const accepted = unit - refusedMass - found.residual
  if (accepted <= 0n) return ['no path was accepted']
  const most = accepted + found.residual
  return [...outcomes].flatMap((outcome) => {
    const mass = found.masses.get(outcome) ?? 0n
    const low = ratio(mass, most)
    const high = ratio(mass + found.residual, accepted)
    const { lower, upper } = law(outcome)
    if (compare(add(upper, slack), low) >= 0 && compare(sub(lower, slack), high) <= 0) return []
    const seen = `${toDecimal(low, 15, 'down')}..${toDecimal(high, 15, 'up')}`
    return [`P[${String(outcome)}] is ${toDecimal(lower, 15, 'down')}, but the paths give ${seen}`]
  })
}

/** The residual mass as a share of the accepted mass: how finely `disagreements` looked. */
export const blur = (found: Enumeration<unknown>): Rational =>
  div(integer(found.residual), integer((1n << BigInt(found.unitBits)) - (found.masses.get(refused) ?? 0n)))

/** 2^-bits. */
export const twoToMinus = (bits: number): Rational => ratio(1n, 1n << BigInt(bits))

/** The middle of two bounds. */
export const middle = ({ lower, upper }: Bounds): Rational => div(add(lower, upper), integer(2n))

/** Two equal bounds. */
export const exactly = (value: Rational): Bounds => ({ lower: value, upper: value })

/** The bounds of a geometric on 0, 1, 2, ... with ratio exp(-1/scale), from the tails P[X >= k] = exp(-k/scale). */
export const geometricBounds =
  (survival: (k: bigint) => Bounds) =>
  (k: bigint): Bounds => {
    if (k < 0n) return exactly(zero)
    const here = survival(k)
    const next = survival(k + 1n)
    return { lower: sub(here.lower, next.upper), upper: sub(here.upper, next.lower) }
  }
