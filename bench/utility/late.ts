import { consistencyOf } from '../../operators/privacy/release/consistent.ts'
import { secureNoise } from '../../operators/privacy/release/noise.ts'
import { type ReleasePolicy, resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { type SeriesFilters, smoothWindow } from '../../operators/privacy/release/smooth.ts'
import { expectedLate, type LateShares, smoothLate } from '../../operators/privacy/release/smooth-late.ts'
import { gainSource } from '../../operators/privacy/release/smooth-model.ts'
import { cutOff, localDay } from '../../operators/window/local-day.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { slotsOf } from '../fleet/calendar.ts'
import { defaultFaults, noFaults } from '../fleet/faults.ts'
import { defaultMeterMix, meterOf } from '../fleet/meters.ts'
import { deliveriesOf } from '../fleet/schedule.ts'
import { counterOf, envelope, type Frame, type Member, useOf } from './bounded-pool.ts'
import type { Bounds } from './bounds.ts'
import type { TreeGroup } from './groups.ts'
import type { Households } from './households.ts'
import { planOf } from './plan.ts'

/** What of a member counts in the preliminary release, and what is added by the cut-off of the day; by level, Wh per window. */
export interface LateSeries {
  readonly inTime: Readonly<Record<Level, Int32Array>>
  readonly late: Readonly<Record<Level, Int32Array>>
}

/** How the two phases of one level did where readings come late, as parts of the mean load. */
export interface LateErrors {
  /** Of the clipped energy: what was not there for the preliminary release, and what came for the final one. */
  readonly missing: number
  readonly came: number
  /** Mean of what the preliminary records say is to come. */
  readonly expected: number
  /** Root mean square error of the smoothed values against the true sums: preliminary, with the expected added, final. */
  readonly preliminary: number
  readonly withExpected: number
  readonly final: number
}

/**
 * The members' readings as the fleet's schedule delivers them by its defaults for lateness, with no other fault: nine of ten
 * in time. Each is bounded in the order of arrival. A household that stands for others is late together with them, so in
 * groups of more households than the pool has members the late part differs more from window to window than it would.
 */
export function latePool(
  households: Households,
  members: readonly Member[],
  policy: ReleasePolicy,
  bounds: Bounds,
): readonly LateSeries[] {
  const { start, timeZone, windows, intervalSeconds } = households
  const stepMs = intervalSeconds * 1_000
  const days = localDay(timeZone, start + windows * stepMs - 1).day - localDay(timeZone, start).day + 1
  const slots = slotsOf({ start, days, intervalSeconds, timeZone })
  const { lateHours, lateDay, lateDays, never } = defaultFaults
  const options = { seed: 1, slots, faults: { ...noFaults, lateHours, lateDay, lateDays, never } }
  const closes = (window: number): number => window + stepMs + policy.graceSeconds * 1_000
  const count = (early: boolean) =>
    counterOf(households, policy, bounds, levels, ({ window }, receivedAt) => receivedAt < closes(window) === early)
  const [inTime, late] = [count(true), count(false)]
  return members.map((member, home) => {
    const { readingsAt, entry } = useOf(households, member, home)
    const first = meterOf(1, home, 0, defaultMeterMix)
    const meters = { home, first, second: undefined, exchangeSlot: slots.count, wrongKey: false }
    const frames = deliveriesOf(options, meters, []).map(({ transmission, receivedAt }): Frame => {
      const { firstSlot, slots: rows } = transmission
      return envelope(entry, readingsAt(firstSlot, firstSlot + rows), receivedAt)
    })
    return { inTime: inTime(frames), late: late(frames) }
  })
}

/** Sums of both parts per window, in Wh. */
function sumsOf(pool: readonly LateSeries[], { mix, level, truth }: TreeGroup): Record<keyof LateSeries, Float64Array> {
  const inTime = new Float64Array(truth.length)
  const late = new Float64Array(truth.length)
  for (const [member, times] of mix) {
    const series = pool[member]!
    const [early, after] = [series.inTime[level], series.late[level]]
    for (let i = 0; i < truth.length; i++) {
      inTime[i]! += times * early[i]!
      late[i]! += times * after[i]!
    }
  }
  return { inTime, late }
}

/**
 * Releases both phases of every window as the seals do, with their own functions: the final one when the day's cut-off is
 * past, of all windows of the day before. Windows of the first `warmUp` days are released but not judged.
 */
export function lateErrors(
  groups: readonly TreeGroup[],
  pool: readonly LateSeries[],
  policy: ReleasePolicy,
  households: Households,
  warmUp: number,
): ReadonlyMap<Level, LateErrors> {
  const { start, timeZone, windows } = households
  const resolved = resolvePolicy(policy)
  const { plan, series } = planOf(groups, resolved, timeZone)
  const parts = series.map((group) => sumsOf(pool, group))
  const noise = secureNoise()
  const draw = (level: Level): number => Number(noise.gaussian(resolved.levels[level].sigma2))
  const { estimate } = consistencyOf(plan)
  const filters: SeriesFilters = new Map()
  const shares: LateShares = new Map()
  const gains = gainSource()
  const stepMs = policy.windowSeconds * 1_000
  const judgedFrom = (warmUp * 86_400_000) / stepMs
  const noSums = () => ({ load: 0, windows: 0, clipped: 0, late: 0, expected: 0, preliminary: 0, with: 0, final: 0 })
  const sums = new Map(levels.map((level) => [level, noSums()]))
  const open: { readonly at: number; readonly due: number; readonly smoothed: readonly number[] }[] = []

  const finish = ({ at, smoothed }: (typeof open)[number]): void => {
    const increments = estimate(series.map(({ level }, i) => parts[i]!.late[at]! + draw(level)))
    const late = smoothLate(shares, plan, smoothed, increments).smoothed
    if (at < judgedFrom) return
    series.forEach(({ level, truth }, i) => {
      sums.get(level)!.final += (smoothed[i]! + late[i]! - truth[at]!) ** 2
    })
  }
  for (let at = 0; at < windows; at++) {
    const window = start + at * stepMs
    while (open.length > 0 && open[0]!.due <= window) finish(open.shift()!)
    const raw = series.map(({ level }, i) => parts[i]!.inTime[at]! + draw(level))
    const known = { plan, timeZone, window, consistent: estimate(raw) }
    const smoothed = smoothWindow(filters, known, gains) as number[]
    open.push({ at, due: cutOff(timeZone, localDay(timeZone, window).day, policy.cutOffHour), smoothed })
    if (at < judgedFrom) continue
    const toCome = expectedLate(shares, plan, smoothed)
    series.forEach(({ level, truth, clipped }, i) => {
      const sum = sums.get(level)!
      const error = smoothed[i]! - truth[at]!
      sum.load += truth[at]!
      sum.windows += 1
      sum.clipped += clipped[at]! - parts[i]!.inTime[at]!
      sum.late += parts[i]!.late[at]!
      sum.expected += toCome[i] ?? 0
      sum.preliminary += error ** 2
      sum.with += (error + (toCome[i] ?? 0)) ** 2
    })
  }
  for (const window of open) finish(window)
  return new Map(
    [...sums].map(([level, sum]) => {
      const part = (squares: number): number => Math.sqrt(squares / sum.windows) / (sum.load / sum.windows)
      return [
        level,
        {
          missing: sum.clipped / sum.load,
          came: sum.late / sum.load,
          expected: sum.expected / sum.load,
          preliminary: part(sum.preliminary),
          withExpected: part(sum.with),
          final: part(sum.final),
        },
      ]
    }),
  )
}
