import { type BaseFinder, longTag, type Stored, slotBytes, writeSlot } from './cell-bases.ts'
import { bucketName, slotsPerBucket } from './keys.ts'

/** Cells by bucket, in the order in which the buckets were first named. */
export interface BucketMap<T> {
  readonly at: (table: string, day: number, index: number) => Bucket<T>
  readonly all: readonly Bucket<T>[]
}

export interface Bucket<T> {
  readonly table: string
  readonly day: number
  readonly name: string
  /** Values by slot; the last one put counts. */
  readonly puts: Map<number, T>
  /** Slots to look up, and where in the request each stands. */
  readonly gets: number[]
  readonly places: number[]
}

/** Buckets per table and day stay below this up to 2^36 indices; times days it stays below 2^53. */
const bucketRadix = 2 ** 26

export function bucketMap<T>(): BucketMap<T> {
  const tables = new Map<string, Map<number, Bucket<T>>>()
  const all: Bucket<T>[] = []
  return {
    all,
    at: (table, day, index) => {
      let buckets = tables.get(table)
      if (buckets === undefined) {
        buckets = new Map()
        tables.set(table, buckets)
      }
      const number = Math.floor(index / slotsPerBucket)
      const code = day * bucketRadix + number
      let bucket = buckets.get(code)
      if (bucket === undefined) {
        bucket = { table, day, name: bucketName(table, day, number), puts: new Map(), gets: [], places: [] }
        buckets.set(code, bucket)
        all.push(bucket)
      }
      return bucket
    },
  }
}

/** A value too long for a slot. */
export interface LongValue {
  readonly slot: number
  readonly value: Uint8Array
}

export interface PackedBucket {
  /** Bytes per slot. */
  readonly width: number
  /** Slots in ascending order, and their bytes one after the other. */
  readonly slots: readonly number[]
  readonly bytes: Buffer
  readonly long: readonly LongValue[]
}

/** What is put into a bucket, as slots of one width. */
export function packBucket({ table, puts }: Bucket<Uint8Array>, finder: BaseFinder): PackedBucket {
  const slots = [...puts.keys()].sort((a, b) => a - b)
  const values: Uint8Array[] = []
  const stored: Stored[] = []
  const long: LongValue[] = []
  let width = 1
  for (const slot of slots) {
    const value = puts.get(slot) as Uint8Array
    const how = finder.store(table, value)
    values.push(value)
    stored.push(how)
    if (how.tag === longTag) long.push({ slot, value })
    width = Math.max(width, slotBytes(how, value))
  }
  const bytes = Buffer.alloc(width * slots.length)
  for (let at = 0; at < slots.length; at++) {
    writeSlot(bytes, at * width, stored[at] as Stored, values[at] as Uint8Array)
  }
  return { width, slots, bytes, long }
}

/** The payload of the exchange script: u32 day, u8 width, then runs of neighbouring slots. */
export function putPayload(day: number, { width, slots, bytes }: PackedBucket): Buffer {
  const payload = Buffer.allocUnsafe(5 + slots.length * (4 + width))
  payload.writeUInt32BE(day, 0)
  payload[4] = width
  let at = 5
  for (let first = 0; first < slots.length; ) {
    let next = first + 1
    while (next < slots.length && slots[next] === (slots[next - 1] as number) + 1) next++
    payload.writeUInt16BE(slots[first] as number, at)
    payload.writeUInt16BE(next - first, at + 2)
    bytes.copy(payload, at + 4, first * width, next * width)
    at += 4 + (next - first) * width
    first = next
  }
  return payload.subarray(0, at)
}

/** The whole bucket, as a rebuild writes it. */
export function wholeBucket({ width, slots, bytes }: PackedBucket): Buffer {
  const whole = Buffer.alloc(slotsPerBucket * width)
  for (let at = 0; at < slots.length; at++) {
    bytes.copy(whole, (slots[at] as number) * width, at * width, (at + 1) * width)
  }
  return whole
}

/** Slots as the scripts read them: u16 each. */
export function slotPayload(slots: readonly number[]): Buffer {
  const payload = Buffer.allocUnsafe(slots.length * 2)
  for (let at = 0; at < slots.length; at++) payload.writeUInt16BE(slots[at] as number, at * 2)
  return payload
}
