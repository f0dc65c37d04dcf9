import type { LogRecord, StateView, TopicSpec } from '../../connectors/contract.ts'
import { type MemoryLog, memoryLog, memorySchemaRegistry, memoryStateView } from '../../connectors/memory/index.ts'
import { type VirtualClock, virtualClock } from '../../operators/contract/clock.ts'
import type { EpochMs, Topic } from '../../schemas/codec.ts'
import type { Label } from '../../schemas/label.ts'
import { readRange } from '../runtime/changelog.ts'
import type { Sealer } from '../runtime/dead-letter.ts'
import type { Observer } from '../runtime/observer.ts'
import type { Probe } from '../runtime/probe.ts'
import { type Running, run, topicsOf } from '../runtime/run.ts'
import type { AnyTopic, Pipeline } from '../runtime/stream.ts'
import type { Ports, TaskOptions } from '../runtime/task.ts'
import { openWire, type Wire } from '../runtime/wire.ts'
import { watchActivity } from './activity.ts'

export interface DriverOptions {
  readonly start?: EpochMs
  readonly partitions?: number
  readonly observer?: Observer
  readonly probe?: Probe
  readonly task?: Partial<TaskOptions>
  readonly view?: StateView
  readonly seal?: Sealer
  readonly log?: (log: MemoryLog) => Ports['log']
  readonly topics?: readonly TopicSpec[]
}

/** Runs whole pipelines on the in-process log under a clock that only the test moves: no broker, no sleep. */
export interface Driver {
  readonly clock: VirtualClock
  readonly log: MemoryLog
  readonly ports: Ports
  /** Appends values to a topic and lets the pipelines come to rest. */
  readonly pipe: <T>(topic: Topic<T, Label>, values: readonly T[], partition?: number) => Promise<void>
  /** Moves the clock on and lets the pipelines come to rest. */
  readonly advance: (ms: number) => Promise<void>
  /** Waits until every task is waiting for input or for the clock. Rejects with what ended a pipeline. */
  readonly settle: () => Promise<void>
  /** Committed values of a topic, in offset order per partition; or all that were ever written. */
  readonly read: <T>(topic: Topic<T, Label>, isolation?: 'read_committed' | 'read_uncommitted') => Promise<T[]>
  readonly records: (
    topic: { readonly name: string },
    isolation?: 'read_committed' | 'read_uncommitted',
  ) => Promise<LogRecord[]>
  /** Starts pipelines that are not running (again). */
  readonly start: () => Promise<void>
  /** Drains and stops every pipeline. */
  readonly stop: () => Promise<void>
}

/** @example const driver = await testDriver([readings], {}); await driver.pipe(topics.meterFrames, frames); await driver.advance(minutes(30)) */
export async function testDriver(pipelines: readonly Pipeline[], options: DriverOptions = {}): Promise<Driver> {
  const clock = virtualClock(options.start ?? 1_700_000_000_000)
  const log = memoryLog({ clock })
  const count = options.partitions ?? 1
  const topics = new Map(pipelines.flatMap(topicsOf).map((topic) => [topic.name, topic]))
  const given = new Set((options.topics ?? []).map(({ name }) => name))
  await log.createTopics([
    ...(options.topics ?? []),
    ...[...topics.keys()].filter((name) => !given.has(name)).map((name) => plainTopic(name, count)),
  ])
  const ports: Ports = {
    log: options.log?.(log) ?? log,
    view: options.view ?? memoryStateView(),
    registry: memorySchemaRegistry(),
    clock,
    seal: options.seal ?? ((bytes) => bytes),
  }
  const wire = await openWire(ports.registry, topics.values())
  const activity = watchActivity(options.probe)
  const running: Running[] = []
  const start = async () => {
    activity.reset()
    running.splice(0)
    for (const one of pipelines) {
      const partitions = Array.from({ length: await log.partitions(one.source.name) }, (_, i) => i)
      activity.expect(partitions.length)
      const started = await run(one, ports, {
        ...(options.observer ? { observer: options.observer } : {}),
        ...(options.task ? { task: options.task } : {}),
        probe: activity.probe,
        partitions,
      })
      running.push(started)
    }
  }
  const settle = () => activity.rest(Promise.all(running.map(({ done }) => done)))
  await start()
  return {
    clock,
    log,
    ports,
    start,
    settle,
    pipe: async (topic, values, partition = 0) => {
      await log.append(values.map((value) => outgoing(wire, topic as AnyTopic, value, partition)))
      await settle()
    },
    advance: async (ms) => {
      await settle()
      clock.advance(ms)
      await settle()
    },
    read: async <T>(topic: Topic<T, Label>, isolation: 'read_committed' | 'read_uncommitted' = 'read_committed') =>
      (await readTopic(log, topic.name, isolation)).flatMap(({ value }) =>
        value ? [wire.decode(topic as AnyTopic, value) as T] : [],
      ),
    records: (topic, isolation = 'read_committed') => readTopic(log, topic.name, isolation),
    stop: async () => {
      await Promise.all(running.splice(0).map((one) => one.stop()))
    },
  }
}

const plainTopic = (name: string, partitions: number): TopicSpec => ({
  name,
  partitions,
  timestamps: 'append',
  cleanup: 'delete',
  retentionMs: null,
})

function outgoing(wire: Wire, topic: AnyTopic, value: unknown, partition: number) {
  const key = topic.key(value)
  return { topic: topic.name, partition, key: key === null ? null : Buffer.from(key), value: wire.encode(topic, value) }
}

async function readTopic(
  log: MemoryLog,
  topic: string,
  isolation: 'read_committed' | 'read_uncommitted',
): Promise<LogRecord[]> {
  const all: LogRecord[] = []
  for (let partition = 0; partition < (await log.partitions(topic)); partition++) {
    const { first, end } = await log.bounds(topic, partition, isolation)
    all.push(...(await readRange(log, topic, partition, first, end, isolation)))
  }
  return all
}
