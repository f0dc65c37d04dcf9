import { createHmac, type KeyObject } from 'node:crypto'
import type { HouseholdReading } from '../../schemas/household-reading.ts'
import type { IntervalReading } from '../../schemas/interval-reading.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import type { Keyring } from '../contract/keyring.ts'
import type { MeterReadings } from '../contract/meter-readings.ts'
import { type Envelope, type Lowering, lowering, type Spec } from '../contract/operator.ts'
import { localDay } from '../window/local-day.ts'
import { releaseHalt } from './ledger/halts.ts'

export const pseudonymizeSpec = { name: 'pseudonymize', drops: [], rejects: [] } as const satisfies Spec

/** The attributes that travel with a household; `*` where suppressed. */
export type GeneralAttributes = Pick<HouseholdReading, 'area' | 'tariff' | 'heating' | 'dwelling'>

export interface PseudonymizeOptions {
  /** Gives the pseudonym key of each local date. Without it nothing is emitted. Required. */
  readonly keyring: Keyring
  /** Coarsens what travels with a household until enough registered households share it. Required. */
  readonly generalise: (entry: RegisterEntry, date: string) => GeneralAttributes
}

const pseudonymBytes = 16
/** Dates whose pseudonyms are kept ready: today's, yesterday's, and some of late readings. */
const maxDates = 4
/** Pseudonyms kept ready per date; beyond it they are computed anew. */
const maxPerDate = 262_144

/**
 * Turns the readings of a frame into one record per local date, under that date's pseudonym of the connection point:
 * HMAC-SHA-256 under the key of (pseudonym, date), cut to 128 bits. Without the key nobody can tell whose it is, and two
 * dates of one household cannot be joined.
 *
 * *Delivery*: every frame gives at least one record. Throws HaltError if a key is missing: better nothing than a plain or
 * stale identifier. *Order*: not kept: the output of a batch is sorted by pseudonym, start and channel, so that it says nothing
 * about the order of arrival. *State*: none; pseudonyms are cached within bounds.
 * *Privacy*: the one step from identified to pseudonymous for readings. Register totals, which would join the dates of a
 * household, and arrival times are left behind. Still personal data: a day of half hours is as good as a name.
 */
export function pseudonymize(
  options: PseudonymizeOptions,
): Lowering<MeterReadings, HouseholdReading, 'identified', 'pseudonymous'> {
  const { keyring, generalise } = options
  const pseudonymOf = pseudonyms(keyring)
  return lowering(
    'identified',
    'pseudonymous',
  )<MeterReadings, HouseholdReading>({
    spec: pseudonymizeSpec,
    process: (batch, out) => {
      const made: Made[] = []
      for (const from of batch) {
        const { entry, readings } = from.value
        for (const { date, intervals } of byLocalDate(entry.timeZone, readings)) {
          const pseudonym = pseudonymOf(entry.connection, date)
          const { area, tariff, heating, dwelling } = generalise(entry, date)
          const value = { pseudonym, date, zone: entry.zone, area, tariff, heating, dwelling, intervals }
          made.push({ from, value, order: pseudonym.readUIntBE(0, 6) })
        }
      }
      made.sort(byPseudonym)
      for (const { from, value } of made) out.emit(from, value)
    },
  })
}

interface Made {
  readonly from: Envelope<MeterReadings>
  readonly value: HouseholdReading & { readonly pseudonym: Buffer }
  /** The first 48 bits of the pseudonym: decides nearly always, and compares fast. */
  readonly order: number
}

function byPseudonym(a: Made, b: Made): number {
  return (
    a.order - b.order ||
    a.value.pseudonym.compare(b.value.pseudonym) ||
    firstPlace(a.value.intervals) - firstPlace(b.value.intervals)
  )
}

/** Start and channel of the first interval: no two records after deduplication share them. */
function firstPlace([first]: HouseholdReading['intervals']): number {
  return first === undefined ? 0 : first.start * 2 + (first.channel === 'import' ? 0 : 1)
}

type Interval = HouseholdReading['intervals'][number]

interface Dated {
  readonly date: string
  readonly intervals: Interval[]
}

function byLocalDate(timeZone: string, readings: readonly IntervalReading[]): readonly Dated[] {
  const dates: Dated[] = []
  // Nearly always there is one date; a map is made where there are more, since a frame may name any number.
  let known: Map<string, Dated> | undefined
  let last: Dated | undefined
  for (const { channel, start, durationSeconds, energyWh, quality } of readings) {
    const { date } = localDay(timeZone, start)
    const interval = { channel, start, durationSeconds, energyWh, quality }
    if (last?.date !== date) {
      if (last !== undefined) known ??= new Map([[last.date, last]])
      const earlier = known?.get(date)
      last = earlier ?? { date, intervals: [] }
      if (earlier === undefined) {
        dates.push(last)
        known?.set(date, last)
      }
    }
    last.intervals.push(interval)
  }
  return dates
}

interface DatePseudonyms {
  readonly key: KeyObject
  readonly known: Map<string, Buffer>
}

function pseudonyms(keyring: Keyring): (connection: string, date: string) => Buffer {
  const dates = new Map<string, DatePseudonyms>()
  const open = (date: string): DatePseudonyms => {
    const key = keyring.derived('pseudonym', date)
    if (key === undefined) {
      throw releaseHalt(
        'key_missing',
        `the keyring holds no pseudonym key for ${date}`,
        'Give the keyring the key of that date, or its master key, and start again; nothing was written.',
      )
    }
    const oldest = dates.keys().next()
    if (dates.size >= maxDates && !oldest.done) dates.delete(oldest.value)
    const opened = { key, known: new Map<string, Buffer>() }
    dates.set(date, opened)
    return opened
  }
  return (connection, date) => {
    const { key, known } = dates.get(date) ?? open(date)
    const cached = known.get(connection)
    if (cached !== undefined) return cached
    const pseudonym = Buffer.from(createHmac('sha256', key).update(connection).digest().subarray(0, pseudonymBytes))
    if (known.size >= maxPerDate) known.clear()
    known.set(connection, pseudonym)
    return pseudonym
  }
}
