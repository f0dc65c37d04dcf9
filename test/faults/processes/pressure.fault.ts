import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { minutes } from '../../../operators/contract/clock.ts'
import { readRange } from '../../../pipelines/runtime/changelog.ts'
import type { MeterFrame } from '../../../schemas/meter-frame.ts'
import { topics } from '../../../schemas/topics.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { services } from '../../helpers/services.ts'
import { checkStage } from './check.ts'
import { holdTo } from './cpu-quota.ts'
import { known } from './kill-run.ts'
import { openStage, type Stage } from './stage.ts'

/*
 * Workers that are too slow for what comes in: row 31 of the fault matrix. Each has a tenth of a core, by the kernel's quota
 * where this process may set one, else by stops; and a heap in which the collector is at work all the time. What comes in
 * goes from a pace that they keep up with to more than ten times that.
 */

const shared = await services({ kafka: true, registry: true })

const share = 0.1
/** Both the old generation and each half of the young one: little more than what a worker cannot do without. */
const heap = { old: 50, young: 2 }
/** What a worker may hold in memory, half the goal of the project for catching up; and what it may gain in the burst. */
const mostMiB = 256
const mostGainMiB = 88
/** Frames of the burst that are nothing but large: a worker that took in what comes would hold half of them. */
const large = { frames: 4_400, bytes: 60_000 }
const waitingMiB = Math.round((large.frames * large.bytes) / 2 / 2 ** 20)
/** Staged hours that come evenly, one in each of these. */
const steadyHours = 8
const steadyMs = 1_500
const patienceMs = 180_000

describe('workers under pressure', { skip: shared.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(() => redis.stop())

  test('catch up in bounded memory, and none is put out of its group', async (t) => {
    const options = process.env['NODE_OPTIONS']
    const collected = new URL('collected.ts', import.meta.url).href
    process.env['NODE_OPTIONS'] =
      `${options ?? ''} --max-old-space-size=${heap.old} --max-semi-space-size=${heap.young} --import=${collected}`
    const stage = await openStage({
      brokers: shared.address('kafka').split(','),
      registry: shared.address('registry'),
      redis: redis.node,
      prefix: shared.unique('pressure'),
      seed: 81,
      homes: 200,
      days: 4,
      sessionTimeoutMs: 6_000,
      deadlineMs: 30_000,
      redisTimeoutMs: 10_000,
    })
    const { crew } = stage
    const caughtUp = async () => {
      const began = performance.now()
      while ((await stage.unfinished()) > 0) {
        if (performance.now() - began > patienceMs) throw new Error(`I8: ${await stage.unfinished()} frames left`)
        await pause(500)
      }
      return (performance.now() - began) / 1_000
    }
    try {
      const workers = [await crew.launch(0), await crew.launch(1)]
      await Promise.all(workers.map(({ running }) => running))
      await stage.feedTo(stage.start + minutes(30))
      await known(stage)
      // Each has its share, and the group is at rest.
      while (owners(crew.log()).size < 2) await pause(100)
      await caughtUp()
      const before = running(crew.log())
      const quotas = workers.map((worker) => holdTo(worker, share))
      let peak = 0
      const watch = setInterval(() => {
        peak = Math.max(peak, ...workers.map(({ pid }) => peakMiB(pid)))
      }, 500)

      const began = performance.now()
      let evenly = 0
      let behind = 0
      for (let hour = 1; hour <= steadyHours; hour++) {
        evenly += await stage.feedTo(stage.start + minutes(30 + 60 * hour))
        behind = Math.max(behind, await stage.unfinished())
        await pause(Math.max(1, began + hour * steadyMs - performance.now()))
      }
      const pace = evenly / (performance.now() - began)
      await caughtUp()
      const calmMiB = peak
      const since = performance.now()
      const burst = await stage.feedTo(stage.end)
      const times = burst / (performance.now() - since) / pace
      const waiting = await stage.unfinished()
      await feedLarge(stage)
      const seconds = await caughtUp()
      clearInterval(watch)
      const heldBack = quotas.map((quota) => quota.heldBack())
      await Promise.all(quotas.map((quota) => quota.lift()))
      const joined = running(crew.log()) - before
      await stage.drain(120_000)
      await Promise.all(workers.map((worker) => worker.stop()))
      const outcome = await checkStage(stage)
      const collections = [...crew.log().matchAll(/collected garbage .*/g)].map(([said]) => said)
      for (const line of [
        `${share * 100} % of a core each by ${quotas[0]!.by}, held back ${heldBack.join(' and ')} times`,
        `${evenly} frames evenly, of which ${behind} waited at the most; then ${burst} at ${times.toFixed(1)} times that pace: ${waiting} waited, and ${large.frames} large ones on top, done in ${Math.round(seconds)} s`,
        `${joined} partitions changed hands; ${calmMiB} MiB in memory before the burst and ${peak} at the most, while ${waitingMiB} MiB of large frames waited for each`,
        ...collections,
        ...outcome.faults,
      ]) {
        t.diagnostic(line)
      }
      assert.deepEqual(outcome.faults, [])
      assert.ok(times >= 10 && waiting > 10_000 && waiting > 5 * behind, 'did not bite: no burst')
      assert.ok(Math.min(...heldBack) >= 30, 'did not bite: no quota')
      const figures = collections.map((said) => /(\d+) of the whole heap.* (\d+) of (\d+) MiB/.exec(said)!.map(Number))
      for (const [, whole, used, of] of figures) {
        assert.ok(whole! >= 10 && used! > 0.6 * of!, 'did not bite: the heap was large enough')
      }
      assert.equal(figures.length, 2)
      assert.equal(joined, 0, 'a member was put out of its group')
      assert.ok(calmMiB > 0 && peak <= mostMiB && peak - calmMiB <= mostGainMiB, `${peak} MiB, ${calmMiB} before`)
    } finally {
      if (options === undefined) delete process.env['NODE_OPTIONS']
      else process.env['NODE_OPTIONS'] = options
      if (process.env['MV_LOG']) process.stderr.write(crew.log())
      await stage.close()
    }
  })
})

/** Sends each partition half of the large frames: in the name of a meter, and without any sense. */
async function feedLarge({ log, wire, fleet, sequenceAt, feed, crew }: Stage): Promise<void> {
  const likes = await Promise.all(
    [0, 1].map(async (partition) => {
      const records = await readRange(log, topics.meterFrames.name, partition, 0n, 200n)
      const frames = records.flatMap(({ offset, value }) => {
        const { fate } = fleet.journal.sighting(sequenceAt(partition, Number(offset))!)
        return fate === 'accepted' ? [wire.decode(topics.meterFrames as never, value!) as MeterFrame] : []
      })
      return frames.find(({ transport }) => transport === 'wrapper')!
    }),
  )
  for (let sent = 0; sent < large.frames; sent += 100) {
    await feed(
      Array.from({ length: 100 }, (_, n) => {
        const bytes = Buffer.alloc(large.bytes, 0xa5)
        bytes.writeUInt32BE(sent + n)
        const receivedAt = crew.now()
        const noted = { kind: 'corrupt', fate: 'refused', receivedAt, home: -1, firstSlot: 0, slots: 0 } as const
        const frame = { ...likes[n % 2]!, bytes }
        return { partition: n % 2, frame, receivedAt, seq: fleet.journal.record(noted) }
      }),
    )
  }
}

/** Assignments of partitions of [readings] that came to run. */
const running = (log: string): number => log.match(/readings\[\d\]: running/g)?.length ?? 0

/** Processes that came to run a partition of [readings] last. */
function owners(log: string): ReadonlySet<string> {
  const last = new Map<string, string>()
  for (const [, pid, partition] of log.matchAll(/ (\d+) readings\[(\d)\]: running/g)) last.set(partition!, pid!)
  return new Set(last.values())
}

/** Most memory that a process has held so far, MiB; 0 where the system does not tell. */
function peakMiB(pid: number): number {
  try {
    return Math.ceil(Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1_024)
  } catch {
    return 0
  }
}
