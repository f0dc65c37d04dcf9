// Caps, as rules that admit a tally or not. A rule that holds while losses are chosen from earlier results is a privacy filter (Rogers, Roth,
// Ullman and Vadhan, 2016); the others say why the losses are fixed beforehand.
import { ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import { requireDelta, requireDeltaOrZero, requirePositive } from '../parameters.ts'
import { add, compare, format, type Rational, sign, sub } from '../rational.ts'
import { approxDpToRho } from '../zcdp.ts'
import { advancedEpsilon, kairouzOhViswanathEpsilon } from './approximate.ts'
import { epsilonBy, tallyRho, tightestEpsilon } from './composition.ts'
import { approxDpToMuSquared } from './gaussian.ts'
import { addLoss, deltaWith, emptyTally, type LossTally, sumOver } from './tally.ts'

/** The most that one unit may lose, and the theorem by which its losses are added up. */
export type PrivacyCap =
  /** Zero-concentrated: rho adds up. Takes every loss but approximate ones. */
  | { readonly rho: Rational }
  /** Pure: epsilon adds up. Takes pure and Laplace losses. */
  | { readonly epsilon: Rational; readonly delta?: never }
  /** The sums of epsilon and of delta. Takes pure, approximate and Laplace losses. */
  | { readonly epsilon: Rational; readonly delta: Rational; readonly composition: 'basic' }
  /** Advanced composition at `slack`, which is taken from delta. Takes pure, approximate and Laplace losses. */
  | {
      readonly epsilon: Rational
      readonly delta: Rational
      readonly composition: 'advanced'
      readonly slack: Rational
    }
  /** The largest rho that gives (epsilon, delta). Takes every loss but approximate ones. */
  | { readonly epsilon: Rational; readonly delta: Rational; readonly composition: 'zcdp' }
  /** The largest mu^2 that gives (epsilon, delta) (Koskela, Tobaben and Honkela, 2023). Takes Gaussian losses only. */
  | { readonly epsilon: Rational; readonly delta: Rational; readonly composition: 'gaussian' }
  /** The tighter theorems, for losses that no earlier result decides; `planned` says why none does. */
  | {
      readonly epsilon: Rational
      readonly delta: Rational
      readonly composition: 'kairouz-oh-viswanath' | 'renyi' | 'pld' | 'tightest'
      readonly planned: string
    }

/** A cap as a rule. */
export interface CapRule {
  /** The currency of `spent` and `left`. */
  readonly currency: 'rho' | 'epsilon' | 'mu^2'
  /** Whether it holds for losses that were chosen from earlier results. */
  readonly adaptive: boolean
  readonly limit: Rational
  /** What a tally has spent, in the currency and rounded up; undefined where its deltas alone pass the cap. Throws ParameterError for losses it does not take. */
  readonly spent: (tally: LossTally) => Rational | undefined
  /** The terms as plain data, for a ledger. */
  readonly terms: Readonly<Record<string, string>>
}

const noFailures = (tally: LossTally, of: (tally: LossTally) => Rational): Rational => {
  if (sign(tally.deltas) > 0)
    throw new ParameterError('an approximate loss is charged to a cap with "basic" or "advanced" composition')
  return of(tally)
}

const onlyGaussian = (tally: LossTally): Rational => {
  if (tally.laplaces.size > 0 || sign(tally.rho) > 0)
    throw new ParameterError('a cap with "gaussian" composition takes Gaussian losses only')
  return tally.muSquared
}

const sumOfEpsilons = (tally: LossTally, what: string): Rational => {
  if (sign(tally.muSquared) > 0 || sign(tally.rho) > 0)
    throw new ParameterError(`a cap with ${what} takes no Gaussian or zCDP loss`)
  return sumOver(tally, ({ epsilon }) => epsilon)
}

/** The rule of a cap. Throws ParameterError for figures out of range or a plan without its reason. */
export const capRule = (cap: PrivacyCap): CapRule => {
  if ('rho' in cap) {
    requirePositive(cap.rho, 'the cap')
    return {
      currency: 'rho',
      adaptive: true,
      limit: cap.rho,
      spent: (tally) => noFailures(tally, tallyRho),
      terms: { rho: format(cap.rho) },
    }
  }
  requirePositive(cap.epsilon, 'the cap')
  if (cap.delta === undefined)
    return {
      currency: 'epsilon',
      adaptive: true,
      limit: cap.epsilon,
      spent: (tally) => noFailures(tally, (whole) => sumOfEpsilons(whole, 'a pure epsilon')),
      terms: { epsilon: format(cap.epsilon) },
    }
  return approximateRule(cap)
}

const approximateRule = (cap: Extract<PrivacyCap, { readonly composition: string }>): CapRule => {
  const { epsilon, delta, composition } = cap
  const terms = { epsilon: format(epsilon), delta: format(delta), composition }
  const inEpsilon = { currency: 'epsilon', limit: epsilon } as const
  switch (composition) {
    case 'basic':
      requireDeltaOrZero(delta)
      return {
        ...inEpsilon,
        adaptive: true,
        terms,
        spent: (tally) => (compare(tally.deltas, delta) > 0 ? undefined : sumOfEpsilons(tally, '"basic" composition')),
      }
    case 'advanced': {
      requireDelta(cap.slack)
      if (compare(cap.slack, delta) > 0) throw new ParameterError('the slack must not be above delta')
      return {
        ...inEpsilon,
        adaptive: true,
        terms: { ...terms, slack: format(cap.slack) },
        spent: (tally) =>
          compare(add(tally.deltas, cap.slack), delta) > 0 ? undefined : advancedEpsilon(tally, cap.slack),
      }
    }
    case 'zcdp':
      return {
        currency: 'rho',
        adaptive: true,
        limit: approxDpToRho(epsilon, delta),
        terms,
        spent: (tally) => noFailures(tally, tallyRho),
      }
    case 'gaussian':
      return {
        currency: 'mu^2',
        adaptive: true,
        limit: approxDpToMuSquared(epsilon, delta),
        terms,
        spent: (tally) => noFailures(tally, onlyGaussian),
      }
    case 'kairouz-oh-viswanath':
    case 'renyi':
    case 'pld':
    case 'tightest': {
      requireDelta(delta)
      if (cap.planned.trim() === '')
        throw new ParameterError(`"${composition}" composition needs the reason why no earlier result decides a loss`)
      return {
        ...inEpsilon,
        adaptive: false,
        terms: { ...terms, planned: cap.planned },
        spent: (tally) => {
          if (compare(tally.failure, delta) > 0) return undefined
          return composition === 'tightest'
            ? tightestEpsilon(tally, delta).epsilon
            : epsilonBy(composition, tally, delta)
        },
      }
    }
    default:
      throw new ParameterError(`there is no composition ${JSON.stringify(composition)}`)
  }
}

/** The rule of diffprivlib's budgets: Kairouz, Oh and Viswanath's epsilon at `slack`, and 1 - (1 - slack) times the product of 1 - delta. */
export const budgetRule = (epsilon: Rational, delta: Rational, slack: Rational): CapRule => {
  requirePositive(epsilon, 'the epsilon of a budget')
  requireDeltaOrZero(delta)
  requireDeltaOrZero(slack)
  if (compare(slack, delta) > 0) throw new ParameterError('the slack must not be above delta')
  return {
    currency: 'epsilon',
    adaptive: sign(slack) === 0,
    limit: epsilon,
    terms: { epsilon: format(epsilon), delta: format(delta), slack: format(slack), composition: 'budget' },
    spent: (tally) =>
      compare(deltaWith(tally, slack), delta) > 0 ? undefined : kairouzOhViswanathEpsilon(tally, slack),
  }
}

/** Whether a tally stays within the cap. */
export const admits = (rule: CapRule, tally: LossTally): boolean => {
  const spent = rule.spent(tally)
  return spent !== undefined && compare(spent, rule.limit) <= 0
}

/** What the rule leaves of its cap, in its currency; 0 where deltas alone pass it. */
export const leftOf = (rule: CapRule, tally: LossTally): Rational => sub(rule.limit, rule.spent(tally) ?? rule.limit)

/** Whether the rule takes a loss of this kind at all: throws ParameterError with the reason when not. */
export const requireTaken = (rule: CapRule, loss: PrivacyLoss): void => {
  rule.spent(addLoss(emptyTally, loss))
}
