import { type AcceptedBatch, acceptedBatchCodec } from './accepted-batch.ts'
import { type AuditEvent, auditEventCodec } from './audit-event.ts'
import { type Codec, type EpochMs, type Topic, topic } from './codec.ts'
import { type ForecastPublic, forecastPublicCodec } from './forecast-public.ts'
import { type HouseholdReading, householdReadingCodec } from './household-reading.ts'
import type { Label } from './label.ts'
import { type LedgerRecord, ledgerRecordCodec } from './ledger-record.ts'
import { type LoadPartial, loadPartialCodec } from './load-partial.ts'
import { type LoadPublic, loadPublicCodec } from './load-public.ts'
import { type LoadRestricted, loadRestrictedCodec } from './load-restricted.ts'
import { type LoadState, loadStateCodec } from './load-state.ts'
import { type MeterFrame, meterFrameCodec } from './meter-frame.ts'
import { type Level, type RegisterEntry, registerEntryCodec } from './register-entry.ts'
import { type RejectedFrame, rejectedFrameCodec } from './rejected-frame.ts'

/** A topic whose name the compiler knows. */
type Named<N extends string, T, L extends Label> = Topic<T, L> & { readonly name: N }

// Record keys are readable by every tool: they hold no connection, meter or title, and no pseudonym.
const noKey = (): null => null
const groupKey = ({ level, group }: { readonly level: Level; readonly group: string }): string => `${level}/${group}`

const meterFrames: Named<'meter.frames', MeterFrame, 'identified'> = topic({
  name: 'meter.frames',
  label: 'identified',
  codec: meterFrameCodec,
  key: noKey,
})

/** Compacted by the place of the point, assigned once, and the start of validity: one row per entry, no meter named. */
const meterRegister: Named<'meter.register', RegisterEntry, 'identified'> = topic({
  name: 'meter.register',
  label: 'identified',
  codec: registerEntryCodec,
  key: ({ partition, index, validFrom }) => `${partition}/${index}/${validFrom}`,
})

const meterRejected: Named<'meter.rejected', RejectedFrame, 'identified'> = topic({
  name: 'meter.rejected',
  label: 'identified',
  codec: rejectedFrameCodec,
  key: noKey,
})

const meterAccepted: Named<'meter.accepted', AcceptedBatch, 'identified'> = topic({
  name: 'meter.accepted',
  label: 'identified',
  codec: acceptedBatchCodec,
  key: noKey,
})

/** Stamped with its local date: an append time would keep the arrival time that the record leaves out. */
const householdReadings: Named<'household.readings', HouseholdReading, 'pseudonymous'> = topic({
  name: 'household.readings',
  label: 'pseudonymous',
  codec: householdReadingCodec,
  key: noKey,
  timestamp: ({ date }) => Date.parse(date),
})

const loadPartials: Named<'load.partials', LoadPartial, 'pseudonymous'> = topic({
  name: 'load.partials',
  label: 'pseudonymous',
  codec: loadPartialCodec,
  key: noKey,
})

const loadState: Named<'load.state', LoadState, 'pseudonymous'> = topic({
  name: 'load.state',
  label: 'pseudonymous',
  codec: loadStateCodec,
  key: ({ row }) => row,
})

/** How far [publish] is. A topic of its own: load.state is of a label that [publish] must not read. */
const publishState: Named<'publish.state', LoadState, 'aggregate'> = topic({
  name: 'publish.state',
  label: 'aggregate',
  codec: loadStateCodec,
  key: ({ row }) => row,
})

/** How far [forecast] is. */
const forecastState: Named<'forecast.state', LoadState, 'released'> = topic({
  name: 'forecast.state',
  label: 'released',
  codec: loadStateCodec,
  key: ({ row }) => row,
})

const loadRestricted: Named<'load.restricted', LoadRestricted, 'aggregate'> = topic({
  name: 'load.restricted',
  label: 'aggregate',
  codec: loadRestrictedCodec,
  key: groupKey,
})

const releaseLedger: Named<'release.ledger', LedgerRecord, 'aggregate'> = topic({
  name: 'release.ledger',
  label: 'aggregate',
  codec: ledgerRecordCodec,
  key: ({ domain }) => domain,
})

/** Stamped with the tick that its seal names, which [publish] supplies. */
const loadPublic: Named<'load.public', LoadPublic, 'released'> = topic({
  name: 'load.public',
  label: 'released',
  codec: loadPublicCodec,
  key: groupKey,
})

const forecastPublic: Named<'forecast.public', ForecastPublic, 'released'> = topic({
  name: 'forecast.public',
  label: 'released',
  codec: forecastPublicCodec,
  key: groupKey,
})

const audit: Named<'audit', AuditEvent, 'aggregate'> = topic({
  name: 'audit',
  label: 'aggregate',
  codec: auditEventCodec,
  key: noKey,
})

/** Every topic there is, with its label: the only place where one is born. */
export const topics = {
  meterFrames,
  meterRegister,
  meterRejected,
  meterAccepted,
  householdReadings,
  loadPartials,
  loadState,
  publishState,
  forecastState,
  loadRestricted,
  releaseLedger,
  loadPublic,
  forecastPublic,
  audit,
} as const

/** What the records of a topic of one's own are. */
export interface OwnRecords<T> {
  readonly codec: Codec<T>
  /** Default: records have no key. Keys are readable by every tool, so nothing that names a meter or a household may be one. */
  readonly key?: (value: T) => string | null
  /** Gives the timestamp of a record, in a topic that is created with `timestamps: 'create'`. Default: the log stamps it. */
  readonly timestamp?: (value: T) => EpochMs
}

/**
 * A topic of your own, cleared for the label of `like`: with the records of `like`, or with others. It has to be created in
 * the log like any other topic. No topic can be had under another label than that of one that ships. Throws where the name
 * is that of a topic that ships.
 */
export function ownTopic<T, L extends Label>(like: Topic<T, L>, name: string): Topic<T, L>
export function ownTopic<T, U, L extends Label>(like: Topic<U, L>, name: string, records: OwnRecords<T>): Topic<T, L>
export function ownTopic<T, L extends Label>(like: Topic<T, L>, name: string, records?: OwnRecords<T>): Topic<T, L> {
  if (shipped.has(name)) throw new Error(`${name} is the name of a topic that ships: give yours another one`)
  if (!records) return { ...like, name }
  const { label } = like
  return topic({ name, label, key: noKey, ...records })
}

/** The label of a topic that ships, by its name. */
const shipped: ReadonlyMap<string, Label> = new Map(Object.values(topics).map(({ name, label }) => [name, label]))

/** The label that a topic of this name was born with; `undefined` where none that ships has the name. */
export const shippedLabel = (name: string): Label | undefined => shipped.get(name)

export type TopicName = (typeof topics)[keyof typeof topics]['name']

/** How a topic is laid out in the log. */
export interface TopicLayout {
  readonly name: TopicName
  readonly partitions: number
  /** `append`: the log stamps records; `create`: the producer does. */
  readonly timestamps: 'append' | 'create'
  readonly cleanup: 'delete' | 'compact'
  /** `null`: for ever. */
  readonly retentionMs: number | null
  /** `others`: programs that are not ours write to it, in any compression that Kafka knows. */
  readonly writtenBy?: 'others'
}

export interface TopicOptions {
  /** Release domains: partitions of the topics with one writer per domain. Default 1. */
  readonly domains?: number
  /** Partitions of the topics keyed by group. Default 1. */
  readonly groupPartitions?: number
  /** How late a reading may be, in days; the changelog is kept for so long and `rebuildDays` more. Default 14. */
  readonly horizonDays?: number
  /** Retention that policy decides, in ms or `null` for ever, by topic name; overrides the defaults below. */
  readonly retentionMs?: Partial<Readonly<Record<TopicName, number | null>>>
}

const day = 86_400_000
/** Slack beyond the horizon, in days, for rebuilding a view and for points whose place is used again. */
export const rebuildDays = 9
/** How long exact sums can be read, in days: for so long the register must know who was in them. */
export const restrictedDays = 400

/** The layout of every topic for `partitions` input partitions. */
export function topicSpecs(partitions: number, options: TopicOptions = {}): readonly TopicLayout[] {
  const { domains = 1, groupPartitions = 1, horizonDays = 14, retentionMs = {} } = options
  const layout = (
    name: TopicName,
    count: number,
    days: number | null,
    other: Partial<Pick<TopicLayout, 'timestamps' | 'cleanup' | 'writtenBy'>> = {},
  ): TopicLayout => ({
    name,
    partitions: count,
    timestamps: 'append',
    cleanup: 'delete',
    ...other,
    retentionMs: retentionMs[name] === undefined ? (days === null ? null : days * day) : retentionMs[name],
  })
  return [
    layout('meter.frames', partitions, 7, { writtenBy: 'others' }),
    layout('meter.register', 1, null, { cleanup: 'compact' }),
    layout('meter.rejected', partitions, 30),
    layout('meter.accepted', partitions, horizonDays + rebuildDays),
    layout('household.readings', partitions, 90, { timestamps: 'create' }),
    layout('load.partials', domains, 3),
    layout('load.state', domains, null, { cleanup: 'compact' }),
    layout('publish.state', domains, null, { cleanup: 'compact' }),
    layout('forecast.state', groupPartitions, null, { cleanup: 'compact' }),
    layout('load.restricted', groupPartitions, restrictedDays),
    layout('release.ledger', domains, null),
    layout('load.public', groupPartitions, null, { timestamps: 'create' }),
    layout('forecast.public', groupPartitions, 400),
    layout('audit', domains, 400),
  ]
}
