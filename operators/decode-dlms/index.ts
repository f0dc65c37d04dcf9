import { type IntervalReading, qualityBits } from '../../schemas/interval-reading.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import type { Keyring, MeterKeys } from '../contract/keyring.ts'
import type { LocatedFrame } from '../contract/located-frame.ts'
import type { MeterReadings } from '../contract/meter-readings.ts'
import type { CellKey, Collector, Envelope, Keyed, Spec } from '../contract/operator.ts'
import { type Reason, reasonsOf } from '../contract/reasons.ts'
import { judgeCounter, recordCounter } from './counter-window.ts'
import { decode } from './decode.ts'
import type { CompiledProfile } from './interpret/interval-profile.ts'
import { type IntervalReading as DecodedInterval, intervalReadings } from './intervals.ts'
import type { MeterState } from './meter-state.ts'
import { sealedMeterState } from './sealed-state.ts'
import type { Content, ReplayVerdict, Trust } from './types.ts'
import { decodeReasons } from './wire/reasons.ts'
import type { JoinLimits } from './wire/segments.ts'

export const decodeDlmsSpec = {
  name: 'decodeDlms',
  drops: ['duplicate', 'part_of_message', 'link_only'],
  rejects: [...decodeReasons, 'profile_unknown', ...reasonsOf('event')],
} as const satisfies Spec

export interface DecodeDlmsOptions {
  /** Keys of meters by the register's reference. Required. */
  readonly keyring: Keyring
  /** Interval profiles by the id that the register names. Required. */
  readonly profiles: ReadonlyMap<string, CompiledProfile>
  /**
   * Local time of a site (ms since 1970-01-01T00:00 local) to UTC, for meters that leave the deviation open. Default:
   * such a clock is refused as `time_invalid`.
   */
  readonly utcOf?: (timeZone: string, localMillis: number) => number | undefined
  /** Bounds of messages that come in parts. Default 64 KiB and two minutes. */
  readonly joinLimits?: JoinLimits
}

/**
 * Decodes transport units of DLMS meters (IEC 62056-46, -47, -5-3) into interval readings: checks the link frame, joins
 * parts, checks counter and protection before it decrypts, verifies the tag, and reads the intervals by the profile that
 * the register names.
 *
 * *Delivery*: each unit is emitted, dropped (a part, a repetition, the link layer alone) or rejected under a closed reason
 * with the byte offset. Events of a meter (association, exception, notification) go the way of rejects, as events.
 * *Order*: kept. *State*: per measuring point the window of its invocation counters, which only a verified frame moves,
 * and the parts that wait for more. *Privacy*: keeps the label; no reason holds bytes, keys or titles.
 */
export function decodeDlms(options: DecodeDlmsOptions): Keyed<LocatedFrame, MeterReadings, MeterState> {
  const meters = meterCache(options.keyring)
  return {
    spec: decodeDlmsSpec,
    state: { name: 'meter', aged: false, codec: sealedMeterState(options.keyring) },
    keys: (batch) => batch.map(({ value }) => keyOf(value.entry)),
    process: (batch, cells, out) => {
      for (const record of batch) {
        const key = keyOf(record.value.entry)
        const before = cells.get(key) ?? noState
        const after = decodeOne(record, before, meters(record.value.entry), options, out)
        if (after !== before) cells.set(key, after)
      }
    },
  }
}

const noState: MeterState = { window: undefined, pending: undefined }

const keyOf = ({ index }: RegisterEntry): CellKey => ({ index, day: 0 })

interface Meter {
  readonly keys: MeterKeys | undefined
  readonly title: Uint8Array
  /** Fingerprint of title and key reference: a new meter or key has a new counter window. */
  readonly owner: number
}

/** Decodes one unit and says what becomes of it. Returns the state afterwards: the same object if nothing changed. */
function decodeOne(
  record: Envelope<LocatedFrame>,
  before: MeterState,
  meter: Meter,
  options: DecodeDlmsOptions,
  out: Collector<MeterReadings>,
): MeterState {
  const { entry, frame } = record.value
  let counter = -1
  let digest = 0
  const decoded = decode(frame.bytes, {
    transport: frame.transport,
    keys: () => meter.keys,
    minimumProtection: entry.protection,
    systemTitle: meter.title,
    strictTitle: true,
    replay: (_title, _broadcast, seen, content): ReplayVerdict => {
      counter = seen
      digest = content
      return judgeCounter(before.window, meter.owner, seen, content)
    },
    pending: before.pending,
    receivedAt: record.origin.receivedAt,
    joinLimits: options.joinLimits,
  })
  const pending =
    decoded.pending.segment === undefined && decoded.pending.block === undefined ? undefined : decoded.pending
  let window = before.window
  switch (decoded.outcome) {
    case 'pending':
      // A ciphered part uses its counter up: else old parts could be put in front of the last one of a new message.
      if (decoded.trust.tag === 'verified') window = recordCounter(window, meter.owner, counter, digest)
      out.drop(record, 'part_of_message')
      break
    case 'link':
      out.drop(record, 'link_only')
      break
    case 'duplicate':
      out.drop(record, 'duplicate')
      break
    case 'refused':
      out.reject(record, decoded.reason, decoded.byteOffset)
      break
    default:
      if (decoded.trust.tag === 'verified') window = recordCounter(window, meter.owner, counter, digest)
      settle(record, interpret(entry, decoded.content, options), decoded.trust, counter, out)
  }
  return window === before.window && pending === before.pending ? before : { window, pending }
}

function settle(
  record: Envelope<LocatedFrame>,
  found: ReturnType<typeof interpret>,
  { protection, tag }: Trust,
  counter: number,
  out: Collector<MeterReadings>,
): void {
  if ('reason' in found) {
    out.reject(record, found.reason, found.byteOffset)
    return
  }
  const tagVerified = tag === 'verified'
  out.emit(record, {
    entry: record.value.entry,
    readings: found.readings.map((reading) => toReading(reading, tagVerified)),
    trust: { protection, tagVerified, counter: counter < 0 ? null : counter },
  })
}

/** The readings of a whole message by the register's profile, or why there are none. */
function interpret(
  { profile: name, timeZone }: RegisterEntry,
  { message }: Content,
  { profiles, utcOf }: DecodeDlmsOptions,
): { readonly readings: readonly DecodedInterval[] } | { readonly reason: Reason; readonly byteOffset?: number } {
  const event = events[message.kind]
  if (event) return { reason: event }
  const profile = profiles.get(name)
  if (!profile) return { reason: 'profile_unknown' }
  return intervalReadings(message, profile, utcOf ? { utcOf: (local) => utcOf(timeZone, local) } : {})
}

const events: Partial<Record<Content['message']['kind'], Reason>> = {
  aare: 'association_event',
  rlre: 'association_event',
  'initiate-response': 'association_event',
  'exception-response': 'exception_event',
  'confirmed-service-error': 'exception_event',
  'event-notification': 'notification_event',
}

// Clock status bits of a COSEM date-time (Blue Book 4.1.6.1).
const clockInvalid = 0x01
const clockDoubtful = 0x02

function toReading(reading: DecodedInterval, tagVerified: boolean): IntervalReading {
  const {
    channel,
    start,
    durationSeconds,
    energyWh,
    registerWh,
    clockStatus = 0,
    deviationMinutes,
    status = 0,
  } = reading
  let quality = 0
  if (!tagVerified) quality |= qualityBits.unauthenticated
  if ((clockStatus & clockInvalid) !== 0) quality |= qualityBits.clockInvalid
  if ((clockStatus & clockDoubtful) !== 0) quality |= qualityBits.clockDoubtful
  if (deviationMinutes === undefined) quality |= qualityBits.deviationUnspecified
  if (status !== 0) quality |= qualityBits.meterStatus
  const base = { channel, start, durationSeconds, energyWh, quality }
  return registerWh === undefined ? base : { ...base, registerWh }
}

const cacheLimit = 100_000

/** Keys and title of a meter, ready for use. Bounded: what was not asked for while as many others were is forgotten. */
function meterCache(keyring: Pick<Keyring, 'meterKeys'>): (entry: RegisterEntry) => Meter {
  // Two generations: deleting a Map's oldest entry one by one leaves holes that each look at the next oldest must walk over.
  let recent = new Map<RegisterEntry, Meter>()
  let older = new Map<RegisterEntry, Meter>()
  return (entry) => {
    const known = recent.get(entry)
    if (known) return known
    const made = older.get(entry) ?? {
      keys: keyring.meterKeys(entry.keyRef),
      title: new Uint8Array(Buffer.from(entry.systemTitle, 'hex')),
      owner: fingerprint(`${entry.systemTitle}/${entry.keyRef}`),
    }
    // A key that is not there yet may come: only what is found is kept.
    if (!made.keys) return made
    if (recent.size >= cacheLimit) {
      older = recent
      recent = new Map()
    }
    recent.set(entry, made)
    return made
  }
}

function fingerprint(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash
}
