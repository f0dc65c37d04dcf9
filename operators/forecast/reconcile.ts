import type { Family } from './tree.ts'

/** What is forecast of one group and window. */
export interface Part {
  /** Position of the whole that the forecast is a difference from a share of; `undefined` for a load of its own. */
  readonly whole: number | undefined
  readonly share: number
  /** The load, or its difference from the share of the whole; its variance. NaN where there is no forecast. */
  readonly mean: number
  readonly variance: number
}

/** A load in whole Wh, and its variance; `undefined` where there is no forecast. */
export interface Reconciled {
  readonly wh: number
  readonly variance: number
}

/**
 * Makes the forecasts of one window add up: every whole is exactly the sum of its parts, in whole Wh. `parts` holds wholes
 * before their parts.
 *
 * *Method*: minimum trace reconciliation (Wickramasuriya, Athanasopoulos and Hyndman 2019) with the covariance that follows
 * from the forecasts: a part is its share of the whole and a difference whose error has the given variance and is
 * independent of the others. In that covariance the parts say nothing new about their whole, so least squares leaves the
 * whole as it is and takes from the differences what they add up to, each in proportion to its variance. Then largest
 * remainders.
 */
export function reconcile(parts: readonly Part[], families: readonly Family[]): readonly (Reconciled | undefined)[] {
  const done: (Reconciled & { readonly mean: number })[] = []
  const familyOf = new Map(families.map((family) => [family.whole, family]))
  parts.forEach((part, i) => {
    if (done[i] === undefined) {
      const above = part.whole === undefined ? undefined : done[part.whole]
      const mean = part.mean + (above ? part.share * above.mean : 0)
      done[i] = { mean, wh: Math.round(mean), variance: part.variance + (above ? part.share ** 2 * above.variance : 0) }
    }
    const members = familyOf.get(i)?.parts ?? []
    if (members.length > 0 && members.every((at) => !Number.isNaN(parts[at]!.mean)) && !Number.isNaN(done[i]!.mean)) {
      const parted = divide(
        done[i]!,
        members.map((at) => parts[at]!),
      )
      members.forEach((at, k) => {
        done[at] = parted[k]!
      })
    }
  })
  return done.map(({ mean, wh, variance }) => (Number.isNaN(mean) ? undefined : { wh, variance }))
}

/** The parts of one whole: least squares, then whole numbers that add up to it. */
function divide(
  whole: Reconciled & { readonly mean: number },
  parts: readonly Part[],
): readonly (Reconciled & { readonly mean: number })[] {
  const spread = parts.reduce((sum, { variance }) => sum + variance, 0)
  const surplus = parts.reduce((sum, { share, mean }) => sum + share * whole.mean + mean, 0) - whole.mean
  const means = parts.map(({ share, mean, variance }) => {
    const taken = spread > 0 ? variance / spread : 1 / parts.length
    return share * whole.mean + mean - taken * surplus
  })
  const rounded = largestRemainders(means, whole.wh)
  return parts.map(({ share, variance }, k) => {
    const own = spread > 0 ? Math.max(variance - variance ** 2 / spread, 0) : 0
    return { mean: means[k]!, wh: rounded[k]!, variance: share ** 2 * whole.variance + own }
  })
}

/** Whole numbers near `values` that add up to `sum`: rounded down, the rest to those that lost most. */
function largestRemainders(values: readonly number[], sum: number): readonly number[] {
  const whole = values.map(Math.floor)
  const rest = sum - whole.reduce((total, value) => total + value, 0)
  const each = Math.floor(rest / values.length)
  const order = values.map((value, i) => [value - whole[i]!, i] as const).sort(([a, i], [b, k]) => b - a || i - k)
  order.forEach(([, i], rank) => {
    whole[i]! += each + (rank < rest - each * values.length ? 1 : 0)
  })
  return whole
}
