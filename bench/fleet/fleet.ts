import type { Keyring } from '../../operators/contract/keyring.ts'
import type { Register } from '../../operators/contract/register.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { Channel } from '../../schemas/interval-reading.ts'
import type { MeterFrame } from '../../schemas/meter-frame.ts'
import type { Level, RegisterEntry } from '../../schemas/register-entry.ts'
import { dateText, type Slots, slotsOf } from './calendar.ts'
import { checkFaults, defaultFaults, type FaultRates } from './faults.ts'
import { defaultMix, type HomeMix, type HomeTraits, homeTraits } from './homes.ts'
import { createJournal, type FateName, type Journal } from './journal.ts'
import { fleetKeyring } from './keys.ts'
import { type LoadSource, loadModel } from './load-model.ts'
import {
  connectionOf,
  defaultMeterMix,
  defaultProfileNames,
  type MeterMix,
  meterOf,
  type ProfileNames,
  placeOf,
  registerEntry,
} from './meters.ts'
import { type Outage, outagesOf } from './outages.ts'
import { type Profiles, profileLoad } from './profiles.ts'
import { simulationRandom } from './random.ts'
import { fleetRegister } from './register.ts'
import { type Delivery, deliveriesOf, type HomeMeters, type Transmission } from './schedule.ts'
import { type Topology, topologyOf } from './topology.ts'
import { createTransmitter, damaged, frameOf } from './transmit.ts'

/** What kind of fleet to make. The same options give the same bytes. */
export interface FleetOptions {
  /** Whole number; every key, identifier, load and fault follows from it. Required. */
  readonly seed: number
  /** Required. */
  readonly homes: number
  /** Groups below the utility; default 2 feeders in 1 substation in 1 region. */
  readonly feeders?: number
  readonly substations?: number
  readonly regions?: number
  /** 1,800 (default) or 900; any divisor of the hour. */
  readonly intervalSeconds?: number
  /** A local midnight of `timeZone`, UTC ms. Required. */
  readonly start: EpochMs
  /** Local days; default 1. */
  readonly days?: number
  /** Default Europe/London. */
  readonly timeZone?: string
  /** Residency zone; default `zone-1`. */
  readonly zone?: string
  /** Partitions of `meter.frames`; default 8. */
  readonly partitions?: number
  readonly faults?: Partial<FaultRates>
  readonly homeMix?: Partial<HomeMix>
  readonly meterMix?: Partial<MeterMix>
  /** Decoding profiles of the two makes; default `described-list` and `push-object-list`. */
  readonly profileNames?: ProfileNames
  /** Real households instead of the load model. */
  readonly profiles?: Profiles
}

/** A transport unit on its way into `meter.frames`. */
export interface Arrival {
  /** Append time to give the record, UTC ms. */
  readonly receivedAt: EpochMs
  readonly frame: MeterFrame
  readonly partition: number
  /** Its number in the journal: dense, in order of arrival. */
  readonly seq: number
}

/** The arrivals of one minute, in order. */
export interface Tick {
  /** End of the minute, UTC ms. */
  readonly at: EpochMs
  readonly arrivals: readonly Arrival[]
}

/** A span of time [start, end). */
export interface Span {
  readonly start: EpochMs
  readonly end: EpochMs
}

/** Simulated meters that speak DLMS/COSEM, and the truth about what they sent. */
export interface Fleet {
  readonly entries: readonly RegisterEntry[]
  readonly register: Register
  readonly keyring: Keyring
  readonly topology: Topology
  readonly slots: Slots
  /**
   * Everything that arrives, minute by minute; minutes without arrivals are left out. Encodes as it goes and writes the
   * journal as it goes; a new call starts both over. Ends before the first minute that ends after `until`, UTC ms.
   */
  readonly arrivals: (until?: EpochMs) => IterableIterator<Tick>
  /** How many transport units messages will have at least; for progress displays. */
  readonly expectedMessages: number
  /** True energy of a group in whole Wh over the intervals inside a span: what no pipeline can know. */
  readonly trueLoad: (level: Level, group: string, span: Span, channel?: Channel) => number
  /** What was truly sent, up to where `arrivals` has been read. */
  readonly journal: Journal
}

const dayMs = 86_400_000

/** Makes a fleet. Throws an `Error` that names the option on impossible ones. */
export function createFleet(options: FleetOptions): Fleet {
  const { seed, homes, start, days = 1, intervalSeconds = 1_800, timeZone = 'Europe/London', partitions = 8 } = options
  if (!Number.isInteger(seed)) throw new Error('the seed of a fleet must be a whole number')
  if (3_600 % intervalSeconds !== 0) throw new Error('intervalSeconds must divide the hour')
  const faults = { ...defaultFaults, ...options.faults }
  checkFaults(faults)
  const homeMix = { ...defaultMix, ...options.homeMix }
  const meterMix = { ...defaultMeterMix, ...options.meterMix }
  const zone = options.zone ?? 'zone-1'
  const topology = topologyOf({
    homes,
    feeders: options.feeders ?? Math.min(2, homes),
    substations: options.substations ?? 1,
    regions: options.regions ?? 1,
  })
  const slots = slotsOf({ start, days, intervalSeconds, timeZone })
  const traits = Array.from({ length: homes }, (_, home) => homeTraits(seed, home, homeMix))
  const source = options.profiles ? profileLoad(seed, slots, options.profiles) : loadModel(seed, slots)
  const values = fillValues(source, traits, slots)
  const exports = (home: number): boolean => options.profiles === undefined && (traits[home]?.solarPower ?? 0) > 0

  const connections = traits.map((_, home) => connectionOf(seed, home))
  const meters = traits.map((_, home) => metersOf(seed, home, slots, faults, meterMix))
  const registerOptions = {
    seed,
    topology,
    partitions,
    timeZone,
    zone,
    homeMix,
    profileNames: options.profileNames ?? defaultProfileNames,
  }
  const entries = meters.flatMap(({ home, first, second, exchangeSlot }) => {
    const own = traits[home] as HomeTraits
    const since = start - 400 * dayMs
    if (second === undefined) return [registerEntry(registerOptions, first, since, null, own)]
    const exchangedAt = slots.start + exchangeSlot * slots.intervalMs
    return [
      registerEntry(registerOptions, first, since, exchangedAt, own),
      registerEntry(registerOptions, second, exchangedAt, null, own),
    ]
  })

  const gateways = Math.ceil(homes / faults.homesPerGateway)
  const end = start + slots.count * slots.intervalMs
  const outages = Array.from({ length: gateways }, (_, gateway) =>
    outagesOf(seed, gateway, faults.gatewaysDown, start, end + 2 * dayMs),
  )
  const deliveries: Delivery[] = []
  for (const own of meters) {
    const mine = outages[Math.floor(own.home / faults.homesPerGateway)] as readonly Outage[]
    for (const delivery of deliveriesOf({ seed, slots, faults }, own, mine)) deliveries.push(delivery)
  }
  for (const delivery of strangers(seed, homes, slots, faults, meterMix)) deliveries.push(delivery)
  deliveries.sort((a, b) => a.receivedAt - b.receivedAt)

  const journal = createJournal({
    homes,
    slots: slots.count,
    start,
    intervalMs: slots.intervalMs,
    importWh: values.importWh,
    exportWh: values.exportWh,
    exports,
    connectionOf: (home) => connectionOf(seed, home),
    dateOf: (slot) => dateText(slots.calendar.localDay(start + slot * slots.intervalMs)),
  })
  const transmitter = createTransmitter({
    seed,
    slots,
    values: {
      ...values,
      exports,
      firstSlotOf: ({ home, generation }) => (generation === 0 ? 0 : (meters[home]?.exchangeSlot ?? 0)),
    },
    statusFlagged: faults.statusFlagged,
  })

  function* arrivals(until = Number.POSITIVE_INFINITY): IterableIterator<Tick> {
    journal.clear()
    let tick: Arrival[] = []
    let at = Number.NaN
    for (const delivery of deliveries) {
      const minute = (Math.floor(delivery.receivedAt / 60_000) + 1) * 60_000
      if (minute !== at && tick.length > 0) {
        yield { at, arrivals: tick }
        tick = []
      }
      at = minute
      if (minute > until) return
      arrive(delivery, tick)
    }
    if (tick.length > 0) yield { at, arrivals: tick }
  }
  const arrive = (delivery: Delivery, tick: Arrival[]): void => {
    const { transmission, receivedAt, kind, fate, damage } = delivery
    const { meter } = transmission
    const whole = transmitter.unitsOf(transmission)
    const units = damage === 0 ? whole : damaged(whole, damage, meter.carriage)
    const known = meter.home < homes
    const connection = connections[meter.home] ?? connectionOf(seed, meter.home)
    const { partition } = placeOf(meter.home, partitions)
    units.forEach((bytes, i) => {
      const last = i === units.length - 1
      const seq = journal.record({
        kind: last || damage !== 0 || fate === 'unknown' ? kind : 'part',
        fate: unitFate(fate, last, damage !== 0 && whole.length > 1),
        receivedAt,
        home: known ? meter.home : -1,
        firstSlot: transmission.firstSlot,
        slots: last ? transmission.slots : 0,
      })
      tick.push({ receivedAt, frame: frameOf(connection, zone, meter.carriage, bytes), partition, seq })
    })
  }

  const trueLoad: Fleet['trueLoad'] = (level, group, span, channel = 'import') => {
    const range = topology.homesOf(level, group)
    if (range === undefined) throw new Error('the fleet has no such group at that level')
    const wattHours = channel === 'import' ? values.importWh : values.exportWh
    const from = Math.max(0, Math.ceil((span.start - start) / slots.intervalMs))
    const to = Math.min(slots.count, Math.floor((span.end - start) / slots.intervalMs))
    let sum = 0
    for (let home = range[0]; home < range[1]; home++) {
      for (let slot = from; slot < to; slot++) sum += wattHours[home * slots.count + slot] as number
    }
    return sum
  }
  return {
    entries,
    register: fleetRegister(entries),
    keyring: fleetKeyring(seed),
    topology,
    slots,
    arrivals,
    expectedMessages: deliveries.length,
    trueLoad,
    journal,
  }
}

/** Fate of one unit of a message with the given fate. */
function unitFate(fate: FateName, last: boolean, damagedParts: boolean): FateName {
  if (damagedParts) return 'refusedOrPart'
  // the register is asked before anything is joined
  if (last || fate === 'unknown') return fate
  return 'part'
}

function fillValues(source: LoadSource, traits: readonly HomeTraits[], slots: Slots) {
  const size = traits.length * slots.count
  const importWh = new Int32Array(size)
  const exportWh = new Int32Array(size)
  const totalWh = new Uint32Array(size)
  traits.forEach((home, i) => {
    const base = i * slots.count
    for (const day of slots.days) source.fillDay(home, day, importWh, exportWh, base + day.firstSlot)
    let total = 0
    for (let slot = 0; slot < slots.count; slot++) {
      total += importWh[base + slot] as number
      totalWh[base + slot] = total
    }
  })
  return { importWh, exportWh, totalWh }
}

function metersOf(seed: number, home: number, slots: Slots, faults: FaultRates, mix: MeterMix): HomeMeters {
  const random = simulationRandom(seed, 'topology', home)
  const first = meterOf(seed, home, 0, mix)
  const wrongKey = random.chance(faults.wrongKeyMeters)
  const exchanged = !wrongKey && slots.count > 2 && random.chance(faults.exchangesPerDay * slots.days.length)
  const exchangeSlot = exchanged ? 1 + random.below(slots.count - 2) : slots.count
  return { home, first, second: exchanged ? meterOf(seed, home, 1, mix) : undefined, exchangeSlot, wrongKey }
}

/** Messages of meters that the register does not know: complete and well protected, but not ours. */
function strangers(seed: number, homes: number, slots: Slots, faults: FaultRates, mix: MeterMix): readonly Delivery[] {
  const random = simulationRandom(seed, 'topology', -1)
  return Array.from({ length: Math.round(faults.unknown * homes * slots.count) }, (_, n) => {
    const slot = random.below(slots.count)
    const sentAt = slots.start + (slot + 1) * slots.intervalMs + random.below(300_000)
    const meter = meterOf(seed, homes + random.below(1 + Math.ceil(homes / 1_000)), 0, mix)
    const transmission: Transmission = {
      meter,
      firstSlot: slot,
      slots: 1,
      sentAt,
      clockAheadMs: 0,
      counter: meter.firstCounter + n,
      protection: 'own',
      changeWh: 0,
    }
    return { transmission, receivedAt: sentAt + 500, kind: 'unknown', fate: 'unknown', damage: 0 }
  })
}
