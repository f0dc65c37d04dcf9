import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { minutes } from '../../../operators/contract/clock.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { services } from '../../helpers/services.ts'
import { checkStage } from './check.ts'
import type { Worker } from './crew.ts'
import { known } from './kill-run.ts'
import { openStage } from './stage.ts'

/*
 * Workers that are too slow for what comes in: row 31 of the fault matrix. Two days come at once, on workers that are
 * stopped two thirds of the time and have a small heap.
 */

const shared = await services({ kafka: true, registry: true })

const heapMiB = 128
/** Of each 90 ms, a worker may run for 30. */
const runMs = 30
const stopMs = 60
/** What a worker may hold in memory; the goal of the project for catching up. */
const mostMiB = 512

describe('workers under pressure', { skip: shared.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(() => redis.stop())

  test('catch up in bounded memory, and none is put out of its group', async (t) => {
    const options = process.env['NODE_OPTIONS']
    process.env['NODE_OPTIONS'] = `${options ?? ''} --max-old-space-size=${heapMiB}`
    const stage = await openStage({
      brokers: shared.address('kafka').split(','),
      registry: shared.address('registry'),
      redis: redis.node,
      prefix: shared.unique('pressure'),
      seed: 81,
      homes: 200,
      days: 2,
      sessionTimeoutMs: 6_000,
      deadlineMs: 30_000,
      redisTimeoutMs: 10_000,
    })
    const { crew } = stage
    let over = false
    let stops = 0
    const quota = async ({ signal, ended }: Worker) => {
      void ended.then(() => {
        over = true
      })
      while (!over) {
        signal('SIGSTOP')
        await pause(stopMs)
        signal('SIGCONT')
        stops += 1
        await pause(runMs)
      }
    }
    try {
      const workers = [await crew.launch(0), await crew.launch(1)]
      await Promise.all(workers.map(({ running }) => running))
      await stage.feedTo(stage.start + minutes(30))
      await known(stage)
      // Each has its share, and the group is at rest.
      while (owners(crew.log()).size < 2) await pause(100)
      const before = running(crew.log())
      await stage.feedTo(stage.end)
      const burst = await stage.unfinished()
      const throttled = Promise.all(workers.map(quota))
      let peak = 0
      const watch = setInterval(() => {
        peak = Math.max(peak, ...workers.map(({ pid }) => peakMiB(pid)))
      }, 500)
      const began = performance.now()
      while ((await stage.unfinished()) > 0) {
        if (performance.now() - began > 120_000) throw new Error(`I8: ${await stage.unfinished()} frames after 120 s`)
        await pause(500)
      }
      const seconds = Math.round((performance.now() - began) / 1_000)
      over = true
      await throttled
      clearInterval(watch)
      const joined = running(crew.log()) - before
      await stage.drain(120_000)
      await Promise.all(workers.map((worker) => worker.stop()))
      const outcome = await checkStage(stage)
      t.diagnostic(
        `${burst} frames at once, done in ${seconds} s by two workers that were stopped ${stops} times; ${joined} partitions changed hands; at the most ${peak} MiB in memory each`,
      )
      for (const line of outcome.faults) t.diagnostic(line)
      assert.deepEqual(outcome.faults, [])
      assert.ok(burst > 10_000 && stops > 50, 'did not bite')
      assert.equal(joined, 0, 'a member was put out of its group')
      assert.ok(peak > 0 && peak <= mostMiB, `${peak} MiB`)
    } finally {
      over = true
      if (options === undefined) delete process.env['NODE_OPTIONS']
      else process.env['NODE_OPTIONS'] = options
      if (process.env['MV_LOG']) process.stderr.write(crew.log())
      await stage.close()
    }
  })
})

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
