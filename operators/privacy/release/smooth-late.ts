import { consistencyOf } from './consistent.ts'
import type { DayPlan } from './day-plan.ts'
import { filterName, type SmoothedValues } from './smooth.ts'

/** Which part of the preliminary load comes late, as believed of one group: mean and variance. */
export interface LateShare {
  readonly share: number
  readonly variance: number
}

export type LateShares = Map<string, LateShare>

const unknown: LateShare = { share: 0.05, variance: 0.01 }
/** How the share drifts over a window (standard deviation), and how much one window differs by itself. */
const drift = 0.002
const own = 0.03

/**
 * What of the load of a window is still to come, in the plan's order, whole Wh: the share that came late so far of the
 * smoothed preliminary load, from released values alone. `null` where no late values were released yet.
 */
export function expectedLate(
  shares: LateShares,
  { groups }: DayPlan,
  smoothed: readonly (number | null)[],
): readonly (number | null)[] {
  return groups.map((group, i) => {
    const known = shares.get(filterName(group))
    const load = smoothed[i] ?? null
    return known === undefined || load === null ? null : Math.round(Math.max(0, known.share) * Math.max(0, load))
  })
}

/**
 * Smooths the late increments of one window, in the plan's order, from the share of the preliminary load that came late
 * so far: a Kalman filter of one number, with the known noise variance. An increment that stands out of noise and share by
 * more than three standard deviations is the window's own event, e.g. an outage, and counts almost as released. `null`
 * where withheld. The variances are those of the increments alone.
 */
export function smoothLate(
  shares: LateShares,
  plan: DayPlan,
  preliminary: readonly (number | null)[],
  increments: readonly (number | null)[],
): SmoothedValues {
  const { variances } = consistencyOf(plan)
  const errors = new Float64Array(plan.groups.length).fill(Number.NaN)
  const smoothed = plan.groups.map((group, i) => {
    const name = filterName(group)
    const base = preliminary[i] ?? null
    const increment = increments[i] ?? null
    if (base === null || increment === null) {
      shares.delete(name)
      return null
    }
    const { share, variance } = shares.get(name) ?? unknown
    const load = Math.max(base, 0)
    const spread = variance + drift * drift
    const known = spread * load * load
    const expected = share * load
    const surprise = increment - expected
    const usual = (own * load) ** 2
    const total = known + usual + variances[i]!
    const event = Math.max(0, surprise * surprise - 9 * total)
    const gain = (spread * load) / (total + event)
    shares.set(name, { share: share + gain * surprise, variance: spread - gain * load * spread })
    const trusted = (known + usual + event) / (total + event)
    errors[i] = trusted * variances[i]!
    return Math.round(expected + trusted * surprise)
  })
  return { smoothed, spread: errors }
}
