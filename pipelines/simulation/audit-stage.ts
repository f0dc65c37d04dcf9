import { createSecretKey } from 'node:crypto'
import type { LogRecord, OutgoingRecord, SchemaRegistry } from '../../connectors/contract.ts'
import { type MemoryLog, memoryLog, memorySchemaRegistry, memoryStateView } from '../../connectors/memory/index.ts'
import { minutes, type VirtualClock, virtualClock } from '../../operators/contract/clock.ts'
import { secureNoise } from '../../operators/privacy/release/noise.ts'
import { defaultPolicy, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'
import { readRange } from '../runtime/changelog.ts'
import {
  Killed,
  type Pipeline,
  type Ports,
  type Running,
  runAll,
  type Step,
  type TaskOptions,
} from '../runtime/index.ts'
import type { AnyTopic } from '../runtime/stream.ts'
import { openWire } from '../runtime/wire.ts'
import { watchActivity } from '../testing/activity.ts'
import { type AuditParts, auditPipelines, frameOf } from './audit-pipelines.ts'
import type { AuditReading, AuditWorld } from './audit-world.ts'

/**
 * Where a run is killed, as a process would be: at the nth time, from 1, that a pipeline comes to a step. Of `produce`
 * and `commit` count those whose transaction holds what the pipeline is for: partial sums, seals, public records.
 */
export interface CrashPoint {
  readonly pipeline: 'readings' | 'load' | 'publish'
  readonly step: Step
  readonly at: 'before' | 'after'
  readonly nth: number
  /** How many times in a row: at the nth time and at those after it. Default 1. */
  readonly times?: number
}

/** A run ended without the crash that was asked for, so that it shows nothing of one. */
export class CrashMissed extends Error {
  override readonly name = 'CrashMissed'
  constructor({ pipeline, step, at, nth, times = 1 }: CrashPoint, reached: number) {
    const asked = `${pipeline}:${step}:${at}:${nth}`
    const often = `${reached} ${reached === 1 ? 'time' : 'times'}`
    super(
      times === 1
        ? `no crash: a run came to ${asked.slice(0, asked.lastIndexOf(':'))} ${often}, and never to ${asked}`
        : `too few crashes: a run came to ${asked.slice(0, asked.lastIndexOf(':'))} ${often}, and not ${times} times from ${asked} on`,
    )
  }
}

export interface AuditStageOptions {
  readonly world: AuditWorld
  /** Default `auditPolicy()`. */
  readonly policy?: ReleasePolicy
  /** Killed there in every run, and started again; a run that never comes there rejects with `CrashMissed`. Default: never. */
  readonly crash?: CrashPoint | undefined
  /** What tasks take instead of the usual. */
  readonly task?: Partial<TaskOptions>
  /** Parts put in the place of the real ones: tests plant their bugs here. Default: none. */
  readonly parts?: AuditParts
}

/** One copy of a public record, as a read_uncommitted reader of load.public finds it. */
export interface SeenRecord {
  readonly record: LoadPublic
  readonly key: string
  readonly bytes: Uint8Array
  /** The timestamp that it carries. */
  readonly t: number
  /** How many copies of the same release came before it. */
  readonly attempt: number
}

/** Where a run stands. */
export interface AuditGround {
  readonly log: MemoryLog
  readonly clock: VirtualClock
}

/** What one run left in its log. */
export interface AuditRun extends AuditGround {
  readonly seen: readonly SeenRecord[]
  readonly ledger: () => Promise<readonly LedgerRecord[]>
}

export interface RunAuditOptions {
  /** A log that has seen the world already, and its clock. Default: new ones, on which everything is received. */
  readonly on?: AuditGround
  /** Makes the log of a run that begins anew. Default: one in memory. */
  readonly openLog?: (clock: VirtualClock) => Promise<MemoryLog>
  /** Ends the run earlier than the world says. */
  readonly until?: number
  /** Time passes in steps of this length, ms, and readings come in as it does; default: in leaps, which changes no value. */
  readonly stepMs?: number
  /** Is called after each step, once everything rests. */
  readonly watch?: (ground: AuditGround) => Promise<void>
}

export interface AuditStage {
  /** Runs the pipelines over the world once, over a log, a view and noise of its own. */
  readonly run: (options?: RunAuditOptions) => Promise<AuditRun>
  readonly decode: (bytes: Uint8Array) => LoadPublic
  /** Committed links of the ledger in a log. */
  readonly ledgerIn: (log: MemoryLog) => Promise<readonly LedgerRecord[]>
}

/** The default policy in one-hour windows: a day has 24 of them. `rhoPerDay` as an exact fraction. */
export const auditPolicy = (rhoPerDay: string = defaultPolicy.rhoPerDay): ReleasePolicy => ({
  ...defaultPolicy,
  windowSeconds: 3_600,
  rhoPerDay,
})

const mainTopics: Readonly<Record<CrashPoint['pipeline'], string>> = {
  readings: topics.loadPartials.name,
  load: topics.releaseLedger.name,
  publish: topics.loadPublic.name,
}

// Seals of a run go in few transactions: how many makes no difference to what they hold.
const sealsPerStep = 128
const heartbeatMs = minutes(1)

/**
 * Sets up the pipelines of an audit. Each run repeats everything that noise, clip, charge or crash can touch: dedupe, clip,
 * partial sums, release and publishing, over the in-process log under its own clock. Frames carry their readings in the
 * clear: decoding is not repeated, since it is deterministic and comes before the clip.
 */
export async function openAuditStage(options: AuditStageOptions): Promise<AuditStage> {
  const { world, policy = auditPolicy(), crash, parts = {}, task } = options
  const registry = remembering(memorySchemaRegistry())
  const wire = await openWire(registry, Object.values(topics) as readonly AnyTopic[])
  const decode = (bytes: Uint8Array): LoadPublic => wire.decode(topics.loadPublic, bytes) as LoadPublic
  const codec = {
    ...topics.loadPublic.codec,
    encode: (value: LoadPublic) => wire.encode(topics.loadPublic, value),
    decode,
  }
  const key = createSecretKey(Buffer.alloc(32, 7))
  const pipelines = auditPipelines({
    world,
    policy,
    noise: secureNoise(),
    keyring: { derived: () => key },
    codec,
    sealsPerStep,
    parts,
  })
  const frames = framesOf(world).map(
    ({ receivedAt, ...frame }): OutgoingRecord => ({
      topic: topics.meterFrames.name,
      partition: 0,
      key: null,
      value: wire.encode(topics.meterFrames, frameOf(frame)),
      timestamp: receivedAt,
    }),
  )
  // Times of receipt are part of a world: its log takes them from the sender.
  const specs = topicSpecs(1).map((spec) =>
    spec.name === topics.meterFrames.name ? { ...spec, timestamps: 'create' as const } : spec,
  )

  const run = async (how: RunAuditOptions = {}): Promise<AuditRun> => {
    const { on, openLog = async (clock) => memoryLog({ clock }), until = world.until, stepMs, watch } = how
    const clock = on?.clock ?? virtualClock(world.from)
    const log = on?.log ?? (await openLog(clock))
    await log.createTopics(specs)
    const ports: Ports = { log, view: memoryStateView(), registry, clock, seal: (bytes) => bytes }
    const life = startAgain(pipelines, ports, crash, { heartbeatMs, ...task })
    const moveTo = async (instant: number): Promise<void> => {
      clock.moveTo(instant)
      await life.settle()
      await watch?.({ log, clock })
    }
    await life.settle()
    // The domain begins on the day on which its progress is first known: before anything is received. A crash may take
    // the first sign of life.
    for (let sign = 0; sign < (crash ? 2 : 1); sign++) await moveTo(clock.now() + heartbeatMs)
    let rest = on ? [] : frames
    while (stepMs !== undefined && clock.now() < until) {
      const next = Math.min(until, clock.now() + stepMs)
      const due = rest.filter(({ timestamp }) => timestamp! < next)
      rest = rest.filter(({ timestamp }) => timestamp! >= next)
      if (due.length > 0) await log.append(due)
      await moveTo(next)
    }
    if (rest.length > 0) await log.append(rest)
    await life.settle()
    await moveTo(until)
    // Ticks lie behind their seals by publishDelaySeconds, rounded up to the grid.
    await moveTo(until + (policy.publishDelaySeconds + policy.tickSeconds) * 1_000)
    await life.stop()
    life.requireCrash()
    return {
      seen: seenIn(await read(log, topics.loadPublic.name), decode),
      ledger: () => ledgerIn(log),
      log,
      clock,
    }
  }
  const ledgerIn = async (log: MemoryLog): Promise<readonly LedgerRecord[]> =>
    (await read(log, topics.releaseLedger.name, 'read_committed')).map(
      ({ value }) => wire.decode(topics.releaseLedger, value!) as LedgerRecord,
    )
  return { run, decode, ledgerIn }
}

/** Asks a registry only once for what does not change: a run is too short to parse every schema again. */
function remembering(registry: SchemaRegistry): SchemaRegistry {
  // Schemas are long: one is looked up under its subject, not as a part of a name made anew.
  const ids = new Map<string, Map<string, Promise<number>>>()
  const versions = new Map<string, ReturnType<SchemaRegistry['versions']>>()
  const once = <T>(known: Map<string, Promise<T>>, name: string, ask: () => Promise<T>): Promise<T> => {
    const answer = known.get(name) ?? ask()
    known.set(name, answer)
    return answer
  }
  return {
    ...registry,
    register: (subject, schema) => {
      const known = ids.get(subject) ?? new Map<string, Promise<number>>()
      ids.set(subject, known)
      return once(known, schema, () => registry.register(subject, schema))
    },
    versions: (subject) => once(versions, subject, () => registry.versions(subject)),
  }
}

/** Keeps pipelines running through the crashes of a run. */
function startAgain(
  pipelines: readonly Pipeline[],
  ports: Ports,
  crash: CrashPoint | undefined,
  task: Partial<TaskOptions>,
) {
  let left = crash?.nth ?? 0
  let times = crash?.times ?? 1
  let reached = 0
  const activity = watchActivity(({ pipeline, step, at, topics: sent }) => {
    if (!crash || left === 0 || pipeline !== crash.pipeline || step !== crash.step || at !== crash.at) return
    if (sent && !sent.includes(mainTopics[crash.pipeline])) return
    reached += 1
    left -= 1
    if (left > 0) return
    times -= 1
    if (times > 0) left = 1
    throw new Killed('a crash that was asked for')
  })
  let running: Running | undefined
  const settle = async (): Promise<void> => {
    for (;;) {
      try {
        if (!running) {
          activity.reset()
          activity.expect(pipelines.length)
          running = await runAll(pipelines, ports, { probe: activity.probe, partitions: [0], task })
        }
        return await activity.rest(running.done)
      } catch (error) {
        if (!(error instanceof Killed)) throw error
        await running?.stop().catch(() => {})
        running = undefined
      }
    }
  }
  return {
    settle,
    stop: async () => {
      await running?.stop()
    },
    requireCrash: () => {
      if (crash && times > 0) throw new CrashMissed(crash, reached)
    },
  }
}

async function read(
  log: MemoryLog,
  topic: string,
  isolation: 'read_committed' | 'read_uncommitted' = 'read_uncommitted',
): Promise<readonly LogRecord[]> {
  const { first, end } = await log.bounds(topic, 0, isolation)
  return readRange(log, topic, 0, first, end, isolation)
}

function seenIn(records: readonly LogRecord[], decode: (bytes: Uint8Array) => LoadPublic): readonly SeenRecord[] {
  const copies = new Map<string, number>()
  return records.map(({ key, value, timestamp }) => {
    const bytes = value ?? new Uint8Array()
    const record = decode(bytes)
    const name = releaseName(record)
    const attempt = copies.get(name) ?? 0
    copies.set(name, attempt + 1)
    return { record, key: Buffer.from(key ?? []).toString(), bytes, t: timestamp, attempt }
  })
}

/** What a release is about, and which of its two phases it is. */
export const releaseName = ({ level, group, channel, window, phase }: LoadPublic): string =>
  `${level}/${group}/${channel}/${window}/${phase}`

/** A frame's readings: what one home sent at one time. */
interface Sent {
  readonly home: string
  readonly receivedAt: number
  readonly readings: readonly AuditReading[]
}

/** One frame per home and time of receipt, in the order of receipt. A reading that is listed twice is sent twice. */
function framesOf({ readings }: AuditWorld): readonly Sent[] {
  const frames = new Map<string, { home: string; receivedAt: number; readings: AuditReading[] }>()
  const copies = new Map<string, number>()
  for (const reading of readings) {
    const { home, receivedAt, channel, start } = reading
    const same = `${home} ${receivedAt} ${channel} ${start}`
    const copy = copies.get(same) ?? 0
    copies.set(same, copy + 1)
    const name = `${home} ${receivedAt} ${copy}`
    const frame = frames.get(name) ?? { home, receivedAt, readings: [] }
    frame.readings.push(reading)
    frames.set(name, frame)
  }
  return [...frames.values()].sort((a, b) => a.receivedAt - b.receivedAt)
}
