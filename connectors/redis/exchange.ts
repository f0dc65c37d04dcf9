import type { StateView, ViewPosition } from '../contract.ts'
import {
  type Bucket,
  type BucketMap,
  bucketMap,
  type LongValue,
  packBucket,
  putPayload,
  slotPayload,
} from './buckets.ts'
import { type CellBases, findBases, longTag, readBases, readSlot } from './cell-bases.ts'
import type { RedisArgument } from './client.ts'
import { damagedView } from './errors.ts'
import { type GenerationKeys, longName, type ScopeKeys, slotsPerBucket } from './keys.ts'

export type ExchangeRequest = Parameters<StateView['exchange']>[1]

/** One call of the exchange script. */
export interface ExchangeCall {
  readonly keys: readonly string[]
  readonly args: readonly RedisArgument[]
  readonly buckets: BucketMap<Uint8Array>
  /** The bases if the call succeeds. */
  readonly bases: CellBases
  /** Whether the answer has long values for a bucket's slots that say so. */
  readonly long: (bucket: Bucket<Uint8Array>) => boolean
}

/** Names of keys to drop: all that lie below the floor of every table, and some that lie below their own table's. */
export interface DoomedKeys {
  readonly ofAll: readonly string[]
  readonly ofTables: readonly string[]
}
export const noKeys: DoomedKeys = { ofAll: [], ofTables: [] }

/** Lays out a request for the script, with the bases that are known and the names of the keys below the floors. */
export function exchangeCall(
  scope: ScopeKeys,
  generation: GenerationKeys,
  { expected, apply, lookup }: ExchangeRequest,
  known: CellBases,
  { ofAll, ofTables }: DoomedKeys,
): ExchangeCall {
  const buckets = bucketMap<Uint8Array>()
  const floorDay = apply?.floorDay ?? 0
  for (const { table, day, index, value } of apply?.cells ?? []) {
    if (day !== 0 && day < Math.max(floorDay, apply?.tableFloors?.get(table) ?? floorDay)) continue
    buckets.at(table, day, index).puts.set(index % slotsPerBucket, value)
  }
  lookup.forEach(({ table, day, index }, place) => {
    const bucket = buckets.at(table, day, index)
    bucket.gets.push(index % slotsPerBucket)
    bucket.places.push(place)
  })
  const finder = findBases(known)
  const payloads: Buffer[] = []
  const longPuts: { readonly bucket: Bucket<Uint8Array>; readonly long: readonly LongValue[] }[] = []
  for (const bucket of buckets.all) {
    if (bucket.puts.size === 0) payloads.push(nothing)
    else {
      const packed = packBucket(bucket, finder)
      payloads.push(putPayload(bucket.day, packed))
      if (packed.long.length > 0) longPuts.push({ bucket, long: packed.long })
    }
    payloads.push(bucket.gets.length === 0 ? nothing : slotPayload(bucket.gets))
  }
  const bases = finder.done()
  const long = ({ table }: Bucket<Uint8Array>) => bases.tables.get(table)?.long === true
  const longKeys = longIndex(buckets, long)
  return {
    keys: [
      scope.head,
      generation.bases,
      generation.registry,
      ...ofAll.map((name) => generation.prefix + name),
      ...ofTables.map((name) => generation.prefix + name),
      ...buckets.all.map(({ name }) => generation.prefix + name),
      ...longKeys.names.map((name) => generation.prefix + name),
    ],
    args: [
      expected.gen,
      String(expected.seq),
      expected.hash,
      apply === undefined ? '' : String(apply.seq),
      apply?.hash ?? '',
      floorDay,
      known.token,
      bases.token,
      bases === known ? '' : bases.text,
      ofAll.length,
      ofTables.length,
      buckets.all.length,
      slotsPerBucket,
      Buffer.byteLength(generation.prefix),
      longKeys.perBucket,
      longPayload(longPuts, longKeys.indexOf),
      ...payloads,
    ],
    buckets,
    bases,
    long,
  }
}

const nothing = Buffer.alloc(0)

/** Which of the keys of long values belongs to which bucket; empty where no value was ever long. */
function longIndex(buckets: BucketMap<Uint8Array>, long: (bucket: Bucket<Uint8Array>) => boolean) {
  const names: string[] = []
  const indexOf = new Map<Bucket<Uint8Array>, number>()
  for (const bucket of buckets.all) {
    if (!long(bucket)) continue
    names.push(longName(bucket.name))
    indexOf.set(bucket, names.length)
  }
  return {
    names,
    indexOf: (bucket: Bucket<Uint8Array>) => indexOf.get(bucket) ?? 0,
    perBucket: names.length === 0 ? nothing : slotPayload(buckets.all.map((bucket) => indexOf.get(bucket) ?? 0)),
  }
}

function longPayload(
  puts: readonly { readonly bucket: Bucket<Uint8Array>; readonly long: readonly LongValue[] }[],
  indexOf: (bucket: Bucket<Uint8Array>) => number,
): Buffer {
  const parts: Uint8Array[] = []
  for (const { bucket, long } of puts) {
    for (const { slot, value } of long) {
      const head = Buffer.alloc(12)
      head.writeUInt16BE(indexOf(bucket), 0)
      head.writeUInt16BE(slot, 2)
      head.writeUInt32BE(bucket.day, 4)
      head.writeUInt32BE(value.length, 8)
      parts.push(head, value)
    }
  }
  return Buffer.concat(parts)
}

export type ExchangeReply =
  | { readonly status: 'mismatch'; readonly actual: ViewPosition | undefined }
  | { readonly status: 'ok'; readonly token: string; readonly slots: readonly Buffer[] }
  | { readonly status: 'other_bases'; readonly bases: CellBases }
  | { readonly status: 'other_floor' }

/** Reads what the script answered. Throws `LogError` `corrupt` if that is none of its answers. */
export function readReply(reply: unknown): ExchangeReply {
  if (!Array.isArray(reply)) throw damagedView()
  const [status, ...rest] = reply as [number, ...Buffer[]]
  if (status === 0) {
    const [gen, seq, hash] = rest.map(String)
    return { status: 'mismatch', actual: gen === undefined ? undefined : { gen, seq: Number(seq), hash: hash ?? '' } }
  }
  if (status === 1) return { status: 'ok', token: String(rest[0]), slots: rest.slice(1) }
  if (status === 2) return { status: 'other_bases', bases: readBases(String(rest[0] ?? '')) }
  return { status: 'other_floor' }
}

/** The cells of a successful call, in the order of the request. */
export function cellsOf(
  { buckets, bases, long }: ExchangeCall,
  slots: readonly Buffer[],
  count: number,
): (Uint8Array | undefined)[] {
  const cells = new Array<Uint8Array | undefined>(count).fill(undefined)
  let at = 0
  for (const bucket of buckets.all) {
    const { places, table } = bucket
    if (places.length === 0) continue
    const found = slots[at++] ?? nothing
    if (found.length === 0) continue
    const width = found.length / places.length
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number
      if (found[i * width] === longTag && long(bucket)) cells[place] = new Uint8Array(slots[at++] ?? nothing)
      else cells[place] = readSlot(bases, table, found, i * width, (i + 1) * width)
    }
  }
  return cells
}
