import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { gone } from '../../../deploy/local/index.ts'
import { redisServer } from '../../connectors/redis/redis-server.ts'
import { ownServices, services } from '../../helpers/services.ts'
import { tallyOf } from './disturb.ts'
import { type KillRunOptions, killRun, killRunText } from './kill-run.ts'
import { openStage, type Stage, type StageOptions } from './stage.ts'

/*
 * Disks that fill up under a running pipeline and are freed again: row 17 of the fault matrix. The third disk of that row,
 * under the log in a folder, is tried in test/pipelines/cli/newcomer.test.ts.
 */

/** A disk of a few MiB in memory, over a folder. */
interface SmallDisk {
  /** Leaves no byte free. */
  readonly fill: () => void
  readonly free: () => void
  readonly unmount: () => void
}

function smallDisk(folder: string, mebibytes: number): SmallDisk | undefined {
  mkdirSync(folder, { recursive: true })
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]).status !== 0) return undefined
  const filler = join(folder, 'filler')
  const unmount = () => void spawnSync('umount', ['-l', folder])
  // A mount outlives the process that is interrupted.
  process.once('exit', unmount)
  return {
    fill: () => {
      const some = Buffer.alloc(4_096)
      try {
        for (;;) writeFileSync(filler, some, { flag: 'a' })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    },
    free: () => rmSync(filler, { force: true }),
    unmount: () => {
      process.off('exit', unmount)
      unmount()
    },
  }
}

const pauses = (log: string): number => log.match(/readings\[\d\]: paused/g)?.length ?? 0

const mayMount = (): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'meterveil-disk-'))
  const disk = smallDisk(folder, 1)
  disk?.unmount()
  rmSync(folder, { recursive: true, force: true })
  return disk !== undefined
}

const may = mayMount()
const own = may ? await ownServices({ kafka: 3 }) : undefined
const shared = may ? await services({ kafka: true, registry: true }) : undefined
const skip =
  own && shared ? own.skip || shared.skip : 'needs the right to mount a small disk (root); nobody else can fill one'

describe('disks that fill up', { skip }, () => {
  const play = async (
    t: TestContext,
    options: Omit<StageOptions, 'registry' | 'prefix'>,
    run: (stage: Stage) => KillRunOptions,
  ) => {
    const stage = await openStage({ registry: shared!.address('registry'), prefix: shared!.unique('disk'), ...options })
    try {
      const result = await killRun(stage, run(stage))
      for (const line of [killRunText(result), ...result.outcome.faults]) t.diagnostic(line)
      assert.deepEqual(result.outcome.faults, [])
      return result
    } finally {
      if (process.env['MV_LOG']) process.stderr.write(stage.crew.log())
      await stage.close()
    }
  }

  test('under the append-only file of Redis, which then dies: what it had said yes to and lost is put back', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'meterveil-aof-'))
    const disk = smallDisk(folder, 8)!
    const redis = await redisServer({ aof: true, folder: join(folder, 'data'), args: ['--appendfsync', 'everysec'] })
    let deaths = 0
    try {
      let refused = 0
      const { log } = await play(
        t,
        { brokers: shared!.address('kafka').split(','), redis: redis.node, seed: 51, homes: 40, redisTimeoutMs: 2_000 },
        (stage) => {
          const tally = tallyOf(stage)
          return {
            seed: 51,
            assignment: 'ordinal',
            paceMs: [250, 250],
            drainMs: 120_000,
            disturb: async (step) => {
              if (step % 10 === 4) {
                await tally.note('full')
                disk.fill()
                const before = pauses(stage.crew.log())
                for (let looks = 0; looks < 50 && pauses(stage.crew.log()) === before; looks++) {
                  await stage.feedTo(Math.min(stage.end, stage.crew.now() + 300_000))
                  await pause(200)
                }
                const answer = await redis.admin.set('probe', 'x').catch((error: Error) => error.message)
                if (answer?.startsWith('MISCONF')) refused += 1
              }
              if (step % 10 === 6) {
                // Every other time it dies with what it could not write down.
                const dies = deaths++ % 2 === 0
                if (dies) await redis.kill()
                disk.free()
                if (dies) await redis.start()
              }
            },
          }
        },
      )
      const paused = pauses(log)
      const replayed = log.match(/readings\[\d\]: (?:replayed|rebuilt)/g)?.length ?? 0
      t.diagnostic(`refused ${refused} times; [readings] paused ${paused} times, put back ${replayed} times`)
      assert.ok(refused >= 3 && paused >= 3 && replayed >= 2, 'did not bite')
    } finally {
      await redis.stop()
      disk.unmount()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('under one broker after the other', async (t) => {
    const disks = new Map<string, SmallDisk>()
    const redis = await redisServer()
    try {
      // The data moves onto the small disk as it is.
      await own!.kill('kafka', 'SIGTERM')
      for (const { name } of own!.nodes('kafka')) {
        const data = join(own!.folder('kafka'), name, 'data')
        const aside = `${data}-aside`
        renameSync(data, aside)
        disks.set(name, smallDisk(data, 192)!)
        cpSync(aside, data, { recursive: true })
      }
      await own!.start('kafka')
      const names = [...disks.keys()]
      const stopped: string[] = []
      let turn = 0
      await play(
        t,
        { brokers: own!.address('kafka').split(','), redis: redis.node, seed: 52, homes: 40, deadlineMs: 20_000 },
        (stage) => {
          const tally = tallyOf(stage)
          return {
            seed: 52,
            assignment: 'ordinal',
            paceMs: [300, 300],
            drainMs: 150_000,
            disturb: async (step) => {
              if (step % 20 !== 3) return
              await stage.alone(async () => {
                const name = names[turn++ % names.length]!
                await tally.note('full')
                disks.get(name)!.fill()
                const running = own!.nodes('kafka').find((node) => node.name === name)?.process
                if (running && (await gone(running, 20_000))) stopped.push(name)
                await pause(1_000)
                disks.get(name)!.free()
                await own!.start('kafka')
              })
            },
          }
        },
      )
      t.diagnostic(`brokers that stopped for want of room: ${stopped.join(', ')}`)
      assert.ok(stopped.length >= 3, 'did not bite')
    } finally {
      // A folder that something is mounted on cannot be deleted.
      for (const disk of disks.values()) disk.unmount()
      await own!.stop()
      await redis.stop()
    }
  })
})
