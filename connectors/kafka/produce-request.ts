import { promisify } from 'node:util'
import { gzip, zstdCompress } from 'node:zlib'
import { systemClock } from '../../operators/contract/clock.ts'

/** What kafkajs puts into a produce request. */
export interface ProduceParameters {
  readonly acks: number
  readonly timeout: number
  readonly transactionalId?: string
  /** 64 bits, as whatever kafkajs holds them in. */
  readonly producerId: { readonly toString: () => string }
  readonly producerEpoch: number
  readonly compression: number
  readonly topicData: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly firstSequence: number
      readonly messages: readonly EncodableMessage[]
    }[]
  }[]
}

/** Marks a message of the port; what other users of kafkajs in this process send may be anything it takes. */
export const portMessage = Symbol('message of the port')

/** A message of the port: bytes or nothing, headers of text. */
export interface EncodableMessage {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, string>>
  readonly timestamp?: string
}

const headBytes = 61
const transactionalFlag = 0x10

/** Sizes and bytes of headers, which neighbours mostly share. */
interface EncodedHeaders {
  readonly of: Readonly<Record<string, string>> | undefined
  readonly bytes: Buffer
}

/** The body of a Produce request, versions 3 to 7 of the Kafka protocol, in one pass over one buffer per batch. */
export async function encodeProduce(parameters: ProduceParameters): Promise<Buffer> {
  const { acks, timeout, transactionalId, topicData } = parameters
  const parts: Buffer[] = [nullableString(transactionalId), int16(acks), int32(timeout), int32(topicData.length)]
  for (const { topic, partitions } of topicData) {
    parts.push(nullableString(topic), int32(partitions.length))
    for (const { partition, firstSequence, messages } of partitions) {
      const batch = await encodeBatch(parameters, firstSequence, messages)
      parts.push(int32(partition), int32(batch.length), batch)
    }
  }
  return Buffer.concat(parts)
}

async function encodeBatch(
  { compression, transactionalId, producerId, producerEpoch }: ProduceParameters,
  firstSequence: number,
  messages: readonly EncodableMessage[],
): Promise<Buffer> {
  const now = systemClock.now()
  const stamps = messages.map(({ timestamp }) => (timestamp === undefined ? now : Number(timestamp)))
  const first = stamps[0] ?? now
  const plain = encodeRecords(messages, stamps, first)
  const batch = compression === 0 ? plain : await compressed(plain, compression)
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(0, 12)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(compression | (transactionalId === undefined ? 0 : transactionalFlag), 21)
  batch.writeInt32BE(messages.length - 1, 23)
  batch.writeBigInt64BE(BigInt(first), 27)
  batch.writeBigInt64BE(BigInt(stamps.reduce((latest, stamp) => Math.max(latest, stamp), first)), 35)
  batch.writeBigInt64BE(BigInt(producerId.toString()), 43)
  batch.writeInt16BE(producerEpoch, 51)
  batch.writeInt32BE(firstSequence, 53)
  batch.writeInt32BE(messages.length, 57)
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}

/** Records behind room for the head of their batch. */
function encodeRecords(messages: readonly EncodableMessage[], stamps: readonly number[], first: number): Buffer {
  const headers: Buffer[] = []
  const lengths: number[] = []
  let last: EncodedHeaders = { of: undefined, bytes: Buffer.of(0) }
  let total = headBytes
  messages.forEach((message, index) => {
    if (message.headers !== last.of) last = { of: message.headers, bytes: encodeHeaders(message.headers) }
    headers.push(last.bytes)
    const length =
      1 +
      varintSize(stamps[index]! - first) +
      varintSize(index) +
      fieldSize(message.key) +
      fieldSize(message.value) +
      last.bytes.length
    lengths.push(length)
    total += varintSize(length) + length
  })
  const into = Buffer.allocUnsafe(total)
  let at = headBytes
  messages.forEach(({ key, value }, index) => {
    at = writeVarint(into, at, lengths[index]!)
    into[at++] = 0
    at = writeVarint(into, at, stamps[index]! - first)
    at = writeVarint(into, at, index)
    at = writeField(into, at, key)
    at = writeField(into, at, value)
    into.set(headers[index]!, at)
    at += headers[index]!.length
  })
  return into
}

function encodeHeaders(headers: Readonly<Record<string, string>> | undefined): Buffer {
  const entries = Object.entries(headers ?? {}).map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const)
  const size = entries.reduce((sum, [name, value]) => sum + fieldSize(name) + fieldSize(value), 0)
  const into = Buffer.allocUnsafe(varintSize(entries.length) + size)
  let at = writeVarint(into, 0, entries.length)
  for (const [name, value] of entries) at = writeField(into, writeField(into, at, name), value)
  return into
}

const fieldSize = (bytes: Buffer | null): number => (bytes === null ? 1 : varintSize(bytes.length) + bytes.length)

function writeField(into: Buffer, at: number, bytes: Buffer | null): number {
  if (bytes === null) return writeVarint(into, at, -1)
  const start = writeVarint(into, at, bytes.length)
  into.set(bytes, start)
  return start + bytes.length
}

/** Zigzag by arithmetic: stamps lie further apart than 32 bits. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)

function varintSize(value: number): number {
  let size = 1
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1
  return size
}

function writeVarint(into: Buffer, at: number, value: number): number {
  let rest = zigzag(value)
  let next = at
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) into[next++] = (rest % 0x80) | 0x80
  into[next++] = rest
  return next
}

async function compressed(plain: Buffer, compression: number): Promise<Buffer> {
  const body = plain.subarray(headBytes)
  const small = await (compression === 1 ? promisify(gzip)(body) : promisify(zstdCompress)(body))
  return Buffer.concat([Buffer.alloc(headBytes), small])
}

function nullableString(text: string | undefined): Buffer {
  if (text === undefined) return int16(-1)
  const bytes = Buffer.from(text)
  return Buffer.concat([int16(bytes.length), bytes])
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Eight tables of 256: the remainder of each byte at each distance (RFC 3720, polynomial 0x1EDC6F41, reflected). */
const tables = (() => {
  const all = new Uint32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0x82f63b78 : 0)
    all[byte] = rest
  }
  for (let index = 256; index < all.length; index++) {
    const before = all[index - 256]!
    all[index] = (before >>> 8) ^ all[before & 0xff]!
  }
  return all
})()

/** CRC-32C of bytes from `start` on, eight at a time; node:zlib has only the other CRC-32. */
export function crc32c(bytes: Uint8Array, start = 0): number {
  let crc = -1
  let at = start
  for (const whole = bytes.length - 7; at < whole; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      tables[1792 + (low & 0xff)]! ^
      tables[1536 + ((low >>> 8) & 0xff)]! ^
      tables[1280 + ((low >>> 16) & 0xff)]! ^
      tables[1024 + (low >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}
