import {
  type Log,
  LogError,
  type LogRecord,
  type OutgoingRecord,
  type SchemaRegistry,
  type StateView,
  type Transactor,
} from '../../connectors/contract.ts'
import type { Clock } from '../../operators/contract/clock.ts'
import { HaltError } from '../../operators/contract/halt.ts'
import type { Batch, Envelope, Origin } from '../../operators/contract/operator.ts'
import type { Reason } from '../../operators/contract/reasons.ts'
import { CodecError, type EpochMs } from '../../schemas/codec.ts'
import { type ChainResult, isPublished, isRouted, type Output, type Rejection } from './chain.ts'
import { deadLetter, type Sealer } from './dead-letter.ts'
import type { Fate, Observer } from './observer.ts'
import { Killed, type Probe, type Step } from './probe.ts'
import type { AnyTopic, Pipeline } from './stream.ts'
import type { Wire } from './wire.ts'

/** Everything a task needs from outside. */
export interface Ports {
  readonly log: Log
  readonly view: StateView
  readonly registry: SchemaRegistry
  readonly clock: Clock
  readonly seal: Sealer
}

export interface TaskOptions {
  /** Records of one batch at the most. */
  readonly maxRecords: number
  /** Bytes of one fetch at the most. */
  readonly maxBytes: number
  /** How long a poll waits for a first record, ms. */
  readonly lingerMs: number
  /** How long a partition may be silent before it says how far it is, ms. */
  readonly heartbeatMs: number
  /** How long a transaction may stay open, ms. */
  readonly transactionTimeoutMs: number
  /** Readings of local days older than this are too late, ms. */
  readonly horizonMs: number
  /** How far append times of two partitions may disagree, ms. */
  readonly clockMarginMs: number
  /** How often state rows are written although nothing was emitted, ms. */
  readonly snapshotMs: number
  /** How long a committed read may lag behind what was committed: after a broker came back it does. ms. */
  readonly settleMs: number
  /** Losses of input to go on without, as the sentence of the halt names them: `topic[partition]@position..first`. */
  readonly acceptLostInput: readonly string[]
  /** Whether the group still confirms the assignment; asked before a task fences again after it was fenced. */
  readonly confirmed: () => Promise<boolean>
}

export const defaultTaskOptions: Omit<TaskOptions, 'confirmed'> = {
  maxRecords: 2_000,
  maxBytes: 4_000_000,
  lingerMs: 250,
  heartbeatMs: 60_000,
  transactionTimeoutMs: 15_000,
  horizonMs: 14 * 86_400_000,
  clockMarginMs: 0,
  snapshotMs: 10_000,
  settleMs: 30_000,
  acceptLostInput: [],
}

/** One task: a pipeline over one partition of its source. */
export interface TaskContext {
  readonly pipeline: Pipeline
  readonly partition: number
  readonly ports: Ports
  readonly wire: Wire
  readonly observer: Observer
  readonly probe: Probe
  readonly options: TaskOptions
  /** Aborts when the task should finish its batch and stop. */
  readonly signal: AbortSignal
}

export const labelHeader = 'privacy-label'
/** Sequence number of the changelog batch that a record was written with. */
export const batchHeader = 'batch'

export const transactionalId = (pipeline: Pipeline, partition: number): string =>
  `${pipeline.name}-${pipeline.source.name}-${partition}`

/** Announces a step to the probe before and after doing it. */
export async function stepping<T>(
  task: TaskContext,
  step: Step,
  act: () => Promise<T>,
  topics?: readonly string[],
): Promise<T> {
  const { partition, probe } = task
  const pipeline = task.pipeline.name
  probe(topics ? { pipeline, partition, step, topics, at: 'before' } : { pipeline, partition, step, at: 'before' })
  const result = await act()
  probe(topics ? { pipeline, partition, step, topics, at: 'after' } : { pipeline, partition, step, at: 'after' })
  return result
}

/** The value of a fetched record as it came in; for dead letters, which are few. */
export function rawValues(records: readonly LogRecord[]): (offset: bigint) => Uint8Array {
  return (offset) => records.find((record) => record.offset === offset)?.value ?? new Uint8Array()
}

export interface Decoded {
  readonly batch: Batch<unknown>
  /** Records that do not fit their schema, and batches that cannot be unpacked. */
  readonly refused: readonly Rejection[]
}

/**
 * Records to envelopes. A record whose label header disagrees with the topic halts; one of another schema is refused.
 * `since` is the partition's progress so far: append times may go back when a partition changes its leader, but the time
 * of receipt must not, or a value could count as earlier than a seal that has passed. `known` holds values that were
 * decoded before.
 */
export function decodeRecords(
  { pipeline: { source }, partition, wire }: TaskContext,
  records: readonly LogRecord[],
  since: EpochMs,
  known?: ReadonlyMap<LogRecord, unknown>,
): Decoded {
  const batch: Envelope<unknown>[] = []
  const refused: Rejection[] = []
  let receivedAt = since
  const refuse = (origin: Origin, reason: Reason, place: { readonly through?: bigint } = {}) => {
    refused.push({ from: { value: null, origin }, stage: 'decodeRecord', reason, byteOffset: undefined, ...place })
  }
  for (const record of records) {
    const { offset, timestamp, value, headers, through } = record
    receivedAt = Math.max(receivedAt, timestamp)
    const origin = { topic: source.name, partition, offset, receivedAt }
    if (through !== undefined) {
      refuse(origin, 'batch_oversize', { through })
      continue
    }
    const label = headers[labelHeader]
    if (label !== undefined && label !== source.label) {
      throw new HaltError(
        `a record in ${source.name} says it is '${label}', but the topic is labelled '${source.label}'`,
        'Find out who wrote it; do not read on before the topic is clean.',
      )
    }
    try {
      batch.push({ value: known?.get(record) ?? wire.decode(source, value ?? new Uint8Array()), origin })
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      refuse(origin, 'schema_mismatch')
    }
  }
  return { batch, refused }
}

/** What became of every record of a batch, those included that no operator saw. */
export function withRefused(fates: ReadonlyMap<Fate, number>, refused: readonly Rejection[]): Map<Fate, number> {
  const all = new Map(fates)
  for (const { reason } of refused) all.set(`rejected:${reason}`, (all.get(`rejected:${reason}`) ?? 0) + 1)
  return all
}

/** Turns what a chain made into records for the log, dead letters included. */
export async function toRecords(
  task: TaskContext,
  { outputs, rejections }: Pick<ChainResult, 'outputs' | 'rejections'>,
  rawOf: (offset: bigint) => Uint8Array,
  seq = 0,
): Promise<OutgoingRecord[]> {
  const { rejects, covers } = task.pipeline.options
  if (rejections.length > 0 && !rejects) {
    throw new HaltError(`pipeline ${task.pipeline.name} refused a record but names no dead-letter topic`, 'Name one.')
  }
  const counts = await partitionCounts(task, outputs, rejections.length > 0 ? (rejects as AnyTopic) : undefined)
  // What the changelog vouches for names its batch, so that a changelog restored to an older state shows.
  const vouched = covers && { ...headersOf(covers), [batchHeader]: String(seq) }
  const records = outputs.map((output) =>
    toRecord(task, output, counts, vouched && output.topic === covers ? vouched : headersOf(output.topic)),
  )
  for (const rejection of rejections) {
    const topic = rejects as AnyTopic
    const value = deadLetter(rejection, rawOf(rejection.from.origin.offset), task.ports.seal)
    records.push(toRecord(task, { topic, value, options: {} }, counts, headersOf(topic)))
  }
  return records
}

/** Asked once per topic and batch: records themselves are made without waiting. */
async function partitionCounts(
  { ports }: TaskContext,
  outputs: readonly Output[],
  rejects: AnyTopic | undefined,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  const names = new Set(rejects ? [rejects.name] : [])
  for (const { topic } of outputs) names.add(topic.name)
  for (const name of names) counts.set(name, await ports.log.partitions(name))
  return counts
}

const keyBytes = (key: string | null): Uint8Array | null => (key === null ? null : Buffer.from(key))

function toRecord(
  task: TaskContext,
  { topic, value, options }: Output,
  counts: ReadonlyMap<string, number>,
  headers: OutgoingRecord['headers'] & {},
): OutgoingRecord {
  const { name } = topic
  if (isPublished(value)) {
    const { key, bytes, timestamp } = value
    const partition = placeOf(task, name, options, value, key, counts)
    return { topic: name, partition, key: keyBytes(key), value: bytes, timestamp, headers }
  }
  const routed = isRouted(value)
  const body = routed ? value.value : value
  const text = topic.key(body)
  const partition = routed ? value.routedTo : placeOf(task, name, options, value, text, counts)
  const key = keyBytes(text)
  const bytes = task.wire.encode(topic, body)
  return topic.timestamp
    ? { topic: name, partition, key, value: bytes, headers, timestamp: topic.timestamp(body) }
    : { topic: name, partition, key, value: bytes, headers }
}

function placeOf(
  { partition }: TaskContext,
  topic: string,
  options: Output['options'],
  value: unknown,
  key: string | null,
  counts: ReadonlyMap<string, number>,
): number {
  const rule = options.partition ?? 'input'
  if (typeof rule === 'function') return rule(value as never)
  const count = counts.get(topic) as number
  return rule === 'key' ? hash(key ?? '') % count : partition % count
}

const headerCache = new Map<string, Readonly<Record<string, string>>>()
/** One shared object per label: a header object per record would cost more than the record. */
export function headersOf({ label }: AnyTopic): Readonly<Record<string, string>> {
  let headers = headerCache.get(label)
  if (!headers) {
    headers = Object.freeze({ [labelHeader]: label })
    headerCache.set(label, headers)
  }
  return headers
}

/** FNV-1a: stable over versions and machines; it only spreads public keys over partitions. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0
  return h
}

/** An encoded link of the changelog, or a marker, as a record of it. */
export function changelogRecord({ pipeline, partition }: TaskContext, value: Uint8Array): OutgoingRecord {
  const topic = pipeline.options.changelog!
  return { topic: topic.name, partition, key: null, value, headers: headersOf(topic) }
}

/** What the broker takes as one batch, with room for headers; connectors refuse more. */
const maxSendBytes = 900_000

/** Records in sends of bounded size, in order. */
export function* inSends(records: readonly OutgoingRecord[]): Generator<OutgoingRecord[]> {
  let send: OutgoingRecord[] = []
  let bytes = 0
  for (const record of records) {
    const size = (record.value?.length ?? 0) + (record.key?.length ?? 0) + 100
    if (send.length > 0 && bytes + size > maxSendBytes) {
      yield send
      send = []
      bytes = 0
    }
    send.push(record)
    bytes += size
  }
  if (send.length > 0) yield send
}

/** One transaction: the input position first, then every record, then the commit. */
export async function transact(
  task: TaskContext,
  producer: Transactor,
  next: bigint,
  records: readonly OutgoingRecord[],
): Promise<void> {
  const { pipeline, partition } = task
  const topics = [...new Set(records.map((record) => record.topic))]
  await stepping(task, 'begin', () => producer.begin())
  await stepping(task, 'offsets', () => producer.sendOffsets(pipeline.name, pipeline.source.name, partition, next))
  await stepping(
    task,
    'produce',
    async () => {
      for (const send of inSends(records)) await producer.send(send)
    },
    topics,
  )
  await stepping(task, 'commit', () => producer.commit(), topics)
  task.observer.transaction(pipeline.name, 'committed')
}

/** Closes what a task holds, whatever ended it; a killed task closes nothing, as a killed process would not. */
export async function closing(
  held: readonly { close: () => Promise<void> }[],
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (error instanceof Killed) throw error
    await Promise.allSettled(held.map((one) => one.close()))
    throw error
  }
  for (const one of held) await one.close()
}

/** Closes what was opened if what follows fails; a killed task closes nothing. */
export async function orClose<T>(held: { close: () => Promise<void> }, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Killed)) await held.close().catch(() => {})
    throw error
  }
}

/** Whether to throw the producer away and assign again, or to end the task. */
export function mustReassign(error: unknown): error is LogError {
  return (
    error instanceof LogError &&
    (error.code === 'fenced' || error.code === 'unknown_outcome' || error.code === 'retriable' || isFull(error))
  )
}

/** Whether a store has no room: the task takes no input until somebody has made some. */
export const isFull = (error: unknown): boolean => error instanceof LogError && error.code === 'disk_full'

/** Per-topic records and bytes of a transaction. */
export function sentOf(records: readonly OutgoingRecord[]): Map<string, { records: number; bytes: number }> {
  const sent = new Map<string, { records: number; bytes: number }>()
  for (const { topic, value } of records) {
    const entry = sent.get(topic) ?? { records: 0, bytes: 0 }
    entry.records += 1
    entry.bytes += value?.length ?? 0
    sent.set(topic, entry)
  }
  return sent
}
