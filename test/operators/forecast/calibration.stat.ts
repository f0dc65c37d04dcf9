import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forecast } from '../../../operators/forecast/index.ts'
import type { ForecastPublic } from '../../../schemas/forecast-public.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { monday, normals, released, shape, withNoise } from '../../helpers/forecast-fixtures.ts'
import { collector, context, envelope } from '../../helpers/release-fixtures.ts'

const halfHour = 1_800_000
const days = 35
const warmUp = 14
const seriesCount = 64

/** How much more than usual a part of the day is unlike the same one of other days. */
type Unrest = (hour: number) => number
const calm: Unrest = () => 1

/** One window as it is released twice: what came in time, and that with the late increment, each with a draw of its own. */
interface Twice {
  readonly preliminary: LoadPublic
  readonly final: LoadPublic
}

/** Half hours of a group: a daily course, weather that fades over days and another over hours, and the noise of the release. */
function released35(seed: number, sigma: number, { unrest = calm, late = 0 }: Watched): Twice[] {
  const normal = normals(seed)
  let weather = 0
  let events = 0
  return Array.from({ length: days * 48 }, (_, n) => {
    weather = 0.99 * weather + 3_000 * normal()
    events = 0.7 * events + 6_000 * unrest((n % 48) / 2) * normal()
    const load = shape(monday + n * halfHour, 0.85) + weather + events
    const inTime = Math.round((1 - late) * load + sigma * normal())
    const whole = inTime + Math.round(late * load + sigma * normal())
    return {
      preliminary: withNoise(released(n, inTime, { ledgerSeq: 2 * n }), `${sigma ** 2}`),
      final: withNoise(released(n, whole, { ledgerSeq: 2 * n + 1, phase: 'final' }), `${2 * sigma ** 2}`),
    }
  })
}

/** The log of these groups: the final values of a day come at six in the morning of the next. */
function logOf(groups: readonly (readonly Twice[])[]): LoadPublic[] {
  const seal = (n: number, phase: keyof Twice): LoadPublic[] =>
    groups.map((values, i) => ({ ...values[n]![phase], group: `feeder-${i}` }))
  return Array.from({ length: days * 48 }, (_, n) => [
    ...(n >= 48 && n % 48 === 12 ? Array.from({ length: 48 }, (_, k) => seal(n - 60 + k, 'final')).flat() : []),
    ...seal(n, 'preliminary'),
  ]).flat()
}

interface Covered {
  /** Day by day of each series: the part of its values between the outer and the inner quantiles. */
  readonly outer: readonly number[]
  readonly inner: readonly number[]
}

type Widen = (quantiles: readonly number[]) => readonly number[]

interface Watched {
  /** Part of the energy that comes after the preliminary release. */
  readonly late?: number
  readonly widen?: Widen
  readonly unrest?: Unrest
  /** Hours of the day that are looked at. */
  readonly hours?: readonly [from: number, to: number]
}

/** How much of the final values lies between the quantiles of forecasts made at midnight for the next day. */
function coverage(sigma: number, watched: Watched = {}): Covered {
  const { widen = (quantiles) => quantiles, hours: [from, to] = [0, 24] } = watched
  const groups = Array.from({ length: seriesCount }, (_, i) => released35((i + 1) * 7_919, sigma, watched))
  const operator = forecast({ timeZone: 'Etc/UTC', everyMs: 86_400_000, parentOf: () => undefined })
  const out = collector<ForecastPublic>()
  operator.process(logOf(groups).map(envelope), operator.restore([], []), out, context)
  const outer: number[] = []
  const inner: number[] = []
  for (const [group, forecasts] of Map.groupBy(out.values, (each) => each.group)) {
    const values = groups[Number(group.slice('feeder-'.length))]!
    for (const { start, quantilesWh } of forecasts) {
      const at = (start - monday) / halfHour
      if (at < warmUp * 48 || at + 48 > values.length) continue
      const inside = (low: number, high: number): number =>
        quantilesWh.slice(0, 48).filter((step, n) => {
          if (n < 2 * from || n >= 2 * to) return false
          const quantiles = widen(step)
          const value = values[at + n]!.final.rawWh!
          return value >= quantiles[low]! && value <= quantiles[high]!
        }).length /
        (2 * (to - from))
      outer.push(inside(0, 4))
      inner.push(inside(1, 3))
    }
  }
  return { outer, inner }
}

/** Mean and its standard error; days of one series hang together, so the series are what is independent. */
function meanOf(values: readonly number[]): { readonly mean: number; readonly error: number } {
  const perSeries = values.length / seriesCount
  const means = Array.from(
    { length: seriesCount },
    (_, i) => values.slice(i * perSeries, (i + 1) * perSeries).reduce((sum, value) => sum + value, 0) / perSeries,
  )
  const mean = means.reduce((sum, value) => sum + value, 0) / seriesCount
  const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (seriesCount - 1)
  return { mean, error: Math.sqrt(variance / seriesCount) }
}

/**
 * Furthest that the coverage may lie from what is said: what the rolling estimate of a variance from a week of days is off
 * by, and five standard errors, a false alarm in 10^6 for each figure.
 */
const allowed = (error: number): number => 0.02 + 5 * error

const holds = ({ outer, inner }: Covered): boolean =>
  (
    [
      [outer, 0.9],
      [inner, 0.5],
    ] as const
  ).every(([values, said]) => {
    const { mean, error } = meanOf(values)
    return Math.abs(mean - said) <= allowed(error)
  })

describe('the quantiles of forecasts', () => {
  for (const late of [0, 0.09]) {
    for (const sigma of [2_000, 30_000, 150_000]) {
      it(`hold the final values as often as they say: noise of ${sigma} Wh in 600,000, ${100 * late} % late`, () => {
        const covered = coverage(sigma, { late })
        const [outer, inner] = [meanOf(covered.outer), meanOf(covered.inner)]
        assert.ok(covered.outer.length >= 20 * seriesCount)
        assert.ok(Math.abs(outer.mean - 0.9) <= allowed(outer.error), `90 %: ${outer.mean} +- ${outer.error}`)
        assert.ok(Math.abs(inner.mean - 0.5) <= allowed(inner.error), `50 %: ${inner.mean} +- ${inner.error}`)
      })
    }
  }

  for (const hours of [
    [0, 6],
    [18, 24],
  ] as const) {
    it(`hold what they say from ${hours.join(' to ')} h, where evenings are less like each other than nights`, () => {
      const unrest: Unrest = (hour) => 2.25 - 1.75 * Math.cos((2 * Math.PI * (hour - 8)) / 24)
      const covered = coverage(2_000, { unrest, hours, late: 0.09 })
      const [outer, inner] = [meanOf(covered.outer), meanOf(covered.inner)]
      assert.ok(Math.abs(outer.mean - 0.9) <= allowed(outer.error), `90 %: ${outer.mean} +- ${outer.error}`)
      assert.ok(Math.abs(inner.mean - 0.5) <= allowed(inner.error), `50 %: ${inner.mean} +- ${inner.error}`)
    })
  }

  it('are found out when they leave out the noise or the second draw of it, or are a fifth too wide', () => {
    const sigma = 30_000
    const scaled =
      (factor: (half: number) => number): Widen =>
      (quantiles) =>
        quantiles.map(
          (each) => quantiles[2]! + Math.sign(each - quantiles[2]!) * factor(Math.abs(each - quantiles[2]!)),
        )
    const z = [1.644_853_627, 0.674_489_75, 0, 0.674_489_75, 1.644_853_627]
    const without =
      (draws: number): Widen =>
      (quantiles) =>
        quantiles.map((each, i) => {
          const half = Math.abs(each - quantiles[2]!)
          const left = Math.sqrt(Math.max(half ** 2 - draws * (z[i]! * sigma) ** 2, 0))
          return quantiles[2]! + Math.sign(i - 2) * left
        })
    assert.ok(!holds(coverage(sigma, { widen: without(2) })))
    assert.ok(!holds(coverage(sigma, { widen: without(1) })))
    assert.ok(!holds(coverage(sigma, { widen: scaled((half) => 1.2 * half) })))
  })
})
