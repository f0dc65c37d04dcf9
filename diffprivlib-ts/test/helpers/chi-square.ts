/**
 * The chi-square value that a right sampler passes with probability 1e-9 or less, by the Wilson-Hilferty cube at 6.1 standard deviations
 * (one-sided 5.3e-10); the cube is accurate to a few percent of a standard deviation for the 10 degrees and more used here.
 */
export const criticalValue = (degrees: number): number => {
  const spread = 2 / (9 * degrees)
  return degrees * (1 - spread + 6.1 * Math.sqrt(spread)) ** 3
}

/** Pearson's statistic of observed counts against probabilities, whose rest forms one more cell. */
export const chiSquare = (
  counts: readonly number[],
  probabilities: readonly number[],
  draws: number,
): { readonly statistic: number; readonly degrees: number } => {
  let statistic = 0
  let restCount = draws
  let restProbability = 1
  let cells = 0
  probabilities.forEach((probability, cell) => {
    const expected = probability * draws
    if (expected < 20) return
    const count = counts[cell] ?? 0
    statistic += (count - expected) ** 2 / expected
    restCount -= count
    restProbability -= probability
    cells += 1
  })
  const expected = Math.max(restProbability, 0) * draws
  if (expected >= 5) return { statistic: statistic + (restCount - expected) ** 2 / expected, degrees: cells }
  // Too little is left for a cell of its own: a single count there may not move the statistic, many must.
  const surplus = restCount > 40 ? restCount : 0
  return { statistic: statistic + surplus, degrees: cells - 1 }
}
