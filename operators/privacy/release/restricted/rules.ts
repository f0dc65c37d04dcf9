import { type Rational, rational } from 'diffprivlib-ts'
import { type Largest, largestOf } from '../../largest.ts'
import type { PlannedGroup } from '../day-plan.ts'
import type { ResolvedPolicy } from '../policy.ts'
import { addCounts, rulesInForce, stepRules, totalOf, twoClasses } from '../rules/count-rules.ts'
import { type ClassCounts, ruleClasses } from '../rules/rule-set.ts'
import type { GroupSum } from '../sums.ts'

/** Why a restricted cell is suppressed. */
export const suppressions = ['below_k', 'dominance', 'p_percent', 'membership', 'complementary', 'unproven'] as const
export type Suppression = (typeof suppressions)[number]

/** A group, or groups taken together that do not overlap: what the rules look at. */
export interface Held extends Pick<GroupSum, 'exactWh' | 'count' | 'shared'>, Largest {
  /** Registered points. */
  readonly classes: ClassCounts
  /** How many groups without parts it is made of. */
  readonly groups: number
}

export const nobody: Held = Object.freeze({
  exactWh: 0,
  count: 0,
  shared: 0,
  largestWh: 0,
  secondWh: 0,
  thirdWh: 0,
  classes: twoClasses(0, 0),
  groups: 0,
})

/** Two sets of groups that do not overlap, together. */
export function together(a: Held, b: Held): Held {
  if (a.groups === 0) return b
  if (b.groups === 0) return a
  return {
    exactWh: a.exactWh + b.exactWh,
    count: a.count + b.count,
    shared: a.shared + b.shared,
    ...largestOf(a, b),
    classes: addCounts(a.classes, b.classes),
    groups: a.groups + b.groups,
  }
}

/** A group by itself. */
export const holding = ({ classes }: PlannedGroup, sum: GroupSum): Held => ({
  exactWh: sum.exactWh,
  count: sum.count,
  shared: sum.shared,
  largestWh: sum.largestWh,
  secondWh: sum.secondWh,
  thirdWh: sum.thirdWh,
  classes,
  groups: 1,
})

/** Registered points of what is held. */
export const registeredIn = ({ classes }: Held): number => totalOf(classes)

/** Which rule a sum breaks, or `null`. */
export type Rules = (held: Held) => Suppression | null

/**
 * The rules of a day. Fewest homes that contribute, by class; largest share of one (where a class that is there has such a rule);
 * (n, k) dominance of the two and the three largest; and the p % rule: without its two largest contributions a sum must hold at least
 * p % of the largest, or the second could estimate the first that closely (Hundepool and others 2012, chapter 4).
 * Values below zero count among the largest by their size, and lessen the sum that these are held against: a sum that keeps
 * the rules so would also keep them if all were taken by size, as the handbook has it, but not the other way round.
 *
 * Where two sums that do not overlap both keep the rules, so does their sum: each rule is a subadditive measure (Cox
 * 1981), which is why the share holds for every group of a day as soon as one group has a class with such a rule.
 */
export function rulesOf(resolved: ResolvedPolicy, groups: readonly PlannedGroup[]): Rules {
  const { restricted = defaultRestrictedRules } = resolved.policy
  const { classes } = rulesInForce(resolved.policy)
  const shares = ruleClasses
    .filter((each) => groups.some((group) => group.classes[each] > 0))
    .map((each) => classes[each].maxShare)
    .flatMap((text) => (text === null ? [] : [rational.parse(text)]))
  const { maxShareOfThree = null } = restricted
  const ofThree = maxShareOfThree === null ? undefined : rational.parse(maxShareOfThree)
  const ofTwo = restricted.maxShareOfTwo === null ? undefined : rational.parse(restricted.maxShareOfTwo)
  const p = restricted.protection === null ? undefined : rational.parse(restricted.protection)
  const { minimum } = stepRules(resolved)[0]!
  return (held) => {
    const { count, exactWh, largestWh, secondWh, thirdWh } = held
    if (count - held.shared < minimum(held.classes)) return 'below_k'
    if (shares.some((share) => exceeds(largestWh, share, exactWh))) return 'dominance'
    if (ofTwo && exceeds(largestWh + secondWh, ofTwo, exactWh)) return 'dominance'
    if (ofThree && exceeds(largestWh + secondWh + thirdWh, ofThree, exactWh)) return 'dominance'
    if (p && BigInt(exactWh - largestWh - secondWh) * p.den < BigInt(largestWh) * p.num) return 'p_percent'
    return null
  }
}

const exceeds = (part: number, share: Rational, whole: number): boolean =>
  BigInt(part) * share.den > BigInt(whole) * share.num

/** What a policy may say of true values, beside its counts and shares by class; fractions are exact texts. */
export interface RestrictedRules {
  /** Largest part of a sum that its two largest contributions may have; `null` for no rule. */
  readonly maxShareOfTwo: string | null
  /** The same of its three largest contributions. Default: no rule. */
  readonly maxShareOfThree?: string | null
  /** p of the p % rule, as a fraction; `null` for no rule. */
  readonly protection: string | null
}

/** p = 10 %, and the two largest at most 85 %: values in common use, to be signed by whoever answers for them. */
export const defaultRestrictedRules: RestrictedRules = Object.freeze({ maxShareOfTwo: '17/20', protection: '1/10' })
