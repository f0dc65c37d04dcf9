import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFleet } from '../../bench/fleet/index.ts'
import { minutes } from '../../operators/contract/clock.ts'
import { runScenario } from '../../pipelines/cli/demo-scenario.ts'
import { chaos } from '../helpers/chaos.ts'

const start = Date.UTC(2026, 0, 12)
const profileNames = { described: 'interval-30min', objects: 'interval-30min' }

for (let seed = 1; seed <= 20; seed++) {
  test(`in = accepted + duplicate + late + rejected, by counter and by record, with seed ${seed}`, async () => {
    const faults = {
      corrupt: 0.01,
      replayed: 0.005,
      restated: 0.005,
      tooLate: 0.002,
      unknown: 0.002,
      homesPerGateway: 4,
    }
    const fleet = createFleet({ seed, homes: 20, start, partitions: 2, profileNames, faults })
    const { verdict, sent } = await runScenario({ fleet, partitions: 2, start, end: start + minutes(30.5 * 60) })
    assert.equal(verdict.closure.received, sent)
    assert.ok(verdict.closure.closes, JSON.stringify(verdict.closure))
    assert.ok(verdict.ok, JSON.stringify(verdict))
  })

  test(`loses and repeats nothing when killed at random, view lost and rolled back, with seed ${seed}`, async () => {
    // A small generator of its own: the seed alone decides where the run is killed.
    let state = seed * 0x9e3779b1
    const chance = (one: number): boolean => {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0
      return state % one === 0
    }
    const result = await chaos({
      seed,
      homes: 10,
      kill: () => chance(700),
      disturb: ({ view }) => {
        for (const scope of ['readings/0', 'readings/1']) {
          if (chance(40)) view.clear(scope)
        }
      },
    })
    assert.deepEqual(result.faults, [])
    assert.ok(result.kills > 0, 'nothing was killed')
  })
}
