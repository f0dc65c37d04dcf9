import type { Label } from './label.ts'

/** UTC milliseconds since 1970-01-01T00:00Z. */
export type EpochMs = number

/** Encodes exactly the fields that its schema lists, so that an extra field of a value cannot slip through. */
export interface Codec<T> {
  /** The Avro schema as JSON text. */
  readonly schema: string
  readonly encode: (value: T) => Uint8Array
  /** Throws `CodecError` on bytes that the schema does not describe. */
  readonly decode: (bytes: Uint8Array) => T
  /**
   * Reads bytes that another version of the schema wrote, given as JSON text; undefined if this version cannot read it.
   * Optional: without it only its own version is read.
   */
  readonly decoderFor?: (writer: string) => ((bytes: Uint8Array) => T) | undefined
}

declare const born: unique symbol

/** A named stream of records of one type, cleared for one label. Born in `schemas/topics.ts` only. */
export interface Topic<T, L extends Label> {
  /** The label it was born with: a copy under another label is no topic. */
  readonly [born]: L
  readonly name: string
  readonly label: L
  readonly codec: Codec<T>
  /** The record key, which also decides what compaction keeps; `null` for topics without one. */
  readonly key: (value: T) => string | null
  /** The record's timestamp, in topics stamped by the producer whose records say it themselves. UTC. */
  readonly timestamp?: (value: T) => EpochMs
}

/** Makes a topic. Importable from schemas/topics.ts and tests only: a test sees to it. */
export function topic<T, L extends Label, N extends string>(
  made: Omit<Topic<T, L>, typeof born> & { readonly name: N },
): Topic<T, L> & { readonly name: N } {
  return made as typeof made & Topic<T, L>
}

/** Bytes that do not fit the schema. Carries no content of the bytes. */
export class CodecError extends Error {
  override readonly name = 'CodecError'
  readonly record: string
  constructor(record: string, detail: string) {
    super(`a ${record} record does not fit its schema: ${detail}`)
    this.record = record
  }
}
