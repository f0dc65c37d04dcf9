import type { EpochMs } from '../../schemas/codec.ts'

declare const of: unique symbol

/**
 * Bytes of a record of type `T` that were fixed earlier (sealed in the ledger): a sink copies them verbatim, wire-format
 * header included, with this key and timestamp.
 */
export interface Published<out T> {
  readonly [of]?: T
  readonly key: string
  readonly bytes: Uint8Array
  readonly timestamp: EpochMs
}

/** A record with the partition it must go to, for sinks whose partition is no function of the record alone. */
export interface Routed<out T> {
  readonly routedTo: number
  readonly value: T
}
