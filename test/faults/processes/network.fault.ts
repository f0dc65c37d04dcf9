import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { minutes } from '../../../operators/contract/clock.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { type OwnServices, ownServices } from '../../helpers/services.ts'
import { tallyOf } from './disturb.ts'
import { type EndTxnFaults, endTxnFaults, fates } from './end-txn.ts'
import { type KillRunOptions, killRun, killRunText } from './kill-run.ts'
import { sideDoors } from './side-doors.ts'
import { openStage, type Stage, type StageOptions } from './stage.ts'
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts'

/*
 * Networks between workers and the broker, and between workers and Redis: rows 7 and 14 to 16 of the fault matrix. The
 * supervisor speaks to both past the proxies.
 */

const own: OwnServices = await ownServices({ kafka: true, registry: true })

type Speed = NonNullable<Parameters<TcpProxy['slow']>[0]>

/** 100 ms and 3 Mbit/s, as Apache Kafka's own fault tests have it. */
const farAway: Speed = { latencyMs: 100, bytesPerSecond: 375_000 }

interface Phase {
  readonly name: string
  readonly store?: Speed
  readonly broker?: Speed
  /** Bytes after which a connection to Redis is reset. */
  readonly every?: number
}

describe('a network that fails', { skip: own.skip }, () => {
  let redis: TestServer
  let commits: EndTxnFaults
  let doors: readonly TcpProxy[]
  before(async () => {
    redis = await redisServer({ aof: true })
    const plain = async (to: { readonly port: number }) => ({ proxy: await tcpProxy(to) })
    const made = await sideDoors<EndTxnFaults | { readonly proxy: TcpProxy }>(own, [
      (to) => endTxnFaults(to, 6),
      plain,
      plain,
    ])
    commits = made[0] as EndTxnFaults
    doors = made.map(({ proxy }) => proxy)
  })
  after(async () => {
    await Promise.all(doors.map((door) => door.close()))
    await redis.stop()
    await own.stop()
  })

  type Own = Omit<StageOptions, 'brokers' | 'registry' | 'redis' | 'prefix'>
  const open = (name: string, options: Own) =>
    openStage({
      brokers: own.address('kafka').split(','),
      registry: own.address('registry'),
      redis: redis.node,
      prefix: own.unique(name),
      ...options,
    })
  const brokersAt = (door: TcpProxy | undefined) => [`127.0.0.1:${door!.port}`]
  const play = async (t: TestContext, stage: Stage, options: KillRunOptions) => {
    try {
      const result = await killRun(stage, options)
      for (const line of [killRunText(result), ...result.outcome.faults]) t.diagnostic(line)
      assert.deepEqual(result.outcome.faults, [])
      assert.deepEqual(result.failed, [])
      return result
    } finally {
      if (process.env['MV_LOG']) process.stderr.write(stage.crew.log())
      await stage.close()
    }
  }
  const count = (log: string, what: RegExp): number => log.match(what)?.length ?? 0

  test('commits that come late, twice, or are not answered', async (t) => {
    const stage = await open('commits', { seed: 41, homes: 40 })
    const { log } = await play(t, stage, {
      seed: 41,
      assignment: 'ordinal',
      settings: () => ({ brokers: brokersAt(doors[0]) }),
      paceMs: [450, 450],
      drainMs: 120_000,
      disturb: async (step) => {
        if (step * minutes(30) >= stage.end - stage.start - minutes(120)) commits.stop()
      },
    })
    const told = [
      ...fates.map((fate) => `${commits.counts.get(fate)} ${fate}`),
      ...[...commits.lateAnswers].map(([code, many]) => `${many} answered with ${code} in the next transaction`),
      `${count(log, /transaction unknown/g)} outcomes unknown`,
    ].join(', ')
    t.diagnostic(told)
    for (const fate of fates) assert.ok(commits.counts.get(fate)! >= 5, told)
    // 47: another owner has come since. No other answer may end a transaction that is not the sender's.
    assert.ok(commits.lateAnswers.get(47)! >= 5 && commits.lateAnswers.size === 1, told)
  })

  test('workers parted from the broker and from Redis, each way, one after the other and together', async (t) => {
    const stage = await open('parted', { seed: 42, homes: 40, sessionTimeoutMs: 1_500, deadlineMs: 6_000 })
    const { crew } = stage
    const stores = await Promise.all([tcpProxy(redis.node), tcpProxy(redis.node)])
    const tally = tallyOf(stage)
    const both = ['requests', 'answers'] as const
    /** Which proxies let nothing pass, which way, for how long, and whether the connections live through it. */
    const partings = [
      { name: 'first worker to broker', at: [doors[1]], ways: ['requests'], ms: 2_500, ends: 'released' },
      { name: 'second worker from Redis', at: [stores[1]], ways: ['answers'], ms: 1_500, ends: 'cut' },
      { name: 'second worker from broker', at: [doors[2]], ways: ['answers'], ms: 2_500, ends: 'cut' },
      { name: 'first worker to Redis', at: [stores[0]], ways: ['requests'], ms: 1_500, ends: 'released' },
      { name: 'first worker and broker', at: [doors[1]], ways: both, ms: 7_000, ends: 'cut' },
      { name: 'both workers and Redis', at: stores, ways: both, ms: 2_500, ends: 'released' },
      { name: 'both workers and broker', at: [doors[1], doors[2]], ways: both, ms: 2_500, ends: 'cut' },
      { name: 'all and all', at: [doors[1], doors[2], ...stores], ways: both, ms: 3_000, ends: 'released' },
    ] as const
    let turn = 0
    const { log } = await play(t, stage, {
      seed: 42,
      assignment: 'group',
      settings: (slot) => ({
        brokers: brokersAt(doors[1 + slot]),
        redis: { host: '127.0.0.1', port: stores[slot]!.port },
        redisTimeoutMs: 1_000,
      }),
      paceMs: [250, 250],
      drainMs: 120_000,
      disturb: async (step) => {
        if (step % 7 !== 2) return
        const { name, at, ways, ms, ends } = partings[turn++ % partings.length]!
        for (const proxy of at) proxy!.hold(...ways)
        // Work that comes in meanwhile finds the network so.
        await stage.feedTo(Math.min(stage.end, crew.now() + minutes(10)))
        await tally.note(name)
        for (let left = ms; left > 0; left -= 250) {
          await stage.feedTo(Math.min(stage.end, crew.now() + minutes(2)))
          await pause(250)
        }
        if (ends === 'cut') for (const proxy of at) proxy!.cut()
        for (const proxy of at) proxy!.release()
      },
    })
    await Promise.all(stores.map((store) => store.close()))
    const [fenced, unknown, running] = [/transaction fenced/g, /transaction unknown/g, /readings\[\d\]: running/g].map(
      (what) => count(log, what),
    )
    t.diagnostic(`${tally.text()}; ${unknown} outcomes unknown, ${fenced} fenced, [readings] assigned ${running} times`)
    assert.ok(partings.filter(({ name }) => tally.bit(name) > 0).length >= 7, tally.text())
    assert.ok(
      [...doors.slice(1), ...stores].every(({ counts }) => counts.held > 0),
      'a proxy held nothing back',
    )
    assert.ok(unknown! > 0 && running! > 4, 'did not bite')
  })

  test('Redis slow, slower, cut every few bytes; the broker far away on a narrow line', async (t) => {
    const stage = await open('slow', { seed: 43, homes: 40 })
    const store = await tcpProxy(redis.node)
    const door = doors[1]!
    const tally = tallyOf(stage)
    const before = { ...door.counts }
    const phases: readonly Phase[] = [
      { name: 'Redis 5 ms', store: { latencyMs: 5 } },
      { name: 'Redis 50 ms', store: { latencyMs: 50 } },
      { name: 'Redis 500 ms', store: { latencyMs: 500 } },
      { name: 'Redis reset every 20 kB', every: 20_000 },
      { name: 'broker 100 ms, 3 Mbit/s', broker: farAway },
      { name: 'all of it', store: { latencyMs: 50 }, every: 20_000, broker: farAway },
      { name: 'nothing' },
    ]
    await play(t, stage, {
      seed: 43,
      assignment: 'ordinal',
      settings: () => ({ brokers: brokersAt(door), redis: { host: '127.0.0.1', port: store.port } }),
      paceMs: [500, 500],
      drainMs: 120_000,
      disturb: async (step) => {
        const phase = step % 8 === 1 ? phases[Math.min(phases.length - 1, step >> 3)] : undefined
        if (!phase) return
        await tally.note(phase.name)
        store.slow(phase.store)
        store.cutEvery(phase.every)
        door.slow(phase.broker)
      },
    })
    const [late, cut] = [store.counts.late + door.counts.late - before.late, store.counts.cut]
    t.diagnostic(`${tally.text()}; ${late} bytes came late, ${cut} connections to Redis were reset`)
    await store.close()
    for (const { name } of phases) assert.ok(tally.struck(name) > 0, tally.text())
    assert.ok(late > 100_000 && cut >= 5, 'did not bite')
  })
})
