import { consistencyOf } from '../../operators/privacy/release/consistent.ts'
import { secureNoise } from '../../operators/privacy/release/noise.ts'
import { type ReleasePolicy, resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { type SeriesFilters, smoothWindow } from '../../operators/privacy/release/smooth.ts'
import { gainSource } from '../../operators/privacy/release/smooth-model.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { type ForecastErrors, forecastJudge } from './forecasts.ts'
import type { TreeGroup } from './groups.ts'
import type { Households } from './households.ts'
import { planOf } from './plan.ts'

/** Errors of the released values of one level. */
export interface LevelErrors {
  readonly groups: number
  /** Root mean square against the true sums, as parts of the mean load. */
  readonly raw: number
  readonly consistent: number
  readonly smoothed: number
  /** That of the clipped sums without any noise: what the clip takes. */
  readonly clip: number
  /** Part of the 95 % intervals around raw values that hold the clipped sum, and how many there were. */
  readonly covered: number
  readonly intervals: number
  /** Of forecasts from what was released; undefined where none were asked for or judged. */
  readonly forecast: ForecastErrors | undefined
}

const noSums = () => ({ load: 0, windows: 0, raw: 0, consistent: 0, smoothed: 0, clip: 0, covered: 0 })

/**
 * Releases every window of the groups as a seal does, with its own functions: exact draws, consistency, smoothing; the
 * preliminary phase of import, all values in time. Windows of the first `warmUp` days are released but not judged.
 * `forecasts` has them forecast too.
 */
export function releaseErrors(
  groups: readonly TreeGroup[],
  policy: ReleasePolicy,
  households: Households,
  warmUp: number,
  forecasts = false,
): ReadonlyMap<Level, LevelErrors> {
  const { start, timeZone, windows } = households
  const resolved = resolvePolicy(policy)
  const { plan, series } = planOf(groups, resolved, timeZone)
  const noise = secureNoise()
  const { estimate } = consistencyOf(plan)
  const filters: SeriesFilters = new Map()
  const gains = gainSource()
  const judge = forecasts ? forecastJudge(series, resolved, households, warmUp) : undefined
  const sums = new Map(levels.map((level) => [level, noSums()]))
  const stepMs = policy.windowSeconds * 1_000
  const judgedFrom = (warmUp * 86_400_000) / stepMs
  for (let at = 0; at < windows; at++) {
    const raw = series.map(({ level, clipped }) => clipped[at]! + Number(noise.gaussian(resolved.levels[level].sigma2)))
    const consistent = estimate(raw)
    const smoothed = smoothWindow(filters, { plan, timeZone, window: start + at * stepMs, consistent }, gains)
    judge?.take(at, raw, consistent as number[])
    if (at < judgedFrom) continue
    series.forEach(({ level, truth, clipped }, i) => {
      const sum = sums.get(level)!
      const real = truth[at]!
      sum.load += real
      sum.windows += 1
      sum.raw += (raw[i]! - real) ** 2
      sum.consistent += (consistent[i]! - real) ** 2
      sum.smoothed += (smoothed[i]! - real) ** 2
      sum.clip += (clipped[at]! - real) ** 2
      sum.covered += Math.abs(raw[i]! - clipped[at]!) <= resolved.levels[level].half[1].half95Wh ? 1 : 0
    })
  }
  const forecast = judge?.errors()
  return new Map(
    levels.flatMap((level): [Level, LevelErrors][] => {
      const sum = sums.get(level)!
      if (sum.windows === 0) return []
      const part = (squares: number): number => Math.sqrt(squares / sum.windows) / (sum.load / sum.windows)
      return [
        [
          level,
          {
            groups: groups.filter((group) => group.level === level).length,
            raw: part(sum.raw),
            consistent: part(sum.consistent),
            smoothed: part(sum.smoothed),
            clip: part(sum.clip),
            covered: sum.covered / sum.windows,
            intervals: sum.windows,
            forecast: forecast?.get(level),
          },
        ],
      ]
    }),
  )
}
