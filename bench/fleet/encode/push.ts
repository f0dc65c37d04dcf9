import type { EpochMs } from '../../../schemas/codec.ts'
import type { Calendar } from '../calendar.ts'
import {
  writeArray,
  writeDoubleLongUnsigned,
  writeEnum,
  writeInteger,
  writeLongUnsigned,
  writeNull,
  writeOctets,
  writeStructure,
  writeUnsigned,
} from './axdr.ts'
import { putDateTime } from './date-time.ts'
import { classIds, obis, unitWh } from './obis.ts'
import type { ByteWriter } from './writer.ts'

/** One interval as a meter reports it. */
export interface PushRow {
  /** End of the interval by the meter's own clock. */
  readonly endAt: EpochMs
  /** Profile status (0-0:96.10.1.255), bits of the IDIS status byte; 0 is clean. */
  readonly status: number
  readonly importWh: number
  /** `undefined` at a site without feed-in. */
  readonly exportWh: number | undefined
  /** Import register at the end of the interval. */
  readonly totalWh: number
}

/**
 * What a push body looks like:
 * `described` a list of structures {logical name, value, scaler and unit};
 * `objects` a push object list, then the values in its order;
 * `rows` a push object list with capture objects, capture period and buffer of the load profile, for several intervals.
 */
export type PushLayout = 'described' | 'objects' | 'rows'

/** One data-notification. */
export interface PushMessage {
  readonly layout: PushLayout
  readonly rows: readonly PushRow[]
  readonly intervalSeconds: number
  /** Time of sending for the notification's own date-time; absent in most short pushes. */
  readonly sentAt: EpochMs | undefined
  /** 24-bit invoke id. */
  readonly invokeId: number
}

const dataNotification = 0x0f
const time = new Uint8Array(12)

/**
 * Writes a data-notification (IEC 62056-5-3, 7.3.14): tag, long-invoke-id-and-priority, date-time (length 0 or 12, no
 * type tag), then the body as A-XDR data.
 */
export function writePush(out: ByteWriter, message: PushMessage, calendar: Calendar): void {
  out.u8(dataNotification)
  out.u32(message.invokeId & 0xffffff)
  if (message.sentAt === undefined) {
    out.u8(0)
  } else {
    out.u8(12)
    putDateTime(time, 0, message.sentAt, calendar, 0)
    out.bytes(time)
  }
  const [row] = message.rows
  if (row === undefined) throw new Error('a push carries at least one interval')
  if (message.layout === 'rows') writeRows(out, message, calendar)
  else if (message.layout === 'objects') writeObjects(out, row, calendar)
  else writeDescribed(out, row, calendar)
}

function writeClock(out: ByteWriter, endAt: EpochMs, calendar: Calendar): void {
  putDateTime(time, 0, endAt, calendar, 0)
  writeOctets(out, time)
}

function writeDescribed(out: ByteWriter, row: PushRow, calendar: Calendar): void {
  writeArray(out, row.exportWh === undefined ? 4 : 5)
  writeStructure(out, 2)
  writeOctets(out, obis.clock)
  writeClock(out, row.endAt, calendar)
  writeStructure(out, 2)
  writeOctets(out, obis.profileStatus)
  writeUnsigned(out, row.status)
  writeEnergy(out, obis.importInterval, row.importWh)
  if (row.exportWh !== undefined) writeEnergy(out, obis.exportInterval, row.exportWh)
  writeEnergy(out, obis.importTotal, row.totalWh)
}

function writeEnergy(out: ByteWriter, name: Uint8Array, wattHours: number): void {
  writeStructure(out, 3)
  writeOctets(out, name)
  writeDoubleLongUnsigned(out, wattHours)
  writeStructure(out, 2)
  writeInteger(out, 0)
  writeEnum(out, unitWh)
}

/** {class id, logical name, attribute, data index}: one line of a push object list or of capture objects. */
function writeObject(out: ByteWriter, classId: number, name: Uint8Array, attribute: number): void {
  writeStructure(out, 4)
  writeLongUnsigned(out, classId)
  writeOctets(out, name)
  writeInteger(out, attribute)
  writeLongUnsigned(out, 0)
}

function writeObjects(out: ByteWriter, row: PushRow, calendar: Calendar): void {
  const objects = row.exportWh === undefined ? 5 : 6
  writeStructure(out, objects + 1)
  writeArray(out, objects)
  writeObject(out, classIds.pushSetup, obis.pushSetup, 1)
  writeObject(out, classIds.clock, obis.clock, 2)
  writeObject(out, classIds.data, obis.profileStatus, 2)
  writeObject(out, classIds.register, obis.importInterval, 2)
  if (row.exportWh !== undefined) writeObject(out, classIds.register, obis.exportInterval, 2)
  writeObject(out, classIds.register, obis.importTotal, 2)
  writeOctets(out, obis.pushSetup)
  writeClock(out, row.endAt, calendar)
  writeUnsigned(out, row.status)
  writeDoubleLongUnsigned(out, row.importWh)
  if (row.exportWh !== undefined) writeDoubleLongUnsigned(out, row.exportWh)
  writeDoubleLongUnsigned(out, row.totalWh)
}

function writeRows(out: ByteWriter, message: PushMessage, calendar: Calendar): void {
  const { rows, intervalSeconds } = message
  const exports = rows[0]?.exportWh !== undefined
  const columns = exports ? 5 : 4
  writeStructure(out, 5)
  writeArray(out, 4)
  writeObject(out, classIds.pushSetup, obis.pushSetup, 1)
  writeObject(out, classIds.profileGeneric, obis.loadProfile, 3)
  writeObject(out, classIds.profileGeneric, obis.loadProfile, 4)
  writeObject(out, classIds.profileGeneric, obis.loadProfile, 2)

  writeOctets(out, obis.pushSetup)
  writeArray(out, columns)
  writeObject(out, classIds.clock, obis.clock, 2)
  writeObject(out, classIds.data, obis.profileStatus, 2)
  writeObject(out, classIds.register, obis.importInterval, 2)
  if (exports) writeObject(out, classIds.register, obis.exportInterval, 2)
  writeObject(out, classIds.register, obis.importTotal, 2)
  writeDoubleLongUnsigned(out, intervalSeconds)

  writeArray(out, rows.length)
  let due = Number.NaN
  for (const row of rows) {
    writeStructure(out, columns)
    // null in the clock column stands for the clock of the row before plus the capture period (IEC 62056-6-2, 4.3.6)
    if (row.endAt === due) writeNull(out)
    else writeClock(out, row.endAt, calendar)
    due = row.endAt + intervalSeconds * 1_000
    writeUnsigned(out, row.status)
    writeDoubleLongUnsigned(out, row.importWh)
    if (exports) writeDoubleLongUnsigned(out, row.exportWh ?? 0)
    writeDoubleLongUnsigned(out, row.totalWh)
  }
}
