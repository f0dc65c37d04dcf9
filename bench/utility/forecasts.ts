import type { Collector, Envelope } from '../../operators/contract/operator.ts'
import { forecast } from '../../operators/forecast/index.ts'
import { consistencyOf } from '../../operators/privacy/release/consistent.ts'
import { secureNoise } from '../../operators/privacy/release/noise.ts'
import type { ResolvedPolicy } from '../../operators/privacy/release/policy.ts'
import { cutOff, localDay } from '../../operators/window/local-day.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { ForecastPublic } from '../../schemas/forecast-public.ts'
import type { LoadPublic, ReleasePhase } from '../../schemas/load-public.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import type { TreeGroup } from './groups.ts'
import type { Households } from './households.ts'
import { planOf } from './plan.ts'
import { releasedRecord } from './released-record.ts'

/** How day-ahead forecasts of one level did, each made at a local midnight for the 24 hours after it. */
export interface ForecastErrors {
  /** Mean absolute error of the median against the true sums, as a part of them. */
  readonly mape: number
  /** Part of the final values that lie between the quantiles 5 and 95 %, and 25 and 75 %; and how many there were. */
  readonly inside90: number
  readonly inside50: number
  readonly values: number
}

/** Forecasts what is released, window by window. */
export interface ForecastJudge {
  /** Preliminary values of one window in the order of the groups. */
  readonly take: (at: number, raw: readonly number[], consistent: readonly number[]) => void
  readonly errors: () => ReadonlyMap<Level, ForecastErrors>
}

/**
 * The operator that ships, over all groups of the upper two levels and over those of the first region below: a family is
 * whole or not there at all. `resolved` tells the noise, and the groups stand in the order of its plan; without it the
 * values are true sums. Nothing comes late: a final value is the preliminary one and the noise of an empty increment, and it
 * is known from the cut-off of its day on. Forecasts of the first `warmUp` days are not judged.
 */
export function forecastJudge(
  groups: readonly TreeGroup[],
  resolved: ResolvedPolicy | undefined,
  { start, timeZone, windows, intervalSeconds }: Households,
  warmUp: number,
): ForecastJudge {
  const first = groups.find(({ level }) => level === 'region')?.group ?? ''
  const chosen = groups.flatMap(({ level, group }, at) =>
    levels.indexOf(level) < 2 || group.startsWith(`${first}-`) ? [at] : [],
  )
  const byName = new Map(groups.map((group) => [`${group.level}/${group.group}`, group]))
  const operator = forecast({
    timeZone,
    everyMs: 86_400_000,
    parentOf: ({ level, group }) => byName.get(`${level}/${group}`)!.parent,
  })
  const state = operator.restore([], [])
  const stepMs = intervalSeconds * 1_000
  const finals = new Map<string, Float64Array>(chosen.map((i) => [nameOf(groups[i]!), new Float64Array(windows)]))
  const made: ForecastPublic[] = []
  const out: Collector<ForecastPublic> = {
    emit: (_, value) => {
      if (localDay(timeZone, value.start).start === value.start) made.push(value)
    },
    drop: (_, reason) => fail(reason),
    reject: (_, reason) => fail(reason),
  }
  const publish = (batch: readonly LoadPublic[]): void => {
    const whole = envelopeOf(null)
    const context = { partition: 0, seq: 0, progress: 0, floor: 0, keptFrom: 0, whole }
    operator.process(batch.map(envelopeOf), state, out, context)
  }
  const recordsOf = (at: number, phase: ReleasePhase, raw: readonly number[], consistent: readonly number[]) =>
    chosen.map((i) => {
      const { level, group, size } = groups[i]!
      return releasedRecord({
        level,
        group,
        registered: size,
        window: start + at * stepMs,
        windowSeconds: intervalSeconds,
        phase,
        rawWh: raw[i]!,
        consistentWh: consistent[i]!,
        sigma2: resolved?.levels[level].statement[phase === 'final' ? 2 : 1].sigma2 ?? '0',
        ledgerSeq: at,
      })
    })
  const increment = incrementsOf(groups, resolved, timeZone)
  const open: { readonly due: EpochMs; readonly batch: readonly LoadPublic[] }[] = []
  return {
    take: (at, raw, consistent) => {
      const window = start + at * stepMs
      while (open.length > 0 && open[0]!.due <= window) publish(open.shift()!.batch)
      publish(recordsOf(at, 'preliminary', raw, consistent))
      const later = increment()
      const plus = (values: readonly number[], more: readonly number[]) => values.map((value, i) => value + more[i]!)
      const batch = recordsOf(at, 'final', plus(raw, later.raw), plus(consistent, later.consistent))
      for (const record of batch) finals.get(nameOf(record))![at] = record.rawWh!
      open.push({ due: cutOff(timeZone, localDay(timeZone, window).day, resolved?.policy.cutOffHour), batch })
    },
    errors: () => {
      const perDay = 86_400_000 / stepMs
      const sums = new Map<Level, { miss: number; inside90: number; inside50: number; values: number }>()
      for (const { level, group, start: from, quantilesWh } of made) {
        const at = (from - start) / stepMs
        if (localDay(timeZone, from).day - localDay(timeZone, start).day < warmUp || at + perDay > windows) continue
        const sum = sums.get(level) ?? { miss: 0, inside90: 0, inside50: 0, values: 0 }
        sums.set(level, sum)
        const { truth } = byName.get(`${level}/${group}`)!
        const values = finals.get(`${level}/${group}`)!
        for (let step = 0; step < perDay; step++) {
          const [q5, q25, q50, q75, q95] = quantilesWh[step] as [number, number, number, number, number]
          const value = values[at + step]!
          sum.miss += Math.abs(q50 - truth[at + step]!) / truth[at + step]!
          sum.inside90 += value >= q5 && value <= q95 ? 1 : 0
          sum.inside50 += value >= q25 && value <= q75 ? 1 : 0
          sum.values += 1
        }
      }
      return new Map(
        [...sums].map(([level, { miss, inside90, inside50, values }]) => [
          level,
          { mape: miss / values, inside90: inside90 / values, inside50: inside50 / values, values },
        ]),
      )
    },
  }
}

/** Late increments without any energy, as they are released, in the order of the groups. */
function incrementsOf(groups: readonly TreeGroup[], resolved: ResolvedPolicy | undefined, timeZone: string) {
  const nothing = groups.map(() => 0)
  if (resolved === undefined) return () => ({ raw: nothing, consistent: nothing })
  const { estimate } = consistencyOf(planOf(groups, resolved, timeZone).plan)
  const noise = secureNoise()
  return () => {
    const raw = groups.map(({ level }) => Number(noise.gaussian(resolved.levels[level].sigma2)))
    return { raw, consistent: estimate(raw) as number[] }
  }
}

/** The same forecasts from the true sums themselves. */
export function forecastTruth(
  groups: readonly TreeGroup[],
  households: Households,
  warmUp: number,
): ReadonlyMap<Level, ForecastErrors> {
  const judge = forecastJudge(groups, undefined, households, warmUp)
  for (let at = 0; at < households.windows; at++) {
    const truth = groups.map((group) => group.truth[at]!)
    judge.take(at, truth, truth)
  }
  return judge.errors()
}

const nameOf = ({ level, group }: Pick<TreeGroup, 'level' | 'group'>): string => `${level}/${group}`

const envelopeOf = <T>(value: T): Envelope<T> => ({
  value,
  origin: { topic: 'load.public', partition: 0, offset: 0n, receivedAt: 0 },
})

function fail(reason: unknown): never {
  throw new Error(`a record of the bench was left out: ${String(reason)}`)
}
