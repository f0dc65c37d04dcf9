import { rational } from 'diffprivlib-ts'
import { type AuditBound, auditOutputs, clopperPearsonLower, clopperPearsonUpper } from 'diffprivlib-ts/audit'
import { impliedEpsilon, impliedMu, impliedRho } from '../../../diffprivlib-ts/src/audit/divergence.ts'
import { type ReleasePolicy, resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import { type Level, levels } from '../../../schemas/register-entry.ts'
import type { Crowd } from './crowd.ts'
import { shownFigure, termsOf } from './selection-world.ts'

/**
 * What a claim is about: all that is released, the sums without the selection, the selection of a level alone, or of each
 * level as a run of its own. The levels draw for themselves, so that four times as many runs tell of what they share.
 */
export type ClaimedPart = 'whole' | 'sums' | Level | 'each level'

/** What a policy claims of one household-day, in one part of what it releases or in all of it. */
export interface PartClaim {
  readonly part: ClaimedPart
  /** The figures that the part may be told by. */
  readonly isOf: (name: string) => boolean
  /** What every event must keep to: p where it is likelier, q in the other world. */
  readonly claims: readonly Claim[]
}

interface Claim {
  readonly figure: 'epsilon' | 'mu' | 'rho'
  readonly claimed: number
  /** What is claimed only but for so rare a failure; in epsilon it is the delta beside it. */
  readonly delta: number
}

const both = { epsilon: impliedEpsilon, mu: impliedMu, rho: impliedRho } as const

/**
 * What p and q force of a figure, where the claim may fail with delta: what is claimed then holds of the rest, which has at
 * least (p - delta) / (1 - delta) and at most q / (1 - delta) (Kairouz, Oh and Viswanath 2015; Bun and Steinke 2016).
 */
function forced({ figure, delta }: Claim, p: number, q: number): number {
  if (figure === 'epsilon') return impliedEpsilon(p, q, delta)
  const [rest, other] = [Math.max(0, (p - delta) / (1 - delta)), Math.min(1, q / (1 - delta))]
  return both[figure](rest, other)
}

/**
 * The claims of a policy that selects as `resolvePolicy` states them, all of which must hold. The selection of a
 * level is (epsilon, delta)-DP. The sums are mu-Gaussian-DP with mu^2 = twice their rho. The whole is epsilon-DP at the
 * policy's delta, and rho-zCDP but for the deltas of the selections. It is mu-GDP but for these, too: a choice under epsilon is
 * told no better than Gaussian noise under 2 Phi^-1(1 / (1 + e^-epsilon)), which is at most epsilon sqrt(pi / 2).
 */
export function selectionClaims(policy: ReleasePolicy): readonly PartClaim[] {
  const resolved = resolvePolicy(policy)
  const up = (value: typeof resolved.rho): number => rational.toNumber(value, 'up')
  const { epsilon, delta, deltaPerDay } = termsOf(resolved)
  const ofLevel = { figure: 'epsilon', claimed: up(epsilon), delta: up(delta) } as const
  const ofSums = up(levels.map((level) => resolved.levels[level].rho).reduce(rational.add))
  const squares = 2 * ofSums + levels.length * up(epsilon) ** 2 * (Math.PI / 2)
  const { epsilonDay, delta: stated } = resolved.levels.utility.statement[1]
  return [
    ...levels.map(
      (level): PartClaim => ({
        part: level,
        isOf: (name) => name.startsWith(shownFigure(level)),
        claims: [ofLevel],
      }),
    ),
    { part: 'each level', isOf: (name) => levels.some((level) => name === shownFigure(level)), claims: [ofLevel] },
    {
      part: 'sums',
      // The best there is for values: more figures would only be more to choose wrongly from.
      isOf: (name) => name === 'filter',
      claims: [{ figure: 'mu', claimed: Math.sqrt(2 * ofSums), delta: 0 }],
    },
    {
      part: 'whole',
      isOf: () => true,
      claims: [
        { figure: 'epsilon', claimed: epsilonDay, delta: stated },
        { figure: 'mu', claimed: Math.sqrt(squares), delta: up(deltaPerDay) },
        { figure: 'rho', claimed: up(resolved.rho), delta: up(deltaPerDay) },
      ],
    },
  ]
}

/** What the runs held out show of one claim. */
export interface Held extends Claim {
  readonly part: PartClaim['part']
  /** Not above the truth, except with the chance of `holdSelection`. */
  readonly lower: number
  /** How likely so much or more is where the claim holds: right code comes below x once in 1/x times. */
  readonly p: number
  readonly event: string
}

/** Holds a crowd against the claims of each part that it has figures of. A `lower` misses with a chance of `miss`. */
export function holdSelection(
  { names, ...worlds }: Crowd,
  claims: readonly PartClaim[],
  miss: number = 1e-6,
): readonly Held[] {
  return claims.flatMap(({ part, isOf, claims: of }) => {
    const columns = names.flatMap((name, i) => (isOf(name) ? [i] : []))
    if (columns.length === 0) return []
    const only = (rows: Crowd['with']) =>
      part === 'each level'
        ? columns.flatMap((i) => rows.map((row) => [row[i]!]))
        : rows.map((row) => columns.map((i) => row[i]!))
    return of.map((claim) => {
      const delta = claim.figure === 'epsilon' ? claim.delta : 0
      const named = { delta, miss, names: part === 'each level' ? ['shown'] : columns.map((i) => names[i]!) }
      return heldOf(part, claim, auditOutputs(only(worlds.with), only(worlds.without), named)[claim.figure], miss)
    })
  })
}

function heldOf(part: PartClaim['part'], claim: Claim, { event, counts }: AuditBound, miss: number): Held {
  const lowerAt = (side: number): number =>
    forced(
      claim,
      clopperPearsonLower(counts.for, counts.forRuns, side),
      clopperPearsonUpper(counts.against, counts.againstRuns, side),
    )
  // Both probabilities are bounded, each with a chance of `side` to miss: the event was chosen on other runs.
  const passes = (logarithm: number): boolean => lowerAt(Math.exp(logarithm)) > claim.claimed
  let [low, high] = [-580, Math.log(0.5)]
  let p = 1
  if (passes(high)) {
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2
      if (passes(middle)) high = middle
      else low = middle
    }
    p = Math.min(1, 2 * Math.exp(high))
  }
  return { ...claim, part, lower: lowerAt(miss / 2), p, event }
}

/** In a line: what is shown beside what is claimed. */
export const inWords = ({ part, figure, claimed, delta, lower, p }: Held): string =>
  `${part}: ${figure} ≥ ${lower.toFixed(3)} of ${claimed.toFixed(3)}${delta > 0 ? ` at delta ${delta.toPrecision(3)}` : ''}, p ${p.toExponential(1)}`
