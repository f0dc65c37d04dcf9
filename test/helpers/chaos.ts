import { checkReadings, type Verdict } from '../../bench/fleet/checker.ts'
import { createFleet, type FaultRates } from '../../bench/fleet/index.ts'
import type { MemoryLog, MemoryStateView } from '../../connectors/memory/index.ts'
import { minutes, type VirtualClock } from '../../operators/contract/clock.ts'
import type { Published } from '../../operators/contract/published.ts'
import { type NoiseSource, secureNoise } from '../../operators/privacy/release/noise.ts'
import { defaultPolicy, type ReleasePolicy, resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { pseudonymsOf } from '../../pipelines/cli/demo-scenario.ts'
import { Killed, type Ports, type Probe } from '../../pipelines/runtime/index.ts'
import { openWorld } from '../../pipelines/simulation/world.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { topics } from '../../schemas/topics.ts'
import { checkRelease } from './release-checker.ts'

/** Where a run can be killed: a step of a task, or one of the moments inside a release. */
export type Moment =
  | Parameters<Probe>[0]
  | { readonly pipeline: 'load'; readonly step: 'draw'; readonly at: 'before' | 'after' }

export interface World {
  readonly clock: VirtualClock
  readonly log: MemoryLog
  readonly view: MemoryStateView
  /** Ten-minute step of simulated time, from 0. */
  readonly step: number
}

export interface ChaosOptions {
  readonly seed: number
  readonly homes?: number
  readonly faults?: Partial<FaultRates>
  /** Answers true to kill every pipeline at this moment. */
  readonly kill?: (moment: Moment) => boolean
  /** Wraps the ports of each start: lost replies, planted bugs. */
  readonly ports?: (ports: Ports, world: Omit<World, 'step'>) => Ports
  /** Called between two steps: rolls a view back, empties it. */
  readonly disturb?: (world: World) => void | Promise<void>
}

export interface ChaosResult {
  readonly verdict: Verdict
  /** What the release checker found, and whether anything was released at all. */
  readonly violations: readonly string[]
  readonly released: number
  readonly kills: number
  /** Everything that must be zero or true, in one text per fault; empty if all is well. */
  readonly faults: readonly string[]
}

const partitions = 2
const start = Date.UTC(2026, 0, 12)
const end = start + minutes(30.5 * 60)
const stepMs = minutes(10)

/** Small groups may be released here, so that a small fleet shows what a large one would. */
const policy: ReleasePolicy = {
  ...defaultPolicy,
  rules: { residential: { minCount: 2, maxShare: null }, other: { minCount: 2, maxShare: null } },
  meanLoadWhPerDay: 100_000_000,
}

/** A day of a small fleet with every kind of fault through all pipelines, killed and restarted as the plan says, then checked. */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, homes = 16 } = options
  const profileNames = { described: 'interval-30min', objects: 'interval-30min' }
  const faults = { corrupt: 0.01, replayed: 0.01, duplicates: 0.05, homesPerGateway: 4, ...options.faults }
  const fleet = createFleet({ seed, homes, start, partitions, profileNames, faults })
  const { entries, register, keyring } = fleet
  const { zone, timeZone } = entries[0]!
  let kills = 0
  let over = false
  const strike = (moment: Moment) => {
    if (over || !options.kill?.(moment)) return
    kills++
    throw new Killed(`${moment.at} ${moment.step}`)
  }

  const world = await openWorld({
    entries,
    register,
    keyring,
    zone,
    timeZone,
    partitions,
    groupPartitions: 2,
    start,
    policy,
    noise: striking(strike),
  })
  const { clock, log, view, wire } = world
  let { running, activity }: Partial<Awaited<ReturnType<typeof world.launch>>> = {}
  const launch = async () => {
    const ports = options.ports
    const started = await world.launch({
      probe: strike,
      task: { heartbeatMs: minutes(5) },
      ...(ports ? { ports: (plain: Ports) => ports(plain, { clock, log, view }) } : {}),
    })
    running = started.running
    activity = started.activity
  }
  const rest = async () => {
    for (;;) {
      try {
        return await activity!.rest(running!.done)
      } catch (error) {
        if (!(error instanceof Killed)) throw error
        await launch()
      }
    }
  }

  await launch()
  await rest()
  const sequences: number[][] = Array.from({ length: partitions }, () => [])
  const ticks = fleet.arrivals(end)
  let tick = ticks.next()
  for (let step = 0; start + step * stepMs <= end; step++) {
    const until = start + step * stepMs
    for (; !tick.done && tick.value.at <= until; tick = ticks.next()) {
      for (const { receivedAt, partition, frame, seq } of tick.value.arrivals) {
        clock.moveTo(receivedAt)
        sequences[partition]!.push(seq)
        await log.append([world.frameRecord(partition, frame)])
      }
    }
    clock.moveTo(until)
    await rest()
    await options.disturb?.({ clock, log, view, step })
  }
  await rest()
  over = true
  await running!.stop()

  const verdict = checkReadings(fleet.journal, {
    readings: await world.read(topics.householdReadings),
    rejected: await world.read(topics.meterRejected),
    // Counters live in the process and die with it: what the log holds is checked here.
    counts: { received: 0, accepted: 0, dropped: {}, rejected: {} },
    pseudonymOf: pseudonymsOf(keyring),
    sequenceAt: (partition, offset) => sequences[partition]?.[offset],
  })
  const published = (await world.records(topics.loadPublic, 'read_uncommitted')).map(
    ({ key, value, timestamp }): Published<LoadPublic> => ({
      key: Buffer.from(key!).toString(),
      bytes: value!,
      timestamp,
    }),
  )
  const violations = checkRelease({
    ledger: await world.read(topics.releaseLedger),
    published,
    codec: { decode: (bytes) => wire.decode(topics.loadPublic, bytes) as LoadPublic },
    cap: resolvePolicy(policy).cap,
  })
  return {
    verdict,
    violations,
    released: published.length,
    kills,
    faults: faultsOf(verdict, violations, published.length),
  }
}

function faultsOf(verdict: Verdict, violations: readonly string[], released: number): string[] {
  const { lost, duplicate, wrong, unexpected, misjudged } = verdict
  const counts = Object.entries({ lost, duplicate, wrong, unexpected, misjudged })
  const found = counts.filter(([, { count }]) => count > 0).map(([name, { count }]) => `${count} intervals ${name}`)
  return [...found, ...violations, ...(released > 0 ? [] : ['nothing was released'])]
}

/** Real noise, with the draw as a moment at which a run can be killed. */
function striking(strike: (moment: Moment) => void): NoiseSource {
  const source = secureNoise()
  return {
    gaussian: (sigma2) => {
      strike({ pipeline: 'load', step: 'draw', at: 'before' })
      const drawn = source.gaussian(sigma2)
      strike({ pipeline: 'load', step: 'draw', at: 'after' })
      return drawn
    },
  }
}
