import { requireCount, requireNotNegative, requirePositive } from '../parameters.ts'
import { add, compare, div, integer, type Rational, sub, zero } from '../rational.ts'

/**
 * The largest sum of charges over any `window` consecutive steps: what somebody whose data span that many steps has spent, in the currency of the
 * charges (Kellaris, Papadopoulos, Xiao and Papadias, 2014). Throws ParameterError for a window below 1 or a negative charge.
 */
export const windowSpent = (charges: readonly Rational[], window: number): Rational => {
  requireCount(window, 'a window')
  let sum = zero
  let most = zero
  for (const [i, charge] of charges.entries()) {
    requireNotNegative(charge, 'a charge')
    sum = add(sum, charge)
    const gone = charges[i - window]
    if (gone) sum = sub(sum, gone)
    if (compare(sum, most) > 0) most = sum
  }
  return most
}

/** Hands out the publication half of a w-event budget, step by step. */
export interface BudgetDistribution {
  /** Ends a step; with `publish` it returns what the release may spend, without it 0. */
  readonly step: (publish: boolean) => Rational
}

/**
 * Budget distribution (Kellaris and others, 2014, algorithm 2): half of epsilon is for the tests of dissimilarity; each release takes half of what
 * the other half has left within the last `window` - 1 steps, so that no window of steps ever spends more than epsilon. Exact. Throws
 * ParameterError unless epsilon > 0 and window >= 1.
 */
export const budgetDistribution = (options: {
  readonly epsilon: Rational
  readonly window: number
}): BudgetDistribution => {
  const { epsilon, window } = options
  requirePositive(epsilon, 'epsilon')
  requireCount(window, 'a window')
  const half = div(epsilon, integer(2n))
  const recent: Rational[] = []
  return Object.freeze({
    step: (publish: boolean) => {
      const share = publish ? div(sub(half, recent.reduce(add, zero)), integer(2n)) : zero
      recent.push(share)
      if (recent.length === window) recent.shift()
      return share
    },
  })
}
