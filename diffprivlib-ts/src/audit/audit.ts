import { ParameterError } from '../errors.ts'
import { exp, ln, squareRoot } from '../numeric/double.ts'
import { type BinnedScore, binScore } from './bins.ts'
import { clopperPearsonLower, clopperPearsonUpper } from './clopper-pearson.ts'
import { coinRenyi, impliedEpsilon, impliedMu, impliedRho } from './divergence.ts'
import { type AuditEvent, type EventCounts, eventsOf } from './events.ts'
import { type Output, rowsOf, scoresOf } from './scores.ts'

/** Options of `auditOutputs`. */
export interface AuditOptions {
  /** The delta beside which epsilon is bounded; 0 when left out. */
  readonly delta?: number
  /** The chance, 0 to 1, that any of the three bounds of the report is above the truth; 1e-6 when left out. */
  readonly miss?: number
  /** Names of the figures of an output, for the report. */
  readonly names?: readonly string[]
}

/** A lower bound with the event that shows it. */
export interface AuditBound {
  /** Not above the truth, together with the other bounds of the report, except with the report's chance to miss. */
  readonly lower: number
  /** The event in words, and in which world it is likelier: 0 for the first outputs, 1 for the second. */
  readonly event: string
  readonly world: 0 | 1
  /** How often it came in the runs held out. */
  readonly counts: EventCounts
}

/** What a mechanism claims. Under zCDP by Gaussian noise mu is sqrt(2 rho). */
export type AuditClaim =
  | { readonly epsilon: number; readonly delta: number }
  | { readonly mu: number }
  | { readonly rho: number }

/** What two worlds' outputs show about the mechanism that made them. */
export interface AuditReport {
  /** The chance that any of the three bounds is above the truth. */
  readonly miss: number
  readonly epsilon: AuditBound & { readonly delta: number }
  readonly mu: AuditBound
  readonly rho: AuditBound
  /** The total variation beyond e^epsilon: the delta that must be admitted at an epsilon. Each call misses with the report's chance. */
  readonly hockeyStick: (epsilon: number) => { readonly estimate: number; readonly lower: number }
  /** The Renyi divergence of an order above 1: an estimate over the bins of the best score, and a bound. Each call misses with the report's chance. */
  readonly renyi: (order: number) => { readonly estimate: number; readonly lower: number }
  /** How likely runs as telling as these, or more so, are where the claim holds: below 1e-6 it does not. At most 1, and never below 1e-250. */
  readonly pValue: (claim: AuditClaim) => number
}

/** A figure of p, the probability of an event where its world is true, and q, where the other is; rises with p and falls with q. */
type Figure = (p: number, q: number) => number

/** How many figures are reported from the held-out runs; the chance to miss is split evenly over them, and over the two sides of each. */
const figures = 3

const held = ({ heldOut }: AuditEvent, figure: Figure, side: number): number =>
  figure(
    clopperPearsonLower(heldOut.for, heldOut.forRuns, side),
    clopperPearsonUpper(heldOut.against, heldOut.againstRuns, side),
  )

/** Wilson's bounds at z deviations: close enough to choose an event by, on the runs that no bound is made from. */
const wilson = (count: number, runs: number, z: number): number => {
  const share = count / runs
  const spread = squareRoot((share * (1 - share)) / runs + (z * z) / (4 * runs * runs))
  return Math.min(Math.max((share + (z * z) / (2 * runs) + z * spread) / (1 + (z * z) / runs), 0), 1)
}

const choose = (events: readonly AuditEvent[], figure: Figure, z: number): AuditEvent => {
  let best = events[0]!
  let most = -Infinity
  for (const event of events) {
    const { chosenOn } = event
    if (chosenOn.for * chosenOn.againstRuns <= chosenOn.against * chosenOn.forRuns) continue
    const value = figure(wilson(chosenOn.for, chosenOn.forRuns, -z), wilson(chosenOn.against, chosenOn.againstRuns, z))
    if (value > most) [best, most] = [event, value]
  }
  return best
}

/** The largest z with P[Z > z] about `side`: z^2 / 2 = -ln side less the logarithm of z sqrt(2 pi), good enough to choose by. */
const deviationsOf = (side: number): number => {
  const most = -2 * ln(side)
  return squareRoot(Math.max(most - ln(6.2832 * Math.max(most, 1)), 1))
}

/**
 * Bounds from below what two worlds' outputs force a mechanism to admit: outputs of independent runs on two neighbouring data sets, e.g. with
 * and without one home. Runs are split by turns; on the first half the most telling event is chosen for each of epsilon (at delta), mu
 * and rho, among likelihood bins and thresholds of every figure and of Fisher's direction, and for either world; on the second half it is
 * counted, and both of its probabilities are bounded by Clopper and Pearson. A chance of `miss` is split over the three figures and
 * their two sides (Bonferroni), so that all three bounds hold together with confidence 1 - miss, for any mechanism and without
 * assumption but that runs are independent.
 *
 * mu tells faults of Gaussian noise long before epsilon does: a halved sigma doubles it. It refutes a claim of Gaussian differential privacy,
 * which a discrete Gaussian of large sigma meets to many digits; rho refutes zero-concentrated privacy of any mechanism. 20,000 runs a world
 * tell mu to about 0.13 at a miss of 1e-6. An audit never proves privacy: it finds what it looks at.
 *
 * Throws ParameterError for fewer than 100 runs a world, outputs of different widths, or a delta or miss outside [0, 1) or (0, 1).
 */
export const auditOutputs = (
  first: readonly Output[],
  second: readonly Output[],
  options: AuditOptions = {},
): AuditReport => {
  const { delta = 0, miss = 1e-6, names } = options
  if (!(delta >= 0 && delta < 1)) throw new ParameterError(`delta lies from 0 to below 1, got ${delta}`)
  if (!(miss > 0 && miss < 1)) throw new ParameterError(`the chance to miss lies strictly between 0 and 1, got ${miss}`)
  const a = rowsOf(first)
  const b = rowsOf(second, a[0]!.length)
  const byTurns = (rows: readonly (readonly number[])[], turn: number) => rows.filter((_, i) => i % 2 === turn)
  const chosenOn = [byTurns(a, 0), byTurns(b, 0)] as const
  const heldOut = [byTurns(a, 1), byTurns(b, 1)] as const
  const scores = scoresOf(chosenOn[0], chosenOn[1], names).map((score) => binScore(score, chosenOn, heldOut))
  const events = scores.flatMap(eventsOf)
  const side = miss / (2 * figures)
  const z = deviationsOf(side)

  const epsilonFigure: Figure = (p, q) => impliedEpsilon(p, q, delta)
  const chosen = {
    epsilon: choose(events, epsilonFigure, z),
    mu: choose(events, impliedMu, z),
    rho: choose(events, impliedRho, z),
  }
  const boundOf = (event: AuditEvent, figure: Figure): AuditBound => ({
    lower: held(event, figure, side),
    event: event.describe,
    world: event.world,
    counts: event.heldOut,
  })

  const pValue = (claim: AuditClaim): number => {
    const [figure, claimed]: readonly [Figure, number] =
      'mu' in claim
        ? [impliedMu, claim.mu]
        : 'rho' in claim
          ? [impliedRho, claim.rho]
          : [(p, q) => impliedEpsilon(p, q, claim.delta), claim.epsilon]
    const event = choose(events, figure, z)
    // The smallest side at which the bound still passes the claim, between e^-580 and 1/2.
    const passes = (logarithm: number) => held(event, figure, exp(logarithm)) > claimed
    let [low, high] = [-580, ln(0.5)]
    if (!passes(high)) return 1
    if (passes(low)) high = low
    for (let i = 0; i < 40 && high > low; i++) {
      const middle = (low + high) / 2
      if (passes(middle)) high = middle
      else low = middle
    }
    return Math.min(2 * figures * exp(high), 1)
  }

  return Object.freeze({
    miss,
    epsilon: Object.freeze({ ...boundOf(chosen.epsilon, epsilonFigure), delta }),
    mu: Object.freeze(boundOf(chosen.mu, impliedMu)),
    rho: Object.freeze(boundOf(chosen.rho, impliedRho)),
    hockeyStick: (epsilon: number) => {
      const factor = exp(epsilon)
      const figure: Figure = (p, q) => Math.max(p - factor * q, 0)
      // The likeliest event for the estimate, the one that is surest to show for the bound.
      const { for: hits, forRuns, against, againstRuns } = choose(events, figure, 0).heldOut
      const estimate = figure(hits / forRuns, against / againstRuns)
      return { estimate, lower: held(choose(events, figure, z), figure, miss / 2) }
    },
    renyi: (order: number) => {
      if (!(order > 1)) throw new ParameterError(`an order of Renyi divergence is above 1, got ${order}`)
      const figure: Figure = (p, q) => coinRenyi(p, q, order)
      const event = choose(events, figure, z)
      const estimate = scores.reduce((most, score) => Math.max(most, binnedRenyi(score, order)), 0)
      return { estimate, lower: held(event, figure, miss / 2) }
    },
    pValue,
  })
}

/** The Renyi divergence between the held-out histograms of a score, either way round, half a run added to every bin. */
const binnedRenyi = ({ heldOut }: BinnedScore, order: number): number => {
  const oneWay = (mine: readonly number[], others: readonly number[]): number => {
    const smooth = (counts: readonly number[]) => {
      const used = counts.map((count, i) => (count + (others[i] ?? 0) + (mine[i] ?? 0) > 0 ? count + 0.5 : 0))
      const sum = used.reduce((total, count) => total + count, 0)
      return used.map((count) => count / sum)
    }
    const [p, q] = [smooth(mine), smooth(others)]
    const sum = p.reduce((total, share, i) => {
      const other = q[i]!
      return share > 0 && other > 0 ? total + other * exp(order * ln(share / other)) : total
    }, 0)
    return Math.max(ln(sum) / (order - 1), 0)
  }
  return Math.max(oneWay(heldOut[0], heldOut[1]), oneWay(heldOut[1], heldOut[0]))
}
