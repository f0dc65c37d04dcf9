// diffprivlib's BudgetAccountant as a facade over a privacy account and its ledger. What it does otherwise is listed in the README.
import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import { type Ledger, memoryLedger } from '../ledger/ledger.ts'
import type { PrivacyLoss } from '../loss.ts'
import { greatestWhere } from '../numeric/search.ts'
import { requireCount, requireDeltaOrZero, requireNotNegative } from '../parameters.ts'
import { compare, decimal, div, fromDouble, integer, one, type Rational, ratio, sign, sub, zero } from '../rational.ts'
import { kairouzOhViswanathEpsilon } from './approximate.ts'
import { budgetRule } from './cap.ts'
import { accountUnder } from './privacy-account.ts'
import { addLoss, deltaWith, type LossTally } from './tally.ts'

/** A figure of a budget: a fraction, a decimal such as `"0.05"`, or a number, which is read as the decimal that it prints as. */
export type BudgetFigure = Rational | string | number

/** An epsilon and a delta, exactly. */
export interface Budget {
  readonly epsilon: Rational
  readonly delta: Rational
}

/** A budget from which queries spend, as in diffprivlib. */
export interface BudgetAccountant<N extends Neighbours> {
  readonly neighbours: N
  readonly epsilon: Rational
  readonly delta: Rational
  /** The delta that buys Kairouz, Oh and Viswanath's composition; 0 for the plain sum. */
  readonly slack: Rational
  /** What was spent, in order. */
  readonly spentBudget: () => readonly Budget[]
  /** How many spends there were. */
  readonly length: () => number
  /** The budget spent by all so far and `more` besides: epsilon rounded up, delta exact. */
  readonly total: (more?: readonly { readonly epsilon: BudgetFigure; readonly delta?: BudgetFigure }[]) => Budget
  /**
   * Whether (epsilon, delta) may be spent: returns true, or throws BudgetExceededError as the spend would. Throws ParameterError for a budget
   * out of range or of (0, 0).
   */
  readonly check: (epsilon: BudgetFigure, delta?: BudgetFigure) => true
  /** What each of `count` (1) further spends may use, both rounded down. */
  readonly remaining: (count?: number) => Budget
  /** Spends, before any noise is drawn: when it returns, the spend is durable in the ledger. Throws as `check` does. */
  readonly spend: (epsilon: BudgetFigure, delta?: BudgetFigure) => BudgetAccountant<N>
  /** Spends the loss of a release under a label of its own: what tools call. Throws DuplicateChargeError for a label used before. */
  readonly charge: (label: string, loss: PrivacyLoss<N>) => void
  /** Runs `work` with this accountant as the default of its relation, as diffprivlib's `with` does. Throws ParameterError when `work` returns a promise. */
  readonly scope: <T>(work: () => T) => T
  /** Makes this the default of its relation. */
  readonly setDefault: () => BudgetAccountant<N>
}

/** Options of `budgetAccountant`. */
export interface BudgetAccountantOptions<N extends Neighbours> {
  /** The relation that the budget is about. Required. */
  readonly neighbours: N
  readonly epsilon: BudgetFigure
  /** At least 0 and less than 1. Optional, 0. */
  readonly delta?: BudgetFigure
  /** At most delta. Optional, 0. */
  readonly slack?: BudgetFigure
  /** Spends made before the accountant began. */
  readonly spentBudget?: readonly { readonly epsilon: BudgetFigure; readonly delta?: BudgetFigure }[]
  /** Where spends become durable; without one they are gone with the process. */
  readonly ledger?: Ledger
  /** Names the accountant in the ledger. */
  readonly name?: string
}

/** Reads a figure exactly; a number stands for the shortest decimal that prints as it, as 0.05 does for 1/20. */
export const figure = (value: BudgetFigure): Rational => {
  if (typeof value === 'object') return value
  if (typeof value === 'string') return decimal(value)
  fromDouble(value)
  return decimal(String(value))
}

const unit = 'budget'
const defaults = new Map<Neighbours, object>()

const lossOf = <N extends Neighbours>(neighbours: N, epsilon: Rational, delta: Rational): PrivacyLoss<N> =>
  sign(delta) === 0 ? { kind: 'pure', neighbours, epsilon } : { kind: 'approximate', neighbours, epsilon, delta }

const budgetOf = (loss: PrivacyLoss): Budget => ({
  epsilon: 'epsilon' in loss ? loss.epsilon : zero,
  delta: loss.kind === 'approximate' ? loss.delta : zero,
})

/** Below this nothing is left to spend. */
const least = ratio(1n, 1n << 160n)

/** The greatest figure that holds, or 0 when not even 2^-160 does. */
const mostOrZero = (holds: (value: Rational) => boolean): Rational => (holds(least) ? greatestWhere(holds) : zero)

/**
 * Opens a budget of (epsilon, delta). With a slack, total() is Kairouz, Oh and Viswanath's bound, which assumes that the spends do not depend
 * on earlier answers; without, the sum, which does not. Throws ParameterError for figures out of range, spends that do not fit, or a
 * slack above delta, and LedgerError when the ledger knows the name with other terms.
 */
export const budgetAccountant = <N extends Neighbours>(options: BudgetAccountantOptions<N>): BudgetAccountant<N> => {
  const { neighbours, ledger = memoryLedger(), name = 'budget', spentBudget = [] } = options
  const [epsilon, delta, slack] = [options.epsilon, options.delta ?? zero, options.slack ?? zero].map(figure) as [
    Rational,
    Rational,
    Rational,
  ]
  const account = accountUnder(neighbours, budgetRule(epsilon, delta, slack), ledger, name)
  const tally = () => account.tally(unit)

  const read = (ofEpsilon: BudgetFigure, ofDelta: BudgetFigure = zero): PrivacyLoss<N> => {
    const [asked, failing] = [figure(ofEpsilon), figure(ofDelta)]
    requireNotNegative(asked, 'epsilon')
    requireDeltaOrZero(failing)
    if (sign(asked) === 0 && sign(failing) === 0) throw new ParameterError('epsilon and delta cannot both be 0')
    return lossOf(neighbours, asked, failing)
  }

  const freeLabel = (): string => {
    for (let i = account.losses(unit).length + 1; ; i++) if (!account.charged(unit, `spend ${i}`)) return `spend ${i}`
  }

  const totalOf = (whole: LossTally): Budget => ({
    epsilon: kairouzOhViswanathEpsilon(whole, slack),
    delta: deltaWith(whole, slack),
  })

  const remaining = (count = 1): Budget => {
    requireCount(count, 'the number of spends')
    const spent = tally()
    const copies = BigInt(count)
    const epsilonLeft = (): Rational => {
      if (sign(slack) === 0) return div(sub(epsilon, kairouzOhViswanathEpsilon(spent, slack)), integer(count))
      return mostOrZero(
        (value) =>
          compare(kairouzOhViswanathEpsilon(addLoss(spent, lossOf(neighbours, value, zero), copies), slack), epsilon) <=
          0,
      )
    }
    const deltaLeft = (): Rational => {
      if (count === 1) return sub(one, div(sub(one, delta), sub(one, deltaWith(spent, slack))))
      return mostOrZero((value) => {
        if (compare(value, one) >= 0) return false
        const more = addLoss(spent, { kind: 'approximate', neighbours, epsilon: zero, delta: value }, copies)
        return compare(deltaWith(more, slack), delta) <= 0
      })
    }
    return { epsilon: epsilonLeft(), delta: deltaLeft() }
  }

  const accountant: BudgetAccountant<N> = Object.freeze({
    neighbours,
    epsilon,
    delta,
    slack,
    spentBudget: () => account.losses(unit).map(budgetOf),
    length: () => account.losses(unit).length,
    total: (more: readonly { readonly epsilon: BudgetFigure; readonly delta?: BudgetFigure }[] = []) =>
      totalOf(more.reduce((whole, spend) => addLoss(whole, read(spend.epsilon, spend.delta)), tally())),
    check: (ofEpsilon: BudgetFigure, ofDelta?: BudgetFigure) => {
      account.check(unit, freeLabel(), read(ofEpsilon, ofDelta))
      return true as const
    },
    remaining,
    spend: (ofEpsilon: BudgetFigure, ofDelta?: BudgetFigure) => {
      account.charge(unit, freeLabel(), read(ofEpsilon, ofDelta))
      return accountant
    },
    charge: (label: string, loss: PrivacyLoss<N>) => account.charge(unit, label, loss),
    scope: <T>(work: () => T): T => {
      const before = defaults.get(neighbours)
      defaults.set(neighbours, accountant)
      try {
        const outcome = work()
        if (typeof (outcome as { then?: unknown } | null | undefined)?.then === 'function')
          throw new ParameterError(
            'a scope ends when its work returns: pass the accountant itself to asynchronous work',
          )
        return outcome
      } finally {
        if (before) defaults.set(neighbours, before)
        else defaults.delete(neighbours)
      }
    },
    setDefault: () => {
      defaults.set(neighbours, accountant)
      return accountant
    },
  })
  if (account.losses(unit).length === 0) for (const spend of spentBudget) accountant.spend(spend.epsilon, spend.delta)
  return accountant
}

/**
 * The accountant given, or else the default of the relation. Throws ParameterError when there is neither: no budget is made up that nobody
 * set.
 */
export const loadDefault = <N extends Neighbours>(
  neighbours: N,
  accountant?: BudgetAccountant<N>,
): BudgetAccountant<N> => {
  const found = accountant ?? (defaults.get(neighbours) as BudgetAccountant<N> | undefined)
  if (!found)
    throw new ParameterError(
      `there is no default accountant of ${neighbours} neighbours: make one and call setDefault()`,
    )
  if (found.neighbours !== neighbours)
    throw new ParameterError(`this accountant takes losses of ${found.neighbours} neighbours, not of ${neighbours}`)
  return found
}

/** Takes the default of the relation away and returns it. Throws ParameterError when there is none. */
export const popDefault = <N extends Neighbours>(neighbours: N): BudgetAccountant<N> => {
  const found = loadDefault(neighbours)
  defaults.delete(neighbours)
  return found
}
