import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { advance, firstCovariance, project, type StateSpace, takeIn } from '../../../operators/forecast/kalman.ts'

const close = (actual: number, expected: number, tolerance = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`)

const scalar = ({ decay = 1, drift = 0, spread = 1e12 } = {}): StateSpace => ({
  decay: Float64Array.of(decay),
  drift: Float64Array.of(drift),
  spread: Float64Array.of(spread),
})
const one = Float64Array.of(1)

/** Covariance and last gain after `steps` values. */
function run(space: StateSpace, steps: number): { covariance: Float64Array; gain: Float64Array } {
  const covariance = firstCovariance(space)
  const gain = new Float64Array(space.decay.length)
  for (let step = 0; step < steps; step++) {
    if (step > 0) advance(space, covariance)
    takeIn(one, covariance, gain)
  }
  return { covariance, gain }
}

describe('the certainty of a Kalman filter', () => {
  it('is that of a mean where nothing drifts and nothing was known', () => {
    const { covariance, gain } = run(scalar(), 4)
    close(covariance[0]!, 1 / 4, 1e-6)
    close(gain[0]!, 1 / 4, 1e-6)
  })

  it('reaches the known steady variance of a local level', () => {
    // P = (sqrt(q^2 + 4 q) - q) / 2 after the update, with drift q and noise 1.
    close(run(scalar({ drift: 0.5 }), 400).covariance[0]!, (Math.sqrt(0.25 + 2) - 0.5) / 2)
  })

  it('is less after time without a value', () => {
    const space = scalar({ drift: 0.5, spread: 1 })
    const { covariance } = run(space, 1)
    const before = covariance[0]!
    advance(space, covariance)
    close(covariance[0]!, before + 0.5)
  })

  it('fades with a state that decays', () => {
    const covariance = Float64Array.of(4)
    advance(scalar({ decay: 0.5, drift: 1 }), covariance)
    close(covariance[0]!, 2)
  })

  it('fades rows and columns alike, also those of states that stay', () => {
    const space = { decay: Float64Array.of(1, 0.5), drift: new Float64Array(2), spread: new Float64Array(2) }
    const covariance = Float64Array.of(4, 2, 2, 8)
    advance(space, covariance)
    assert.deepEqual([...covariance], [4, 1, 1, 2])
  })

  it('projects with the features of a step', () => {
    const product = new Float64Array(2)
    assert.equal(project(Float64Array.of(1, 2), Float64Array.of(4, 1, 1, 3), product), 4 + 2 * 2 * 1 + 4 * 3)
    assert.deepEqual([...product], [6, 7])
  })
})
