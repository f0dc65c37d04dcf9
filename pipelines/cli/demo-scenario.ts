import { createHmac } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { checkReadings, type Verdict } from '../../bench/fleet/checker.ts'
import type { Fleet } from '../../bench/fleet/index.ts'
import type { Log, StateView } from '../../connectors/contract.ts'
import type { Keyring } from '../../operators/contract/keyring.ts'
import type { Fate, Observer } from '../../operators/contract/observer.ts'
import { type Reason, reasons } from '../../operators/contract/reasons.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import { topics } from '../../schemas/topics.ts'
import { observers, silentObserver } from '../runtime/index.ts'
import { openWorld, type World, type WorldOptions } from '../simulation/world.ts'

export interface ScenarioOptions {
  readonly fleet: Fleet
  readonly partitions: number
  readonly start: EpochMs
  /** Where simulated time ends: past the last cut-off and its tick. */
  readonly end: EpochMs
  readonly observer?: Observer
  readonly signal?: AbortSignal
  /** Opens what the run stands on. Default: everything inside the process. */
  readonly open?: (options: WorldOptions) => Promise<AnyWorld>
  /** Frames sent and frames processed so far. */
  readonly onProgress?: (sent: number, processed: number) => void
}

export type AnyWorld = World<Log, StateView>

/** A whole simulated run: fleet, log, the pipelines, virtual time. */
export interface Scenario extends Pick<World, 'read'> {
  readonly sent: number
  readonly fates: ReadonlyMap<Fate, number>
  /** Whether the run reached its end; false where it was interrupted. */
  readonly complete: boolean
  readonly verdict: Verdict
}

/** Frames in flight between the fleet and the pipelines; beyond it the fleet waits, so memory stays bounded. */
const maxInFlight = 20_000
/** Steps in which time passes after the last arrival. */
const stepMs = 300_000

/** Sends everything a fleet has to say through the pipelines, and compares the outcome with the fleet's journal. */
export async function runScenario(options: ScenarioOptions): Promise<Scenario> {
  const { fleet, partitions, start, end, signal, open = openWorld } = options
  const { entries, register, keyring } = fleet
  const { zone, timeZone } = entries[0]!
  const world = await open({ entries, register, keyring, zone, timeZone, partitions, start })
  const counts = countFates()
  const { running, activity } = await world.launch({
    observer: observers(counts.observer, options.observer ?? silentObserver),
    task: { heartbeatMs: stepMs },
  })
  // Time that leaps while tasks are being assigned would run out their transactions and their membership.
  await activity.rest(running.done)
  const sequences = await sendAll(world, options, counts.processed, running.done)
  // Late windows are sealed and published as simulated time passes.
  for (;;) {
    await activity.rest(running.done)
    options.onProgress?.(sequences.flat().length, counts.processed())
    if (world.clock.now() >= end || signal?.aborted) break
    world.clock.moveTo(Math.min(end, world.clock.now() + stepMs))
  }
  await running.stop()
  const verdict = checkReadings(fleet.journal, {
    readings: await world.read(topics.householdReadings),
    rejected: await world.read(topics.meterRejected),
    counts: counts.totals(),
    pseudonymOf: pseudonymsOf(keyring),
    sequenceAt: (partition, offset) => sequences[partition]?.[offset],
  })
  const sent = sequences.flat().length
  return { read: world.read, sent, fates: counts.fates, complete: !signal?.aborted, verdict }
}

/** The pseudonyms that [readings] must give, computed apart from it. */
export function pseudonymsOf(keyring: Keyring): (connection: string, date: string) => Uint8Array {
  return (connection, date) =>
    createHmac('sha256', keyring.derived('pseudonym', date)!).update(connection).digest().subarray(0, 16)
}

/** Appends every arrival at its time. Answers the journal number of each input offset, per partition. */
async function sendAll(
  world: AnyWorld,
  { fleet, partitions, end, signal, onProgress }: ScenarioOptions,
  processed: () => number,
  ended: Promise<void>,
): Promise<number[][]> {
  const sequences: number[][] = Array.from({ length: partitions }, () => [])
  let failure: { readonly error: unknown } | undefined
  ended.catch((error: unknown) => {
    failure = { error }
  })
  let sent = 0
  for (const { at, arrivals } of fleet.arrivals(end)) {
    if (signal?.aborted) break
    for (const { partition, seq } of arrivals) sequences[partition]!.push(seq)
    await world.send(arrivals)
    sent += arrivals.length
    world.clock.moveTo(at)
    do {
      // A log in other processes answers no sooner for being asked all the time.
      await (sent - processed() > maxInFlight ? pause(1) : nextTurn())
      if (failure) throw failure.error
      onProgress?.(sent, processed())
    } while (sent - processed() > maxInFlight)
  }
  return sequences
}

/** What became of the frames of [readings], from the runtime's own counts. */
export function countFates() {
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
