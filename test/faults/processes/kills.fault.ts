import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { redisProxy } from '../../connectors/redis/proxy.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { type OwnServices, ownServices } from '../../helpers/services.ts'
import { tallyOf } from './disturb.ts'
import { type KillRunOptions, killRun, killRunText } from './kill-run.ts'
import { openStage, roughFaults, type Stage, type StageOptions } from './stage.ts'

const own: OwnServices = await ownServices({ kafka: true, registry: true })
/** Kills of workers over all tests of this file. */
let kills = 0
let intervals = 0

/** What workers said when they ended by themselves, once each. */
const endings = (log: string): string[] => [...new Set(log.match(/(?:halted|ended): .*/g))].slice(0, 10)

describe('the long fault runs over real services', { skip: own.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(async () => {
    await redis.stop()
    await own.stop()
  })

  type Own = Omit<StageOptions, 'brokers' | 'registry' | 'redis' | 'prefix'> & Partial<Pick<StageOptions, 'redis'>>
  const open = (name: string, options: Own) =>
    openStage({
      brokers: own.address('kafka').split(','),
      registry: own.address('registry'),
      redis: redis.node,
      prefix: own.unique(name),
      ...options,
    })
  const play = async (t: TestContext, stage: Stage, options: KillRunOptions) => {
    try {
      const result = await killRun(stage, options)
      kills += result.struck
      intervals += result.outcome.intervals
      t.diagnostic(killRunText(result))
      for (const line of [...result.outcome.faults, ...endings(result.log)]) t.diagnostic(line)
      assert.deepEqual(result.outcome.faults, [])
      return result
    } finally {
      if (process.env['MV_LOG']) process.stderr.write(stage.crew.log())
      await stage.close()
    }
  }

  test('two workers by ordinal, killed at every place: 200,000 intervals', async (t) => {
    const stage = await open('ordinal', { seed: 21, homes: 500, days: 9 })
    const result = await play(t, stage, {
      seed: 21,
      assignment: 'ordinal',
      kills: 420,
      paceMs: [0, 5_000],
      drainMs: 120_000,
    })
    t.diagnostic([...result.schedule.hits].map(([label, count]) => `${label} ${count}`).join(', '))
    assert.ok(result.struck >= 400, `${result.struck} kills`)
    assert.ok(result.bit >= 300, `only ${result.bit} of ${result.struck} kills met work`)
    assert.deepEqual(result.unstruck, [])
    assert.deepEqual(result.failed, [])
  })

  test('two workers by group, killed, asked to stop, and joined by a third: rebalances', async (t) => {
    const stage = await open('group', { seed: 22, homes: 60, days: 2, sessionTimeoutMs: 1_500 })
    let joined = 0
    let asked = 0
    const result = await play(t, stage, {
      seed: 22,
      assignment: 'group',
      kills: 100,
      paceMs: [0, 6_000],
      drainMs: 120_000,
      disturb: async (step, kept) => {
        if (step % 8 === 3) {
          const guest = await stage.crew.launch(9)
          await guest.running.catch(() => {})
          await guest.stop()
          joined += 1
        }
        if (step % 10 === 7) {
          const [worker] = kept.workers()
          worker?.signal('SIGTERM')
          asked += worker ? 1 : 0
        }
      },
    })
    t.diagnostic(`${joined} members joined and left, ${asked} were asked to stop`)
    assert.ok(result.struck >= 90 && result.bit >= 60 && joined >= 8, killRunText(result))
    assert.deepEqual(result.failed, [])
  })

  test('a worker stopped past its session and woken: what it held in its hands counts for nothing', async (t) => {
    const stage = await open('zombie', { seed: 23, homes: 40, sessionTimeoutMs: 1_500 })
    let woken = 0
    const { log, failed } = await play(t, stage, {
      seed: 23,
      assignment: 'group',
      paceMs: [200, 200],
      disturb: async (step, kept) => {
        if (step % 8 !== 5) return
        const places = ['begin', 'offsets', 'produce', 'commit', 'apply'] as const
        const [zombie] = kept.workers()
        zombie?.arm({ pipeline: 'readings', step: places[woken % 5]!, at: 'before', nth: 1, signal: 'SIGSTOP' })
        await stage.feedTo(Math.min(stage.end, stage.crew.now() + 600_000))
        const still = await Promise.race([zombie?.still().then(() => true), pause(3_000)])
        if (!still) return void zombie?.arm(undefined)
        await pause(3_500)
        zombie?.signal('SIGCONT')
        zombie?.arm(undefined)
        woken += 1
      },
    })
    const fenced = log.match(/transaction fenced/g)?.length ?? 0
    t.diagnostic(`${woken} zombies woken, fenced ${fenced} times`)
    assert.ok(woken >= 5 && fenced >= 3, 'did not bite')
    assert.deepEqual(failed, [])
  })

  test('a registry that is gone stops nobody who runs', async (t) => {
    const stage = await open('registry', { seed: 25, homes: 30 })
    let gone = false
    const { outcome } = await play(t, stage, {
      seed: 25,
      assignment: 'group',
      paceMs: [150, 150],
      disturb: async (step, kept) => {
        if (step !== 10) return
        // Whoever begins needs it.
        while (kept.workers().length < 2) await pause(50)
        await Promise.all(kept.workers().map(({ running }) => running))
        await stage.feedTo(stage.crew.now() + 1_800_000)
        gone = (await stage.unfinished()) > 0
        await own.kill('registry')
      },
    })
    await own.start('registry')
    assert.ok(gone, 'did not bite')
    assert.ok(outcome.counted && outcome.verdict.closure.closes, 'the counters were not checked')
  })

  test('answers of Redis lost and connections cut; every second message comes twice', async (t) => {
    const proxy = await redisProxy(redis.node)
    const faults = { ...roughFaults, duplicates: 0.5 }
    const stage = await open('network', { seed: 26, homes: 40, faults, redis: proxy.node, redisTimeoutMs: 1_000 })
    const tally = tallyOf(stage)
    try {
      await play(t, stage, {
        seed: 26,
        assignment: 'ordinal',
        paceMs: [250, 250],
        drainMs: 120_000,
        disturb: async (step) => {
          if (step % 3 === 1) {
            await tally.note('connections cut')
            proxy.cut()
          }
          if (step % 10 === 5) {
            await tally.note('answers lost')
            proxy.loseAnswers(true)
          }
          if (step % 10 === 7) {
            proxy.loseAnswers(false)
            proxy.cut()
          }
        },
      })
      t.diagnostic(tally.text())
      assert.ok(tally.bit('connections cut') >= 5 && tally.bit('answers lost') >= 2, tally.text())
    } finally {
      await proxy.close()
    }
  })

  test('all of it together', (t) => {
    const all = `${kills} kills of workers, ${intervals} intervals`
    t.diagnostic(all)
    assert.ok(kills >= 500 && intervals >= 200_000, all)
  })
})
