import { ParameterError } from '../errors.ts'
import { incompleteBeta } from './special.ts'

const requireCount = (successes: number, trials: number, miss: number): void => {
  if (
    !Number.isSafeInteger(trials) ||
    trials < 1 ||
    !Number.isSafeInteger(successes) ||
    successes < 0 ||
    successes > trials
  )
    throw new ParameterError(
      `a count of successes lies between 0 and a positive number of trials, got ${successes} of ${trials}`,
    )
  if (!(miss > 0 && miss < 1)) throw new ParameterError(`the chance to miss lies strictly between 0 and 1, got ${miss}`)
}

/**
 * The one-sided lower bound of Clopper and Pearson (1934): below the true probability except with chance `miss`, whatever it is. The p at which
 * so many successes or more have probability `miss`. Throws ParameterError for a count outside its trials.
 */
export const clopperPearsonLower = (successes: number, trials: number, miss: number): number => {
  requireCount(successes, trials, miss)
  if (successes === 0) return 0
  let [low, high] = [0, successes / trials]
  for (let i = 0; i < 55; i++) {
    const middle = (low + high) / 2
    if (incompleteBeta(middle, successes, trials - successes + 1) < miss) low = middle
    else high = middle
  }
  return low
}

/** The one-sided upper bound: above the true probability except with chance `miss`. */
export const clopperPearsonUpper = (successes: number, trials: number, miss: number): number =>
  1 - clopperPearsonLower(trials - successes, trials, miss)
