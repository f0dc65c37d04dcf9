import type { Reason } from '../../operators/contract/reasons.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { Channel } from '../../schemas/interval-reading.ts'

/** What was wrong or special about a transport unit when it arrived. */
export const sightingKinds = [
  'original',
  'late',
  'duplicate',
  'corrupt',
  'replayed',
  'restated',
  'too-late',
  'weakened',
  'wrong-key',
  'unknown',
  'part',
] as const
/** One of `sightingKinds`. */
export type SightingKind = (typeof sightingKinds)[number]

/** What the pipeline may do with a transport unit, as far as the fault determines it. */
export interface Fate {
  readonly accepted: boolean
  readonly drops: readonly Reason[]
  /** `any`: some reason to refuse it, whichever check notices first. */
  readonly rejects: readonly Reason[] | 'any'
}

/** Every fate there is; a sighting names one of them. */
export const fates = {
  accepted: { accepted: true, drops: [], rejects: [] },
  duplicate: { accepted: false, drops: ['duplicate'], rejects: [] },
  restated: { accepted: false, drops: ['duplicate', 'restated'], rejects: [] },
  tooLate: { accepted: false, drops: ['too_late'], rejects: [] },
  part: { accepted: false, drops: ['part_of_message'], rejects: [] },
  refused: { accepted: false, drops: [], rejects: 'any' },
  refusedOrPart: { accepted: false, drops: ['part_of_message'], rejects: 'any' },
  replayed: { accepted: false, drops: [], rejects: ['invocation_counter_replayed'] },
  duplicateOrReplayed: { accepted: false, drops: ['duplicate'], rejects: ['invocation_counter_replayed'] },
  acceptedOrReplayed: { accepted: true, drops: [], rejects: ['invocation_counter_replayed'] },
  acceptedOrFuture: { accepted: true, drops: [], rejects: ['time_in_future'] },
  acceptedOrMismatch: { accepted: true, drops: [], rejects: ['title_mismatch', 'meter_unknown'] },
  uncertain: { accepted: true, drops: ['duplicate'], rejects: 'any' },
  wrongKey: { accepted: false, drops: [], rejects: ['authentication_failed'] },
  weak: { accepted: false, drops: [], rejects: ['protection_too_weak'] },
  unknown: { accepted: false, drops: [], rejects: ['meter_unknown'] },
} as const satisfies Record<string, Fate>
/** Name of one of `fates`. */
export type FateName = keyof typeof fates
const fateNames = Object.keys(fates) as FateName[]

/** One transport unit as it arrived. */
export interface Sighting {
  /** Order of arrival over the whole fleet, from 0. */
  readonly seq: number
  readonly kind: SightingKind
  readonly fate: FateName
  readonly receivedAt: EpochMs
  /** -1 for a sender outside the fleet. */
  readonly home: number
  /** Intervals [firstSlot, firstSlot + slots) in the message; none in a part that is not the last. */
  readonly firstSlot: number
  readonly slots: number
}

/** How sure it is that an interval has to be in the output. */
export type Expectation = 'absent' | 'possible' | 'required'
const expectations: readonly Expectation[] = ['absent', 'possible', 'required']

/**
 * What a fleet truly sent, kept where no pipeline sees it: the value of every interval, and every sighting with its
 * expected fate. Numbers in typed arrays: about 24 bytes a sighting and 9 an interval.
 */
export interface Journal {
  readonly homes: number
  readonly slots: number
  readonly start: EpochMs
  readonly intervalMs: number
  readonly sightings: () => number
  readonly sighting: (seq: number) => Sighting
  /** Writes down an arrival and answers its sequence number. */
  readonly record: (sighting: Omit<Sighting, 'seq'>) => number
  /** Forgets all sightings; values stay. */
  readonly clear: () => void
  /** Whole Wh; `undefined` where the home has no such channel. */
  readonly valueWh: (home: number, channel: Channel, slot: number) => number | undefined
  readonly expectation: (home: number, slot: number) => Expectation
  readonly connectionOf: (home: number) => string
  /** Local date of a slot's start, `YYYY-MM-DD`. */
  readonly dateOf: (slot: number) => string
}

/** The true values that a journal stands on. */
export interface JournalOptions {
  readonly homes: number
  readonly slots: number
  readonly start: EpochMs
  readonly intervalMs: number
  /** Index home × slots + slot. */
  readonly importWh: Int32Array
  readonly exportWh: Int32Array
  readonly exports: (home: number) => boolean
  readonly connectionOf: (home: number) => string
  readonly dateOf: (slot: number) => string
}

/** An empty journal over the true values of a fleet. */
export function createJournal(options: JournalOptions): Journal {
  const { homes, slots, importWh, exportWh, exports, ...rest } = options
  const state = new Uint8Array(homes * slots)
  let count = 0
  let columns = columnsOf(1_024)

  const record = (sighting: Omit<Sighting, 'seq'>): number => {
    if (count === columns.receivedAt.length) columns = grown(columns)
    const seq = count++
    columns.kind[seq] = sightingKinds.indexOf(sighting.kind)
    columns.fate[seq] = fateNames.indexOf(sighting.fate)
    columns.receivedAt[seq] = sighting.receivedAt
    columns.home[seq] = sighting.home
    columns.firstSlot[seq] = sighting.firstSlot
    columns.slots[seq] = sighting.slots
    const fate: Fate = fates[sighting.fate]
    if (!fate.accepted || sighting.home < 0) return seq
    const sure = fate.drops.length === 0 && fate.rejects.length === 0 ? 2 : 1
    for (let slot = sighting.firstSlot; slot < sighting.firstSlot + sighting.slots; slot++) {
      if (slot < 0 || slot >= slots) continue
      const at = sighting.home * slots + slot
      state[at] = Math.max(state[at] as number, sure)
    }
    return seq
  }
  return {
    homes,
    slots,
    ...rest,
    record,
    sightings: () => count,
    sighting: (seq) => {
      if (!(seq >= 0 && seq < count)) throw new RangeError(`the journal has no sighting ${seq}`)
      return {
        seq,
        kind: sightingKinds[columns.kind[seq] as number] as SightingKind,
        fate: fateNames[columns.fate[seq] as number] as FateName,
        receivedAt: columns.receivedAt[seq] as number,
        home: columns.home[seq] as number,
        firstSlot: columns.firstSlot[seq] as number,
        slots: columns.slots[seq] as number,
      }
    },
    clear: () => {
      count = 0
      state.fill(0)
    },
    valueWh: (home, channel, slot) =>
      channel === 'import' ? importWh[home * slots + slot] : exports(home) ? exportWh[home * slots + slot] : undefined,
    expectation: (home, slot) => expectations[state[home * slots + slot] as number] as Expectation,
  }
}

interface Columns {
  readonly kind: Uint8Array
  readonly fate: Uint8Array
  readonly receivedAt: Float64Array
  readonly home: Int32Array
  readonly firstSlot: Int32Array
  readonly slots: Uint16Array
}

function columnsOf(n: number): Columns {
  return {
    kind: new Uint8Array(n),
    fate: new Uint8Array(n),
    receivedAt: new Float64Array(n),
    home: new Int32Array(n),
    firstSlot: new Int32Array(n),
    slots: new Uint16Array(n),
  }
}

function grown(from: Columns): Columns {
  const to = columnsOf(from.kind.length * 2)
  to.kind.set(from.kind)
  to.fate.set(from.fate)
  to.receivedAt.set(from.receivedAt)
  to.home.set(from.home)
  to.firstSlot.set(from.firstSlot)
  to.slots.set(from.slots)
  return to
}
