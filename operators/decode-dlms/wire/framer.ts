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
  // The bytes that are not decided yet are the first `held` ones of `store`, which grows by doubling: adding to it byte by byte costs no more than
  // adding all at once.
  let store: Uint8Array = empty
  let held = 0
  let streamAt = 0

  function append(chunk: Uint8Array): void {
    if (held + chunk.length > store.length) {
      const grown = new Uint8Array(Math.max(held + chunk.length, Math.min(2 * store.length, cap)))
      grown.set(store.subarray(0, held))
      store = grown
    }
    store.set(chunk, held)
    held += chunk.length
  }

  function drain(bytes: Uint8Array, end: number, final: boolean): readonly FramerEvent[] {
    const events: FramerEvent[] = []
    let from = 0
    for (;;) {
      scanNext(framing, bytes, from, end, final, cap, scan)
      if (scan.kind === 'unit')
        events.push({ kind: 'unit', bytes: copyOf(bytes, scan.start, scan.end), at: streamAt + scan.start })
      else if (scan.kind === 'fault') events.push({ kind: 'fault', reason: scan.reason, at: streamAt + scan.start })
      from = scan.next
      if (scan.kind === 'more') break
    }
    streamAt += from
    if (from === end) {
      held = 0
      store = empty
    } else if (from > 0 || bytes !== store) {
      store = copyOf(bytes, from, end)
      held = end - from
    }
    return events
  }

  return {
    push(chunk) {
      if (scan.dead) return []
      if (held === 0) return drain(chunk, chunk.length, false)
      append(chunk)
      return drain(store, held, false)
    },
    end: () => (scan.dead ? [] : drain(store, held, true)),
    buffered: () => held,
    closed: () => scan.dead,
  }
}

// Not `slice`: of a Buffer, which is what sockets give, that would be a view of the chunk.
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return Uint8Array.from(bytes.subarray(from, to))
}
