import { hdlcMaximum } from './hdlc.ts'
import { mbusMaximum } from './mbus.ts'
import type { DecodeReason } from './reasons.ts'
import { type Framing, scanNext, scanState } from './scan.ts'

/** What a framer tells: one good transport unit (own bytes, frame marks included), or one loss of synchronism. */
export type FramerEvent =
  | { readonly kind: 'unit'; readonly bytes: Uint8Array; readonly at: number }
  | { readonly kind: 'fault'; readonly reason: DecodeReason; readonly at: number }

/** Cuts a byte stream into transport units. One per connection; it holds no key and no personal state beyond the bytes of one open unit. */
export interface Framer {
  /** Takes the next bytes of the stream in chunks of any size; the chunk may be reused after the call. `at` is counted from the start of the stream. */
  readonly push: (chunk: Uint8Array) => readonly FramerEvent[]
  /** Says that the stream has ended: an open unit is `frame_truncated`. */
  readonly end: () => readonly FramerEvent[]
  /** Bytes held at the moment; never more than the cap. */
  readonly buffered: () => number
  /** The link cannot be resynchronised, so the connection should be closed. */
  readonly closed: () => boolean
}

/** Default cap per framing in bytes: what the link layer can announce at most; 64 KiB for bare APDUs. */
export const defaultCaps: Readonly<Record<Framing, number>> = {
  hdlc: hdlcMaximum,
  mbus: mbusMaximum,
  wrapper: 8 + 65_535,
  apdu: 65_536,
}

const empty = new Uint8Array(0)

/**
 * Opens a framer. Any chunking of a stream gives the same units and faults; after damage it goes on with the next good frame
 * (HDLC, M-Bus) or says that the connection must be closed (wrapper). For `apdu` each push is one unit, as the carrier delimits it.
 * @param cap longest unit in bytes; longer ones are `frame_oversize`. Default: `defaultCaps`.
 */
export function framer(framing: Framing, cap: number = defaultCaps[framing]): Framer {
  const scan = scanState()
  let held: Uint8Array = empty
  let streamAt = 0

  function drain(bytes: Uint8Array, final: boolean): readonly FramerEvent[] {
    const events: FramerEvent[] = []
    const end = bytes.length
    let from = 0
    for (;;) {
      scanNext(framing, bytes, from, end, final, cap, scan)
      if (scan.kind === 'unit')
        events.push({ kind: 'unit', bytes: bytes.slice(scan.start, scan.end), at: streamAt + scan.start })
      else if (scan.kind === 'fault') events.push({ kind: 'fault', reason: scan.reason, at: streamAt + scan.start })
      from = scan.next
      if (scan.kind === 'more') break
    }
    streamAt += from
    held = from === end ? empty : bytes.slice(from)
    return events
  }

  return {
    push(chunk) {
      if (scan.dead) return []
      if (held.length === 0) return drain(chunk, false)
      const joined = new Uint8Array(held.length + chunk.length)
      joined.set(held)
      joined.set(chunk, held.length)
      return drain(joined, false)
    },
    end: () => (scan.dead ? [] : drain(held, true)),
    buffered: () => held.length,
    closed: () => scan.dead,
  }
}
