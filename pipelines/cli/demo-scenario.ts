import { createHmac } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkReadings, type Verdict } from '../../bench/fleet/checker.ts'
import type { Fleet } from '../../bench/fleet/index.ts'
import { type MemoryLog, memoryLog, memorySchemaRegistry, memoryStateView } from '../../connectors/memory/index.ts'
import { type VirtualClock, virtualClock } from '../../operators/contract/clock.ts'
import type { Fate, Observer } from '../../operators/contract/observer.ts'
import { type Reason, reasons } from '../../operators/contract/reasons.ts'
import type { NoiseSource } from '../../operators/privacy/release/noise.ts'
import type { EpochMs, Topic } from '../../schemas/codec.ts'
import type { Label } from '../../schemas/label.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'
import { allPipelines } from '../index.ts'
import { readRange } from '../runtime/changelog.ts'
import {
  observers,
  type Ports,
  type Probe,
  runAll,
  sealer,
  silentObserver,
  type TaskOptions,
} from '../runtime/index.ts'
import { openWire, type Wire } from '../runtime/wire.ts'
import { type Activity, watchActivity } from '../testing/activity.ts'

export interface ScenarioOptions {
  readonly fleet: Fleet
  readonly partitions: number
  readonly start: EpochMs
  /** Where simulated time ends: past the last cut-off and its tick. */
  readonly end: EpochMs
  readonly observer?: Observer
  readonly probe?: Probe
  readonly task?: Partial<TaskOptions>
  readonly noise?: NoiseSource
  readonly signal?: AbortSignal
  /** Frames sent and frames processed so far. */
  readonly onProgress?: (sent: number, processed: number) => void
  /** Wraps or replaces a port, for tests that inject faults. */
  readonly ports?: (ports: Ports, log: MemoryLog) => Ports
}

/** A whole simulated run: fleet, in-process log, the pipelines, virtual time. */
export interface Scenario {
  readonly log: MemoryLog
  readonly wire: Wire
  readonly clock: VirtualClock
  readonly sent: number
  readonly fates: ReadonlyMap<Fate, number>
  /** Whether the run reached its end; false where it was interrupted. */
  readonly complete: boolean
  readonly read: <T>(topic: Topic<T, Label>) => Promise<T[]>
  readonly verdict: Verdict
}

/** Frames in flight between the fleet and the pipelines; beyond it the fleet waits, so memory stays bounded. */
const maxInFlight = 20_000

/** Sends everything a fleet has to say through the pipelines, and compares the outcome with the fleet's journal. */
export async function runScenario(options: ScenarioOptions): Promise<Scenario> {
  const { fleet, partitions, start, end, signal } = options
  const clock = virtualClock(start)
  const log = memoryLog({ clock })
  await log.createTopics(topicSpecs(partitions))
  const registry = memorySchemaRegistry()
  const wire = await openWire(registry, Object.values(topics))
  const seal = sealer(fleet.keyring)
  const plain: Ports = { log, view: memoryStateView(), registry, clock, seal }
  const ports = options.ports?.(plain, log) ?? plain
  const domain = { name: 'utility', zone: fleet.entries[0]!.zone, timeZone: fleet.entries[0]!.timeZone, partitions }
  const { entries, register, keyring } = fleet
  const noise = options.noise ? { noise: options.noise } : {}
  const pipelines = await allPipelines({ entries, register, keyring, registry, domain, ...noise })

  const counts = countFates()
  const activity = watchActivity(options.probe)
  for (const { source } of pipelines) activity.expect(await log.partitions(source.name))
  const running = await runAll(pipelines, ports, {
    observer: observers(counts.observer, options.observer ?? silentObserver),
    probe: activity.probe,
    task: { heartbeatMs: 300_000, ...options.task },
  })
  let failure: unknown
  running.done.catch((error: unknown) => {
    failure = error
  })
  const alive = () => {
    if (failure) throw failure
  }
  const sequences = await sendAll(fleet, {
    log,
    wire,
    clock,
    end,
    signal,
    counts,
    alive,
    onProgress: options.onProgress,
  })
  await runOut(clock, end, activity, signal, running.done)
  await running.stop()
  const read = <T>(topic: Topic<T, Label>) => readTopic(log, wire, topic)
  const verdict = checkReadings(fleet.journal, {
    readings: await read(topics.householdReadings),
    rejected: await read(topics.meterRejected),
    counts: counts.totals(),
    pseudonymOf: (connection, date) =>
      createHmac('sha256', keyring.derived('pseudonym', date)!).update(connection).digest().subarray(0, 16),
    sequenceAt: (partition, offset) => sequences[partition]?.[offset],
  })
  return {
    log,
    wire,
    clock,
    sent: sequences.flat().length,
    fates: counts.fates,
    complete: !signal?.aborted,
    read,
    verdict,
  }
}

interface Sending {
  readonly log: MemoryLog
  readonly wire: Wire
  readonly clock: VirtualClock
  readonly end: EpochMs
  readonly signal: AbortSignal | undefined
  readonly counts: ReturnType<typeof countFates>
  readonly alive: () => void
  readonly onProgress: ScenarioOptions['onProgress']
}

/** Appends every arrival at its time. Answers the journal number of each input offset, per partition. */
async function sendAll(
  fleet: Fleet,
  { log, wire, clock, end, signal, counts, alive, onProgress }: Sending,
): Promise<number[][]> {
  const sequences: number[][] = []
  let sent = 0
  for (const { at, arrivals } of fleet.arrivals(end)) {
    if (signal?.aborted) break
    for (let from = 0; from < arrivals.length; ) {
      const { receivedAt } = arrivals[from]!
      let to = from + 1
      while (to < arrivals.length && arrivals[to]!.receivedAt === receivedAt) to++
      clock.moveTo(receivedAt)
      const together = arrivals.slice(from, to)
      for (const { partition, seq } of together) {
        const known = sequences[partition] ?? []
        sequences[partition] = known
        known.push(seq)
      }
      await log.append(
        together.map(({ partition, frame }) => ({
          topic: topics.meterFrames.name,
          partition,
          key: null,
          value: wire.encode(topics.meterFrames, frame),
        })),
      )
      from = to
    }
    sent += arrivals.length
    clock.moveTo(at)
    do {
      await nextTurn()
      alive()
      onProgress?.(sent, counts.processed())
    } while (sent - counts.processed() > maxInFlight)
  }
  return sequences
}

const stepMs = 300_000

/** Lets simulated time pass after the last arrival, so that late windows are sealed and published. */
async function runOut(
  clock: VirtualClock,
  end: EpochMs,
  activity: Activity,
  signal: AbortSignal | undefined,
  ended: Promise<void>,
): Promise<void> {
  for (;;) {
    await activity.rest(ended)
    if (clock.now() >= end || signal?.aborted) return
    clock.moveTo(Math.min(end, clock.now() + stepMs))
  }
}

async function readTopic<T>(log: MemoryLog, wire: Wire, topic: Topic<T, Label>): Promise<T[]> {
  const all: T[] = []
  for (let partition = 0; partition < (await log.partitions(topic.name)); partition++) {
    const { first, end } = await log.bounds(topic.name, partition, 'read_committed')
    for (const { value } of await readRange(log, topic.name, partition, first, end)) {
      if (value) all.push(wire.decode(topic as never, value) as T)
    }
  }
  return all
}

/** What became of the frames of [readings], from the runtime's own counts. */
function countFates() {
  const fates = new Map<Fate, number>()
  let processed = 0
  const observer: Observer = {
    ...silentObserver,
    batch: (pipeline, _, facts) => {
      if (pipeline !== 'readings') return
      processed += facts.records
      for (const [fate, n] of facts.fates) fates.set(fate, (fates.get(fate) ?? 0) + n)
    },
  }
  const totals = () => {
    const dropped: Record<string, number> = {}
    const rejected: Record<string, number> = {}
    let accepted = 0
    let events = 0
    for (const [fate, n] of fates) {
      const [kind, reason] = fate.split(':') as [string, Reason | undefined]
      if (kind === 'emitted') accepted += n
      else if (kind === 'dropped') dropped[reason!] = n
      else if (kind === 'rejected' && reasons[reason!].outcome === 'event') events += n
      else if (kind === 'rejected') rejected[reason!] = n
    }
    return { received: processed, accepted, dropped, rejected, events }
  }
  return { observer, fates, totals, processed: () => processed }
}
