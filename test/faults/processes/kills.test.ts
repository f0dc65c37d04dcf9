import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { topics } from '../../../schemas/topics.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { services } from '../../helpers/services.ts'
import { checkStage } from './check.ts'
import { killRun, killRunText } from './kill-run.ts'
import { plantedCases, runPlanted } from './planted.ts'
import { openStage } from './stage.ts'

const real = await services({ kafka: true, registry: true })

describe('processes over Kafka, Redis and a registry', { skip: real.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(() => redis.stop())

  test('two workers, killed again and again, lose, repeat and redraw nothing', async (t) => {
    const stage = await openStage({
      brokers: real.address('kafka').split(','),
      registry: real.address('registry'),
      redis: redis.node,
      prefix: real.unique('kills'),
      seed: 3,
      homes: 40,
    })
    const result = await killRun(stage, { seed: 3, assignment: 'ordinal', kills: 8 })
    t.diagnostic(killRunText(result))
    if (process.env['MV_LOG']) process.stderr.write(stage.crew.log())
    await stage.close()
    assert.deepEqual(result.outcome.faults, [])
    assert.ok(result.struck >= 8 && result.bit >= 6, killRunText(result))
  })

  test('nothing comes out while Redis is gone, and all of it once it is back', async () => {
    const stage = await openStage({
      brokers: real.address('kafka').split(','),
      registry: real.address('registry'),
      redis: redis.node,
      prefix: real.unique('unknown'),
      seed: 6,
      homes: 10,
      pipelines: ['readings'],
      redisTimeoutMs: 1_000,
    })
    try {
      const { crew, fleet, log, partitions } = stage
      await crew.moveTo(stage.end)
      const all = [...fleet.arrivals(stage.end)].flatMap(({ arrivals }) => arrivals)
      const worker = await crew.launch(0, { settings: { ordinal: { index: 0, of: 1 } } })
      await stage.feed(all.slice(0, 100))
      await stage.settle(worker)
      await redis.kill()
      await stage.feed(all.slice(100))
      const ends = () =>
        Promise.all(
          Array.from({ length: partitions }, async (_, partition) => {
            const topic = topics.householdReadings.name
            return (await log.bounds(topic, partition, 'read_uncommitted')).end
          }),
        )
      const before = await ends()
      await pause(2_000)
      assert.deepEqual(await ends(), before)
      await redis.start()
      await stage.settle(worker)
      await worker.stop()
      assert.deepEqual((await checkStage(stage)).faults, [])
    } finally {
      await stage.close()
    }
  })

  for (const one of plantedCases.filter(({ short }) => short)) {
    test(`a worker that ${one.name} is caught, and the right one is not`, async (t) => {
      const never = async () => {
        throw new Error('these services are shared')
      }
      const own = { ...real, kill: never, start: never, folder: never as never }
      const given = { own, registry: real.address('registry'), redis }
      assert.deepEqual(await runPlanted(one, 'right', given), [])
      const found = await runPlanted(one, 'wrong', given)
      t.diagnostic(found.join('; '))
      assert.notDeepEqual(found, [])
    })
  }
})
