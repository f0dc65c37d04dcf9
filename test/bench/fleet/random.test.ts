import assert from 'node:assert/strict'
import test from 'node:test'
import { simulationHash, simulationRandom } from '../../../bench/fleet/random.ts'

const take = (seed: number, a: number, b: number, n = 5) => {
  const random = simulationRandom(seed, 'homeDay', a, b)
  return Array.from({ length: n }, random.u32)
}

test('the same name gives the same numbers, whatever was drawn before', () => {
  const alone = take(1, 7, 20_000)
  take(1, 6, 20_000, 1_000)
  assert.deepEqual(take(1, 7, 20_000), alone)
})

test('streams of neighbouring names share no numbers', () => {
  const seen = new Set<number>()
  for (let home = 0; home < 40; home++)
    for (let day = 0; day < 40; day++) for (const n of take(3, home, day)) seen.add(n)
  // 8,000 words of 32 bits collide 0.007 times on average: three collisions have a chance below 1e-7
  assert.ok(seen.size > 8_000 - 3)
})

test('first words of consecutive streams are uniform', () => {
  const bins = new Float64Array(64)
  const n = 64_000
  for (let home = 0; home < n; home++) {
    const bin = simulationRandom(9, 'meter', home).u32() >>> 26
    bins[bin] = (bins[bin] as number) + 1
  }
  const expected = n / 64
  const chi = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  // chi-square with 63 degrees of freedom exceeds 126.6 with probability 4e-6
  assert.ok(chi < 126.6, `chi-square ${chi}`)
})

test('mean and spread of each kind of draw are right', () => {
  const random = simulationRandom(5, 'weather', 1)
  const n = 100_000
  const moments = (draw: () => number) => {
    let sum = 0
    let squares = 0
    for (let i = 0; i < n; i++) {
      const x = draw()
      sum += x
      squares += x * x
    }
    return { mean: sum / n, variance: squares / n - (sum / n) ** 2 }
  }
  // bounds are five or more standard errors of the mean or variance: below 1e-6 each, and the seed is fixed
  const close = (got: number, wanted: number, within: number) => assert.ok(Math.abs(got - wanted) < within, `${got}`)
  const normal = moments(random.normal)
  close(normal.mean, 0, 0.016)
  close(normal.variance, 1, 0.023)
  close(moments(() => random.exponential(3)).mean, 3, 0.048)
  close(moments(() => random.poisson(4)).mean, 4, 0.032)
  close(moments(() => random.below(10)).mean, 4.5, 0.046)
})

test('a hash depends on every one of its inputs', () => {
  const base = simulationHash(1, 'home', 2, 3)
  for (const other of [
    simulationHash(2, 'home', 2, 3),
    simulationHash(1, 'homeDay', 2, 3),
    simulationHash(1, 'home', 3, 3),
    simulationHash(1, 'home', 2, 4),
  ]) {
    assert.notEqual(other, base)
  }
})
