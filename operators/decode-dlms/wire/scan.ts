// Finding frames in a run of bytes. The same scanners serve the streaming framers and captured dumps, so what one finds the other finds.
import { hdlcFlag, hdlcFrame, inspectHdlc } from './hdlc.ts'
import { inspectMbus, mbusFrame, mbusStart } from './mbus.ts'
import type { DecodeReason } from './reasons.ts'
import { inspectWrapper, wrapperHeader, wrapperLength } from './wrapper.ts'

/** Link layers that delimit themselves in a byte stream, and `apdu`, where the carrier does (a broker record, a datagram). */
export type Framing = 'hdlc' | 'mbus' | 'wrapper' | 'apdu'

/**
 * One step of a scan, reused between calls.
 * `unit`: a good frame at `[start, end)`. `fault`: bytes from `start` refused for `reason`. `more`: nothing decidable before more bytes come.
 * In every case the scan goes on at `next`. The functions fill it and give it back.
 */
export interface Scan {
  kind: 'unit' | 'fault' | 'more'
  start: number
  end: number
  next: number
  reason: DecodeReason
  /** A fault was told and no good frame has been seen since: further unreadable bytes belong to the same loss of synchronism. */
  hunting: boolean
  /** The link cannot be resynchronised (the wrapper has no mark to look for); the connection should be closed. */
  dead: boolean
}

/** A scan in its starting state. */
export function scanState(): Scan {
  return { kind: 'more', start: 0, end: 0, next: 0, reason: 'frame_missing', hunting: false, dead: false }
}

/**
 * Finds the next frame, or the next reason why there is none, in `bytes[from..end)`.
 * @param final no more bytes will follow, so an incomplete frame is a truncated one.
 * @param cap longest unit that is accepted, in bytes.
 */
export function scanNext(
  framing: Framing,
  bytes: Uint8Array,
  from: number,
  end: number,
  final: boolean,
  cap: number,
  scan: Scan,
): Scan {
  if (framing === 'hdlc') return scanHdlc(bytes, from, end, final, cap, scan)
  if (framing === 'mbus') return scanMbus(bytes, from, end, final, cap, scan)
  if (framing === 'wrapper') return scanWrapper(bytes, from, end, final, cap, scan)
  if (from === end) return more(scan, end)
  return end - from > cap ? fault(scan, 'frame_oversize', from, end) : unit(scan, from, end, end)
}

const hdlcScratch = hdlcFrame()
const mbusScratch = mbusFrame()

function scanHdlc(bytes: Uint8Array, from: number, end: number, final: boolean, cap: number, scan: Scan): Scan {
  let flag = from
  for (;;) {
    flag = bytes.indexOf(hdlcFlag, flag)
    if (flag < 0 || flag >= end) {
      if (from < end && !scan.hunting) return fault(scan, 'frame_missing', from, end)
      return more(scan, end)
    }
    if (flag > from && !scan.hunting) return fault(scan, 'frame_missing', from, flag)
    while (flag + 1 < end && bytes[flag + 1] === hdlcFlag) flag++
    if (flag + 1 === end) return more(scan, final ? end : flag)
    const found = inspectHdlc(bytes, flag + 1, end, hdlcScratch, cap)
    if (found === undefined) {
      const closing = flag + 1 + hdlcScratch.length
      return unit(scan, flag, closing + 1, closing)
    }
    if (found === 'incomplete') {
      if (!final) return more(scan, flag)
      if (!scan.hunting) return fault(scan, end - flag <= 2 ? 'apdu_trailing_bytes' : 'frame_truncated', flag, flag + 1)
    } else {
      // The header check protects the length and the closing flag is in place: the whole frame is known to be bad, and skipped as one.
      const next = found === 'fcs_mismatch' ? flag + 1 + hdlcScratch.length : flag + 1
      const told = final && end - flag <= 2 ? 'apdu_trailing_bytes' : found
      if (!scan.hunting || found === 'fcs_mismatch') return fault(scan, told, flag, next)
    }
    flag++
  }
}

function scanMbus(bytes: Uint8Array, from: number, end: number, final: boolean, cap: number, scan: Scan): Scan {
  let at = from
  for (;;) {
    at = bytes.indexOf(mbusStart, at)
    if (at < 0 || at >= end) {
      if (from < end && !scan.hunting) return fault(scan, 'frame_missing', from, end)
      return more(scan, end)
    }
    if (at > from && !scan.hunting) return fault(scan, 'frame_missing', from, at)
    const found = inspectMbus(bytes, at, end, mbusScratch, cap)
    if (found === undefined) {
      const stop = at + 6 + mbusScratch.length
      return unit(scan, at, stop, stop)
    }
    if (found === 'incomplete') {
      if (!final) return more(scan, at)
      if (!scan.hunting) return fault(scan, 'frame_truncated', at, at + 1)
    } else {
      const next = found === 'checksum_mismatch' ? at + 6 + mbusScratch.length : at + 1
      if (!scan.hunting || found === 'checksum_mismatch') return fault(scan, found, at, next)
    }
    at++
  }
}

function scanWrapper(bytes: Uint8Array, from: number, end: number, final: boolean, cap: number, scan: Scan): Scan {
  if (scan.dead || from === end) return more(scan, end)
  const found = inspectWrapper(bytes, from, end)
  if (found === 'incomplete') {
    if (end - from >= wrapperHeader && wrapperHeader + wrapperLength(bytes, from) > cap)
      return close(scan, 'frame_oversize', from, end)
    return final ? close(scan, 'frame_truncated', from, end) : more(scan, from)
  }
  if (found !== undefined) return close(scan, found, from, end)
  const stop = from + wrapperHeader + wrapperLength(bytes, from)
  if (stop - from > cap) return close(scan, 'frame_oversize', from, end)
  return unit(scan, from, stop, stop)
}

function unit(scan: Scan, start: number, end: number, next: number): Scan {
  scan.kind = 'unit'
  scan.start = start
  scan.end = end
  scan.next = next
  scan.hunting = false
  return scan
}

function fault(scan: Scan, reason: DecodeReason, start: number, next: number): Scan {
  scan.kind = 'fault'
  scan.reason = reason
  scan.start = start
  scan.end = next
  scan.next = next
  scan.hunting = true
  return scan
}

function close(scan: Scan, reason: DecodeReason, start: number, end: number): Scan {
  fault(scan, reason, start, end)
  scan.dead = true
  return scan
}

function more(scan: Scan, next: number): Scan {
  scan.kind = 'more'
  scan.next = next
  return scan
}
