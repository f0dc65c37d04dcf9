import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  exponentialSmoothing,
  type ForecastModel,
  seasonalNaive,
  shareOfWhole,
  structural,
} from '../../../operators/forecast/index.ts'
import type { Prediction } from '../../../operators/forecast/model.ts'
import { halfHours, monday, normals, shape, watched } from '../../helpers/forecast-fixtures.ts'

const halfHour = 1_800_000
const days = (count: number, of: (at: number) => number, from = 0): number[] =>
  Array.from({ length: count * 48 }, (_, i) => of(monday + (from * 48 + i) * halfHour))

function predicted(model: ForecastModel, values: readonly number[], steps = 48, noise = 0, variant = 0): Prediction {
  const prediction = watched(model, values, { noise })(steps, variant)
  assert.ok(prediction)
  return prediction
}

const error = (mean: ArrayLike<number>, truth: readonly number[]): number =>
  truth.reduce((sum, value, i) => sum + Math.abs(value - mean[i]!), 0) / truth.reduce((sum, value) => sum + value, 0)

/** The least error of all variants of a model. */
const best = (model: ForecastModel, values: readonly number[], truth: readonly number[], noise = 0): number =>
  Math.min(
    ...Array.from({ length: model.variants }, (_, variant) =>
      error(predicted(model, values, truth.length, noise, variant).mean, truth),
    ),
  )

describe('seasonal naive', () => {
  it('repeats the day before, and again for the day after', () => {
    const values = days(2, (at) => at / halfHour)
    const { mean } = predicted(seasonalNaive(1), values, 72)
    assert.deepEqual([...mean], [...values.slice(48), ...values.slice(48, 72)])
  })

  it('repeats the week before', () => {
    const values = days(8, shape)
    assert.deepEqual([...predicted(seasonalNaive(7), values).mean], values.slice(48, 96))
  })

  it('needs a season, nearly whole', () => {
    assert.equal(watched(seasonalNaive(1), days(1, shape).slice(1))(48), undefined)
    assert.equal(watched(seasonalNaive(7), days(6, shape))(48), undefined)
    const holed = days(1, shape).map((value, i) => (i < 6 ? Number.NaN : value))
    assert.equal(watched(seasonalNaive(1), holed)(48), undefined)
  })

  it('takes an older season, or the nearest window, where one is missing', () => {
    const two = days(2, shape)
    two[50] = Number.NaN
    assert.equal(predicted(seasonalNaive(1), two).mean[2], two[2])
    const one = days(1, shape)
    one[2] = Number.NaN
    assert.equal(predicted(seasonalNaive(1), one).mean[2], one[1])
  })

  it('claims the change seen between days, beyond the known noise, and the noise of the value repeated', () => {
    const alternating = (step: number) => (at: number) => 1_000 + (Math.floor((at - monday) / 86_400_000) % 2) * step
    // Every change is 100, of which a noise of variance 2,000 in both values explains 4,000.
    const { variance } = predicted(seasonalNaive(1), days(20, alternating(100)), 48, 2_000)
    assert.ok(Math.abs(variance[0]! - (10_000 - 4_000 + 2_000)) < 1_500, String(variance[0]))
  })

  it('assumes a change of a fifth of the load before it could see one', () => {
    const { variance } = predicted(
      seasonalNaive(1),
      days(1, () => 500),
    )
    assert.ok(Math.abs(variance[0]! - 100 ** 2) < 1e-6)
  })

  it('takes a holiday for a Sunday', () => {
    const grid = halfHours({ holidays: new Set(['2026-01-20']) })
    const values = days(8, (at) => Math.floor((at - monday) / 86_400_000))
    // The ninth day is a Tuesday by name; the last Sunday was day 6.
    assert.equal(watched(seasonalNaive(7), values, { grid })(1)!.mean[0], 6)
  })
})

for (const model of [exponentialSmoothing(), structural()]) {
  describe(model.name, () => {
    it('finds a smooth daily shape again', () => {
      assert.ok(best(model, days(10, shape), days(1, shape)) < 0.01)
    })

    it('learns that weekends are different, in two weeks', () => {
      const load = (at: number) => shape(at, 0.7)
      const saturday = days(1, load, 19)
      const found = best(model, days(19, load), saturday)
      assert.ok(found < 0.08, `${found}`)
      assert.ok(error(predicted(seasonalNaive(1), days(19, load)).mean, saturday) > 0.3)
    })

    it('sees through noise that the seasonal naive forecast repeats', () => {
      const sigma = 90_000
      const normal = normals(7)
      const values = days(14, (at) => shape(at) + sigma * normal())
      const truth = days(1, shape, 14)
      const naive = error(predicted(seasonalNaive(1), values, 48, sigma ** 2).mean, truth)
      const ours = best(model, values, truth, sigma ** 2)
      assert.ok(ours < naive / 2.5, `${ours} against ${naive}`)
    })

    it('bridges gaps', () => {
      const values = days(5, shape).map((value, i) => (i >= 100 && i < 130 ? Number.NaN : value))
      assert.ok(best(model, values, days(1, shape, 5)) < 0.03)
    })

    it('needs two days', () => {
      assert.equal(watched(model, days(1, shape))(48), undefined)
      assert.ok(watched(model, days(2, shape))(48))
    })

    it('knows a holiday by its date', () => {
      // Two Tuesdays like Sundays, the second of them still to come.
      const dates = ['2026-01-20', '2026-01-27']
      const grid = halfHours({ holidays: new Set(dates) })
      const lived = (at: number) => shape(at, 0.7) * (dates.includes(new Date(at).toISOString().slice(0, 10)) ? 0.7 : 1)
      const says = watched(model, days(15, lived), { grid })
      const holiday = days(1, lived, 15)
      const found = Math.min(
        ...Array.from({ length: model.variants }, (_, variant) => error(says(48, variant)!.mean, holiday)),
      )
      assert.ok(found < 0.08, `${found}`)
    })

    it('copes with a series of nothing but noise', () => {
      const normal = normals(3)
      const values = days(8, () => 90_000 * normal())
      for (let variant = 0; variant < model.variants; variant++) {
        const { mean, variance } = predicted(model, values, 48, 90_000 ** 2, variant)
        assert.ok([...mean, ...variance].every(Number.isFinite))
        assert.ok(variance.every((value) => value >= 0))
      }
    })
  })
}

describe('the structural model', () => {
  it('is surer of the next hour than of the next day', () => {
    const normal = normals(5)
    let deviation = 0
    const values = days(7, (at) => {
      deviation = 0.96 * deviation + 10_000 * normal()
      return shape(at) + deviation
    })
    const says = watched(structural(), values)
    for (let variant = 0; variant < structural().variants; variant++) {
      const { variance } = says(48, variant)!
      assert.ok(variance[0]! < variance[47]!)
    }
  })

  it('learns what heating adds in the cold, where the weather is known', () => {
    const normal = normals(13)
    const cold = Array.from({ length: 40 }, () => 5 + 6 * normal())
    const celsius = (at: number): number => cold[Math.floor((at - monday) / 86_400_000)]!
    const load = (at: number) => shape(at) + 20_000 * Math.max(15.5 - celsius(at), 0)
    const values = days(35, load)
    const truth = days(1, load, 35)
    const of = (weather: ((at: number) => number) | undefined): number => {
      const says = watched(structural(), values, { grid: halfHours({ weather }) })
      return Math.min(
        ...Array.from({ length: structural().variants }, (_, variant) => error(says(48, variant)!.mean, truth)),
      )
    }
    assert.ok(of(celsius) < 0.03, `${of(celsius)}`)
    assert.ok(of(celsius) < of(undefined) / 2, `${of(celsius)} against ${of(undefined)}`)
  })

  it('says the same however its windows were asked for', () => {
    const values = days(6, shape)
    const [first, second] = [watched(structural(), values), watched(structural(), values)]
    assert.deepEqual(first(72, 3), second(72, 3))
  })
})

describe('the share of a whole', () => {
  it('expects no difference, and is as unsure as the differences were beyond their noise', () => {
    const normal = normals(19)
    const sigma = 3_000
    const values = days(10, () => Math.hypot(4_000, sigma) * normal())
    const { mean, variance } = predicted(shareOfWhole(), values, 48, sigma ** 2)
    assert.ok(mean.every((value) => value === 0))
    assert.ok(Math.abs(Math.sqrt(variance[0]!) / 4_000 - 1) < 0.15, `${Math.sqrt(variance[0]!)}`)
  })
})
