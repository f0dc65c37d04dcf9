import type { Isolation, LogRecord, OutgoingRecord } from '../../connectors/contract.ts'
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
import type { ReleasePolicy } from '../../operators/privacy/release/policy.ts'
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
  readonly start: EpochMs
  readonly policy?: ReleasePolicy
  readonly noise?: NoiseSource
}

export interface Launch {
  readonly observer?: Observer
  readonly probe?: Probe
  readonly task?: Partial<TaskOptions>
  /** Wraps or replaces ports: lost replies, planted bugs. */
  readonly ports?: (ports: Ports) => Ports
}

/** Everything of a deployment in one process, under a clock that only the caller moves: simulations, tests and benches. */
export interface World {
  readonly clock: VirtualClock
  readonly log: MemoryLog
  readonly view: MemoryStateView
  readonly wire: Wire
  /** Starts all four pipelines. Their activity tells when they rest. */
  readonly launch: (launch?: Launch) => Promise<{ readonly running: Running; readonly activity: Activity }>
  /** A frame as its listener would produce it. */
  readonly frameRecord: (partition: number, frame: MeterFrame) => OutgoingRecord
  /** Committed values of a topic, in order per partition. */
  readonly read: <T>(topic: Topic<T, Label>) => Promise<T[]>
  readonly records: (topic: { readonly name: string }, isolation: Isolation) => Promise<LogRecord[]>
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const { entries, register, keyring, zone, timeZone, partitions, groupPartitions = 1, start, policy, noise } = options
  const clock = virtualClock(start)
  const log = memoryLog({ clock })
  await log.createTopics(topicSpecs(partitions, { groupPartitions }))
  const registry = memorySchemaRegistry()
  const wire = await openWire(registry, Object.values(topics))
  const view = memoryStateView()
  const domain = { name: 'utility', zone, timeZone, partitions }
  const chosen = { ...(policy ? { policy } : {}), ...(noise ? { noise } : {}) }
  const records: World['records'] = async ({ name }, isolation) => {
    const all: LogRecord[] = []
    for (let partition = 0; partition < (await log.partitions(name)); partition++) {
      const { first, end } = await log.bounds(name, partition, isolation)
      all.push(...(await readRange(log, name, partition, first, end, isolation)))
    }
    return all
  }
  return {
    clock,
    log,
    view,
    wire,
    launch: async ({ observer, probe, task, ports } = {}) => {
      const plain: Ports = { log, view, registry, clock, seal: sealer(keyring) }
      const pipelines = await allPipelines({ entries, register, keyring, registry, domain, ...chosen })
      const activity = watchActivity(probe)
      for (const { source } of pipelines) activity.expect(await log.partitions(source.name))
      const running = await runAll(pipelines, ports?.(plain) ?? plain, {
        probe: activity.probe,
        task: task ?? {},
        ...(observer ? { observer } : {}),
      })
      return { running, activity }
    },
    frameRecord: (partition, frame) => ({
      topic: topics.meterFrames.name,
      partition,
      key: null,
      value: wire.encode(topics.meterFrames, frame),
    }),
    read: async <T>(topic: Topic<T, Label>) =>
      (await records(topic, 'read_committed')).flatMap(({ value }) =>
        value ? [wire.decode(topic as AnyTopic, value) as T] : [],
      ),
    records,
  }
}
