import type { MeterFrame, Transport } from '../../schemas/meter-frame.ts'
import type { Slots } from './calendar.ts'
import { type Protector, protectorOf } from './encode/cipher.ts'
import {
  blocksOf,
  fillHdlc,
  fillWrapper,
  hdlcFrames,
  hdlcLead,
  hdlcTail,
  logicalLink,
  wrap,
  wrapperHeader,
} from './encode/link.ts'
import { type PushRow, writePush } from './encode/push.ts'
import { slabAllocator } from './encode/slab.ts'
import { byteWriter } from './encode/writer.ts'
import { meterSecrets, recentlyUsed } from './keys.ts'
import type { Carriage, Meter } from './meters.ts'
import { type SimulationRandom, simulationHash, simulationRandom } from './random.ts'
import type { Transmission } from './schedule.ts'

/** True values of a fleet; index home × slots + slot. */
export interface FleetValues {
  readonly importWh: Int32Array
  readonly exportWh: Int32Array
  /** Import register at the end of the slot, since the fleet's start. */
  readonly totalWh: Uint32Array
  /** Whether the home has an export channel. */
  readonly exports: (home: number) => boolean
  /** First slot of a meter: where its register began at 0, or 0 for the meters that were there before. */
  readonly firstSlotOf: (meter: Meter) => number
}

/** The encoder of a fleet. */
export interface Transmitter {
  /** The transport units of one transmission, in order; always the same bytes. */
  readonly unitsOf: (transmission: Transmission) => readonly Uint8Array[]
}

/** What a fleet’s encoder needs; `statusFlagged` as in the fault rates. */
export interface TransmitterOptions {
  readonly seed: number
  readonly slots: Slots
  readonly values: FleetValues
  readonly statusFlagged: number
  /** How many meters' keys to keep; default 65,536. */
  readonly keptMeters?: number
}

/** Information per HDLC frame and per block of meters that cut their messages up. */
const pieceBytes = 64

/** Turns transmissions into bytes. Keeps the keys of the meters used last. */
export function createTransmitter(options: TransmitterOptions): Transmitter {
  const { seed, slots, values, statusFlagged, keptMeters = 65_536 } = options
  const { intervalMs } = slots
  const protectors = recentlyUsed<Protector>(keptMeters)
  const out = byteWriter()

  const protectorFor = (meter: Meter, keyRef: string): Protector => {
    const known = protectors.get(keyRef)
    if (known !== undefined) return known
    const secrets = meterSecrets(seed, keyRef)
    if (secrets === undefined) throw new Error('a meter of the fleet has a malformed key reference')
    const systemTitle = Uint8Array.from(Buffer.from(meter.systemTitle, 'hex'))
    const made = protectorOf({ suite: meter.suite, systemTitle, ...secrets })
    protectors.set(keyRef, made)
    return made
  }
  const rowOf = (transmission: Transmission, slot: number): PushRow => {
    const { meter, changeWh } = transmission
    const endAt = slots.start + (slot + 1) * intervalMs
    const word = simulationHash(seed, 'meter', meter.home, slot)
    const status = word / 4_294_967_296 < statusFlagged ? (word & 1 ? 0x20 : 0x80) : 0
    const before = 100_000 + (simulationHash(seed, 'meter', meter.home, -1) % 40_000_000)
    const known = slot >= 0 && meter.home * slots.count + slot < values.importWh.length && slot < slots.count
    if (!known) {
      const importWh = 50 + (word % 400)
      const exportWh = values.exports(meter.home) ? 0 : undefined
      return { endAt, status, importWh: importWh + changeWh, exportWh, totalWh: before + slot * 200 }
    }
    const at = meter.home * slots.count + slot
    const first = values.firstSlotOf(meter)
    const total = values.totalWh[at] as number
    return {
      endAt,
      status,
      importWh: (values.importWh[at] as number) + changeWh,
      exportWh: values.exports(meter.home) ? (values.exportWh[at] as number) : undefined,
      totalWh: first === 0 ? before + total : total - (values.totalWh[at - slot + first - 1] as number),
    }
  }
  return {
    unitsOf: (transmission) => {
      const { meter, firstSlot, sentAt, clockAheadMs, counter, protection } = transmission
      const rows: PushRow[] = []
      for (let i = 0; i < transmission.slots; i++) rows.push(rowOf(transmission, firstSlot + i))
      const layout = transmission.slots > 1 ? 'rows' : meter.layout
      out.clear()
      writePush(
        out,
        {
          layout,
          rows,
          intervalSeconds: intervalMs / 1_000,
          sentAt: meter.timed || layout === 'rows' ? sentAt + clockAheadMs : undefined,
          invokeId: counter,
        },
        slots.calendar,
      )
      if (protection === 'none') return carry(out.length(), meter.carriage, (target, at) => target.set(out.view(), at))
      const protector = protectorFor(meter, protection === 'own' ? meter.keyRef : `${meter.keyRef}:stale`)
      return carry(protector.protectedLength(out.length()), meter.carriage, (target, at) =>
        protector.protect(out.view(), counter, target, at),
      )
    },
  }
}

const allocate = slabAllocator()

/** Puts an APDU of `length` bytes, which `put` writes, into the transport units of a carriage. */
function carry(
  length: number,
  carriage: Carriage,
  put: (target: Uint8Array, at: number) => void,
): readonly Uint8Array[] {
  if (carriage === 'wrapper') {
    const unit = allocate(wrapperHeader + length)
    put(unit, wrapperHeader)
    fillWrapper(unit)
    return [unit]
  }
  const most = carriage === 'hdlc' ? 1_024 : pieceBytes
  const information = logicalLink.length + length
  if (carriage === 'hdlc' && information <= most) {
    const frame = allocate(hdlcLead + information + hdlcTail)
    frame.set(logicalLink, hdlcLead)
    put(frame, hdlcLead + logicalLink.length)
    fillHdlc(frame, false)
    return [frame]
  }
  const apdu = new Uint8Array(length)
  put(apdu, 0)
  return carriage === 'blocks' ? blocksOf(apdu, most).map(wrap) : hdlcFrames(apdu, most)
}

/** Link layer under which a listener hands on the units of a carriage. */
export function transportOf(carriage: Carriage): Transport {
  return carriage === 'wrapper' || carriage === 'blocks' ? 'wrapper' : 'hdlc'
}

/** A frame as the listener receives it. */
export function frameOf(connection: string, zone: string, carriage: Carriage, bytes: Uint8Array): MeterFrame {
  return { connection, listener: 'fleet', zone, transport: transportOf(carriage), forwarded: 0, bytes }
}

/**
 * Damages the units of one message so that no check can let it pass: one to three flipped bits or a cut-off end in one
 * unit, or a unit that is missing. Left alone is the last unit of several, which must arrive so that the message after
 * it starts clean.
 */
export function damaged(units: readonly Uint8Array[], damage: number, carriage: Carriage): readonly Uint8Array[] {
  const random = simulationRandom(damage, 'corruption', units.length)
  const which = random.below(Math.max(1, units.length - 1))
  if (units.length > 1 && random.chance(0.3)) return units.filter((_, i) => i !== which)
  return units.map((unit, i) => {
    if (i !== which) return unit
    if (random.chance(0.25)) return unit.slice(0, 1 + random.below(unit.length - 3))
    const copy = unit.slice()
    for (const bit of checkedBits(random, unit.length, carriage)) {
      copy[bit >>> 3] = (copy[bit >>> 3] as number) ^ (1 << (bit & 7))
    }
    return copy
  })
}

/**
 * Bytes that no checksum or tag covers, so that a flipped bit would do no harm: HDLC flags; ports of the wrapper; block
 * control and acknowledged block of a block transfer.
 */
function unchecked(byte: number, length: number, carriage: Carriage): boolean {
  if (transportOf(carriage) === 'hdlc') return byte === 0 || byte === length - 1
  return (byte >= 2 && byte < 6) || (carriage === 'blocks' && (byte === 9 || byte === 12 || byte === 13))
}

function checkedBits(random: SimulationRandom, length: number, carriage: Carriage): Set<number> {
  const bits = new Set<number>()
  const wanted = 1 + random.below(3)
  while (bits.size < wanted) {
    const bit = random.below(length * 8)
    if (!unchecked(bit >>> 3, length, carriage)) bits.add(bit)
  }
  return bits
}
