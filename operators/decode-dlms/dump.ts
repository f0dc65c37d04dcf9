import { decode } from './decode.ts'
import type { DecodeContext, Decoded } from './types.ts'
import { defaultCaps } from './wire/framer.ts'
import { hdlcFlag, hdlcFrame, hdlcMaximum, inspectHdlc } from './wire/hdlc.ts'
import { nothingPending, type Pending } from './wire/pending.ts'
import type { DecodeReason } from './wire/reasons.ts'
import { type Framing, scanNext, scanState } from './wire/scan.ts'

/** One good frame of a dump and what it came to. */
export interface DumpUnit {
  readonly at: number
  readonly length: number
  readonly decoded: Decoded
}

/** A captured run of bytes, decoded as a whole. */
export interface Dump {
  readonly units: readonly DumpUnit[]
  /** Places where no good frame could be read, in order; one for each loss of synchronism. */
  readonly faults: readonly { readonly reason: DecodeReason; readonly at: number }[]
  /** What was still open at the end: a segment without its rest, a block transfer without its last block. */
  readonly pending: Pending
}

/**
 * Decodes a whole capture: finds the frames, joins their parts and goes on behind damage. For `llc`, `apdu` and `axdr` the bytes are one unit.
 * @param context as for `decode`; its `pending` is where the capture begins.
 */
export function decodeDump(bytes: Uint8Array, context: DecodeContext): Dump {
  const units: DumpUnit[] = []
  const faults: { reason: DecodeReason; at: number }[] = []
  let pending = context.pending ?? nothingPending
  const take = (at: number, length: number, unit: Uint8Array): void => {
    const decoded = decode(unit, { ...context, pending })
    pending = decoded.pending
    units.push({ at, length, decoded })
  }
  const { transport } = context
  if (transport === 'llc' || transport === 'axdr' || transport === 'apdu') {
    take(0, bytes.length, bytes)
    return { units, faults, pending }
  }
  const framing: Framing = transport
  const scan = scanState()
  let from = 0
  for (;;) {
    scanNext(framing, bytes, from, bytes.length, true, defaultCaps[framing], scan)
    if (scan.kind === 'unit') take(scan.start, scan.end - scan.start, bytes.subarray(scan.start, scan.end))
    else if (scan.kind === 'fault') {
      const whole =
        scan.reason === 'frame_truncated' && framing === 'hdlc' ? withLostFlag(bytes, scan.start) : undefined
      if (whole !== undefined) {
        take(scan.start, whole.length - 1, whole)
        return { units, faults, pending }
      }
      faults.push({ reason: scan.reason, at: scan.start })
    }
    from = scan.next
    if (scan.kind !== 'more') continue
    // Flags alone are idle fill in a stream, but a capture of nothing else holds no frame.
    if (units.length === 0 && faults.length === 0 && bytes.length > 0) faults.push({ reason: 'frame_missing', at: 0 })
    return { units, faults, pending }
  }
}

// Serial loggers that split at 0x7E end a capture one byte early when the last check byte is itself 0x7E: the frame is whole and its check
// is right, only the closing flag is missing. Such a frame at the very end of a capture is read; a stream would wait for the flag.
function withLostFlag(bytes: Uint8Array, at: number): Uint8Array | undefined {
  if (bytes[bytes.length - 1] !== hdlcFlag || bytes.length - at > hdlcMaximum) return undefined
  const whole = new Uint8Array(bytes.length - at + 1)
  whole.set(bytes.subarray(at))
  whole[whole.length - 1] = hdlcFlag
  const frame = hdlcFrame()
  return inspectHdlc(whole, 1, whole.length, frame) === undefined && frame.length + 2 === whole.length
    ? whole
    : undefined
}
