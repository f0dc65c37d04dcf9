// Critical values of the tests of this package, each from its exact law.
import { erfcOfSquare } from '../../src/numeric/erfc.ts'
import { fromDouble, ratio, toNumber } from '../../src/rational.ts'

const bisect = (low: number, high: number, isBelow: (x: number) => boolean): number => {
  let [from, to] = [low, high]
  for (let i = 0; i < 100; i++) {
    const middle = (from + to) / 2
    if (isBelow(middle)) from = middle
    else to = middle
  }
  return (from + to) / 2
}

const logFactorials = (n: number): Float64Array => {
  const logs = new Float64Array(n + 1)
  for (let i = 1; i <= n; i++) logs[i] = logs[i - 1]! + Math.log(i)
  return logs
}

/**
 * The statistic that n uniform draws pass with probability `alpha` (two-sided Kolmogorov-Smirnov): twice the exact one-sided tail of Birnbaum and
 * Tingey (1951), for both sides at once are less likely than alpha^2.
 */
export const kolmogorovSmirnov = (n: number, alpha: number): number => {
  const logs = logFactorials(n)
  const tail = (d: number): number => {
    let sum = 0
    for (let j = 0; j <= Math.floor(n * (1 - d)); j++) {
      const choose = logs[n]! - logs[j]! - logs[n - j]!
      sum += Math.exp(choose + (j - 1) * Math.log(d + j / n) + (n - j) * Math.log1p(-d - j / n))
    }
    return 2 * d * sum
  }
  return bisect(0, 1, (d) => tail(d) > alpha)
}

/** The standard deviations that a normal value passes on either side with probability `alpha`. */
export const normalTwoSided = (alpha: number): number =>
  bisect(0, 40, (z) => {
    const { upper, shift } = erfcOfSquare(fromDouble((z * z) / 2), 96)
    return toNumber(ratio(upper, 1n << BigInt(96 + shift)), 'up') > alpha
  })

/** The least interval of equal tails that holds a binomial count with at least the coverage 1 - `miss`. */
export const binomialInterval = (n: number, p: number, miss: number): readonly [number, number] => {
  const logs = logFactorials(n)
  const mass = (k: number) => Math.exp(logs[n]! - logs[k]! - logs[n - k]! + k * Math.log(p) + (n - k) * Math.log1p(-p))
  let [low, below] = [0, 0]
  while (below + mass(low) < miss / 2) below += mass(low++)
  let [high, above] = [n, 0]
  while (above + mass(high) < miss / 2) above += mass(high--)
  return [low, high]
}
