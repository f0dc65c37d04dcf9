import type { Headers, LogRecord } from '../contract.ts'
import type { Content } from './log-partition.ts'

/** Records of one partition that were sent together, as its files hold them. */
export interface StoredBatch {
  /** 0 outside transactions. */
  readonly transaction: number
  readonly records: readonly LogRecord[]
}

const headBytes = 20
const recordHeadBytes = 22

/**
 * Little-endian: transaction (8, as a double), base offset (8, as a double), count (4); for each record offset less base
 * (4), timestamp (8, as a double), length of key and of value (4 each, -1 for null), number of headers (2), key, value,
 * then for each header the lengths of name and value (4 each) and both in UTF-8.
 */
export function encodeBatch({ transaction, records }: StoredBatch): Uint8Array {
  const base = Number(records[0]?.offset ?? 0n)
  let size = headBytes
  for (const { key, value, headers } of records) {
    size += recordHeadBytes + (key?.length ?? 0) + (value?.length ?? 0)
    for (const name in headers) size += 8 + Buffer.byteLength(name) + Buffer.byteLength(headers[name]!)
  }
  const bytes = Buffer.allocUnsafeSlow(size)
  bytes.writeDoubleLE(transaction, 0)
  bytes.writeDoubleLE(base, 8)
  bytes.writeUInt32LE(records.length, 16)
  let at = headBytes
  for (const { offset, timestamp, key, value, headers } of records) {
    bytes.writeUInt32LE(Number(offset) - base, at)
    bytes.writeDoubleLE(timestamp, at + 4)
    bytes.writeInt32LE(key?.length ?? -1, at + 12)
    bytes.writeInt32LE(value?.length ?? -1, at + 16)
    const countAt = at + 20
    at += recordHeadBytes
    if (key !== null) {
      bytes.set(key, at)
      at += key.length
    }
    if (value !== null) {
      bytes.set(value, at)
      at += value.length
    }
    let count = 0
    for (const name in headers) {
      const nameBytes = bytes.write(name, at + 8)
      const valueBytes = bytes.write(headers[name]!, at + 8 + nameBytes)
      bytes.writeUInt32LE(nameBytes, at)
      bytes.writeUInt32LE(valueBytes, at + 4)
      at += 8 + nameBytes + valueBytes
      count += 1
    }
    bytes.writeUInt16LE(count, countAt)
  }
  return bytes
}

const noHeaders: Headers = Object.freeze({})

/** Throws a RangeError if the payload is not a batch: a sound checksum over bytes that this version did not write. */
export function decodeBatch(payload: Uint8Array): StoredBatch {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const transaction = bytes.readDoubleLE(0)
  const base = bytes.readDoubleLE(8)
  const count = bytes.readUInt32LE(16)
  const records: LogRecord[] = []
  let at = headBytes
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('a stored batch is shorter than it says')
    at += length
    return bytes.subarray(at - length, at)
  }
  for (let index = 0; index < count; index++) {
    const head = take(recordHeadBytes)
    const keyLength = head.readInt32LE(12)
    const valueLength = head.readInt32LE(16)
    const headerCount = head.readUInt16LE(20)
    const key = keyLength < 0 ? null : take(keyLength)
    const value = valueLength < 0 ? null : take(valueLength)
    let headers = noHeaders
    if (headerCount > 0) {
      const read: (readonly [string, string])[] = []
      for (let header = 0; header < headerCount; header++) {
        const lengths = take(8)
        const name = take(lengths.readUInt32LE(0)).toString()
        read.push([name, take(lengths.readUInt32LE(4)).toString()])
      }
      headers = Object.fromEntries(read)
    }
    records.push({
      offset: BigInt(base + head.readUInt32LE(0)),
      timestamp: head.readDoubleLE(4),
      key,
      value,
      headers,
    })
  }
  if (at !== bytes.length) throw new RangeError('a stored batch is longer than it says')
  return { transaction, records }
}

const recordsPerBatch = 1_000

/** Records as batches: neighbours of the same transaction together. */
export function* batchesOf({ records, owners }: Content): Generator<StoredBatch> {
  for (let from = 0; from < records.length; ) {
    const owner = owners[from]
    let to = from + 1
    while (to < records.length && to - from < recordsPerBatch && owners[to] === owner) to++
    const settled = owner == null || owner.state === 'committed'
    yield { transaction: settled ? 0 : owner.id, records: records.slice(from, to) }
    from = to
  }
}
