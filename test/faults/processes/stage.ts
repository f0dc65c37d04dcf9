import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { serialize } from 'node:v8'
import { type Arrival, createFleet, type FaultRates, type Fleet, type Tick } from '../../../bench/fleet/index.ts'
import type { Log } from '../../../connectors/contract.ts'
import { type KafkaLogOptions, kafkaLog } from '../../../connectors/kafka/index.ts'
import type { RedisNode } from '../../../connectors/redis/index.ts'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import { hours, minutes, virtualClock } from '../../../operators/contract/clock.ts'
import { defaultPolicy, type ReleasePolicy } from '../../../operators/privacy/release/policy.ts'
import { readRange } from '../../../pipelines/runtime/changelog.ts'
import type { TaskOptions } from '../../../pipelines/runtime/index.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import { openWire, type Wire } from '../../../pipelines/runtime/wire.ts'
import { stagedLog } from '../../../pipelines/simulation/staged-log.ts'
import type { AcceptedBatch } from '../../../schemas/accepted-batch.ts'
import type { EpochMs } from '../../../schemas/codec.ts'
import { topicSpecs, topics } from '../../../schemas/topics.ts'
import { type Crew, type Death, openCrew, type Worker } from './crew.ts'
import type { WorkerSettings } from './orders.ts'

/** A moment of a stage: frames in each partition, and the counters of the workers that had ended in good order. */
export interface Mark {
  readonly frames: readonly number[]
  readonly fates: ReadonlyMap<string, number>
}

export interface StageOptions {
  readonly brokers: readonly string[]
  readonly registry: string
  readonly redis: RedisNode
  /** Name that no other stage has. */
  readonly prefix: string
  readonly seed: number
  readonly homes: number
  readonly days?: number
  readonly partitions?: number
  readonly faults?: Partial<FaultRates>
  readonly pipelines?: readonly string[]
  readonly sessionTimeoutMs?: number
  readonly deadlineMs?: number
  readonly redisTimeoutMs?: number
  /** What else the clients of Kafka have to know: the supervisor's, and the workers'. */
  readonly client?: Pick<KafkaLogOptions, 'ssl'>
  readonly workers?: Pick<KafkaLogOptions, 'ssl'>
  readonly task?: Partial<TaskOptions>
}

/** A fleet, the topics of one run on real services, and the workers; what they do is checked from the topics alone. */
export interface Stage {
  readonly options: StageOptions
  readonly fleet: Fleet
  readonly policy: ReleasePolicy
  readonly partitions: number
  readonly groupPartitions: number
  /** First instant of the staged time, and the one by which everything is sealed and published. */
  readonly start: EpochMs
  readonly end: EpochMs
  readonly crew: Crew
  /** The staged names, read by the supervisor. */
  readonly log: Log
  readonly wire: Wire
  readonly settings: WorkerSettings
  /** Appends what arrives until then, then moves the time there. Answers the number of frames. */
  readonly feedTo: (until: EpochMs) => Promise<number>
  /** Appends these frames now, and waits for the broker. */
  readonly feed: (arrivals: readonly Arrival[]) => Promise<void>
  /** Appends bytes to the frames as they are, which the journal knows under these numbers, and waits for the broker. */
  readonly feedBytes: (
    records: readonly { partition: number; seq: number; value: Uint8Array | null }[],
  ) => Promise<void>
  /** Journal number of the frame at an offset. */
  readonly sequenceAt: (partition: number, offset: number) => number | undefined
  readonly sequences: readonly (readonly number[])[]
  /** Frames that no link covers yet. */
  readonly unfinished: () => Promise<number>
  /** Records of each pipeline's source that no commit has processed. */
  readonly lag: () => Promise<ReadonlyMap<string, bigint>>
  /** Resolves when nothing is left to do, or rejects after `boundMs` with what is left. Staged time goes on slowly. */
  readonly drain: (boundMs: number) => Promise<number>
  /** The last link of each partition. */
  readonly heads: () => Promise<readonly (AcceptedBatch | undefined)[]>
  /** Resolves when every frame has been accepted or refused; rejects if the worker ends first. The time stands still. */
  readonly settle: (worker: Worker, boundMs?: number) => Promise<void>
  /** What the log holds and the counters say now that every worker has ended, for `rewind`. */
  readonly mark: () => Mark
  /** The log was restored to the mark: what was sent later never arrived, and nobody counted it. */
  readonly rewind: (mark: Mark) => Promise<void>
  /** Runs something while the supervisor sends nothing. */
  readonly alone: <T>(act: () => Promise<T>) => Promise<T>
  readonly close: () => Promise<void>
}

const dayMs = 86_400_000

/** Small groups may be released here, so that a small fleet shows what a large one would. */
export const smallPolicy: ReleasePolicy = {
  ...defaultPolicy,
  rules: { residential: { minCount: 2, maxShare: null }, other: { minCount: 2, maxShare: null } },
  meanLoadWhPerDay: 100_000_000,
}

/** Something of everything that goes wrong with meters. */
export const roughFaults: Partial<FaultRates> = {
  corrupt: 0.01,
  replayed: 0.005,
  restated: 0.005,
  tooLate: 0.002,
  unknown: 0.002,
  duplicates: 0.05,
  homesPerGateway: 4,
}

const mostAtOnce = 1_000
/** Looks in a row that must find nothing left to do. */
const quietLooks = 6

interface Given {
  readonly partition: number
  readonly seq: number
  readonly value: Uint8Array | null
  readonly timestamp: EpochMs
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const { brokers, prefix, seed, homes, days = 1, partitions = 2, faults = roughFaults, pipelines } = options
  const groupPartitions = 2
  // Brokers refuse stamps from the future: the staged days lie in the past.
  const start = Math.floor(Date.now() / dayMs) * dayMs - (days + 1) * dayMs
  const end = start + days * dayMs + hours(7)
  const fleet = createFleet({
    seed,
    homes,
    start,
    days,
    partitions,
    timeZone: 'Etc/UTC',
    profileNames: { described: 'interval-30min', objects: 'interval-30min' },
    faults,
  })
  const folder = mkdtempSync(join(tmpdir(), 'meterveil-stage-'))
  const register = join(folder, 'register')
  writeFileSync(register, serialize(fleet.entries))

  const clock = virtualClock(start)
  const connect = () => kafkaLog({ brokers, deadlineMs: 60_000, ...options.client })
  let client = connect()
  let log = stagedLog(client, clock, prefix)
  const specs = topicSpecs(partitions, { groupPartitions }).map((spec) => ({ ...spec, retentionMs: null }))
  await log.createTopics(specs)
  const wire = await openWire(confluentSchemaRegistry({ url: options.registry }), Object.values(topics) as AnyTopic[])

  const settings: WorkerSettings = {
    brokers,
    redis: options.redis,
    registry: options.registry,
    prefix,
    register,
    seed,
    partitions,
    groupPartitions,
    policy: smallPolicy,
    ...(pipelines ? { pipelines } : {}),
    ...(options.workers ? { client: options.workers } : {}),
    sessionTimeoutMs: options.sessionTimeoutMs ?? 2_000,
    deadlineMs: options.deadlineMs ?? 10_000,
    redisTimeoutMs: options.redisTimeoutMs ?? 5_000,
    task: { heartbeatMs: minutes(5), lingerMs: 50, ...options.task },
  }

  const sources = (
    [
      ['readings', topics.meterFrames.name],
      ['load', topics.loadPartials.name],
      ['publish', topics.releaseLedger.name],
      ['forecast', topics.loadPublic.name],
    ] as const
  ).filter(([name]) => pipelines?.includes(name) ?? true)
  const lag = async () => {
    const left = new Map<string, bigint>()
    for (const [name, source] of sources) {
      for (let partition = 0; partition < (await log.partitions(source)); partition++) {
        const { end: last } = await log.bounds(source, partition, 'read_committed')
        const done = (await log.committed(name, source, partition)) ?? 0n
        left.set(`${name}/${partition}`, last > done ? last - done : 0n)
      }
    }
    return left
  }
  /** The last link of each partition, if markers have not pushed it far back. */
  const heads = () =>
    Promise.all(
      sequences.map(async (_, partition) => {
        const { first, end: last } = await log.bounds(topics.meterAccepted.name, partition, 'read_committed')
        const from = last - 100n > first ? last - 100n : first
        const records = await readRange(log, topics.meterAccepted.name, partition, from, last)
        const links = records.map(({ value }) => wire.decode(topics.meterAccepted as AnyTopic, value!) as AcceptedBatch)
        return links.findLast(({ kind }) => kind === 'batch')
      }),
    )
  // A group whose owner died in a transaction tells nothing before that is settled: the links tell at once.
  const unfinished = async () => {
    const links = await heads()
    return sequences.reduce((sum, own, partition) => sum + own.length - Number(links[partition]?.inTo ?? 0n), 0)
  }
  const crew = openCrew({ settings, unfinished, start })

  let queue: Promise<unknown> = Promise.resolve()
  const alone = <T>(act: () => Promise<T>): Promise<T> => {
    const result = queue.then(act)
    queue = result.catch(() => {})
    return result
  }
  const sequences: number[][] = Array.from({ length: partitions }, () => [])
  const frames = `${prefix}.${topics.meterFrames.name}`
  const appendBytes = async (all: readonly Given[]) => {
    for (let from = 0; from < all.length; from += mostAtOnce) {
      const part = all.slice(from, from + mostAtOnce)
      for (const { partition, seq } of part) sequences[partition]!.push(seq)
      const records = part.map(({ seq, ...record }) => ({ topic: frames, key: null, ...record }))
      await alone(() => client.append(records))
    }
  }
  const append = (arrivals: readonly Arrival[], at?: EpochMs) =>
    appendBytes(
      arrivals.map(({ partition, frame, receivedAt, seq }) => ({
        partition,
        seq,
        value: wire.encode(topics.meterFrames, frame),
        timestamp: at ?? receivedAt,
      })),
    )
  let ticks: IterableIterator<Tick> | undefined
  let tick: IteratorResult<Tick>
  const feedTo = async (until: EpochMs) => {
    const due: Arrival[] = []
    if (ticks === undefined) {
      ticks = fleet.arrivals(end)
      tick = ticks.next()
    }
    for (; !tick.done && tick.value.at <= until; tick = ticks.next()) due.push(...tick.value.arrivals)
    await append(due)
    clock.moveTo(until)
    await crew.moveTo(until)
    return due.length
  }
  return {
    options,
    fleet,
    policy: smallPolicy,
    partitions,
    groupPartitions,
    start,
    end,
    crew,
    get log() {
      return log
    },
    wire,
    settings,
    feedTo,
    feed: (arrivals) => append(arrivals, crew.now()),
    feedBytes: (records) => appendBytes(records.map((record) => ({ ...record, timestamp: crew.now() }))),
    sequenceAt: (partition, offset) => sequences[partition]?.[offset],
    sequences,
    unfinished,
    lag,
    drain: async (boundMs) => {
      const since = performance.now()
      for (let quiet = 0; ; ) {
        const left = [...(await lag())].filter(([, records]) => records > 0n)
        const reached = Math.min(...(await heads()).map((head) => head?.progress ?? 0))
        // What [load] seals of one input it commits one after the other, the position with the first of them.
        quiet = left.length === 0 && reached >= end - minutes(30) ? quiet + 1 : 0
        if (quiet === quietLooks) return performance.now() - since
        if (performance.now() - since > boundMs) {
          const named = left.map(([name, records]) => `${name}: ${records}`)
          throw new Error(
            `I8: after ${boundMs} ms at ${new Date(reached).toISOString()}, to process: ${named.join(', ')}`,
          )
        }
        await pause(200)
        await feedTo(crew.now() + 60_000)
      }
    },
    heads,
    settle: async (worker, boundMs = 60_000) => {
      let death: Death | undefined
      void worker.ended.then((one) => {
        death = one
      })
      const since = performance.now()
      for (;;) {
        if (death) throw new Error(`a worker ended with ${death.code ?? 'SIGKILL'} before it had done all`)
        const links = await heads()
        if (sequences.every((own, partition) => Number(links[partition]?.inTo ?? 0n) >= own.length)) return
        if (performance.now() - since > boundMs) throw new Error(`I8: frames are not processed after ${boundMs} ms`)
        await pause(20)
      }
    },
    mark: () => ({ frames: sequences.map((own) => own.length), fates: new Map(crew.fates) }),
    rewind: async ({ frames, fates }) => {
      for (const [partition, count] of frames.entries()) sequences[partition]!.splice(count)
      crew.restoreFates(fates)
      await client.close()
      client = connect()
      log = stagedLog(client, clock, prefix)
    },
    alone,
    close: async () => {
      await crew.end()
      await log.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
