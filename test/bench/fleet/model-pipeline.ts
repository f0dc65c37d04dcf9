import { createHash, createHmac } from 'node:crypto'
import { checkSequence } from '../../../bench/fleet/encode/link.ts'
import type { Arrival, Fleet, Outcome } from '../../../bench/fleet/index.ts'
import type { Reason } from '../../../operators/contract/reasons.ts'
import type { HouseholdReading } from '../../../schemas/household-reading.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import type { RejectedFrame } from '../../../schemas/rejected-frame.ts'
import { joinUnits, openGeneralGlo, type ReadRow, readRows } from './reader.ts'

const dayMs = 86_400_000
const horizonMs = 14 * dayMs
const window = 128

class Refusal extends Error {
  readonly reason: Reason
  constructor(reason: Reason) {
    super(reason)
    this.reason = reason
  }
}

/** What a correct pipeline makes of a fleet, written as simply as possible: the reference for the checker's tests. */
export interface ModelOutcome extends Outcome {
  readonly readings: HouseholdReading[]
  readonly rejected: RejectedFrame[]
  readonly counts: {
    received: number
    accepted: number
    readonly dropped: Record<string, number>
    readonly rejected: Record<string, number>
  }
}

interface Counters {
  highest: number
  readonly digests: Map<number, string>
}

/** Runs the model over everything that arrives. */
export function runModel(fleet: Pick<Fleet, 'register' | 'keyring' | 'slots' | 'arrivals'>): ModelOutcome {
  const { register, keyring, slots } = fleet
  const readings: HouseholdReading[] = []
  const rejected: RejectedFrame[] = []
  const counts = {
    received: 0,
    accepted: 0,
    dropped: {} as Record<string, number>,
    rejected: {} as Record<string, number>,
  }
  const parts = new Map<string, Uint8Array[]>()
  const counters = new Map<string, Counters>()
  const seen = new Set<string>()
  const seqs: number[] = []
  let floor = Number.NEGATIVE_INFINITY

  const pseudonymOf = (connection: string, date: string): Uint8Array => {
    const key = keyring.derived('pseudonym', date)
    if (key === undefined) throw new Error('no pseudonym key')
    return createHmac('sha256', key).update(connection).digest().subarray(0, 16)
  }
  const drop = (reason: Reason): void => {
    counts.dropped[reason] = (counts.dropped[reason] ?? 0) + 1
  }
  const take = ({ frame, receivedAt }: Arrival): void => {
    const entry = register.byConnection(frame.connection, receivedAt)
    if (entry === undefined) throw new Refusal('meter_unknown')
    const units = parts.get(frame.connection) ?? []
    parts.delete(frame.connection)
    checkLink(frame.transport, frame.bytes, units.length)
    units.push(frame.bytes)
    if (!isLast(frame.transport, frame.bytes)) {
      parts.set(frame.connection, units)
      drop('part_of_message')
      return
    }
    const apdu = joinUnits(frame.transport, units)
    if (apdu[0] === 0x0f) throw new Refusal('protection_too_weak')
    const rows = open(apdu, entry)
    if (rows === 'seen') drop('duplicate')
    else sort(rows, entry, receivedAt)
  }
  const open = (apdu: Buffer, entry: RegisterEntry): readonly ReadRow[] | 'seen' => {
    const title = apdu.toString('hex', 2, 10).toUpperCase()
    if (apdu[0] !== 0xdb || title !== entry.systemTitle) throw new Refusal('title_mismatch')
    const at = apdu.length > 10 && (apdu[10] as number) >= 0x80 ? 11 + ((apdu[10] as number) & 0x7f) : 11
    if (at + 5 > apdu.length) throw new Refusal('axdr_truncated')
    const counter = apdu.readUInt32BE(at + 1)
    const known = counters.get(title) ?? { highest: -1, digests: new Map<number, string>() }
    const digest = createHash('sha256').update(apdu).digest('hex')
    const before = known.digests.get(counter)
    if (counter <= known.highest - window) throw new Refusal('invocation_counter_replayed')
    if (before === digest) return 'seen'
    if (before !== undefined) throw new Refusal('invocation_counter_replayed')
    let plain: Buffer
    try {
      plain = openGeneralGlo(apdu, keyring, entry.keyRef).plain
    } catch {
      throw new Refusal('authentication_failed')
    }
    known.highest = Math.max(known.highest, counter)
    known.digests.set(counter, digest)
    counters.set(title, known)
    return readRows(plain)
  }
  const sort = (rows: readonly ReadRow[], entry: RegisterEntry, receivedAt: number): void => {
    const { calendar, intervalMs } = slots
    const fresh = rows.filter((row) => {
      const start = row.endAt - intervalMs
      if (row.endAt > receivedAt) throw new Refusal('time_in_future')
      const name = `${entry.point} ${start}`
      if (calendar.startOfDay(calendar.localDay(start) + 1) <= floor || seen.has(name)) return false
      seen.add(name)
      return true
    })
    if (fresh.length === 0) {
      const old = rows.every((row) => calendar.startOfDay(calendar.localDay(row.endAt - intervalMs) + 1) <= floor)
      drop(old ? 'too_late' : 'duplicate')
      return
    }
    counts.accepted++
    const byDate = Map.groupBy(fresh, (row) => dateOf(calendar.localDay(row.endAt - intervalMs)))
    for (const [date, list] of byDate) {
      readings.push({
        pseudonym: pseudonymOf(entry.connection, date),
        date,
        zone: entry.zone,
        area: '*',
        tariff: '*',
        heating: '*',
        dwelling: '*',
        intervals: list.flatMap((row) => {
          const shared = { start: row.endAt - intervalMs, durationSeconds: intervalMs / 1_000, quality: 0 }
          const imported = { ...shared, channel: 'import' as const, energyWh: row.importWh }
          if (row.exportWh === undefined) return [imported]
          return [imported, { ...shared, channel: 'export' as const, energyWh: row.exportWh }]
        }),
      })
    }
  }

  for (const { arrivals } of fleet.arrivals()) {
    for (const arrival of arrivals) {
      counts.received++
      seqs.push(arrival.seq)
      try {
        take(arrival)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        const { reason } = error
        counts.rejected[reason] = (counts.rejected[reason] ?? 0) + 1
        const { receivedAt, partition, seq } = arrival
        const place = { topic: 'meter.frames', partition, offset: seq, stage: 'model', byteOffset: null }
        const whole = { fullLength: null, lastOffset: null }
        rejected.push({ kind: 'rejected', reason, ...place, receivedAt, sealed: new Uint8Array(), ...whole })
      }
      floor = Math.max(floor, arrival.receivedAt - horizonMs)
    }
  }
  return { readings, rejected, counts, pseudonymOf, sequenceAt: (_, offset) => offset }
}

function dateOf(localDay: number): string {
  return new Date(localDay * dayMs).toISOString().slice(0, 10)
}

function checkLink(transport: string, bytes: Uint8Array, before: number): void {
  if (transport === 'hdlc') {
    const length = (((bytes[1] ?? 0) & 7) << 8) | (bytes[2] ?? 0)
    if (bytes[0] !== 0x7e || bytes.length !== length + 2) throw new Refusal('frame_length_mismatch')
    if (checkSequence(bytes, 1, length + 1) !== 0x0f47) throw new Refusal('fcs_mismatch')
    const begins = bytes[9] === 0xe6 && bytes[10] === 0xe7 && bytes[11] === 0
    if (begins !== (before === 0)) throw new Refusal('segment_missing')
    return
  }
  const view = Buffer.from(bytes)
  if (view.length < 9 || view.readUInt16BE(0) !== 1 || view.readUInt16BE(6) !== view.length - 8) {
    throw new Refusal('frame_length_mismatch')
  }
  const block = view[8] === 0xe0 && view.length >= 15
  // blocks are short enough for a length of one byte
  if (block && view[14] !== view.length - 15) throw new Refusal('length_invalid')
  const number = block ? view.readUInt16BE(10) : 1
  if (number !== before + 1) throw new Refusal('block_missing')
}

function isLast(transport: string, bytes: Uint8Array): boolean {
  if (transport === 'hdlc') return ((bytes[1] as number) & 0x08) === 0
  return bytes[8] !== 0xe0 || ((bytes[9] as number) & 0x80) !== 0
}
