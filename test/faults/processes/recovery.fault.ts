import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { noFaults } from '../../../bench/fleet/index.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { type OwnServices, ownServices } from '../../helpers/services.ts'
import { openStage, type Stage } from './stage.ts'

/*
 * How long it takes until work goes on, measured and printed, on whatever machine this is; only that it goes on is
 * asserted. `npm run faults -- processes/recovery`.
 */

const own: OwnServices = await ownServices({ kafka: true, registry: true })

describe('recovery', { skip: own.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(async () => {
    await redis.stop()
    await own.stop()
  })

  /** Two partitions of readings, and a source that never dries up. */
  const flowing = async (name: string, sessionTimeoutMs = 6_000) => {
    const stage = await openStage({
      brokers: own.address('kafka').split(','),
      registry: own.address('registry'),
      redis: redis.node,
      prefix: own.unique(name),
      seed: 31,
      homes: 100,
      faults: { ...noFaults },
      pipelines: ['readings'],
      sessionTimeoutMs,
    })
    await stage.crew.moveTo(stage.end)
    const all = [...stage.fleet.arrivals()].flatMap(({ arrivals }) => arrivals)
    let over = false
    let at = 0
    const flow = (async () => {
      for (; !over && at < all.length; at += 5) {
        await stage.feed(all.slice(at, at + 5))
        await pause(100)
      }
    })()
    return {
      stage,
      stop: async () => {
        over = true
        await flow
        await stage.close()
      },
    }
  }
  /** Time from an instant to the first commit of a partition after it. */
  const untilCommit = async ({ crew }: Stage, partition: number | undefined, since: number): Promise<number> => {
    for (let waited = 0; waited < 60_000; waited += 5) {
      const first = crew.commits.find(
        (commit) => commit.at > since && (partition === undefined || commit.partition === partition),
      )
      if (first) return first.at - since
      await pause(5)
    }
    throw new Error('nothing was committed within 60 s')
  }
  const told = (t: TestContext, what: string, goalMs: number, times: readonly number[]) => {
    const sorted = [...times].sort((a, b) => a - b)
    const [middle, worst] = [sorted[sorted.length >> 1]!, sorted.at(-1)!]
    const verdict = worst <= goalMs ? 'met' : 'missed'
    t.diagnostic(`${what}: median ${middle} ms, worst of ${times.length} ${worst} ms; goal ${goalMs} ms ${verdict}`)
  }

  test('worker killed, by ordinal: another process takes its place', async (t) => {
    const { stage, stop } = await flowing('ordinal')
    const { crew } = stage
    const seat = (index: number) => crew.launch(index, { settings: { ordinal: { index, of: 2 } } })
    let [first] = [await seat(0), await seat(1)]
    await first.running
    const times: number[] = []
    for (let turn = 0; turn < 20; turn++) {
      await untilCommit(stage, 0, Date.now())
      const since = Date.now()
      first.signal('SIGKILL')
      // As an orchestrator would: nothing is started before the end is noticed.
      await first.ended
      first = await seat(0)
      times.push(await untilCommit(stage, 0, since))
    }
    told(t, 'worker kill -9 to the first new commit, by ordinal, a cold start included', 3_000, times)
    await stop()
  })

  test('worker killed, by group: the other one takes over', async (t) => {
    const { stage, stop } = await flowing('group')
    const { crew } = stage
    const times: number[] = []
    let workers = [await crew.launch(0), await crew.launch(1)]
    await Promise.all(workers.map(({ running }) => running))
    for (let turn = 0; turn < 8; turn++) {
      // Each of the two has its partition.
      await pause(2_500)
      const log = crew.log()
      const [lost, kept] = workers as [(typeof workers)[0], (typeof workers)[0]]
      const partition = Number(
        [...log.matchAll(new RegExp(` ${lost.pid} readings\\[(\\d)\\]: running`, 'g'))].at(-1)?.[1] ?? 0,
      )
      const since = Date.now()
      lost.signal('SIGKILL')
      times.push(await untilCommit(stage, partition, since))
      workers = [kept, await crew.launch(turn % 2)]
      await workers[1]!.running
    }
    told(t, 'worker kill -9 to the first new commit, by group with sessions of 6 s', 10_000, times)
    await stop()
  })

  test('broker killed and back', async (t) => {
    const { stage, stop } = await flowing('broker')
    const worker = await stage.crew.launch(0, { settings: { ordinal: { index: 0, of: 1 } } })
    await worker.running
    const times: number[] = []
    for (let turn = 0; turn < 6; turn++) {
      await untilCommit(stage, undefined, Date.now())
      await stage.alone(async () => {
        await own.kill('kafka')
        await pause(turn * 1_000)
        await own.start('kafka')
      })
      times.push(await untilCommit(stage, undefined, Date.now()))
    }
    told(t, 'broker back to the first new commit', 10_000, times)
    await stop()
  })

  test('nothing comes out while the state is unknown, and all of it after', async (t) => {
    const { stage, stop } = await flowing('unknown')
    const worker = await stage.crew.launch(0, { settings: { ordinal: { index: 0, of: 1 } } })
    await worker.running
    const ends = () =>
      Promise.all([0, 1].map(async (p) => (await stage.log.bounds('household.readings', p, 'read_uncommitted')).end))
    const times: number[] = []
    for (let turn = 0; turn < 4; turn++) {
      await untilCommit(stage, undefined, Date.now())
      await redis.kill()
      // What was looked up before may still be on its way.
      await pause(300)
      const before = await ends()
      await pause(1_500)
      assert.deepEqual(await ends(), before, 'readings came out while nobody could know whether they were new')
      assert.ok((await stage.unfinished()) > 0, 'did not bite')
      await redis.start()
      times.push(await untilCommit(stage, undefined, Date.now()))
    }
    told(t, 'Redis back to the first new commit', 10_000, times)
    await stop()
  })
})
