import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { ownServices, services } from '../../helpers/services.ts'
import { brokerFaults, redisFaults, tallyOf } from './disturb.ts'
import { killRun, killRunText } from './kill-run.ts'
import { openStage } from './stage.ts'

// Three brokers, of which one is killed at a time: a lone one tears transactions, see torn-commit.fault.ts.
const own = await ownServices({ kafka: 3 })
const shared = await services({ registry: true })

describe('services that are killed', { skip: own.skip || shared.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(async () => {
    await redis.stop()
    await own.stop()
  })

  test('broker and Redis killed, emptied, rolled back and full, while workers are killed too', async (t) => {
    const stage = await openStage({
      brokers: own.address('kafka').split(','),
      registry: shared.address('registry'),
      redis: redis.node,
      prefix: own.unique('services'),
      seed: 24,
      homes: 60,
      days: 3,
      deadlineMs: 20_000,
      redisTimeoutMs: 2_000,
    })
    const tally = tallyOf(stage)
    const broker = brokerFaults(own, tally)
    const store = redisFaults(redis, tally)
    const result = await killRun(stage, {
      seed: 24,
      assignment: 'ordinal',
      kills: 60,
      paceMs: [300, 2_000],
      drainMs: 180_000,
      disturb: async (step) => {
        if (step % 6 === 1) await stage.alone(broker.kill)
        else if (step % 30 === 9) await stage.alone(broker.freeze)
        if (step % 4 === 0) await store.kill()
        if (step % 12 === 3) await store.flush()
        if (step % 12 === 5) await store.keep()
        if (step % 12 === 8) await store.rollBack()
        if (step % 12 === 10) await store.full()
      },
    })
    const paused = result.log.match(/readings\[\d\]: paused/g)?.length ?? 0
    const told = [killRunText(result), tally.text(), `[readings] paused ${paused} times`, ...result.outcome.faults]
    for (const line of told) t.diagnostic(line)
    await stage.close()
    assert.deepEqual(result.outcome.faults, [])
    assert.ok(tally.struck('broker killed') >= 20 && tally.bit('broker killed') >= 10, tally.text())
    assert.ok(tally.struck('Redis killed') >= 20 && tally.bit('Redis killed') >= 10, tally.text())
    assert.ok(paused >= 3 && tally.bit('Redis full') >= 3, 'a full Redis did not bite')
    assert.doesNotMatch(result.log, /ended: LogError: Redis has reached its maxmemory/)
    for (const fault of ['Redis emptied', 'Redis rolled back']) assert.ok(tally.bit(fault) >= 5, tally.text())
  })
})
