import { rational } from 'diffprivlib-ts'
import { type Level, levels } from '../../../../schemas/register-entry.ts'
import { type ReleasePolicy, type ResolvedPolicy, squareRoot, termsOver } from '../policy.ts'
import {
  type ClassCounts,
  type CoarserStep,
  type RuleClass,
  type RuleSet,
  ruleClasses,
  rulesByClass,
} from './rule-set.ts'

/** What register counts must come to in windows of one length. */
export interface StepRules {
  /** Length of the windows; 86,400 stands for the local day. */
  readonly seconds: number
  /** How many of the policy's windows one of them holds; of a day, on days without a clock change. */
  readonly windows: number
  /** Fewest homes of a group that holds these classes: that of the strictest. */
  readonly minimum: (counts: ClassCounts) => number
  /** Whether a group may be shown by its counts and by the largest share that public constants allow one point. */
  readonly keeps: (counts: ClassCounts) => boolean
  /** Whether the noise is small enough beside the public mean load of so many points. */
  readonly isUseful: (level: Level, registered: number) => boolean
}

/** Rules in force: those of the set that the policy holds, else its two classes. */
export interface RulesInForce {
  readonly classes: Readonly<Record<RuleClass, { readonly minCount: number; readonly maxShare: string | null }>>
  readonly mergePath: readonly Level[]
  readonly membership: RuleSet['membership']
  /** Largest of the counts: by so many points members must change at once. */
  readonly fewest: number
}

/** The rules that a policy puts into force. */
export function rulesInForce({ ruleSet, rules: { residential, other } }: ReleasePolicy): RulesInForce {
  const classes = ruleSet
    ? rulesByClass(ruleSet)
    : { residential, commercial: other, industrial: other, agricultural: other, large: other }
  const fewest = Math.max(...ruleClasses.map((each) => classes[each].minCount))
  const { mergePath = levels, membership = 'free' } = ruleSet ?? {}
  return { classes, mergePath, membership, fewest }
}

const noone: ClassCounts = Object.freeze({ residential: 0, commercial: 0, industrial: 0, agricultural: 0, large: 0 })

/** Counts by class of a group for which only homes and others are told apart. */
export const twoClasses = (residential: number, other: number): ClassCounts => ({
  ...noone,
  residential,
  commercial: other,
})

/** Two sets of points that do not overlap, together. */
export function addCounts(a: ClassCounts, b: ClassCounts): ClassCounts {
  const shared = (a.shared ?? 0) + (b.shared ?? 0)
  return {
    residential: a.residential + b.residential,
    commercial: a.commercial + b.commercial,
    industrial: a.industrial + b.industrial,
    agricultural: a.agricultural + b.agricultural,
    large: a.large + b.large,
    ...(shared > 0 ? { shared } : {}),
  }
}

/** All points. */
export const totalOf = ({ residential, commercial, industrial, agricultural, large }: ClassCounts): number =>
  residential + commercial + industrial + agricultural + large

/** How many homes (or sites) they are, at least. */
export const homesIn = (counts: ClassCounts): number => totalOf(counts) - (counts.shared ?? 0)

const made = new WeakMap<ResolvedPolicy, readonly StepRules[]>()

/** The rules for the policy's own windows, then for each coarser step; made once per policy. */
export function stepRules(resolved: ResolvedPolicy): readonly StepRules[] {
  const known = made.get(resolved) ?? compile(resolved)
  made.set(resolved, known)
  return known
}

/**
 * Counts of groups that do not overlap add up, and so do their public mean loads, while the strictest class of two groups
 * together is that of one of them. So two groups that both keep the rules keep them together, on which `hideCells` relies.
 */
function compile(resolved: ResolvedPolicy): readonly StepRules[] {
  const { policy } = resolved
  const { classes } = rulesInForce(policy)
  let counts = Object.fromEntries(ruleClasses.map((each) => [each, classes[each].minCount])) as Record<
    RuleClass,
    number
  >
  const shortest: { readonly seconds: number; readonly minCounts: CoarserStep['minCounts'] } = {
    seconds: policy.windowSeconds,
    minCounts: {},
  }
  const coarser = (policy.ruleSet?.coarser ?? []).filter(({ seconds }) => seconds > policy.windowSeconds)
  return [shortest, ...coarser].map(({ seconds, minCounts = {} }): StepRules => {
    const own = policy.ruleSet?.classes.agricultural ? {} : { agricultural: minCounts.commercial }
    const given = Object.entries({ ...minCounts, ...own }).filter(([, count]) => count !== undefined)
    counts = { ...counts, ...Object.fromEntries(given) }
    const least = counts
    const minimum = (held: ClassCounts): number => {
      const present = ruleClasses.filter((each) => held[each] > 0)
      return present.length === 0 ? least.residential : Math.max(...present.map((each) => least[each]))
    }
    const isSpread = shareRule(policy, seconds)
    const windows = seconds / policy.windowSeconds
    return {
      seconds,
      windows,
      minimum,
      keeps: (held) => homesIn(held) >= minimum(held) && isSpread(held),
      isUseful: usefulness(resolved, windows),
    }
  })
}

/**
 * The largest share as a condition on counts: the most that one point of a class may count in a window, by contract and by
 * the widest clip, is at most its share of what so many points count on public average.
 */
function shareRule(policy: ReleasePolicy, seconds: number): (counts: ClassCounts) => boolean {
  const { ruleSet } = policy
  if (!ruleSet) return () => true
  const clip = BigInt(Math.max(...levels.map((level) => policy.clipWhPerHalfHour[level])))
  // In units of Wh / 86,400. S grows with the root of the length; rounded up, since it bounds from above.
  const clipWh = squareRoot((clip ** 2n * BigInt(seconds) * 86_400n ** 2n) / 1_800n + 1n, 'up')
  const most = (each: RuleClass): bigint => {
    const { largeAboveWhPerHour, largestWhPerHour } = ruleSet
    const contract = BigInt(each === 'large' ? largestWhPerHour : largeAboveWhPerHour) * BigInt(seconds) * 24n
    return contract < clipWh ? contract : clipWh
  }
  const terms = ruleClasses.map((each) => {
    const { maxShare, meanWhPerDay } = rulesByClass(ruleSet)[each]
    const mean = BigInt(meanWhPerDay) * BigInt(seconds)
    const largest = most(each)
    const share = maxShare === null ? undefined : rational.parse(maxShare)
    return { each, largest, mean: mean < largest ? mean : largest, share }
  })
  return (counts) => {
    const load = terms.reduce((sum, { each, mean }) => sum + BigInt(counts[each]) * mean, 0n)
    return terms.every(({ each, largest, share }) => {
      // The contracts of several points at one home add up, until S.
      const most = (counts.shared ?? 0) > 0 ? clipWh : largest
      return counts[each] === 0 || !share || most * share.den <= load * share.num
    })
  }
}

/** sigma <= maxRelativeNoise x registered x mean load per window, compared exactly as squares. */
function usefulness(resolved: ResolvedPolicy, windows: number): StepRules['isUseful'] {
  const { policy } = resolved
  const allowed = rational.parse(policy.ruleSet?.maxRelativeNoise ?? policy.maxRelativeNoise)
  const seconds = BigInt(policy.windowSeconds) * BigInt(windows)
  return (level, registered) => {
    const load = rational.ratio(BigInt(registered) * BigInt(policy.meanLoadWhPerDay) * seconds, 86_400n)
    const most = rational.mul(load, allowed)
    return rational.compare(termsOver(resolved, level, windows).sigma2, rational.mul(most, most)) <= 0
  }
}
