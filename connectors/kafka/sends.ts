import type { Message } from 'kafkajs'
import { LogError, type OutgoingRecord } from '../contract.ts'
import { portMessage } from './produce-request.ts'

/** The broker's default `max.message.bytes`, less what a batch and a record add to key, value and headers. */
export const maxRecordBytes = 1_048_588 - 128

/** One send makes one record batch per partition, which the broker takes or refuses whole: kafkajs never splits it. */
export const maxBatchBytes = 900_000
/** What one send holds over all partitions: memory, and the broker's patience with one request. */
const maxSendBytes = 8_000_000

/** What goes to the brokers at once: at most one batch for each partition, whose messages come together. */
export type Send = readonly { readonly topic: string; readonly batches: readonly Message[][] }[]

interface OpenBatch {
  readonly messages: Message[]
  bytes: number
}

/** Length bytes, stamps and offsets of one record, at their longest. */
const recordOverhead = 24
const headerOverhead = 4

/** Bytes of a record as the port counts them: key, value and headers. */
function sizeOf({ key, value, headers }: OutgoingRecord): { readonly counted: number; readonly stored: number } {
  let counted = (key?.length ?? 0) + (value?.length ?? 0)
  let stored = recordOverhead
  for (const name in headers) {
    counted += Buffer.byteLength(name) + Buffer.byteLength(headers[name]!)
    stored += headerOverhead
  }
  return { counted, stored: stored + counted }
}

/** Cuts records into sends, in order; refuses all of them if one is too large for any batch. */
export function cutIntoSends(records: readonly OutgoingRecord[]): Send[] {
  const sizes = records.map((record) => {
    const size = sizeOf(record)
    if (size.counted <= maxRecordBytes) return size.stored
    throw new LogError(
      'record_too_large',
      `a record of ${size.counted} bytes for ${record.topic} is over the limit of ${maxRecordBytes}`,
    )
  })
  const sends: Send[] = []
  let topics = new Map<string, Map<number, OpenBatch>>()
  let total = 0
  const flush = () => {
    if (topics.size === 0) return
    sends.push(
      [...topics].map(([topic, open]) => ({ topic, batches: [...open.values()].map(({ messages }) => messages) })),
    )
    topics = new Map()
    total = 0
  }
  const batchOf = ({ topic, partition }: OutgoingRecord): OpenBatch => {
    const partitions = topics.get(topic) ?? new Map<number, OpenBatch>()
    topics.set(topic, partitions)
    const batch = partitions.get(partition) ?? { messages: [], bytes: 0 }
    partitions.set(partition, batch)
    return batch
  }
  records.forEach((record, index) => {
    const size = sizes[index]!
    const there = topics.get(record.topic)?.get(record.partition)?.bytes ?? 0
    if ((there > 0 && there + size > maxBatchBytes) || (total > 0 && total + size > maxSendBytes)) flush()
    const batch = batchOf(record)
    batch.messages.push(toMessage(record))
    batch.bytes += size
    total += size
  })
  flush()
  return sends
}

const asBuffer = (bytes: Uint8Array | null): Buffer | null =>
  bytes === null || Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function toMessage({ partition, key, value, headers, timestamp }: OutgoingRecord): Message {
  const message: Message & { [portMessage]: true } = {
    [portMessage]: true,
    partition,
    key: asBuffer(key),
    value: asBuffer(value),
  }
  if (headers !== undefined) message.headers = headers
  if (timestamp !== undefined) message.timestamp = String(timestamp)
  return message
}
