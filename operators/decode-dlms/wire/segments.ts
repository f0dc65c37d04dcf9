// Joining what a link layer cut: HDLC segments (segmentation bit, I-frame numbers if there are any) and M-Bus sequences (CI 00, 01, .. 1n).
// The open join is plain data that the caller keeps; nothing is changed in place, so a replay of the same units gives the same messages.
import type { DecodeReason } from './reasons.ts'

/** An open join of link segments. `startedAt` in UTC epoch milliseconds, from the caller's received-at. */
export interface SegmentJoin {
  readonly link: 'hdlc' | 'mbus'
  /** Addresses of the segments, as one text: all parts of a message carry the same. */
  readonly address: string
  /** Expected number of the next segment; -1 if the link numbers none (unnumbered information). */
  readonly next: number
  readonly count: number
  readonly bytes: Uint8Array
  /** Length of the segment that was added last, to recognise an exact repetition of it. */
  readonly lastLength: number
  readonly startedAt: number
}

/** One link segment on its way into a join. */
export interface Segment {
  readonly link: 'hdlc' | 'mbus'
  readonly address: string
  /** Its number (HDLC I-frame 0..7, M-Bus 0..15); -1 if it has none. */
  readonly number: number
  readonly final: boolean
  /** It opens a message: LLC header in HDLC, sequence 0 in M-Bus. */
  readonly opens: boolean
  readonly bytes: Uint8Array
  readonly at: number
}

/** What became of a segment. `abandoned` tells why an older open join was given up. */
export interface SegmentResult {
  readonly open: SegmentJoin | undefined
  readonly complete: Uint8Array | undefined
  readonly count: number
  readonly refused: DecodeReason | undefined
  readonly abandoned: DecodeReason | undefined
}

/** Bounds of open joins. */
export interface JoinLimits {
  /** Most bytes of one joined message. */
  readonly bytes: number
  /** Longest time between the first part and a later one, in milliseconds. */
  readonly millis: number
}

/** Most segments of one message: the state of a connection has two bytes for their number. */
const mostSegments = 0xffff

/** 64 KiB and two minutes. */
export const defaultJoinLimits: JoinLimits = { bytes: 65_536, millis: 120_000 }

/** Adds a segment to the open join, or opens one. A segment that is whole by itself does not need this. */
export function joinSegment(
  open: SegmentJoin | undefined,
  segment: Segment,
  receivedAt: number,
  limits: JoinLimits,
): SegmentResult {
  let before = open
  let abandoned: DecodeReason | undefined
  if (before !== undefined && receivedAt - before.startedAt > limits.millis) {
    before = undefined
    abandoned = 'segment_expired'
  }
  if (segment.opens && before !== undefined) {
    if (isRepetition(before, segment)) return kept(before, abandoned)
    before = undefined
    abandoned = 'segment_missing'
  }
  if (before === undefined) {
    if (!segment.opens) return given('segment_missing', abandoned)
    if (segment.bytes.length > limits.bytes) return given('frame_oversize', abandoned)
    if (segment.final) return { open: undefined, complete: segment.bytes, count: 1, refused: undefined, abandoned }
    return kept(
      {
        link: segment.link,
        address: segment.address,
        next: following(segment),
        count: 1,
        bytes: segment.bytes,
        lastLength: segment.bytes.length,
        startedAt: receivedAt,
      },
      abandoned,
    )
  }
  if (isRepetition(before, segment)) return kept(before, abandoned)
  const fits = before.link === segment.link && before.address === segment.address && before.next === segment.number
  if (!fits) return given('segment_missing', abandoned)
  if (before.bytes.length + segment.bytes.length > limits.bytes) return given('frame_oversize', abandoned)
  if (before.count === mostSegments) return given('frame_oversize', abandoned)
  const bytes = concat(before.bytes, segment.bytes)
  const count = before.count + 1
  if (segment.final) return { open: undefined, complete: bytes, count, refused: undefined, abandoned }
  return kept({ ...before, next: following(segment), count, bytes, lastLength: segment.bytes.length }, abandoned)
}

function following(segment: Segment): number {
  if (segment.number < 0) return -1
  return (segment.number + 1) & (segment.link === 'hdlc' ? 7 : 15)
}

// Only numbered segments can be told apart from a following one with the same content.
function isRepetition(open: SegmentJoin, segment: Segment): boolean {
  if (segment.number < 0 || segment.link !== open.link || segment.address !== open.address) return false
  const modulo = segment.link === 'hdlc' ? 7 : 15
  if (((segment.number + 1) & modulo) !== open.next || segment.bytes.length !== open.lastLength) return false
  return endsWith(open.bytes, segment.bytes)
}

function kept(open: SegmentJoin, abandoned: DecodeReason | undefined): SegmentResult {
  return { open, complete: undefined, count: open.count, refused: undefined, abandoned }
}

function given(refused: DecodeReason, abandoned: DecodeReason | undefined): SegmentResult {
  return { open: undefined, complete: undefined, count: 0, refused, abandoned }
}

// How many bytes of a buffer made here are in use. A join that ends where its buffer's use ends may be continued in place; for any other, and so for a
// second continuation of the same join, the bytes are copied. Many small parts then cost their bytes, not their bytes times their number.
const used = new WeakMap<ArrayBufferLike, number>()
const leastRoom = 256

/** Two byte arrays, one after the other. The first one keeps its bytes, but the result may share memory with it. */
export function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const length = first.length + second.length
  const end = first.byteOffset + first.length
  if (used.get(first.buffer) === end && end + second.length <= first.buffer.byteLength) {
    used.set(first.buffer, end + second.length)
    const joined = new Uint8Array(first.buffer, first.byteOffset, length)
    joined.set(second, first.length)
    return joined
  }
  const joined = new Uint8Array(new ArrayBuffer(Math.max(2 * length, leastRoom)), 0, length)
  joined.set(first)
  joined.set(second, first.length)
  used.set(joined.buffer, length)
  return joined
}

/** Whether `bytes` ends with exactly `tail`. */
export function endsWith(bytes: Uint8Array, tail: Uint8Array): boolean {
  const start = bytes.length - tail.length
  if (start < 0) return false
  for (let k = 0; k < tail.length; k++) if (bytes[start + k] !== tail[k]) return false
  return true
}
