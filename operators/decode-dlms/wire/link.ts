// From one transport unit to the bytes of an APDU: the frame is checked, segments are joined, the LLC header is taken off.
import { apduTag } from './apdu/tags.ts'
import { uint16At } from './cursor.ts'
import { carriesData, hdlcFlag, hdlcFrame, inspectHdlc, sendSequence } from './hdlc.ts'
import { hasLlc, llcLength } from './llc.ts'
import { inspectMbus, mbusFrame } from './mbus.ts'
import { type DecodeReason, refuse } from './reasons.ts'
import { type JoinLimits, joinSegment, type Segment, type SegmentJoin } from './segments.ts'
import { inspectWrapper, wrapperHeader, wrapperLength } from './wrapper.ts'

/** How a unit is wrapped. `llc` is an HDLC information field, `apdu` a bare APDU, `axdr` a bare data value. */
export type Transport = 'hdlc' | 'mbus' | 'wrapper' | 'llc' | 'apdu' | 'axdr'

/** A unit without its link layer; valid until the next unit is read. */
export interface Payload {
  /** APDU bytes `[at, end)`; `undefined` if the unit carries none (link control, or a segment that waits for more). */
  bytes: Uint8Array | undefined
  at: number
  end: number
  /** Link segments that the APDU came in; 1 if it was whole, 0 if there is no APDU. */
  segments: number
  /** The joined segments carried no numbers, so a lost one in the middle shows only when the data does not fit. */
  unnumbered: boolean
  /** The unit belongs to the link layer alone (connection set-up, acknowledgement). */
  linkOnly: boolean
  /** Segments that wait for the rest. */
  open: SegmentJoin | undefined
  /** Why an older open join was given up. */
  abandoned: DecodeReason | undefined
  /** Why the segment itself cannot be used. */
  refused: DecodeReason | undefined
}

const hdlc = hdlcFrame()
const mbus = mbusFrame()

/** Takes the link layer off one unit. Refuses damaged units; the open join then stays as it was. */
export function readLink(
  bytes: Uint8Array,
  transport: Transport,
  open: SegmentJoin | undefined,
  receivedAt: number,
  limits: JoinLimits,
): Payload {
  switch (transport) {
    case 'hdlc':
      return readHdlc(bytes, open, receivedAt, limits)
    case 'mbus':
      return readMbus(bytes, open, receivedAt, limits)
    case 'wrapper': {
      const found = inspectWrapper(bytes, 0, bytes.length)
      if (found !== undefined) refuse(found === 'incomplete' ? 'frame_truncated' : found, 0)
      const end = wrapperHeader + wrapperLength(bytes, 0)
      if (end !== bytes.length) refuse('apdu_trailing_bytes', end)
      return whole(bytes, wrapperHeader, end, open)
    }
    case 'llc':
      return whole(bytes, hasLlc(bytes, 0, bytes.length) ? llcLength : 0, bytes.length, open)
    default:
      return whole(bytes, 0, bytes.length, open)
  }
}

function readHdlc(bytes: Uint8Array, open: SegmentJoin | undefined, receivedAt: number, limits: JoinLimits): Payload {
  if (bytes[0] !== hdlcFlag) refuse('frame_missing', 0)
  let at = 1
  while (bytes[at] === hdlcFlag) at++
  const found = inspectHdlc(bytes, at, bytes.length, hdlc)
  if (found !== undefined) refuse(found === 'incomplete' ? 'frame_truncated' : found, at)
  if (at + hdlc.length + 1 !== bytes.length) refuse('apdu_trailing_bytes', at + hdlc.length + 1)
  const { control, informationAt, informationEnd } = hdlc
  if (!carriesData(control) || informationAt === informationEnd)
    return { ...whole(bytes, 0, 0, open), bytes: undefined, segments: 0, linkOnly: true }
  const opens = hasLlc(bytes, informationAt, informationEnd)
  const dataAt = opens ? informationAt + llcLength : informationAt
  if (!hdlc.segmented && open === undefined) {
    // Without an LLC header a frame is the tail of something that was lost, or a further block of a meter that sends the header once per transfer.
    if (!opens && !continuesTransfer(bytes[dataAt] as number)) refuse('segment_missing', dataAt)
    return whole(bytes, dataAt, informationEnd, open)
  }
  const address = Buffer.from(
    bytes.buffer,
    bytes.byteOffset + hdlc.destinationAt,
    hdlc.controlAt - hdlc.destinationAt,
  ).toString('hex')
  return joined(
    {
      link: 'hdlc',
      address,
      number: sendSequence(control),
      final: !hdlc.segmented,
      opens,
      bytes: bytes.subarray(dataAt, informationEnd),
      at: dataAt,
    },
    open,
    receivedAt,
    limits,
  )
}

function continuesTransfer(tag: number): boolean {
  return tag === apduTag.generalBlockTransfer || tag === apduTag.generalGlo || tag === apduTag.generalDed
}

function readMbus(bytes: Uint8Array, open: SegmentJoin | undefined, receivedAt: number, limits: JoinLimits): Payload {
  const found = inspectMbus(bytes, 0, bytes.length, mbus)
  if (found !== undefined) refuse(found === 'incomplete' ? 'frame_truncated' : found, 0)
  if (mbus.length + 6 !== bytes.length) refuse('apdu_trailing_bytes', mbus.length + 6)
  if (mbus.final && mbus.sequence === 0 && open === undefined) return whole(bytes, mbus.dataAt, mbus.dataEnd, open)
  const address = uint16At(bytes, 7).toString(16)
  const { sequence, final, dataAt, dataEnd } = mbus
  return joined(
    {
      link: 'mbus',
      address,
      number: sequence,
      final,
      opens: sequence === 0,
      bytes: bytes.subarray(dataAt, dataEnd),
      at: dataAt,
    },
    open,
    receivedAt,
    limits,
  )
}

function joined(segment: Segment, open: SegmentJoin | undefined, receivedAt: number, limits: JoinLimits): Payload {
  const result = joinSegment(open, segment, receivedAt, limits)
  const { complete } = result
  return {
    bytes: complete,
    at: 0,
    end: complete?.length ?? 0,
    segments: complete === undefined ? 0 : result.count,
    unnumbered: segment.number < 0 && result.count > 1,
    linkOnly: false,
    open: result.open,
    abandoned: result.abandoned,
    refused: result.refused,
  }
}

// The usual case, a unit that is a whole message, gets one object for all units: it is read out before the next unit is looked at.
const wholePayload: Payload = {
  bytes: undefined,
  at: 0,
  end: 0,
  segments: 1,
  unnumbered: false,
  linkOnly: false,
  open: undefined,
  abandoned: undefined,
  refused: undefined,
}

function whole(bytes: Uint8Array, at: number, end: number, open: SegmentJoin | undefined): Payload {
  wholePayload.bytes = bytes
  wholePayload.at = at
  wholePayload.end = end
  wholePayload.open = open
  return wholePayload
}
