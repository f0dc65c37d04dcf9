import type { EpochMs } from '../../schemas/codec.ts'
import { type Slots, slotsOf } from './calendar.ts'
import { type HomeMix, homeTraits } from './homes.ts'
import { loadModel } from './load-model.ts'
import { type MeterMix, meterOf } from './meters.ts'
import { simulationRandom } from './random.ts'
import type { Transmission } from './schedule.ts'
import { createTransmitter } from './transmit.ts'

/** What decides the bytes of one interval of a very large fleet; plain data, so that it can cross to another thread. */
export interface PackedOptions {
  readonly seed: number
  readonly homes: number
  /** Start of the interval, UTC ms, at a multiple of its length. */
  readonly start: EpochMs
  readonly intervalSeconds: number
  /** A local midnight at or before `start`, on the same local day. */
  readonly dayStart: EpochMs
  readonly timeZone: string
  readonly randomisationSeconds: number
  /** Share of messages that arrive twice. */
  readonly duplicates: number
  readonly meterMix: MeterMix
  readonly homeMix: HomeMix
}

/** Transport units one after the other in one array, with what the journal needs to know of each. */
export interface PackedFrames {
  readonly count: number
  readonly bytes: Uint8Array
  /** `count` + 1 positions in `bytes`. */
  readonly offsets: Uint32Array
  /** Time of arrival in ms after `start`. */
  readonly receivedMs: Uint32Array
  readonly home: Uint32Array
  /** Bit 0: exact copy of an earlier message. Bit 1: part of a message that is not its last. */
  readonly flags: Uint8Array
}

/** The frames of homes [from, to) in order of home, and their true values. */
export interface PackedRange {
  readonly frames: PackedFrames
  readonly importWh: Int32Array
  /** -1 for homes without an export channel. */
  readonly exportWh: Int32Array
}

/** Slots of the one interval. */
export function oneSlot(options: PackedOptions): Slots {
  const { start, dayStart, intervalSeconds, timeZone } = options
  const day = slotsOf({ start: dayStart, days: 1, intervalSeconds, timeZone })
  const slot = (start - dayStart) / day.intervalMs
  if (!Number.isInteger(slot) || slot < 0 || slot >= day.count) {
    throw new Error('the interval must start at a multiple of its length, on the local day of dayStart')
  }
  return { ...day, start, count: 1 }
}

/** Makes the frames of homes [from, to): a function of the options alone, so ranges can be made on any thread. */
export function packRange(options: PackedOptions, from: number, to: number): PackedRange {
  const { seed, homes, dayStart, start, intervalSeconds, timeZone, homeMix } = options
  const day = slotsOf({ start: dayStart, days: 1, intervalSeconds, timeZone })
  const [only] = day.days
  if (only === undefined) throw new Error('a day has intervals')
  const slots = oneSlot(options)
  const slot = (start - dayStart) / day.intervalMs
  const source = loadModel(seed, day)
  const dayImport = new Int32Array(only.slots)
  const dayExport = new Int32Array(only.slots)

  const importWh = new Int32Array(homes)
  const exportWh = new Int32Array(homes).fill(-1)
  const totalWh = new Uint32Array(homes)
  const transmitter = createTransmitter({
    seed,
    slots,
    values: {
      importWh,
      exportWh,
      totalWh,
      exports: (home) => (exportWh[home] as number) >= 0,
      firstSlotOf: () => 0,
    },
    statusFlagged: 0,
    keptMeters: 2,
  })
  const out = frameCollector((to - from) * 180)
  for (let home = from; home < to; home++) {
    const traits = homeTraits(seed, home, homeMix)
    source.fillDay(traits, only, dayImport, dayExport, 0)
    importWh[home] = dayImport[slot] as number
    totalWh[home] = dayImport[slot] as number
    if (traits.solarPower > 0) exportWh[home] = dayExport[slot] as number
    packHome(options, home, slots, transmitter.unitsOf, out.add)
  }
  return { frames: out.done(), importWh: importWh.slice(from, to), exportWh: exportWh.slice(from, to) }
}

type AddUnit = (unit: Uint8Array, receivedMs: number, home: number, flags: number) => void

function packHome(
  options: PackedOptions,
  home: number,
  slots: Slots,
  unitsOf: (transmission: Transmission) => readonly Uint8Array[],
  add: AddUnit,
): void {
  const { seed, randomisationSeconds, duplicates, meterMix } = options
  const random = simulationRandom(seed, 'schedule', home)
  const meter = meterOf(seed, home, 0, meterMix)
  const sentMs = slots.intervalMs + Math.round(random.unit() * randomisationSeconds * 1_000)
  let receivedMs = sentMs + 20 + Math.round(random.exponential(2_000))
  const units = unitsOf({
    meter,
    firstSlot: 0,
    slots: 1,
    sentAt: slots.start + sentMs,
    clockAheadMs: 0,
    counter: meter.firstCounter,
    protection: 'own',
    changeWh: 0,
  })
  const arrive = (copy: 0 | 1): void => {
    units.forEach((unit, i) => {
      add(unit, receivedMs, home, copy | (i === units.length - 1 ? 0 : 2))
    })
  }
  arrive(0)
  if (!random.chance(duplicates)) return
  receivedMs += Math.round(5_000 + random.exponential(60_000))
  arrive(1)
}

function frameCollector(size: number) {
  let bytes = new Uint8Array(Math.ceil(size) + 4_096)
  const offsets: number[] = [0]
  const receivedMs: number[] = []
  const homes: number[] = []
  const flagList: number[] = []
  let used = 0
  const add: AddUnit = (unit, received, home, flags) => {
    if (used + unit.length > bytes.length) {
      const grown = new Uint8Array(bytes.length * 2)
      grown.set(bytes)
      bytes = grown
    }
    bytes.set(unit, used)
    used += unit.length
    offsets.push(used)
    receivedMs.push(received)
    homes.push(home)
    flagList.push(flags)
  }
  const done = (): PackedFrames => ({
    count: receivedMs.length,
    bytes: bytes.subarray(0, used),
    offsets: Uint32Array.from(offsets),
    receivedMs: Uint32Array.from(receivedMs),
    home: Uint32Array.from(homes),
    flags: Uint8Array.from(flagList),
  })
  return { add, done }
}

/** Joins ranges into one array in order of arrival; units of one message stay together and in order. */
export function mergeFrames(ranges: readonly PackedFrames[]): PackedFrames {
  const count = ranges.reduce((sum, { count: n }) => sum + n, 0)
  const size = ranges.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (size > 0xffff_ffff || count >= 2 ** 22) throw new Error('too many frames for one packed fleet')
  // time and position in one exact number, so that a plain numeric sort is a stable sort by time
  const order = new Float64Array(count)
  const rangeOf = new Uint16Array(count)
  const indexOf = new Uint32Array(count)
  let n = 0
  ranges.forEach(({ receivedMs, count: own }, range) => {
    for (let i = 0; i < own; i++) {
      order[n] = (receivedMs[i] as number) * 2 ** 22 + n
      rangeOf[n] = range
      indexOf[n] = i
      n++
    }
  })
  order.sort()
  const bytes = new Uint8Array(size)
  const offsets = new Uint32Array(count + 1)
  const receivedMs = new Uint32Array(count)
  const home = new Uint32Array(count)
  const flags = new Uint8Array(count)
  let used = 0
  for (let to = 0; to < count; to++) {
    const from = (order[to] as number) % 2 ** 22
    const range = ranges[rangeOf[from] as number] as PackedFrames
    const i = indexOf[from] as number
    const unit = range.bytes.subarray(range.offsets[i], range.offsets[i + 1])
    bytes.set(unit, used)
    used += unit.length
    offsets[to + 1] = used
    receivedMs[to] = range.receivedMs[i] as number
    home[to] = range.home[i] as number
    flags[to] = range.flags[i] as number
  }
  return { count, bytes, offsets, receivedMs, home, flags }
}

/** Meters of a very large fleet send whole messages: one transport unit each. */
export const packedMeterMix: MeterMix = {
  suite2: 0.2,
  objectLists: 0.3,
  timed: 0.3,
  hdlc: 0.25,
  hdlcSegmented: 0,
  blocks: 0,
}
