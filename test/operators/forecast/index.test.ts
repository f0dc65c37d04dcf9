import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forecast } from '../../../operators/forecast/index.ts'
import type { ForecastPublic } from '../../../schemas/forecast-public.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { topics } from '../../../schemas/topics.ts'
import { always, monday, normals, released, shape, withNoise } from '../../helpers/forecast-fixtures.ts'
import { collector, context, envelope } from '../../helpers/release-fixtures.ts'

const halfHour = 1_800_000
const zone = 'Etc/UTC'
const operator = forecast({ timeZone: zone })

const days = (count: number, of: (at: number) => number = shape): LoadPublic[] =>
  Array.from({ length: count * 48 }, (_, n) => released(n, Math.round(of(monday + n * halfHour))))

/** The records with the final values of each day, which come after the first quarter of the next; `end`: what they come to. */
function finished(records: readonly LoadPublic[], end: (wh: number, n: number) => number): LoadPublic[] {
  const perDay = 86_400 / records[0]!.windowSeconds
  const finals = records.map((record, n) => ({
    ...withNoise(record, `${2 * Number(record.privacy.sigma2)}`),
    phase: 'final' as const,
    rawWh: end(record.rawWh!, n),
    ledgerSeq: record.ledgerSeq + 10_000,
  }))
  return records.flatMap((record, n) => {
    const due = n - Math.floor(perDay / 4)
    return [...(due >= perDay && due % perDay === 0 ? finals.slice(due - perDay, due) : []), record]
  })
}

function made(records: readonly LoadPublic[], by = operator): ForecastPublic[] {
  const out = collector<ForecastPublic>()
  by.process(records.map(envelope), by.restore([], []), out, context)
  return out.values
}

describe('forecast', () => {
  it('says nothing before a day has been released', () => {
    assert.deepEqual(made(days(1).slice(0, -1)), [])
  })

  it('repeats the day after the first day, as far ahead as asked', () => {
    const forecasts = made(days(1))
    assert.equal(forecasts.length, 1)
    const [first] = forecasts
    assert.equal(first!.model, 'seasonal_naive_day')
    assert.equal(first!.start, monday + 86_400_000)
    assert.equal(first!.windows, 48)
    assert.equal(first!.ledgerSeq, 10 + 47)
    assert.equal(first!.quantilesWh.length, 72)
    assert.deepEqual(
      first!.quantilesWh.map((step) => step[2]),
      Array.from({ length: 72 }, (_, n) => Math.round(shape(monday + n * halfHour))),
    )
  })

  it('comes once an hour per group and channel', () => {
    const records = days(2).flatMap((record) => [
      record,
      { ...record, group: 'feeder-2' },
      { ...record, channel: 'export' as const },
    ])
    const forecasts = made(records)
    assert.equal(forecasts.length, 25 * 3)
    const starts = forecasts.filter(({ group, channel }) => group === 'feeder-1' && channel === 'import')
    assert.deepEqual(
      starts.map(({ start }) => (start - monday) / 3_600_000),
      Array.from({ length: 25 }, (_, i) => 24 + i),
    )
  })

  it('gives withheld groups none', () => {
    assert.deepEqual(made(days(2).map((record) => ({ ...record, rawWh: null }))), [])
  })

  it('orders the quantiles and includes the known noise', () => {
    const sigma = 90_000
    const [quiet] = made(days(1))
    const [noisy] = made(days(1).map((record) => withNoise(record, `${sigma ** 2 * 7}/7`)))
    for (const [q5, q25, q50, q75, q95] of noisy!.quantilesWh) {
      assert.ok(q5! < q25! && q25! < q50! && q50! < q75! && q75! < q95!)
    }
    const width = ({ quantilesWh }: ForecastPublic): number =>
      (quantilesWh[0]![4]! - quantilesWh[0]![2]!) / 1.644_853_627
    // The noise of the value repeated, and the two draws of the final value to come.
    assert.ok(Math.abs(width(noisy!) ** 2 - width(quiet!) ** 2 - 3 * sigma ** 2) < 0.02 * sigma ** 2)
  })

  it('turns to the model that did better on the days before', () => {
    const sigma = 90_000
    const normal = normals(11)
    const records = days(6, (at) => shape(at) + sigma * normal()).map((record) => withNoise(record, `${sigma ** 2}`))
    const names = made(records).map(({ model }) => model)
    assert.equal(names[0], 'seasonal_naive_day')
    assert.ok(['kalman_seasonal', 'exponential_smoothing'].includes(names.at(-1)!), names.at(-1))
  })

  it('takes final values in place of preliminary ones', () => {
    const first = days(1)
    const finals = first.map((record) => ({
      ...record,
      phase: 'final' as const,
      rawWh: record.rawWh! + 5_000,
      ledgerSeq: record.ledgerSeq + 500,
    }))
    const next = days(2).slice(48, 50)
    const last = made([...first, ...finals, ...next]).at(-1)!
    assert.equal(last.quantilesWh[0]![2], first[2]!.rawWh! + 5_000)
    assert.equal(last.windows, 50)
  })

  it('covers the final values as often as its quantiles say', () => {
    const sigma = 60_000
    const normal = normals(23)
    let weather = 0
    const truth = (at: number): number => {
      weather = 0.97 * weather + 8_000 * normal()
      return shape(at, 0.85) + weather + sigma * normal()
    }
    const records = days(35, truth).map((record) => withNoise(record, `${sigma ** 2}`))
    const finals = records.map(({ rawWh }) => rawWh! + Math.round(sigma * normal()))
    const forecasts = made(finished(records, (_, n) => finals[n]!))
    const daily = forecasts.filter(({ start }) => (start - monday) % 86_400_000 === 0)
    let inside50 = 0
    let inside90 = 0
    let count = 0
    for (const { start, quantilesWh } of daily.slice(6, -1)) {
      for (let step = 0; step < 48; step++) {
        const value = finals[(start - monday) / halfHour + step]!
        const [q5, q25, , q75, q95] = quantilesWh[step]!
        inside50 += value >= q25! && value <= q75! ? 1 : 0
        inside90 += value >= q5! && value <= q95! ? 1 : 0
        count += 1
      }
    }
    // Four standard errors of independent values: a false alarm in 10^4 for each figure, were the seed another one.
    assert.equal(count, 1_344)
    assert.ok(Math.abs(inside50 / count - 0.5) < 0.06, `50 %: ${inside50 / count}`)
    assert.ok(Math.abs(inside90 / count - 0.9) < 0.04, `90 %: ${inside90 / count}`)
  })

  for (const [what, windowSeconds] of [
    ['half hours', 1_800],
    ['days', 86_400],
  ] as const) {
    it(`widens its quantiles, of ${what}, at the midnight after final values that were far off`, () => {
      const perDay = 86_400 / windowSeconds
      const records = Array.from({ length: 8 * perDay }, (_, n) =>
        released(n, 600_000, { window: monday + n * windowSeconds * 1_000, windowSeconds }),
      )
      const by = forecast({ timeZone: zone, models: [always(600_000, 10_000 ** 2, { name: 'level' })] })
      // What is released less of in the end changes nothing that is expected to come late.
      const widthsOf = (off: number): number[] =>
        made(
          finished(records, (wh) => wh - off),
          by,
        )
          .filter(({ start }) => (start - monday) % 86_400_000 === 0)
          .map(({ quantilesWh }) => quantilesWh[0]![4]! - quantilesWh[0]![0]!)
      const [near, far] = [widthsOf(0), widthsOf(100_000)]
      // The first forecast is of the second day, whose final values come on the third.
      assert.deepEqual(far.slice(0, 2), near.slice(0, 2))
      assert.ok(far[2]! > 1.3 * near[2]!, `${far[2]} and ${near[2]} Wh`)
    })
  }

  it('makes the same forecasts whatever the batches are', () => {
    const records = days(4)
    const state = operator.restore([], [])
    const pieces = records.flatMap((record) => {
      const out = collector<ForecastPublic>()
      operator.process([envelope(record)], state, out, context)
      return out.values
    })
    assert.deepEqual(pieces, made(records))
  })

  it('skips records beside the grid and follows gaps', () => {
    const records = days(3).filter((_, n) => n < 60 || n >= 64)
    const odd = released(500, 1, { window: monday + 900_000 })
    assert.deepEqual(made([records[0]!, odd, ...records.slice(1)]), made(records))
    assert.equal(made(records).at(-1)!.windows, 3 * 48 - 4)
  })

  it('works on quarter hours and over the end of summer time', () => {
    const quarter = 900_000
    const start = Date.parse('2026-10-23T22:00Z')
    const records = Array.from({ length: 4 * 96 }, (_, n) =>
      released(n, 1_000, { window: start + n * quarter, windowSeconds: 900 }),
    )
    const berlin = forecast({ timeZone: 'Europe/Berlin', horizonMs: 24 * 3_600_000 })
    const forecasts = made(records, berlin)
    assert.equal(forecasts.length, 4 * 24 - 23)
    assert.equal(forecasts.at(-1)!.quantilesWh.length, 96)
    assert.equal(Math.round(forecasts.at(-1)!.quantilesWh[0]![2]! / 10), 100)
  })

  it('takes the first model while none has been tried, and the one that did better afterwards', () => {
    const both = forecast({
      timeZone: zone,
      models: [always(0, 10_000 ** 2, { name: 'far' }), always(600_000, 10_000 ** 2, { name: 'near' })],
    })
    const names = made(days(3), both).map(({ model }) => model)
    assert.deepEqual([...new Set(names.slice(0, 24))], ['far'])
    assert.deepEqual([...new Set(names.slice(24))], ['near'])
  })

  it('comes as often as asked', () => {
    const daily = forecast({ timeZone: zone, everyMs: 86_400_000 })
    assert.deepEqual(
      made(days(3), daily).map(({ start }) => (start - monday) / 86_400_000),
      [1, 2, 3],
    )
  })

  it('comes at local midnight, also in summer time', () => {
    const daily = forecast({ timeZone: 'Europe/Berlin', everyMs: 86_400_000 })
    const start = Date.parse('2026-06-14T22:00Z')
    const records = Array.from({ length: 4 * 48 }, (_, n) => released(n, 1_000, { window: start + n * halfHour }))
    assert.deepEqual(
      made(records, daily).map((each) => (each.start - start) / 86_400_000),
      [1, 2, 3, 4],
    )
  })

  it('adds to preliminary values what came late on average', () => {
    const records = finished(days(8), (wh) => Math.round(wh * 1.1))
    const { quantilesWh } = made(records).at(-1)!
    quantilesWh.slice(0, 48).forEach((step, n) => {
      const final = 1.1 * shape(monday + n * halfHour)
      assert.ok(Math.abs(step[2]! / final - 1) < 0.01, `${n}: ${step[2]} is not ${final}`)
    })
  })

  it('begins anew after a day without values', () => {
    const records = days(5).filter((_, n) => n < 96 || n >= 96 + 60)
    const windows = made(records).map((each) => each.windows)
    assert.equal(Math.max(...windows), 96)
    assert.equal(windows.at(-1), 5 * 48 - 156)
  })

  it('follows groups with longer windows than the others beside them', () => {
    const hourly = days(3).flatMap((record, n) => [
      record,
      released(n, n % 2 === 0 ? null : 1_000 * (Math.floor(n / 2) % 24), {
        group: 'small',
        window: monday + Math.floor(n / 2) * 3_600_000,
        windowSeconds: n % 2 === 0 ? 1_800 : 3_600,
      }),
    ])
    const forecasts = made(hourly)
    const last = forecasts.filter(({ group }) => group === 'small').at(-1)!
    assert.equal(last.windowSeconds, 3_600)
    assert.deepEqual(
      last.quantilesWh.map((step) => step[2]),
      Array.from({ length: 36 }, (_, n) => 1_000 * (n % 24)),
    )
    assert.deepEqual(
      forecasts.filter(({ group }) => group === 'feeder-1'),
      made(days(3)),
    )
  })

  it('fits the schema of its topic', () => {
    const [first] = made(days(1))
    const { codec } = topics.forecastPublic
    assert.deepEqual(codec.decode(codec.encode(first!)), first)
  })
})
