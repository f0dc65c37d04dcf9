import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Keyring } from '../../operators/contract/keyring.ts'
import type { Register } from '../../operators/contract/register.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { Channel } from '../../schemas/interval-reading.ts'
import type { Level, RegisterEntry } from '../../schemas/register-entry.ts'
import { calendarOf, dateText, type Slots } from './calendar.ts'
import type { Arrival, Tick } from './fleet.ts'
import { defaultMix, type HomeMix } from './homes.ts'
import { createJournal, type Journal } from './journal.ts'
import { fleetKeyring } from './keys.ts'
import { connectionOf, defaultProfileNames, type MeterMix, meterOf, type ProfileNames, placeOf } from './meters.ts'
import type { MillionJob } from './million-worker.ts'
import {
  mergeFrames,
  oneSlot,
  type PackedFrames,
  type PackedOptions,
  type PackedRange,
  packedMeterMix,
  packRange,
} from './packed.ts'
import { computedRegister } from './register.ts'
import { type Topology, topologyOf } from './topology.ts'
import { frameOf } from './transmit.ts'

/** One interval of a very large fleet. The same options give the same bytes, on any number of threads. */
export interface MillionOptions {
  readonly seed: number
  /** Start of the interval, UTC ms, at a multiple of its length. Required. */
  readonly start: EpochMs
  /** Default 1,000,000 in 1,000 feeders, 100 substations, 10 regions, 1 utility: 1,111 groups. */
  readonly homes?: number
  readonly feeders?: number
  readonly substations?: number
  readonly regions?: number
  /** Default 900. */
  readonly intervalSeconds?: number
  readonly timeZone?: string
  readonly zone?: string
  readonly partitions?: number
  /** Default 300. */
  readonly randomisationSeconds?: number
  /** Share of messages that arrive twice; default 0.03. */
  readonly duplicates?: number
  readonly meterMix?: MeterMix
  readonly homeMix?: HomeMix
  readonly profileNames?: ProfileNames
  /** Threads; default one per core. 0 makes everything on this thread. */
  readonly threads?: number
  /** Keys that the key ring keeps ready; default all. */
  readonly keptKeys?: number
  /** Told how many homes are made. */
  readonly onProgress?: (homes: number) => void
}

/** The fleet's frames in compact arrays, made beforehand, and what belongs to them. */
export interface MillionFleet {
  readonly homes: number
  /** In order of arrival. */
  readonly frames: PackedFrames
  readonly register: Register & { readonly entryOf: (home: number) => RegisterEntry }
  readonly keyring: Keyring
  readonly topology: Topology
  /** The one interval. */
  readonly slots: Slots
  /** Frames as the listener hands them on, one tick per simulated second. Views of the packed bytes: do not change. */
  readonly arrivals: () => IterableIterator<Tick>
  /** True energy of a group in the interval, in whole Wh. */
  readonly trueLoad: (level: Level, group: string, channel?: Channel) => number
  /** Complete from the start: all frames are taken to arrive. */
  readonly journal: Journal
}

const rangeSize = 25_000

/** Makes the frames of one interval of a very large fleet, on worker threads. */
export async function createMillion(options: MillionOptions): Promise<MillionFleet> {
  const { seed, start, homes = 1_000_000, intervalSeconds = 900, partitions = 8 } = options
  const { timeZone = 'Europe/London', zone = 'zone-1', duplicates = 0.03, randomisationSeconds = 300 } = options
  const calendar = calendarOf(timeZone, start, start)
  const topology = topologyOf({
    homes,
    feeders: options.feeders ?? Math.min(1_000, homes),
    substations: options.substations ?? Math.min(100, homes),
    regions: options.regions ?? Math.min(10, homes),
  })
  const packed: PackedOptions = {
    seed,
    homes,
    start,
    intervalSeconds,
    dayStart: calendar.startOfDay(calendar.localDay(start)),
    timeZone,
    randomisationSeconds,
    duplicates,
    meterMix: options.meterMix ?? packedMeterMix,
    homeMix: options.homeMix ?? defaultMix,
  }
  const slots = oneSlot(packed)
  const importWh = new Int32Array(homes)
  const exportWh = new Int32Array(homes)
  const made = await makeRanges(packed, options.threads ?? availableParallelism(), (done) => {
    options.onProgress?.(done)
  })
  for (const [from, range] of made) {
    importWh.set(range.importWh, from)
    exportWh.set(range.exportWh, from)
  }
  const frames = mergeFrames(made.map(([, range]) => range.frames))
  const journal = createJournal({
    homes,
    slots: 1,
    start,
    intervalMs: slots.intervalMs,
    importWh,
    exportWh,
    exports: (home) => (exportWh[home] as number) >= 0,
    connectionOf: (home) => connectionOf(seed, home),
    dateOf: () => dateText(calendar.localDay(start)),
  })
  for (let i = 0; i < frames.count; i++) {
    const flags = frames.flags[i] as number
    const part = (flags & 2) !== 0
    journal.record({
      kind: part ? 'part' : flags === 1 ? 'duplicate' : 'original',
      fate: part ? 'part' : flags === 1 ? 'duplicate' : 'accepted',
      receivedAt: start + (frames.receivedMs[i] as number),
      home: frames.home[i] as number,
      firstSlot: 0,
      slots: part ? 0 : 1,
    })
  }
  const arrivalAt = (i: number): Arrival => {
    const home = frames.home[i] as number
    const { carriage } = meterOf(seed, home, 0, packed.meterMix)
    const bytes = frames.bytes.subarray(frames.offsets[i], frames.offsets[i + 1])
    return {
      receivedAt: start + (frames.receivedMs[i] as number),
      frame: frameOf(connectionOf(seed, home), zone, carriage, bytes),
      partition: placeOf(home, partitions).partition,
      seq: i,
    }
  }
  function* arrivals(): IterableIterator<Tick> {
    for (let i = 0; i < frames.count; ) {
      const at = start + (Math.floor((frames.receivedMs[i] as number) / 1_000) + 1) * 1_000
      const tick: Arrival[] = []
      while (i < frames.count && start + (frames.receivedMs[i] as number) < at) tick.push(arrivalAt(i++))
      yield { at, arrivals: tick }
    }
  }
  return {
    homes,
    frames,
    register: computedRegister({
      seed,
      homes,
      topology,
      partitions,
      timeZone,
      zone,
      homeMix: packed.homeMix,
      meterMix: packed.meterMix,
      profileNames: options.profileNames ?? defaultProfileNames,
      validFrom: start - 400 * 86_400_000,
    }),
    keyring: fleetKeyring(seed, options.keptKeys ?? 2 * homes),
    topology,
    slots,
    arrivals,
    trueLoad: (level, group, channel = 'import') => {
      const range = topology.homesOf(level, group)
      if (range === undefined) throw new Error('the fleet has no such group at that level')
      const values = channel === 'import' ? importWh : exportWh
      return values.subarray(...range).reduce((sum, value) => sum + Math.max(0, value), 0)
    },
    journal,
  }
}

/** All ranges in order of home, made by `threads` workers that take turns, or here. */
async function makeRanges(
  options: PackedOptions,
  threads: number,
  progress: (homes: number) => void,
): Promise<readonly (readonly [number, PackedRange])[]> {
  const { homes } = options
  const ranges: (readonly [number, number])[] = []
  for (let from = 0; from < homes; from += rangeSize) ranges.push([from, Math.min(homes, from + rangeSize)])
  let done = 0
  const report = (range: PackedRange): void => {
    done += range.importWh.length
    progress(done)
  }
  if (threads === 0) {
    return ranges.map(([from, to]) => {
      const range = packRange(options, from, to)
      report(range)
      return [from, range] as const
    })
  }
  const made: (readonly [number, PackedRange])[] = []
  const workers = Array.from({ length: Math.min(threads, ranges.length) }, (_, own) => {
    const job: MillionJob = { options, ranges: ranges.filter((_range, i) => i % threads === own) }
    const worker = new Worker(new URL('./million-worker.ts', import.meta.url), { workerData: job })
    worker.on('message', ({ from, range }: { from: number; range: PackedRange }) => {
      made.push([from, range])
      report(range)
    })
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`a fleet worker ended with code ${code}`)),
      )
    })
  })
  await Promise.all(workers)
  return made.sort(([a], [b]) => a - b)
}
