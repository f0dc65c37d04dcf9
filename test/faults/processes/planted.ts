import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { type Arrival, noFaults } from '../../../bench/fleet/index.ts'
import { hours } from '../../../operators/contract/clock.ts'
import type { TestServer } from '../../connectors/redis/redis-server.ts'
import type { OwnServices } from '../../helpers/services.ts'
import { checkStage } from './check.ts'
import type { Worker } from './crew.ts'
import type { Strike } from './orders.ts'
import { openStage, type Stage } from './stage.ts'
import type { WrongProtocol } from './wrong-protocols.ts'

export interface PlantedServices {
  /** Kafka may be killed and restored only where a case says so. */
  readonly own: Pick<OwnServices, 'address' | 'unique' | 'kill' | 'start' | 'folder'>
  readonly registry: string
  readonly redis: TestServer
}

/** The parts of a scenario: one reading pipeline over one partition, and frames in hand. */
interface Scene extends PlantedServices {
  readonly stage: Stage
  /** Frames, those of each home in one of five parts. */
  readonly parts: readonly (readonly Arrival[])[]
  readonly start: (strike?: Pick<Strike, 'step' | 'at' | 'nth'> & Partial<Strike>, slot?: number) => Promise<Worker>
  /** The same worker without the planted protocol. */
  readonly startRight: () => Promise<Worker>
  readonly feed: (worker: Worker, ...arrivals: readonly (readonly Arrival[])[]) => Promise<void>
  /** The same frames once more, as new sightings. */
  readonly again: (arrivals: readonly Arrival[]) => readonly Arrival[]
}

export interface PlantedCase {
  readonly name: string
  /** Runs in every `npm test`: takes seconds, and lets the broker be. */
  readonly short?: true
  readonly wrong: WrongProtocol
  /** The fault alone, where it comes with the worker and not from outside. */
  readonly right?: WrongProtocol
  /** What the workers' log says when the fault struck. */
  readonly bit?: { readonly right: RegExp; readonly wrong: RegExp }
  /** How long a call of a worker may take. Default 20 s. */
  readonly deadlineMs?: number
  readonly scene: (scene: Scene) => Promise<void>
}

export const plantedCases: readonly PlantedCase[] = [
  {
    name: 'claims before it produces (A)',
    wrong: 'claim-first',
    scene: async ({ stage, parts, start, feed }) => {
      const first = await start({ step: 'produce', at: 'after', nth: 1 })
      await stage.feed(parts[0]!)
      await first.ended
      const second = await start()
      await feed(second, parts[1]!)
      await second.stop()
    },
  },
  {
    name: 'claims after the commit, and does not replay (B)',
    short: true,
    wrong: 'claim-last',
    scene: async ({ stage, parts, start, feed, again }) => {
      const first = await start({ step: 'apply', at: 'before', nth: 1 })
      await feed(first, parts[0]!)
      await stage.feed(parts[1]!)
      await first.ended
      const second = await start()
      await feed(second, again(parts[0]!))
      await second.stop()
    },
  },
  {
    name: 'does not rebuild after Redis was emptied (C)',
    wrong: 'no-rebuild',
    scene: async ({ redis, parts, start, feed, again }) => {
      const worker = await start()
      await feed(worker, parts[0]!, parts[1]!)
      await redis.admin.flushall()
      await feed(worker, parts[2]!, again(parts[0]!))
      await worker.stop()
    },
  },
  {
    name: 'rebuilds before older owners are fenced, after Redis was emptied (D)',
    wrong: 'connect-only',
    scene: (scene) => overtaken(scene, () => scene.redis.admin.flushall()),
  },
  {
    name: 'rebuilds in parts, Redis being emptied in between (E)',
    wrong: 'chunked-rebuild',
    right: 'held-rebuild',
    scene: async ({ redis, parts, startRight, start, feed, again, stage }) => {
      const first = await startRight()
      await feed(first, parts[0]!, parts[1]!)
      await first.stop()
      await redis.admin.flushall()
      const second = await start()
      await second.waiting()
      await redis.admin.flushall()
      second.proceed()
      await stage.feed([...again(parts[0]!), ...again(parts[1]!), ...parts[2]!])
      const both = Promise.race([second.waiting(), stage.settle(second)])
      if ((await both) !== undefined) {
        await redis.admin.flushall()
        second.proceed()
        await stage.settle(second)
      }
      await second.stop()
    },
  },
  {
    name: 'connects, and fences nobody',
    short: true,
    wrong: 'connect-only',
    scene: (scene) => overtaken(scene, async () => undefined),
  },
  {
    name: 'aborts and uses its producer again after an unanswered produce',
    short: true,
    wrong: 'reuse-after-lost-produce',
    right: 'late-produce',
    bit: { right: /a late produce was fenced/, wrong: /a late produce was taken/ },
    scene: async ({ parts, start, feed }) => {
      const worker = await start()
      await feed(worker, parts[0]!, parts[1]!)
      await worker.stop()
    },
  },
  {
    name: 'commits once more after an unknown outcome',
    wrong: 'repeat-commit',
    right: 'late-commit',
    bit: { right: /a late commit was fenced/, wrong: /a late commit was taken/ },
    scene: async ({ stage, parts, start, startRight }) => {
      const first = await start({ step: 'commit', at: 'before', nth: 2 })
      await stage.feed(parts[0]!)
      await Promise.race([stage.settle(first).catch(() => {}), first.ended])
      await stage.feed(parts[1]!)
      await first.ended
      const second = await startRight()
      await stage.settle(second)
      await second.stop()
    },
  },
  {
    name: 'takes a commit that a stopped broker did not answer for done',
    wrong: 'believe-commit',
    bit: { right: /transaction unknown/, wrong: /a commit was believed/ },
    deadlineMs: 5_000,
    scene: async ({ own, stage, parts, start, feed }) => {
      const worker = await start({ step: 'commit', at: 'before', nth: 1, signal: 'SIGSTOP' })
      await stage.feed(parts[0]!)
      await worker.still()
      await own.kill('kafka', 'SIGSTOP')
      try {
        worker.signal('SIGCONT')
        // Longer than the worker waits for an answer.
        await pause(8_000)
      } finally {
        await own.kill('kafka', 'SIGCONT')
      }
      await feed(worker, parts[1]!)
      await worker.stop()
    },
  },
  {
    name: 'remembers the last batches alone, in a storm of copies',
    wrong: 'recent-only',
    scene: async ({ parts, start, feed, again }) => {
      const [first, ...others] = parts
      const worker = await start()
      await feed(worker, first!, again(first!), ...others, again(first!))
      await worker.stop()
    },
  },
  {
    name: 'applies wherever the view stands, Redis being rolled back',
    wrong: 'apply-anywhere',
    scene: async ({ redis, parts, start, feed, again }) => {
      const worker = await start()
      await feed(worker, parts[0]!, parts[1]!)
      const old = await snapshot(redis)
      await feed(worker, parts[2]!, parts[3]!)
      await rollBack(redis, old)
      await feed(worker, parts[4]!, again(parts[1]!), again(parts[2]!))
      await worker.stop()
    },
  },
  {
    name: 'goes on where the group stands, which was reset',
    wrong: 'trust-group',
    scene: async ({ own, stage, parts, start, feed }) => {
      const first = await start()
      await feed(first, parts[0]!)
      await first.stop()
      await stage.feed(parts[1]!)
      await resetGroup(own.address('kafka'), stage)
      const second = await start()
      await feed(second, parts[2]!)
      await second.stop()
    },
  },
  {
    name: 'knows links by their number alone, Kafka being restored under a newer Redis',
    wrong: 'no-hash',
    scene: async ({ own, redis, stage, parts, start, startRight, feed, again }) => {
      const data = join(own.folder('kafka'), '..', 'kafka-kept')
      const first = await startRight()
      await feed(first, parts[0]!)
      await first.stop()
      const kept = stage.mark()
      await own.kill('kafka', 'SIGTERM')
      cpSync(own.folder('kafka'), data, { recursive: true })
      await own.start('kafka')

      const lost = await startRight()
      await feed(lost, parts[1]!)
      await lost.stop()
      const [before] = await stage.heads()
      const ahead = await snapshot(redis)
      await own.kill('kafka')
      rmSync(own.folder('kafka'), { recursive: true })
      cpSync(data, own.folder('kafka'), { recursive: true })
      rmSync(data, { recursive: true })
      await own.start('kafka')
      await stage.rewind(kept)

      const other = await startRight()
      for (const part of [parts[2]!, parts[3]!, parts[4]!]) await feed(other, part)
      await other.stop()
      const [after] = await stage.heads()
      if (!before || !after || after.seq < before.seq) throw new Error('the other history is too short to bite')
      await rollBack(redis, ahead)
      const last = await start()
      await feed(last, again(parts[2]!), parts[1]!)
      await last.stop()
    },
  },
]

/** A worker stands still with a batch in hand while another takes over; it wakes before the other has begun its own. */
async function overtaken({ stage, parts, start, feed }: Scene, meanwhile: () => Promise<unknown>): Promise<void> {
  const zombie = await start({ step: 'begin', at: 'before', nth: 1, signal: 'SIGSTOP' }, 0)
  await stage.feed(parts[0]!)
  await zombie.still()
  await meanwhile()
  const next = await start({ step: 'begin', at: 'before', nth: 1, signal: 'SIGSTOP' }, 1)
  await next.still()
  const already = stage.crew.commits.length
  zombie.signal('SIGCONT')
  while (stage.crew.commits.length === already) await new Promise((resolve) => setTimeout(resolve, 10))
  zombie.signal('SIGKILL')
  await zombie.ended
  next.signal('SIGCONT')
  await feed(next, parts[1]!)
  await next.stop()
}

/** Runs a case with the right or the wrong protocol. Answers what the checker found, or what ended the run. */
export async function runPlanted(one: PlantedCase, how: 'right' | 'wrong', given: PlantedServices): Promise<string[]> {
  const { own, registry, redis } = given
  await redis.admin.flushall()
  const stage = await openStage({
    brokers: own.address('kafka').split(','),
    registry,
    redis: redis.node,
    prefix: own.unique('planted'),
    seed: 5,
    homes: 10,
    partitions: 1,
    faults: { ...noFaults },
    pipelines: ['readings'],
    deadlineMs: one.deadlineMs ?? 20_000,
  })
  try {
    const { crew, fleet } = stage
    await crew.moveTo(stage.end)
    const all = [...fleet.arrivals(stage.start + hours(8))].flatMap(({ arrivals }) => arrivals)
    // Cells hold whole values: homes that speak again would mend what was lost of them.
    const parts = Array.from({ length: 5 }, (_, part) =>
      all.filter(({ seq }) => fleet.journal.sighting(seq).home % 5 === part),
    )
    const protocol = how === 'wrong' ? one.wrong : one.right
    const launch = async (slot: number, strike: Strike | undefined, wrong: WrongProtocol | undefined) => {
      const worker = await crew.launch(slot, {
        ...(strike ? { strike } : {}),
        settings: { ordinal: { index: 0, of: 1 }, ...(wrong ? { wrong } : {}) },
      })
      await worker.running
      return worker
    }
    const scene: Scene = {
      ...given,
      stage,
      parts,
      start: (strike, slot = 0) =>
        launch(slot, strike && { pipeline: 'readings', signal: 'SIGKILL', ...strike }, protocol),
      startRight: () => launch(0, undefined, undefined),
      feed: async (worker, ...pieces) => {
        for (const piece of pieces) {
          await stage.feed(piece)
          await stage.settle(worker)
        }
      },
      again: (arrivals) =>
        arrivals.map((arrival) => {
          const { fate, ...sighting } = fleet.journal.sighting(arrival.seq)
          const copy = fate === 'accepted' ? ({ fate: 'duplicate', kind: 'duplicate' } as const) : { fate }
          return { ...arrival, seq: fleet.journal.record({ ...sighting, ...copy }) }
        }),
    }
    const wholeScene = async () => {
      await one.scene(scene)
      // The journal expects everything, also what a scene had no use for.
      const rest = parts.filter((part) => !part.some(({ seq }) => stage.sequences[0]!.includes(seq)))
      const last = await launch(0, undefined, undefined)
      await scene.feed(last, ...rest)
      await last.stop()
    }
    const ended = await wholeScene().then(
      () => undefined,
      (error: Error) => error.message,
    )
    const halted = /halted: HaltError: .*/.exec(crew.log())?.[0]
    const faults = ended === undefined ? [...(await checkStage(stage)).faults] : [halted ?? ended]
    const bit = one.bit?.[how]
    if (bit && !bit.test(crew.log())) throw new Error(`the fault did not strike: ${faults.join('; ')}\n${crew.log()}`)
    return faults
  } finally {
    if (process.env['MV_LOG']) process.stderr.write(stage.crew.log())
    await stage.close()
  }
}

/** What a server holds of everything. */
async function snapshot({ admin }: TestServer): Promise<ReadonlyMap<Buffer, Buffer>> {
  const held = new Map<Buffer, Buffer>()
  for (const key of await admin.keysBuffer('*')) {
    const value = await admin.dumpBuffer(key)
    if (value) held.set(key, value)
  }
  return held
}

/** Puts a server back to what it held, while everybody stays connected. */
async function rollBack({ admin }: TestServer, held: ReadonlyMap<Buffer, Buffer>): Promise<void> {
  const all = admin.multi().flushall()
  for (const [key, value] of held) all.restore(key, 0, value)
  await all.exec()
}

/** Resets the group to the end of its topic, as a tool can. */
async function resetGroup(brokers: string, { settings, log }: Stage): Promise<void> {
  const { end } = await log.bounds('meter.frames', 0, 'read_committed')
  const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.setOffsets({
    groupId: `${settings.prefix}.readings`,
    topic: `${settings.prefix}.meter.frames`,
    partitions: [{ partition: 0, offset: String(end) }],
  })
  await admin.disconnect()
}
