import type { Isolation, Log, LogRecord, OutgoingRecord, SchemaRegistry, StateView } from '../../connectors/contract.ts'
import {
  type MemoryLog,
  type MemoryStateView,
  memoryLog,
  memorySchemaRegistry,
  memoryStateView,
} from '../../connectors/memory/index.ts'
import { type VirtualClock, virtualClock } from '../../operators/contract/clock.ts'
import type { Keyring } from '../../operators/contract/keyring.ts'
import type { Register } from '../../operators/contract/register.ts'
import type { NoiseSource } from '../../operators/privacy/release/noise.ts'
import type { DatedPolicy } from '../../operators/privacy/release/policy-epochs.ts'
import { localDay } from '../../operators/window/local-day.ts'
import type { EpochMs, Topic } from '../../schemas/codec.ts'
import type { Label } from '../../schemas/label.ts'
import type { MeterFrame } from '../../schemas/meter-frame.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'
import { allPipelines } from '../index.ts'
import { readRange } from '../runtime/changelog.ts'
import {
  type Observer,
  type Ports,
  type Probe,
  type Running,
  runAll,
  sealer,
  type TaskOptions,
} from '../runtime/index.ts'
import type { AnyTopic } from '../runtime/stream.ts'
import { openWire, type Wire } from '../runtime/wire.ts'
import { type Activity, watchActivity } from '../testing/activity.ts'

export interface WorldOptions {
  readonly entries: Iterable<RegisterEntry>
  readonly register: Register
  readonly keyring: Keyring
  /** Residency zone and time zone of the one release domain. */
  readonly zone: string
  readonly timeZone: string
  readonly partitions: number
  readonly groupPartitions?: number
  /** First instant, UTC. Attributes are told from its local month on. */
  readonly start: EpochMs
  readonly policy?: DatedPolicy
  readonly noise?: NoiseSource
}

export interface Launch {
  readonly observer?: Observer
  readonly probe?: Probe
  readonly task?: Partial<TaskOptions>
  /** Wraps or replaces ports: lost replies, planted bugs. */
  readonly ports?: (ports: Ports) => Ports
}

/** Waits until nothing moves. */
export type Rest = (ended?: Promise<unknown>) => Promise<void>

/** Everything of a deployment in one process, under a clock that only the caller moves: simulations, tests and benches. */
export interface World<L extends Log = MemoryLog, V extends StateView = MemoryStateView> {
  readonly clock: VirtualClock
  readonly log: L
  readonly view: V
  readonly wire: Wire
  /** Starts all four pipelines. Their activity tells when they rest. */
  readonly launch: (
    launch?: Launch,
  ) => Promise<{ readonly running: Running; readonly activity: { readonly rest: Rest } }>
  /** A frame as its listener would produce it. */
  readonly frameRecord: (partition: number, frame: MeterFrame) => OutgoingRecord
  /** Appends frames, each at its time, and moves the clock to the last of them. They come in the order of their times. */
  readonly send: (arrivals: readonly FrameArrival[]) => Promise<void>
  /** Committed values of a topic, in order per partition. */
  readonly read: <T>(topic: Topic<T, Label>) => Promise<T[]>
  readonly records: (topic: { readonly name: string }, isolation: Isolation) => Promise<LogRecord[]>
}

/** A frame on its way: when it is received, UTC ms, and where. */
export interface FrameArrival {
  readonly receivedAt: EpochMs
  readonly partition: number
  readonly frame: MeterFrame
}

/** What a world stands on. */
export interface Ground<L extends Log, V extends StateView> {
  readonly log: L
  readonly view: V
  readonly registry: SchemaRegistry
  /** Watches tasks through their probe, to know when they rest. */
  readonly watch: (inner: Probe | undefined) => Pick<Activity, 'probe' | 'expect' | 'rest'>
  /** What tasks take where a launch says nothing else. */
  readonly task?: Partial<TaskOptions>
  readonly send: (arrivals: readonly FrameArrival[], frameRecord: World['frameRecord']) => Promise<void>
}

/** A world on the log, view and registry inside the process. */
export function openWorld(options: WorldOptions): Promise<World> {
  const clock = virtualClock(options.start)
  const log = memoryLog({ clock })
  return openWorldOn(options, clock, {
    log,
    view: memoryStateView(),
    registry: memorySchemaRegistry(),
    watch: watchActivity,
    send: async (arrivals, frameRecord) => {
      // This log stamps with the clock: frames of one moment go together, and time passes between them.
      for (let from = 0; from < arrivals.length; ) {
        const { receivedAt } = arrivals[from]!
        let to = from + 1
        while (to < arrivals.length && arrivals[to]!.receivedAt === receivedAt) to++
        clock.moveTo(receivedAt)
        await log.append(arrivals.slice(from, to).map(({ partition, frame }) => frameRecord(partition, frame)))
        from = to
      }
    },
  })
}

/** The same on any ground. */
export async function openWorldOn<L extends Log, V extends StateView>(
  options: WorldOptions,
  clock: VirtualClock,
  ground: Ground<L, V>,
): Promise<World<L, V>> {
  const { entries, register, keyring, zone, timeZone, partitions, groupPartitions = 1, start, policy, noise } = options
  const { log, view, registry } = ground
  await log.createTopics(topicSpecs(partitions, { groupPartitions }))
  const wire = await openWire(registry, Object.values(topics))
  const domain = { name: 'utility', zone, timeZone, partitions }
  const attributesSince = localDay(timeZone, start).date.slice(0, 7)
  const chosen = { attributesSince, ...(policy ? { policy } : {}), ...(noise ? { noise } : {}) }
  const records: World['records'] = async ({ name }, isolation) => {
    const all: LogRecord[] = []
    for (let partition = 0; partition < (await log.partitions(name)); partition++) {
      const { first, end } = await log.bounds(name, partition, isolation)
      all.push(...(await readRange(log, name, partition, first, end, isolation)))
    }
    return all
  }
  const frameRecord: World['frameRecord'] = (partition, frame) => ({
    topic: topics.meterFrames.name,
    partition,
    key: null,
    value: wire.encode(topics.meterFrames, frame),
  })
  return {
    clock,
    log,
    view,
    wire,
    launch: async ({ observer, probe, task, ports } = {}) => {
      const plain: Ports = { log, view, registry, clock, seal: sealer(keyring) }
      const pipelines = await allPipelines({ entries, register, keyring, registry, domain, ...chosen })
      const activity = ground.watch(probe)
      for (const { source } of pipelines) activity.expect(await log.partitions(source.name))
      const running = await runAll(pipelines, ports?.(plain) ?? plain, {
        probe: activity.probe,
        task: { ...ground.task, ...task },
        ...(observer ? { observer } : {}),
      })
      return { running, activity }
    },
    frameRecord,
    send: (arrivals) => ground.send(arrivals, frameRecord),
    read: async <T>(topic: Topic<T, Label>) =>
      (await records(topic, 'read_committed')).flatMap(({ value }) =>
        value ? [wire.decode(topic as AnyTopic, value) as T] : [],
      ),
    records,
  }
}
