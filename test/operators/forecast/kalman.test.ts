import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { advance, filter, type StateSpace } from '../../../operators/forecast/kalman.ts'

const close = (actual: number, expected: number, tolerance = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`)

const scalar = (rest: Partial<Record<keyof StateSpace, number>> = {}): StateSpace => {
  const of = (value: number) => Float64Array.of(value)
  return {
    decay: of(rest.decay ?? 1),
    drift: of(rest.drift ?? 0),
    initial: of(rest.initial ?? 0),
    spread: of(rest.spread ?? 1e12),
  }
}

describe('Kalman filter', () => {
  it('is the mean where nothing drifts and nothing was known', () => {
    const { mean, covariance } = filter(scalar(), new Float64Array(4).fill(1), Float64Array.of(1, 2, 4, 9), () => 2)
    close(mean[0]!, 4, 1e-6)
    close(covariance[0]!, 2 / 4, 1e-6)
  })

  it('weighs values by their noise', () => {
    const noise = [1, 3]
    const { mean } = filter(scalar(), new Float64Array(2).fill(1), Float64Array.of(0, 8), (step) => noise[step]!)
    close(mean[0]!, 2, 1e-6)
  })

  it('reaches the known steady variance of a local level', () => {
    const steps = 400
    const { covariance } = filter(
      scalar({ drift: 1 }),
      new Float64Array(steps).fill(1),
      new Float64Array(steps),
      () => 2,
    )
    // P = (sqrt(q^2 + 4 q r) - q) / 2 after the update, with drift q and noise r.
    close(covariance[0]!, (Math.sqrt(1 + 8) - 1) / 2)
  })

  it('steps over what is missing, and knows less afterwards', () => {
    const model = scalar({ drift: 0.5, spread: 1 })
    const features = new Float64Array(3).fill(1)
    const gap = filter(model, features, Float64Array.of(5, Number.NaN, Number.NaN), () => 1)
    const one = filter(model, features.subarray(0, 1), Float64Array.of(5), () => 1)
    assert.equal(gap.mean[0], one.mean[0])
    close(gap.covariance[0]!, one.covariance[0]! + 1)
  })

  it('prefers, by likelihood, the noise that the values have', () => {
    const values = Float64Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 3 : -3))
    const likelihood = (noise: number): number =>
      filter(scalar({ spread: 1 }), new Float64Array(200).fill(1), values, () => noise).logLikelihood
    assert.ok(likelihood(9) > likelihood(3))
    assert.ok(likelihood(9) > likelihood(27))
  })

  it('fades a state that decays', () => {
    const mean = Float64Array.of(8)
    const covariance = Float64Array.of(4)
    advance(scalar({ decay: 0.5, drift: 1 }), mean, covariance)
    assert.deepEqual([mean[0], covariance[0]], [4, 2])
  })
})
