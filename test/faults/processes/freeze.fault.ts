import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { minutes } from '../../../operators/contract/clock.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { type OwnServices, ownServices } from '../../helpers/services.ts'
import { checkStage } from './check.ts'
import type { Worker } from './crew.ts'
import { known } from './kill-run.ts'
import type { Strike } from './orders.ts'
import { openStage } from './stage.ts'

/*
 * A broker that is stopped for 5, 30 and 120 seconds and goes on as if nothing had been: row 6 of the fault matrix. Each
 * time both workers are in a transaction, with a backlog behind it, and their next request is the first without an answer.
 * Their limits are those of production: 30 s for a call, 15 s for a transaction, 6 s for a session.
 * `planted.fault.ts` stops a broker under a worker that believes a commit which was not answered.
 */

const own: OwnServices = await ownServices({ kafka: true, registry: true })

interface Freeze {
  readonly seconds: number
  /** Where in their transaction the workers are. */
  readonly moment: Pick<Strike, 'step' | 'at'>
}

const freezes: readonly Freeze[] = [
  { seconds: 5, moment: { step: 'produce', at: 'after' } },
  { seconds: 30, moment: { step: 'commit', at: 'before' } },
  { seconds: 120, moment: { step: 'offsets', at: 'after' } },
]

/** Most memory of a worker, and most that it may gain while it waits. */
const mostMiB = 512
const mostGainMiB = 64
/** Sockets and files that a worker may hold more at the end than before the first freeze. */
const mostHandles = 12
/** A commit that was answered before the freeze may be told of a moment after it. */
const toldMs = 1_000
/** How long after the broker is back the first commit may take. */
const recoverMs = 60_000

describe('a broker that is stopped and goes on', { skip: own.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(async () => {
    await redis.stop()
    await own.stop()
  })

  test('for 5, 30 and 120 seconds: workers wait in bounded memory and commit nothing meanwhile', async (t) => {
    const stage = await openStage({
      brokers: own.address('kafka').split(','),
      registry: own.address('registry'),
      redis: redis.node,
      prefix: own.unique('freeze'),
      seed: 26,
      homes: 120,
      sessionTimeoutMs: 6_000,
      deadlineMs: 30_000,
    })
    const { crew } = stage
    const alive = () => assert.deepEqual(crew.deaths, [], 'a worker ended by itself')
    const later = (ms: number) => stage.feedTo(Math.min(stage.end, crew.now() + ms))
    try {
      const workers = [await crew.launch(0), await crew.launch(1)]
      await Promise.all(workers.map(({ running }) => running))
      await later(minutes(30))
      await known(stage)
      const handles = workers.map(handlesOf)
      for (const { seconds, moment } of freezes) {
        // Each has a partition, and nothing to do.
        await calm(stage, () => owners(crew.log()).size === 2)
        for (const worker of workers) worker.arm({ pipeline: 'readings', ...moment, nth: 1, signal: 'SIGSTOP' })
        await later(minutes(60))
        await Promise.all(workers.map(({ still }) => still()))
        await later(minutes(240))
        const waiting = await stage.unfinished()
        const before = workers.map(({ pid }) => memoryOf(pid).now)
        await own.kill('kafka', 'SIGSTOP')
        const frozen = Date.now()
        for (const worker of workers) worker.signal('SIGCONT')
        const logged = crew.log().length
        let most = 0
        let gain = 0
        while (Date.now() < frozen + seconds * 1_000) {
          const held = workers.map(({ pid }) => memoryOf(pid))
          most = Math.max(most, ...held.map(({ peak }) => peak))
          gain = Math.max(gain, ...held.map(({ now }, i) => now - before[i]!))
          await pause(Math.min(1_000, Math.max(1, frozen + seconds * 1_000 - Date.now())))
        }
        const thawed = Date.now()
        const spurious = crew.commits.filter(({ at }) => at > frozen + toldMs && at <= thawed)
        const again =
          crew
            .log()
            .slice(logged)
            .match(/: again after /g)?.length ?? 0
        await own.kill('kafka', 'SIGCONT')
        const first = () => crew.commits.find(({ pipeline, at }) => pipeline === 'readings' && at > thawed)
        while (first() === undefined && Date.now() < thawed + recoverMs) await pause(50)
        const recovered = (first()?.at ?? Number.POSITIVE_INFINITY) - thawed
        t.diagnostic(
          `${seconds} s, ${moment.at} ${moment.step}: ${waiting} frames waited; ${spurious.length} commits and ${again} further tries meanwhile; at the most ${most} MiB, ${gain} MiB of them gained; the first commit ${recovered} ms after`,
        )
        alive()
        assert.ok(waiting > 500, 'did not bite: no work was left')
        assert.deepEqual(spurious, [], 'a commit without a broker')
        assert.ok(most > 0 && most <= mostMiB && gain <= mostGainMiB, `${most} MiB, ${gain} MiB of them gained`)
        assert.ok(recovered <= recoverMs, `I8: no commit within ${recoverMs} ms`)
      }
      await calm(stage, () => true)
      const more = workers.map((worker, i) => handlesOf(worker) - handles[i]!)
      while (crew.now() < stage.end) {
        await later(minutes(60))
        await pause(300)
      }
      const rest = await stage.drain(120_000)
      alive()
      await Promise.all(workers.map((worker) => worker.stop()))
      const unknown = crew.log().match(/transaction (?:unknown|fenced)/g)?.length ?? 0
      const outcome = await checkStage(stage)
      t.diagnostic(
        `${outcome.frames} frames, ${outcome.intervals} intervals, ${outcome.published} public records; ${unknown} outcomes unknown; ${more.join(' and ')} handles more; ${Math.round(rest / 1_000)} s to rest; ${outcome.faults.length} violations`,
      )
      for (const line of outcome.faults) t.diagnostic(line)
      assert.deepEqual(outcome.faults, [])
      assert.ok(unknown >= 2, 'did not bite: every transaction was answered')
      assert.ok(Math.max(...more) <= mostHandles, `${more.join(' and ')} handles more than before`)
    } finally {
      await own.kill('kafka', 'SIGCONT')
      if (process.env['MV_LOG']) process.stderr.write(crew.log())
      await stage.close()
    }
  })
})

/** Waits until nothing is left of the frames, and until then holds, too. */
async function calm(stage: { readonly unfinished: () => Promise<number> }, then: () => boolean): Promise<void> {
  const until = performance.now() + 120_000
  while ((await stage.unfinished()) > 0 || !then()) {
    if (performance.now() > until) throw new Error(`I8: ${await stage.unfinished()} frames after 120 s`)
    await pause(100)
  }
}

/** Processes that came to run a partition of [readings] last. */
function owners(log: string): ReadonlySet<string> {
  const last = new Map<string, string>()
  for (const [, pid, partition] of log.matchAll(/ (\d+) readings\[(\d)\]: running/g)) last.set(partition!, pid!)
  return new Set(last.values())
}

/** Memory of a process now and at the most, MiB. */
function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const of = (name: string) => Math.ceil(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1_024)
  return { now: of('VmRSS'), peak: of('VmHWM') }
}

const handlesOf = ({ pid }: Worker): number => readdirSync(`/proc/${pid}/fd`).length
