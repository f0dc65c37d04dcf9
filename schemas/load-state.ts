import { asBuffer, avroCodec } from './avro.ts'
import type { Codec } from './codec.ts'

/**
 * `load.state` (pseudonymous, compacted): one open window's sums, or the row `head` with the exact offsets they stand for.
 * A row is written in the transaction of what it describes; a tombstone closes a window. `publish.state` and
 * `forecast.state` hold rows of the same form. Rows whose name begins with `@` are the runtime's.
 */
export interface LoadState {
  /** `head`, or the start of the window as ISO 8601 with its channel. */
  readonly row: string
  /** The row's content: JSON in a form that its owner, operators/privacy/release-totals, reads. */
  readonly body: Uint8Array
}

/** Codec of `load.state`. */
export const loadStateCodec: Codec<LoadState> = avroCodec<LoadState, LoadState>('load-state', {
  toFields: ({ row, body }) => ({ row, body: asBuffer(body) }),
  fromFields: ({ row, body }) => ({ row, body }),
})
