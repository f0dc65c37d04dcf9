import { gaussianSigma2, type Rational, rational, zcdpToEpsilon } from 'diffprivlib-ts'
import type { PrivacyStatement } from '../../../schemas/load-public.ts'
import { type Level, levels } from '../../../schemas/register-entry.ts'
import { capOf, type IntervalCap } from '../../contract/policy-epoch.ts'
import type { SelectionPolicy } from '../../contract/selection-policy.ts'
import type { HaltReason } from '../ledger/reasons.ts'
import type { RestrictedRules } from './restricted/rules.ts'
import type { RuleSet } from './rules/rule-set.ts'
import { deltaLeft, type SelectionTerms, selectionProblem, selectionTerms } from './selection-terms.ts'

/**
 * What is released and what it costs, as data. Fractions are exact texts `n/d`. A policy is frozen for a local day at its
 * charge; a change takes effect on the next day that is not charged yet.
 */
export interface ReleasePolicy {
  /** Length of a released window in seconds: 900, 1,800 or 3,600. */
  readonly windowSeconds: number
  /** L2 bound S of a household-day per level, in Wh, for half-hour windows; other lengths follow from it. */
  readonly clipWhPerHalfHour: Readonly<Record<Level, number>>
  /** The widest bounds of the values that smoothing still remembers, where some were above today's. See `policyEpochs`. */
  readonly smoothedClipWhPerHalfHour?: Readonly<Record<Level, number>>
  /** Where the cap of one interval comes from: public contract data. */
  readonly capRule: string
  /** Cap of rho per household-day over all levels and kinds. */
  readonly rhoPerDay: string
  /** Part of the cap that each level spends; together at most 1. */
  readonly shares: Readonly<Record<Level, string>>
  /** The delta at which epsilon is stated. */
  readonly delta: string
  /** A value received less than this after the end of its window counts as preliminary. */
  readonly graceSeconds: number
  /** Local hour of the next day until which late values count. */
  readonly cutOffHour: number
  /** Time from a seal being due to its public tick, and the grid ticks lie on (UTC). */
  readonly publishDelaySeconds: number
  readonly tickSeconds: number
  /** Rules of publication by customer class, decided on the register alone. */
  readonly rules: Readonly<Record<GroupClass, ClassRule>>
  /** Rules on true values, for restricted aggregates alone. Default `defaultRestrictedRules`. */
  readonly restricted?: RestrictedRules
  /** Release only where sigma is at most this part of registered points x this public mean load. */
  readonly maxRelativeNoise: string
  readonly meanLoadWhPerDay: number
  /** A regulator's rules as data; where it is given it replaces `rules` and `maxRelativeNoise`. */
  readonly ruleSet?: RuleSet
  /** Release only groups of which enough households are seen to have reported. Default `null`: the register alone decides. */
  readonly selection?: SelectionPolicy | null
}

export type GroupClass = 'residential' | 'other'

export interface ClassRule {
  /** Fewest registered points of a group that holds this class. */
  readonly minCount: number
  /** Largest part of a sum that one point may have, in restricted aggregates; `null` for no rule. */
  readonly maxShare: string | null
}

/**
 * Defaults. S grows with the level, where noise weighs less than what a tight clip takes from evening peaks; the counts
 * and shares follow California's D.14-05-016 as utilities apply it (residential 100; others 15, none above 15 %). rho
 * 0.02435597 is the largest of eight decimals with at most epsilon 1 at delta 1e-6 (Canonne, Kamath and Steinke 2020).
 */
export const defaultPolicy: ReleasePolicy = deepFreeze({
  windowSeconds: 1_800,
  clipWhPerHalfHour: { utility: 20_000, region: 15_000, substation: 12_000, feeder: 10_000 },
  capRule: 'fuse',
  rhoPerDay: '2435597/100000000',
  shares: { utility: '1/4', region: '1/4', substation: '1/4', feeder: '1/4' },
  delta: '1/1000000',
  graceSeconds: 1_200,
  cutOffHour: 6,
  publishDelaySeconds: 300,
  tickSeconds: 300,
  rules: { residential: { minCount: 100, maxShare: null }, other: { minCount: 15, maxShare: '3/20' } },
  maxRelativeNoise: '1/5',
  meanLoadWhPerDay: 8_000,
})

/** What a level spends and how its noise is. */
export interface LevelTerms {
  /** S for the policy's windows, in Wh, rounded down. */
  readonly clipWh: number
  readonly rho: Rational
  /** Variance of one draw in Wh^2: S^2 / (2 rho). */
  readonly sigma2: Rational
  /** Half-widths of the 50 and 95 % intervals of one draw, and of the sum of two, in Wh, rounded up. */
  readonly half: Readonly<Record<1 | 2, { readonly half50Wh: number; readonly half95Wh: number }>>
  /** The statement that stands in a record with one draw, or the sum of two. */
  readonly statement: Readonly<Record<1 | 2, PrivacyStatement>>
}

/** A policy that has been checked, with everything that follows from it. */
export interface ResolvedPolicy {
  readonly policy: ReleasePolicy
  readonly cap: Rational
  /** What C is beside the fuse. */
  readonly interval: IntervalCap
  /** Sum of the levels' rho and that of the selection: what a day charges. */
  readonly rho: Rational
  /** What the selection of groups spends, or `null` without one. */
  readonly selection: SelectionTerms | null
  readonly levels: Readonly<Record<Level, LevelTerms>>
}

/**
 * A policy that contradicts itself or the register. The message names the field and what it may be; `reason` is its name in
 * the closed list of release reasons, where it has one.
 */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly reason: HaltReason | undefined
  constructor(message: string, reason?: HaltReason) {
    super(message)
    this.reason = reason
  }
}

/** The name under which interval sums are charged. */
export const intervalSums = 'interval_sums'

/** The mechanism as public records name it. */
export const mechanism = 'discrete_gaussian/1'

/** What stands beside it where groups are selected. */
export const selectionMechanism = 'partition_selection/1'

const daysOfWeek = 7
const daysOfYear = 366

/** Checks a policy and works out what each level spends. Throws PolicyError. */
export function resolvePolicy(policy: ReleasePolicy): ResolvedPolicy {
  checkTimes(policy)
  checkRules(policy)
  const cap = fraction(policy.rhoPerDay, 'rhoPerDay')
  const delta = fraction(policy.delta, 'delta')
  const interval = capOf(policy.capRule)
  if (interval === undefined) {
    throw new PolicyError(
      'capRule must be "fuse", and may go on with ", at most <n> Wh per hour" and ", at most half of what is left"',
    )
  }
  const shares = levels.map((level) => fraction(policy.shares[level], `shares.${level}`))
  const selectionShare = policy.selection ? fraction(policy.selection.share, 'selection.share') : rational.zero
  const spent = shares.reduce(rational.add, selectionShare)
  if (rational.compare(spent, rational.one) > 0) {
    const all = policy.selection ? 'shares and selection.share add' : 'shares add'
    throw new PolicyError(`${all} up to ${rational.format(spent)}: they may be at most 1`)
  }
  const rho = rational.mul(cap, spent)
  const selection = selectionOf(policy, cap, delta, rho)
  const epsilon = (days: number): number => {
    const span = rational.integer(days)
    const left = selection ? deltaLeft(delta, rational.mul(selection.deltaPerDay, span)) : delta
    return rational.toNumber(zcdpToEpsilon(rational.mul(rho, span), left), 'up')
  }
  const whole = {
    unit: 'household-day',
    neighbours: 'add-remove',
    mechanism: selection ? `${mechanism}, ${selectionMechanism}` : mechanism,
    epsilonDay: epsilon(1),
    epsilonWeek: epsilon(daysOfWeek),
    epsilonYear: epsilon(daysOfYear),
    delta: rational.toNumber(delta, 'up'),
    capRule: policy.capRule,
  } as const
  const terms = levels.map((level, i) => {
    const levelRho = rational.mul(cap, shares[i]!)
    return [level, termsOf(whole, levelRho, clipFor(policy, level))] as const
  })
  return deepFreeze({
    policy,
    cap,
    interval,
    rho,
    selection,
    levels: Object.fromEntries(terms) as Record<Level, LevelTerms>,
  })
}

function selectionOf(policy: ReleasePolicy, cap: Rational, delta: Rational, rho: Rational): SelectionTerms | null {
  const { selection, ruleSet } = policy
  if (!selection) return null
  for (const field of ['preThreshold', 'pointsAtConnection'] as const) {
    if (!Number.isSafeInteger(selection[field]) || selection[field] < 1) {
      throw new PolicyError(`selection.${field} must be a whole number of at least 1`)
    }
  }
  if (ruleSet && ruleSet.coarser.length > 0) {
    throw new PolicyError('selection decides for the windows of the policy: it needs rules without coarser windows')
  }
  const [share, ofDelta] = [selection.share, selection.delta].map((text, i) =>
    fraction(text, i === 0 ? 'selection.share' : 'selection.delta'),
  )
  const terms = selectionTerms(cap, share!, ofDelta!)
  const problem = selectionProblem(terms, selection.pointsAtConnection, { cap, delta }, rho)
  if (problem !== undefined) throw new PolicyError(problem)
  return terms
}

function termsOf(
  whole: Omit<PrivacyStatement, 'rho' | 'clipWh' | 'sigma2'>,
  rho: Rational,
  clipWh: number,
): LevelTerms {
  const sigma2 = gaussianSigma2(rational.integer(BigInt(clipWh) ** 2n), rho)
  const twice = rational.mul(rational.integer(2), sigma2)
  const stated = (variance: Rational): PrivacyStatement => ({
    ...whole,
    rho: rational.format(rho),
    clipWh,
    sigma2: rational.format(variance),
  })
  return {
    clipWh,
    rho,
    sigma2,
    half: { 1: halfWidths(sigma2), 2: halfWidths(twice) },
    statement: { 1: stated(sigma2), 2: stated(twice) },
  }
}

const longer = new WeakMap<LevelTerms, Map<number, LevelTerms>>()

/**
 * The terms of sums over so many of the policy's windows at once, for the rho of the level. Sums over m intervals each of a
 * vector of norm at most S have a norm of at most sqrt(m) S (Cauchy and Schwarz, met by a constant load), also where both
 * phases and both channels are taken together. So noise of m times the variance costs the same: as much as m windows added
 * up have, at most rounded up.
 */
export function termsOver({ levels: terms }: ResolvedPolicy, level: Level, windows: number): LevelTerms {
  const own = terms[level]
  if (windows === 1) return own
  const known = longer.get(own) ?? new Map<number, LevelTerms>()
  longer.set(own, known)
  const { rho: _rho, clipWh: _clip, sigma2: _sigma2, ...whole } = own.statement[1]
  const clipWh = Number(squareRoot(BigInt(own.clipWh) ** 2n * BigInt(windows), 'up'))
  const made = known.get(windows) ?? deepFreeze(termsOf(whole, own.rho, clipWh))
  known.set(windows, made)
  return made
}

/**
 * S of a household-day at `level` for the policy's windows, in whole Wh: the half-hour bound times sqrt(length / 30 min),
 * rounded down. The bound operator must clip to this.
 */
export function clipFor(policy: ReleasePolicy, level: Level): number {
  const base = policy.clipWhPerHalfHour[level]
  return Number(squareRoot((BigInt(base) ** 2n * BigInt(policy.windowSeconds)) / 1_800n, 'down'))
}

/** The integer square root of `n` >= 0, rounded down or up. */
export function squareRoot(n: bigint, rounding: 'down' | 'up'): bigint {
  if (n < 2n) return n
  let root = BigInt(Math.floor(Math.sqrt(Number(n))))
  while (root * root > n) root -= 1n
  while ((root + 1n) * (root + 1n) <= n) root += 1n
  return rounding === 'up' && root * root < n ? root + 1n : root
}

// Normal quantiles at 0.75 and 0.975, rounded up in the tenth place.
const z50 = rational.decimal('0.6744897502')
const z95 = rational.decimal('1.9599639846')

/** Half-widths of the 50 and 95 % intervals of noise with this variance in Wh^2: in Wh, rounded up. */
export function halfWidths(variance: Rational): { half50Wh: number; half95Wh: number } {
  const half = (z: Rational): number => {
    const square = rational.toInteger(rational.mul(rational.mul(z, z), variance), 'up')
    return Number(squareRoot(square, 'up'))
  }
  return { half50Wh: half(z50), half95Wh: half(z95) }
}

function fraction(text: string, field: string): Rational {
  let value: Rational
  try {
    value = rational.parse(text)
  } catch {
    throw new PolicyError(`${field} must be a fraction such as "1/4"`)
  }
  if (rational.sign(value) <= 0 || rational.compare(value, rational.one) > 0) {
    throw new PolicyError(`${field} must be above 0 and at most 1`)
  }
  return value
}

function checkTimes(policy: ReleasePolicy): void {
  const whole = (value: number, field: string, least: number, most: number): void => {
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new PolicyError(`${field} must be a whole number from ${least} to ${most}`)
    }
  }
  if (![900, 1_800, 3_600].includes(policy.windowSeconds)) {
    throw new PolicyError('windowSeconds must be 900, 1800 or 3600')
  }
  // Every preliminary seal of a day must be due before its late seals.
  whole(policy.cutOffHour, 'cutOffHour', 2, 12)
  whole(policy.graceSeconds, 'graceSeconds', 0, 3_600)
  whole(policy.publishDelaySeconds, 'publishDelaySeconds', 0, 86_400)
  whole(policy.tickSeconds, 'tickSeconds', 1, 3_600)
  for (const level of levels) whole(policy.clipWhPerHalfHour[level], `clipWhPerHalfHour.${level}`, 1, 1_000_000_000)
}

function checkRules(policy: ReleasePolicy): void {
  for (const kind of ['residential', 'other'] as const) {
    const { minCount, maxShare } = policy.rules[kind]
    if (!Number.isSafeInteger(minCount) || minCount < 1) {
      throw new PolicyError(`rules.${kind}.minCount must be a whole number of at least 1`)
    }
    if (maxShare !== null) fraction(maxShare, `rules.${kind}.maxShare`)
  }
  for (const [field, text] of Object.entries(policy.restricted ?? {})) {
    if (text !== null) fraction(text, `restricted.${field}`)
  }
  fraction(policy.maxRelativeNoise, 'maxRelativeNoise')
  if (!Number.isSafeInteger(policy.meanLoadWhPerDay) || policy.meanLoadWhPerDay < 1) {
    throw new PolicyError('meanLoadWhPerDay must be a whole number of at least 1')
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part)
  return Object.freeze(value)
}
