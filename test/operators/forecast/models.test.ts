import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seasonalNaive, structural } from '../../../operators/forecast/index.ts'
import type { ForecastModel, Prediction } from '../../../operators/forecast/model.ts'
import { historyOf, monday, normals, shape } from '../../helpers/forecast-fixtures.ts'

const halfHour = 1_800_000
const days = (count: number, of: (at: number) => number, from = 0): number[] =>
  Array.from({ length: count * 48 }, (_, i) => of(monday + (from * 48 + i) * halfHour))

function fitted(model: ForecastModel, values: readonly number[], steps = 48, noise = 0): Prediction {
  const history = historyOf(values, noise)
  const fit = model.fit(history)
  assert.ok(fit)
  return fit.predict(history, steps)
}

const error = (mean: ArrayLike<number>, truth: readonly number[]): number =>
  truth.reduce((sum, value, i) => sum + Math.abs(value - mean[i]!), 0) / truth.reduce((sum, value) => sum + value, 0)

describe('seasonal naive', () => {
  it('repeats the day before, and again for the day after', () => {
    const values = days(2, (at) => at / halfHour)
    const { mean } = fitted(seasonalNaive(1), values, 72)
    assert.deepEqual([...mean], [...values.slice(48), ...values.slice(48, 72)])
  })

  it('repeats the week before', () => {
    const values = days(8, shape)
    assert.deepEqual([...fitted(seasonalNaive(7), values).mean], values.slice(48, 96))
  })

  it('needs a season, nearly whole', () => {
    assert.equal(seasonalNaive(1).fit(historyOf(days(1, shape).slice(1))), undefined)
    assert.equal(seasonalNaive(7).fit(historyOf(days(6, shape))), undefined)
    const holed = days(1, shape).map((value, i) => (i < 6 ? Number.NaN : value))
    assert.equal(seasonalNaive(1).fit(historyOf(holed)), undefined)
  })

  it('takes an older season, or the nearest window, where one is missing', () => {
    const two = days(2, shape)
    two[50] = Number.NaN
    assert.equal(fitted(seasonalNaive(1), two).mean[2], two[2])
    const one = days(1, shape)
    one[2] = Number.NaN
    assert.equal(fitted(seasonalNaive(1), one).mean[2], one[1])
  })

  it('claims the change seen between days, beyond the known noise, and the noise of the value repeated', () => {
    const alternating = (step: number) => (at: number) => 1_000 + (Math.floor((at - monday) / 86_400_000) % 2) * step
    // Every change is 100, of which a noise of variance 2,000 in both values explains 4,000.
    const { variance } = fitted(seasonalNaive(1), days(20, alternating(100)), 48, 2_000)
    assert.ok(Math.abs(variance[0]! - (10_000 - 4_000 + 2_000)) < 1_000, String(variance[0]))
  })

  it('assumes a change of a fifth of the load before it could see one', () => {
    assert.equal(
      fitted(
        seasonalNaive(1),
        days(1, () => 500),
      ).variance[0],
      100 ** 2,
    )
  })
})

describe('structural model', () => {
  it('finds a smooth daily shape again', () => {
    const { mean } = fitted(structural(), days(5, shape), 72)
    assert.ok(error(mean, days(1, shape)) < 0.01)
  })

  it('learns that weekends are different, after two weeks', () => {
    const load = (at: number) => shape(at, 0.7)
    const saturday = days(1, load, 19)
    const { mean } = fitted(structural(), days(19, load))
    assert.ok(error(mean, saturday) < 0.08)
    assert.ok(error(fitted(seasonalNaive(1), days(19, load)).mean, saturday) > 0.3)
  })

  it('sees through noise that the seasonal naive forecast repeats', () => {
    const sigma = 90_000
    const normal = normals(7)
    const values = days(10, (at) => shape(at) + sigma * normal())
    const truth = days(1, shape, 10)
    const naive = error(fitted(seasonalNaive(1), values, 48, sigma ** 2).mean, truth)
    const ours = error(fitted(structural(), values, 48, sigma ** 2).mean, truth)
    assert.ok(ours < naive / 3, `${ours} against ${naive}`)
  })

  it('bridges gaps', () => {
    const values = days(5, shape).map((value, i) => (i >= 100 && i < 130 ? Number.NaN : value))
    assert.ok(error(fitted(structural(), values).mean, days(1, shape, 5)) < 0.02)
  })

  it('needs two days', () => {
    assert.equal(structural().fit(historyOf(days(1, shape))), undefined)
    assert.ok(structural().fit(historyOf(days(2, shape))))
  })

  it('copes with a series of nothing but noise', () => {
    const normal = normals(3)
    const { mean, variance } = fitted(
      structural(),
      days(4, () => 90_000 * normal()),
      48,
      90_000 ** 2,
    )
    assert.ok(mean.every((value) => Math.abs(value) < 60_000))
    assert.ok(variance.every((value) => Number.isFinite(value) && value >= 0))
  })

  it('is surer of the next hour than of the next day', () => {
    const normal = normals(5)
    let deviation = 0
    const values = days(7, (at) => {
      deviation = 0.96 * deviation + 10_000 * normal()
      return shape(at) + deviation
    })
    const { variance } = fitted(structural(), values)
    assert.ok(variance[0]! < variance[47]! / 2)
  })
})
