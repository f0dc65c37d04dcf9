import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { consistencyOf } from '../../../../operators/privacy/release/consistent.ts'
import { type DayPlan, planDay } from '../../../../operators/privacy/release/day-plan.ts'
import { defaultPolicy, resolvePolicy } from '../../../../operators/privacy/release/policy.ts'
import { filterName, type SeriesFilters, smoothWindow } from '../../../../operators/privacy/release/smooth.ts'
import { type LateShares, smoothLate } from '../../../../operators/privacy/release/smooth-late.ts'
import { gainSource } from '../../../../operators/privacy/release/smooth-model.ts'
import { monday, normals, shape } from '../../../helpers/forecast-fixtures.ts'
import { group } from '../../../helpers/release-fixtures.ts'

const timeZone = 'UTC'
const halfHour = 1_800_000
const resolved = resolvePolicy(defaultPolicy)
const one = planDay(resolved, [group('feeder', 'f', null, 100_000)])
const family = planDay(resolved, [group('utility', 'u', null, 200_000), group('region', 'r', 'u', 100_000)])

/** Smooths `days` of a load that `truth` gives per group, with the plan's own noise; answers the values of the last week. */
function lastWeek(plan: DayPlan, truth: (at: number, i: number) => number, days = 28, noise = 1) {
  const filters: SeriesFilters = new Map()
  const gains = gainSource()
  const normal = normals(7)
  const rows: { readonly at: number; readonly raw: readonly number[]; readonly smoothed: readonly number[] }[] = []
  for (let n = 0; n < days * 48; n++) {
    const window = monday + n * halfHour
    const raw = plan.groups.map((_, i) =>
      Math.round(truth(window, i) + noise * Math.sqrt(consistencyOf(plan).variances[i]!) * normal()),
    )
    const smoothed = smoothWindow(filters, { plan, timeZone, window, consistent: raw }, gains) as number[]
    if (n >= (days - 7) * 48) rows.push({ at: window, raw, smoothed })
  }
  const rmse = (of: 'raw' | 'smoothed', i: number): number =>
    Math.sqrt(rows.reduce((sum, row) => sum + (row[of][i]! - truth(row.at, i)) ** 2, 0) / rows.length)
  return { rows, rmse }
}

describe('smoothed values', () => {
  it('come much nearer to a regular load than the noisy ones', () => {
    const { rmse } = lastWeek(one, (at) => shape(at, 0.9) / 4)
    assert.ok(rmse('smoothed', 0) < 0.3 * rmse('raw', 0), `${rmse('smoothed', 0)} against ${rmse('raw', 0)}`)
  })

  it('leave alone a load that hardly has noise, however rough it is', () => {
    const rough = normals(3)
    const loads = new Map<number, number>()
    const truth = (at: number): number => {
      const load = loads.get(at) ?? shape(at) * 1_000 * (1 + 0.2 * rough())
      loads.set(at, load)
      return load
    }
    const { rmse } = lastWeek(one, truth)
    assert.ok(rmse('smoothed', 0) < 1.05 * rmse('raw', 0))
  })

  it('follow a lasting change of level within days', () => {
    const change = monday + 24 * 86_400_000
    const { rows } = lastWeek(one, (at) => shape(at) * (at < change ? 1 : 1.5))
    const off = rows.slice(-48).reduce((sum, { at, smoothed }) => sum + smoothed[0]! / (shape(at) * 1.5) - 1, 0) / 48
    assert.ok(Math.abs(off) < 0.05, `${off}`)
  })

  it('take the day of a part from the group above', () => {
    const weather = normals(11)
    const days = new Map<number, number>()
    const factor = (at: number): number => {
      const day = Math.floor(at / 86_400_000)
      if (!days.has(day)) days.set(day, 1 + 0.15 * weather())
      return days.get(day)!
    }
    const truth = (at: number, i: number): number => (shape(at) * factor(at)) / (4 * (i + 1))
    const apart = lastWeek(planDay(resolved, [group('region', 'r', null, 100_000)]), (at) => truth(at, 1))
    const together = lastWeek(family, truth)
    assert.ok(together.rmse('smoothed', 1) < 0.9 * apart.rmse('smoothed', 0))
  })

  it('are a function of the values up to their window alone', () => {
    const cut = monday + 10 * 86_400_000
    const long = lastWeek(one, (at) => shape(at), 14)
    const other = lastWeek(one, (at) => shape(at) * (at < cut ? 1 : 3), 14)
    const before = ({ rows }: typeof long) => rows.filter(({ at }) => at < cut).map(({ smoothed }) => smoothed)
    assert.ok(before(long).length > 100)
    assert.deepEqual(before(long), before(other))
  })

  it('give nothing for a withheld group, and begin anew when it is back', () => {
    const small = planDay(resolved, [group('feeder', 'f', null, 60)])
    const filters: SeriesFilters = new Map()
    const gains = gainSource()
    const at = (plan: DayPlan, n: number, value: number | null) =>
      smoothWindow(filters, { plan, timeZone, window: monday + n * halfHour, consistent: [value] }, gains)
    assert.deepEqual(at(one, 0, 500), [500])
    assert.deepEqual(at(small, 1, null), [null])
    assert.equal(filters.size, 0)
    assert.deepEqual(at(one, 2, 900), [900])
    assert.equal(filters.get(filterName(one.groups[0]!))?.born, monday + 2 * halfHour)
  })

  it('begin anew when the length of windows changes', () => {
    const hourly = planDay(resolvePolicy({ ...defaultPolicy, windowSeconds: 3_600 }), [
      group('feeder', 'f', null, 100_000),
    ])
    const filters: SeriesFilters = new Map()
    const gains = gainSource()
    smoothWindow(filters, { plan: one, timeZone, window: monday, consistent: [500] }, gains)
    assert.deepEqual(
      smoothWindow(filters, { plan: hourly, timeZone, window: monday + 86_400_000, consistent: [1_000] }, gains),
      [1_000],
    )
  })
})

describe('gains', () => {
  const at = (born: number, n: number, source = gainSource()) =>
    source.at('Europe/Berlin', 1_800, born, monday + n * halfHour)

  it('are the same whether windows were asked for one by one or not', () => {
    const source = gainSource()
    for (let n = 0; n < 500; n++) at(monday, n, source)
    assert.deepEqual(at(monday, 500, source), at(monday, 500))
    assert.deepEqual(at(monday, 20, source), at(monday, 20))
  })

  it('are the same for another series that asks one source for other windows', () => {
    const source = gainSource()
    for (let n = 0; n < 300; n++) {
      for (const [born, from] of [
        [monday, 0],
        [monday - 5 * halfHour, 120],
        [monday, -70],
      ] as const) {
        const window = Math.max(n + from, 0)
        if (n % 37 === 0) assert.deepEqual(at(born, window, source), at(born, window), `${born} ${window}`)
        else at(born, window, source)
      }
    }
  })

  it('hardly change when a series counts as settled', () => {
    const week = 7 * 48
    // A Monday, 00:00 in Berlin, is an hour before that in UTC.
    const born = monday - 2 * halfHour
    const settling = at(born + 86_400_000, 6 * week + 20)
    const first = at(born, 6 * week + 20)
    assert.notDeepEqual(first, settling)
    settling.total.forEach((total, model) => {
      assert.ok(Math.abs(first.total[model]! / total - 1) < 0.02, `model ${model}`)
    })
    const settled = at(monday - 2 * halfHour, 8 * week)
    assert.deepEqual(settled, at(monday - 100 * 86_400_000, 8 * week))
  })
})

describe('smoothed late increments', () => {
  const variance = consistencyOf(one).variances[0]!
  const sigma = Math.sqrt(variance)

  it('learn which part of the load comes late', () => {
    const shares: LateShares = new Map()
    const normal = normals(5)
    let off = 0
    for (let n = 0; n < 480; n++) {
      const load = 4 * sigma
      const {
        smoothed: [smoothed],
      } = smoothLate(shares, one, [load], [Math.round(0.2 * load + sigma * normal())])
      if (n >= 384) off += (smoothed! - 0.2 * load) ** 2
    }
    assert.ok(Math.sqrt(off / 96) < 0.35 * sigma, `${Math.sqrt(off / 96) / sigma}`)
  })

  it('keep the increment of an outage nearly whole', () => {
    const shares: LateShares = new Map()
    const load = 20 * sigma
    for (let n = 0; n < 96; n++) smoothLate(shares, one, [load], [Math.round(0.05 * load)])
    const {
      smoothed: [smoothed],
    } = smoothLate(shares, one, [load], [load])
    assert.ok(smoothed! > 0.9 * load && smoothed! <= load)
    const {
      smoothed: [empty],
    } = smoothLate(shares, one, [0], [Math.round(load)])
    assert.ok(empty! > 0.9 * load)
  })

  it('are none where a value is withheld or was not smoothed', () => {
    const shares: LateShares = new Map()
    assert.deepEqual(smoothLate(shares, one, [null], [5]).smoothed, [null])
    assert.deepEqual(smoothLate(shares, one, [5], [null]).smoothed, [null])
  })
})
