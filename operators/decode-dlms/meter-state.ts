// State of one measuring point between two units, as bytes:
//   flags (1): bit 0 counter window, bit 1 open joins | counter window (56), if there is one | open joins (rest), see wire/pending.ts
import { CodecError } from '../../schemas/codec.ts'
import { windowBytes } from './counter-window.ts'
import { decodePending, encodePending, type Pending } from './wire/pending.ts'
import { WireError } from './wire/reasons.ts'

/** What is remembered of a meter: its counters, and parts of a message that wait for the rest. */
export interface MeterState {
  /** See counter-window.ts. */
  readonly window: Uint8Array | undefined
  readonly pending: Pending | undefined
}

export const meterStateCodec = {
  encode: ({ window, pending }: MeterState): Uint8Array => {
    const joins = pending && encodePending(pending)
    // A Buffer at once: the changelog's codec would make one of each cell, and every byte is written here.
    const bytes = Buffer.allocUnsafe(1 + (window ? windowBytes : 0) + (joins?.length ?? 0))
    bytes[0] = (window ? 1 : 0) | (joins ? 2 : 0)
    if (window) bytes.set(window, 1)
    if (joins) bytes.set(joins, 1 + (window ? windowBytes : 0))
    return bytes
  },
  decode: (bytes: Uint8Array): MeterState => {
    const flags = bytes[0] ?? 0
    const joinsAt = 1 + ((flags & 1) !== 0 ? windowBytes : 0)
    if (flags > 3 || bytes.length < joinsAt) throw new CodecError('meter state', 'a cell of another form')
    return {
      window: (flags & 1) !== 0 ? bytes.subarray(1, joinsAt) : undefined,
      pending: (flags & 2) !== 0 ? joinsOf(bytes.subarray(joinsAt)) : undefined,
    }
  },
}

function joinsOf(bytes: Uint8Array): Pending {
  try {
    return decodePending(bytes)
  } catch (error) {
    throw error instanceof WireError ? new CodecError('meter state', 'open joins of another form') : error
  }
}
