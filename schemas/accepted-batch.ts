import { asBuffer, avroCodec } from './avro.ts'
import type { Codec, EpochMs } from './codec.ts'
import { CodecError } from './codec.ts'

/**
 * `meter.accepted` (identified): the changelog that is the truth of what was accepted. One record per committed batch,
 * hash-chained per partition; a `marker` only shows where a new owner began and is no link of the chain.
 */
export interface AcceptedBatch {
  readonly kind: 'batch' | 'marker'
  /** Dense from 1; 0 in a marker. */
  readonly seq: number
  /** SHA-256 of the previous link (32 zero bytes at the start), and of this one over every other field. */
  readonly prev: Uint8Array
  readonly hash: Uint8Array
  /** Input offsets [inFrom, inTo) that the batch consumed. */
  readonly inFrom: bigint
  readonly inTo: bigint
  /** Intervals of local days that end before this are too late, monotone. */
  readonly floor: EpochMs
  /** All input received before this has been processed, monotone. */
  readonly progress: EpochMs
  readonly tables: readonly ChangedCells[]
}

/** The cells of one state table that the batch changed: absolute values, so applying twice is harmless. */
export interface ChangedCells {
  readonly table: string
  readonly cells: readonly ChangedCell[]
}

export interface ChangedCell {
  /** Dense index of the measuring point within the partition. */
  readonly index: number
  /** Local day as days since 1970-01-01, or 0 for cells that do not age. */
  readonly day: number
  readonly value: Uint8Array
}

/** Codec of `meter.accepted`. Offsets beyond 2^53 - 2 are refused. */
export const acceptedBatchCodec: Codec<AcceptedBatch> = avroCodec<AcceptedBatch, AcceptedFields>('accepted-batch', {
  toFields: ({ kind, seq, prev, hash, inFrom, inTo, floor, progress, tables }) => ({
    kind,
    seq,
    prev: asBuffer(prev),
    hash: asBuffer(hash),
    inFrom: toLong(inFrom),
    inTo: toLong(inTo),
    floor,
    progress,
    tables: tables.map(({ table, cells }) => ({
      table,
      cells: cells.map(({ index, day, value }) => ({ index, day, value: asBuffer(value) })),
    })),
  }),
  fromFields: ({ kind, seq, prev, hash, inFrom, inTo, floor, progress, tables }) => ({
    kind,
    seq,
    prev,
    hash,
    inFrom: BigInt(inFrom),
    inTo: BigInt(inTo),
    floor,
    progress,
    tables: tables.map(({ table, cells }) => ({
      table,
      cells: cells.map(({ index, day, value }) => ({ index, day, value })),
    })),
  }),
})

type AcceptedFields = Omit<AcceptedBatch, 'inFrom' | 'inTo'> & { readonly inFrom: number; readonly inTo: number }

function toLong(offset: bigint): number {
  const value = Number(offset)
  if (!Number.isSafeInteger(value)) throw new CodecError('accepted-batch', 'an offset exceeds 53 bits')
  return value
}
