// From a message to the energy of intervals. Nothing is guessed: an object that the profile does not name is left out, a unit that nobody
// states is refused, a clock that cannot be turned into UTC is refused unless the caller knows the site's time zone.

import { shiftInteger } from './interpret/decimal.ts'
import { type CompiledProfile, type EnergyChannel, type Role, roleAt } from './interpret/interval-profile.ts'
import { isObjectList, objectAttribute, objectClass, walk } from './interpret/layout.ts'
import { type Cell, walkRows } from './interpret/rows.ts'
import { wattHour } from './interpret/units.ts'
import type { Message } from './wire/apdu/message.ts'
import { type AxdrValue, nextOf, offsetOf, sizeOf, tagOf } from './wire/axdr.ts'
import { integerAt } from './wire/axdr-read.ts'
import { axdrTag } from './wire/axdr-types.ts'
import { dateTimeLength, deviationAt, localMillisAt } from './wire/date-time.ts'
import { type DecodeReason, refuse, WireError } from './wire/reasons.ts'

/** Energy of one channel in one interval. */
export interface IntervalReading {
  readonly channel: EnergyChannel
  /** Start of the interval, UTC epoch milliseconds. */
  readonly start: number
  readonly durationSeconds: number
  /** Whole watt-hours, zero or more. */
  readonly energyWh: number
  /** Register total at the end of the interval in Wh, where the message carries it. */
  readonly registerWh: number | undefined
  /** Clock status byte of the stamp (bits of `clockStatusBit`); `undefined` if the meter does not say. */
  readonly clockStatus: number | undefined
  /** Minutes from local time to UTC as the meter states them; `undefined`: not stated, the caller's time zone was used. */
  readonly deviationMinutes: number | undefined
  /** Status of the interval: an unsigned as it is, of a bit-string bit k is the k-th bit sent; `undefined` if not sent. */
  readonly status: number | undefined
}

/** Readings of a message, or the closed reason why there are none. */
export type Intervals =
  | { readonly readings: readonly IntervalReading[] }
  | { readonly reason: DecodeReason; readonly byteOffset: number }

/** Options of `intervalReadings`. */
export interface IntervalOptions {
  /**
   * Turns local time at the site (milliseconds since 1970-01-01T00:00 local) into UTC epoch milliseconds, for meters that leave the deviation
   * open; `undefined` where the time zone does not know the hour. Default: such a clock is `time_invalid`.
   */
  readonly utcOf?: (localMillis: number) => number | undefined
}

const profileGeneric = 7
const bufferAttribute = 2
const captureObjectsAttribute = 3
const capturePeriodAttribute = 4

/**
 * The interval readings of a message by a profile: from described lists, push object lists, flat lists and profile buffers alike, in the order of
 * the wire and within an interval in the order of the profile's channels. All or nothing: one bad value refuses the message.
 * Reasons: `obis_unmapped` (no interval energy that the profile names), `time_missing`, `time_invalid` (not a time, or not the end of an interval),
 * `unit_unexpected` (no unit, another unit, or a fraction of a watt-hour), `value_out_of_range`, `profile_ambiguous` (an object sent twice).
 */
export function intervalReadings(
  message: Message,
  compiled: CompiledProfile,
  options: IntervalOptions = {},
): Intervals {
  try {
    return { readings: extract(message, compiled, options) }
  } catch (error) {
    if (error instanceof WireError) return { reason: error.reason, byteOffset: error.byteOffset }
    throw error
  }
}

function extract(message: Message, compiled: CompiledProfile, options: IntervalOptions): readonly IntervalReading[] {
  const timeAt = message.kind === 'data-notification' ? message.timeAt : -1
  const timeBytes = message.kind === 'data-notification' ? message.bytes : undefined
  const value = bodyOf(message)
  if (value === undefined) return refuse('obis_unmapped', 0)
  collect(value, compiled)
  if (found.buffer >= 0) return fromBuffer(value, found, compiled, options)
  if (!found.any) return refuse('obis_unmapped', 0)
  if (compiled.clockIsNotification && timeBytes !== undefined && timeAt >= 0) {
    return assemble(value, found.nodes, found.scales, timeBytes, timeAt, 0, undefined, compiled, options)
  }
  const clock = found.clock
  if (clock < 0) return refuse('time_missing', 0)
  return assemble(
    value,
    found.nodes,
    found.scales,
    value.bytes,
    clockOffset(value, clock),
    0,
    statusAt(value, found.status),
    compiled,
    options,
  )
}

function bodyOf(message: Message): AxdrValue | undefined {
  switch (message.kind) {
    case 'data-notification':
    case 'data':
    case 'event-notification':
      return message.value
    case 'get-response-normal':
    case 'get-response-with-datablock':
      return message.result !== undefined && 'value' in message.result ? message.result.value : undefined
    default:
      return undefined
  }
}

// Nodes per role: `nodes[2k]` the interval of channel k, `nodes[2k + 1]` its register, -1 if not sent. `scales` holds scaler and unit beside them.
interface Found {
  readonly nodes: number[]
  readonly scales: number[]
  any: boolean
  clock: number
  status: number
  buffer: number
  captureObjects: number
  capturePeriod: number
}

// One for all messages, since nothing here is re-entered: reading out four values must not cost ten allocations.
const found: Found = {
  nodes: [],
  scales: [],
  any: false,
  clock: -1,
  status: -1,
  buffer: -1,
  captureObjects: -1,
  capturePeriod: -1,
}
const nothing: AxdrValue = { bytes: new Uint8Array(0), words: new Int32Array(0), root: 0 }
let subject = nothing
let roles: CompiledProfile

function collect(value: AxdrValue, compiled: CompiledProfile): Found {
  const slots = compiled.channels.length * 2
  for (let k = 0; k < slots; k++) found.nodes[k] = -1
  for (let k = 0; k < slots * 2; k++) found.scales[k] = -1
  found.any = false
  found.clock = -1
  found.status = -1
  found.buffer = -1
  found.captureObjects = -1
  found.capturePeriod = -1
  if (compiled.columns.length > 0 && isBuffer(value, compiled.columns.length)) {
    found.buffer = value.root
    return found
  }
  subject = value
  roles = compiled
  try {
    walk(value, visit)
  } finally {
    // No message is kept alive between calls.
    subject = nothing
  }
  return found
}

function visit(node: number, obisAt: number, _index: number, object: number, scalerUnit: number): void {
  if (obisAt < 0) return
  const { bytes, words } = subject
  if (object >= 0 && objectClass(bytes, words, object) === profileGeneric) {
    takeProfile(subject, node, objectAttribute(bytes, words, object), found)
    return
  }
  const role = roleAt(roles, bytes, obisAt)
  if (role === undefined || tagOf(words, node) === axdrTag.nullData) return
  if (role.use === 'clock') found.clock = once(found.clock, node, obisAt)
  else if (role.use === 'status') found.status = once(found.status, node, obisAt)
  else takeEnergy(subject, role, node, scalerUnit, obisAt, found)
}

function takeEnergy(value: AxdrValue, role: Role, node: number, scalerUnit: number, obisAt: number, to: Found): void {
  const slot = role.channel * 2 + (role.use === 'register' ? 1 : 0)
  to.nodes[slot] = once(to.nodes[slot] as number, node, obisAt)
  const { bytes, words } = value
  to.scales[slot * 2] = scalerUnit < 0 ? role.scaler : ((bytes[offsetOf(words, scalerUnit + 1)] as number) << 24) >> 24
  to.scales[slot * 2 + 1] = scalerUnit < 0 ? role.unit : (bytes[offsetOf(words, scalerUnit + 2)] as number)
  if (role.use === 'interval') to.any = true
}

function takeProfile(value: AxdrValue, node: number, attribute: number, to: Found): void {
  const at = offsetOf(value.words, node)
  if (attribute === bufferAttribute) to.buffer = once(to.buffer, node, at)
  else if (attribute === captureObjectsAttribute) to.captureObjects = once(to.captureObjects, node, at)
  else if (attribute === capturePeriodAttribute) to.capturePeriod = once(to.capturePeriod, node, at)
}

// The same object twice in one message: there is no telling which is meant.
function once(before: number, node: number, at: number): number {
  if (before >= 0) refuse('profile_ambiguous', at)
  return node
}

function isBuffer(value: AxdrValue, columns: number): boolean {
  const { words, root } = value
  if (tagOf(words, root) !== axdrTag.array || sizeOf(words, root) === 0) return false
  return tagOf(words, root + 1) === axdrTag.structure && sizeOf(words, root + 1) === columns
}

function fromBuffer(
  value: AxdrValue,
  { buffer, captureObjects, capturePeriod }: Found,
  compiled: CompiledProfile,
  options: IntervalOptions,
): readonly IntervalReading[] {
  const { bytes, words } = value
  const { profile } = compiled
  const at = offsetOf(words, buffer)
  if (tagOf(words, buffer) !== axdrTag.array) refuse('value_out_of_range', at)
  const columns = captureObjects < 0 ? compiled.columns : columnsOf(value, captureObjects, compiled)
  if (capturePeriod >= 0) {
    const period = integerAt(bytes, tagOf(words, capturePeriod), offsetOf(words, capturePeriod))
    if (period !== profile.periodSeconds) refuse('time_invalid', offsetOf(words, capturePeriod))
  }
  const clockColumn = columns.findIndex((role) => role?.use === 'clock')
  const statusColumn = columns.findIndex((role) => role?.use === 'status')
  if (!columns.some((role) => role?.use === 'interval')) refuse('obis_unmapped', at)
  if (clockColumn < 0) refuse('time_missing', at)
  const slots = compiled.channels.length * 2
  const scales = new Array<number>(slots * 2).fill(-1)
  for (const role of columns) {
    if (role === undefined || role.channel < 0) continue
    const slot = role.channel * 2 + (role.use === 'register' ? 1 : 0)
    scales[slot * 2] = role.scaler
    scales[slot * 2 + 1] = role.unit
  }
  const readings: IntervalReading[] = []
  walkRows(
    value,
    buffer,
    { clockColumn, periodSeconds: profile.periodSeconds, newestFirst: profile.newestFirst },
    (cells) => {
      if (cells.length !== columns.length) refuse('obis_unmapped', at)
      const nodes = new Array<Cell | undefined>(slots)
      columns.forEach((role, column) => {
        if (role !== undefined && role.channel >= 0)
          nodes[role.channel * 2 + (role.use === 'register' ? 1 : 0)] = cells[column]
      })
      const clock = cells[clockColumn] as Cell
      const status = statusColumn < 0 ? undefined : statusAt(value, (cells[statusColumn] as Cell).node)
      readings.push(
        ...assemble(
          value,
          nodes,
          scales,
          bytes,
          clockOffset(value, clock.node),
          clock.shiftMillis,
          status,
          compiled,
          options,
        ),
      )
    },
  )
  if (readings.length === 0) refuse('obis_unmapped', at)
  return readings
}

function columnsOf(value: AxdrValue, node: number, compiled: CompiledProfile): readonly (Role | undefined)[] {
  const { bytes, words } = value
  if (tagOf(words, node) !== axdrTag.array || !isObjectList(words, node)) refuse('obis_unmapped', offsetOf(words, node))
  const columns: (Role | undefined)[] = []
  for (let object = node + 1; object < nextOf(words, node); object = nextOf(words, object)) {
    const role = roleAt(compiled, bytes, offsetOf(words, object + 2))
    // Two columns of one object differ in attribute or index; only its value (attribute 2) has the role.
    const isValue = objectAttribute(bytes, words, object) === 2
    if (isValue && role !== undefined && columns.includes(role)) refuse('profile_ambiguous', offsetOf(words, object))
    columns.push(isValue ? role : undefined)
  }
  return columns
}

// A clock is a date-time or an octet-string of 12 bytes; the object says that it is a time.
function clockOffset(value: AxdrValue, node: number): number {
  const tag = tagOf(value.words, node)
  const at = offsetOf(value.words, node)
  const isTime =
    (tag === axdrTag.octetString || tag === axdrTag.dateTime) && sizeOf(value.words, node) === dateTimeLength
  return isTime ? at : refuse('time_invalid', at)
}

function statusAt(value: AxdrValue, node: number): number | undefined {
  if (node < 0) return undefined
  const { bytes, words } = value
  const tag = tagOf(words, node)
  const at = offsetOf(words, node)
  if (tag !== axdrTag.bitString) {
    const status = integerAt(bytes, tag, at)
    return typeof status === 'number' && status >= 0 && status <= 0xffff_ffff
      ? status
      : refuse('value_out_of_range', at)
  }
  const bits = sizeOf(words, node)
  if (bits > 32) refuse('value_out_of_range', at)
  let status = 0
  for (let bit = 0; bit < bits; bit++)
    if (((bytes[at + (bit >> 3)] as number) >> (7 - (bit & 7))) & 1) status += 2 ** bit
  return status
}

function assemble(
  value: AxdrValue,
  nodes: readonly (number | Cell | undefined)[],
  scales: readonly number[],
  timeBytes: Uint8Array,
  timeAt: number,
  shiftMillis: number,
  status: number | undefined,
  compiled: CompiledProfile,
  options: IntervalOptions,
): readonly IntervalReading[] {
  const { periodSeconds } = compiled.profile
  const local = localMillisAt(timeBytes, timeAt) + shiftMillis
  const deviationMinutes = deviationAt(timeBytes, timeAt)
  // Intervals end on whole periods of the local clock; this also refuses NaN.
  if (local % (periodSeconds * 1000) !== 0) refuse('time_invalid', timeAt)
  const end = deviationMinutes === undefined ? options.utcOf?.(local) : local + deviationMinutes * 60_000
  if (end === undefined || Number.isNaN(end)) return refuse('time_invalid', timeAt)
  const rawStatus = timeBytes[timeAt + 11] as number
  const clockStatus = rawStatus === 0xff ? undefined : rawStatus
  const start = end - periodSeconds * 1000
  const readings: IntervalReading[] = []
  for (let k = 0; k < compiled.channels.length; k++) {
    const energyWh = wattHours(value, nodes[2 * k], scales, 2 * k)
    if (energyWh === undefined) continue
    readings.push({
      channel: compiled.channels[k] as EnergyChannel,
      start,
      durationSeconds: periodSeconds,
      energyWh,
      registerWh: wattHours(value, nodes[2 * k + 1], scales, 2 * k + 1),
      clockStatus,
      deviationMinutes,
      status,
    })
  }
  return readings
}

function wattHours(
  value: AxdrValue,
  source: number | Cell | undefined,
  scales: readonly number[],
  slot: number,
): number | undefined {
  if (source === undefined || source === -1) return undefined
  const { bytes, words } = value
  const node = typeof source === 'number' ? source : source.node
  const at = offsetOf(words, node)
  const tag = tagOf(words, node)
  // Outside a buffer a delta has nothing to be a difference to.
  const raw =
    typeof source === 'number' ? (tag >= axdrTag.deltaInteger ? undefined : integerAt(bytes, tag, at)) : source.integer
  if (raw === undefined) return refuse('value_out_of_range', at)
  if (scales[slot * 2 + 1] !== wattHour) refuse('unit_unexpected', at)
  const energy = shiftInteger(raw, scales[slot * 2] as number)
  if (Number.isNaN(energy)) refuse('unit_unexpected', at)
  if (energy < 0 || energy > Number.MAX_SAFE_INTEGER) refuse('value_out_of_range', at)
  return energy
}
