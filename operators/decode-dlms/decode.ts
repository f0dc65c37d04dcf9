// One transport unit in, one outcome out.
//
// For whoever builds on this:
//   decode(bytes, context)        one unit (an HDLC or M-Bus frame, a wrapper datagram, a bare APDU) with the connection's open joins in
//                                 `context.pending`; the new joins are in `decoded.pending`. Pure and synchronous; never throws for any bytes.
//   peekSecurity(bytes, context)  title, counter and protection of that unit without decrypting: what state must be looked up before.
//   encodePending/decodePending   (wire/pending.ts) the joins as bytes, for a changelog.
//   framer(framing)               (wire/framer.ts) cuts a byte stream into units.
//   decodeDump(bytes, context)    (dump.ts) a captured run of bytes as a whole.
//   intervalReadings(message, p)  (intervals.ts) the energy of intervals in a message.
// `decoded.outcome` is `message`, `pending` (a part was kept), `link` (no APDU), `duplicate` (the replay check knew it) or `refused`.
// Values are only in `content`; no reason holds bytes, keys or titles.

import { isCiphered, type Layer, type LayerHolder, openLayer, protectionBits, protectionName } from './security.ts'
import type { Content, DecodeContext, Decoded, Path, Refused, Trust } from './types.ts'
import { readTransferBlock } from './wire/apdu/general-block-transfer.ts'
import { readApdu } from './wire/apdu/index.ts'
import type { Message } from './wire/apdu/message.ts'
import { apduTag, insideGeneral, outOfScope } from './wire/apdu/tags.ts'
import { defaultAxdrLimits, readValue } from './wire/axdr.ts'
import { joinBlock } from './wire/blocks.ts'
import { cursor, finish } from './wire/cursor.ts'
import { readLink } from './wire/link.ts'
import { nothingPending, type Pending } from './wire/pending.ts'
import { type DecodeReason, refuse, WireError } from './wire/reasons.ts'
import { defaultJoinLimits } from './wire/segments.ts'

/** Longest unit and longest plaintext, in bytes: what tape offsets can address is far more, but no meter sends it. */
const unitMaximum = 1_048_576

// What the user information of an association response may be: anything else would let one APDU nest inside another without end.
const associationTags: ReadonlySet<number> = new Set([
  apduTag.initiateResponse,
  apduTag.confirmedServiceError,
  apduTag.gloInitiateResponse,
  apduTag.gloConfirmedServiceError,
])

interface Work extends LayerHolder {
  readonly context: DecodeContext
  readonly path: Path
  readonly minimum: number
  readonly serviceMinimum: number
  readonly peek: boolean
  segment: Pending['segment']
  block: Pending['block']
  stage: Refused['stage']
}

/**
 * Decodes one transport unit. Pure: the same bytes, context and pending joins give the same outcome.
 * @throws nothing, whatever the bytes are; every refusal is an outcome with a closed reason and a byte offset.
 */
export function decode(bytes: Uint8Array, context: DecodeContext): Decoded {
  return run(bytes, context, false)
}

/** What can be read of a ciphered unit before decryption: a claim, since nothing is verified yet. */
export interface SecurityPeek {
  readonly systemTitle: Uint8Array | undefined
  readonly control: number
  readonly invocationCounter: number
}

/** Reads the security header of a unit without decrypting; `undefined` if it is not ciphered, waits for more, or would be refused. */
export function peekSecurity(bytes: Uint8Array, context: DecodeContext): SecurityPeek | undefined {
  const decoded = run(bytes, context, true)
  if (decoded.outcome !== 'duplicate') return undefined
  const { systemTitle, control, invocationCounter } = decoded.ciphered
  return { systemTitle, control, invocationCounter }
}

function run(bytes: Uint8Array, context: DecodeContext, peek: boolean): Decoded {
  const before = context.pending ?? nothingPending
  const minimum = context.minimumProtection ?? 'authenticated-encrypted'
  const path: Path = { segments: 0, transferBlock: 0, restarted: false, repeated: false, abandoned: undefined }
  const work: Work = {
    context,
    path,
    minimum: protectionBits[minimum],
    serviceMinimum: protectionBits[context.serviceProtection ?? minimum],
    peek,
    segment: before.segment,
    block: before.block,
    layer: undefined,
    stage: 'link',
  }
  let unnumbered = false
  try {
    if (bytes.length > unitMaximum) refuse('frame_oversize', unitMaximum)
    const payload = readLink(
      bytes,
      context.transport,
      before.segment,
      context.receivedAt ?? 0,
      context.joinLimits ?? defaultJoinLimits,
    )
    work.segment = payload.open
    path.segments = payload.segments
    path.abandoned = payload.abandoned
    if (payload.refused !== undefined) refuse(payload.refused, 0)
    if (payload.bytes === undefined) {
      return payload.linkOnly
        ? { outcome: 'link', path, pending: pendingOf(work, before) }
        : part(work, before, undefined)
    }
    unnumbered = payload.unnumbered
    work.stage = 'apdu'
    if (context.transport === 'axdr') return bareValue(payload.bytes, work, before)
    const content = readLayer(payload.bytes, payload.at, payload.end, work, 0)
    return finished(content, work, before)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const plain = work.layer === undefined
    const lost =
      unnumbered &&
      plain &&
      (error.reason.startsWith('axdr_') || error.reason.startsWith('apdu_') || error.reason === 'length_invalid')
    return refused(lost ? 'segment_missing' : error.reason, error.byteOffset, work, before)
  }
}

/** A message whose ciphering is added once it is known. */
type Opening = { -readonly [K in keyof Content]: Content[K] }

function trustOf(layer: Layer | undefined): Trust {
  if (layer === undefined) return { protection: 'none', tag: 'absent', replay: 'unchecked' }
  const { control, tag, replay } = layer
  return {
    protection: protectionName(control & 0x30),
    tag: tag === 'verified' || tag === 'unverified' ? tag : 'absent',
    replay,
  }
}

// `undefined` content: the block was kept, or the replay check stopped the frame.
function finished(content: Content | undefined, work: Work, before: Pending): Decoded {
  const pending = pendingOf(work, before)
  const { path, layer } = work
  if (content === undefined) {
    if (layer?.tag === 'unopened') return { outcome: 'duplicate', path, pending, ciphered: layer }
    return part(work, before, undefined)
  }
  if (content.message.kind === 'get-response-with-datablock' && content.message.result === undefined)
    return part(work, before, content)
  return { outcome: 'message', path, pending, content, trust: trustOf(layer) }
}

function readLayer(bytes: Uint8Array, at: number, end: number, work: Work, depth: number): Opening | undefined {
  if (at >= end) refuse('axdr_truncated', at)
  const tag = bytes[at] as number
  if (tag === apduTag.generalBlockTransfer) {
    // A transfer holds an APDU, never another transfer: without this a few bytes could nest for ever.
    if (depth > 1) refuse('apdu_unknown_tag', at)
    const joined = readTransfer(bytes, at, end, work)
    if (joined === undefined) return undefined
    if (joined[0] === apduTag.generalBlockTransfer) refuse('apdu_unknown_tag', 0)
    return readLayer(joined, 0, joined.length, work, depth + 1)
  }
  if (isCiphered(tag)) {
    if (work.layer !== undefined) refuse('apdu_unknown_tag', at)
    const layer = openLayer(bytes, at, end, work.context, work.minimum, work.serviceMinimum, work.peek, work)
    const { plaintext } = layer
    if (plaintext === undefined) return undefined
    work.stage = 'plaintext'
    const first = plaintext[0] as number
    if (layer.inner >= 0 ? first !== layer.inner : !insideGeneral.has(first) && !outOfScope.has(first))
      refuse('apdu_unknown_tag', 0)
    const inner = readLayer(plaintext, 0, plaintext.length, work, depth)
    if (inner !== undefined) inner.ciphered = layer
    return inner
  }
  return readPlain(bytes, at, end, tag, work)
}

function readPlain(bytes: Uint8Array, at: number, end: number, tag: number, work: Work): Opening {
  const least = isPush(tag) ? work.minimum : isAnswer(tag) ? work.serviceMinimum : 0
  // Once more with what is inside: a notification in the ciphering of a service must not pass under the service's weaker rule.
  const bits = work.layer === undefined ? 0 : work.layer.control
  if ((bits & least) !== least) refuse('protection_too_weak', at)
  const message = readApdu(bytes, at, end, work.context.axdrLimits ?? defaultAxdrLimits)
  if (message.kind === 'get-response-with-datablock')
    return { message: joinDatablock(message, work), ciphered: undefined, association: undefined }
  if (message.kind !== 'aare' || message.userInformation === undefined)
    return { message, ciphered: undefined, association: undefined }
  const info = message.userInformation
  if (!associationTags.has(info[0] as number)) refuse('apdu_unknown_tag', at)
  const association = readLayer(
    info,
    0,
    info.length,
    { ...work, context: titled(work.context, message.respondingTitle) },
    2,
  )
  return { message, ciphered: undefined, association }
}

function titled(context: DecodeContext, systemTitle: Uint8Array | undefined): DecodeContext {
  return systemTitle === undefined ? context : { ...context, systemTitle }
}

function isPush(tag: number): boolean {
  return tag === apduTag.dataNotification || tag === apduTag.eventNotification || tag === apduTag.p1Text
}

function isAnswer(tag: number): boolean {
  return tag === apduTag.getResponse || tag === apduTag.actionResponse || tag === apduTag.accessResponse
}

function readTransfer(bytes: Uint8Array, at: number, end: number, work: Work): Uint8Array | undefined {
  const block = readTransferBlock(cursor(bytes, at + 1, end))
  work.path.transferBlock = block.number
  return join(work, 'general', '', block.number, block.last, block.data)
}

function joinDatablock(message: Message & { kind: 'get-response-with-datablock' }, work: Work): Message {
  if (message.block === undefined) {
    work.block = undefined
    return message
  }
  const { blockNumber, last, block, invokeId } = message
  const joined = join(work, 'get-response', `#${invokeId}`, blockNumber, last, block)
  if (joined === undefined) return message
  const c = cursor(joined)
  const value = readValue(c, work.context.axdrLimits ?? defaultAxdrLimits)
  finish(c)
  return { ...message, block: undefined, result: { value } }
}

function join(
  work: Work,
  transfer: 'general' | 'get-response',
  request: string,
  number: number,
  last: boolean,
  data: Uint8Array,
): Uint8Array | undefined {
  const { layer, context, path } = work
  const title = layer?.title === undefined ? '' : Buffer.from(layer.title).toString('hex')
  const source = title + request
  const open = work.block
  // Until it is known to fit, the block replaces whatever is open: a transfer that was disturbed is not continued.
  work.block = undefined
  const result = joinBlock(
    open,
    { transfer, protection: layer === undefined ? 0 : layer.control & 0x30, source, number, last, data },
    context.receivedAt ?? 0,
    context.joinLimits ?? defaultJoinLimits,
  )
  path.restarted = result.restarted
  path.repeated = result.repeated
  path.abandoned ??= result.abandoned
  if (result.refused !== undefined) refuse(result.refused, 0)
  work.block = result.open
  return result.complete
}

function bareValue(bytes: Uint8Array, work: Work, before: Pending): Decoded {
  if (work.minimum !== 0) refuse('protection_too_weak', 0)
  const c = cursor(bytes)
  const value = readValue(c, work.context.axdrLimits ?? defaultAxdrLimits)
  const message: Message = { kind: 'data', value, trailing: bytes.subarray(c.at) }
  return finished({ message, ciphered: undefined, association: undefined }, work, before)
}

function part(work: Work, before: Pending, content: Content | undefined): Decoded {
  return { outcome: 'pending', path: work.path, pending: pendingOf(work, before), content, trust: trustOf(work.layer) }
}

function refused(reason: DecodeReason, byteOffset: number, work: Work, before: Pending): Refused {
  const { layer } = work
  if (layer !== undefined) {
    if (reason === 'authentication_failed') layer.tag = 'failed'
    // What was refused is not shown, even if it was decrypted first.
    layer.plaintext = undefined
  }
  return {
    outcome: 'refused',
    path: work.path,
    pending: pendingOf(work, before),
    reason,
    stage: work.stage,
    byteOffset,
    ciphered: layer,
  }
}

function pendingOf(work: Work, before: Pending): Pending {
  if (work.segment === before.segment && work.block === before.block) return before
  if (work.segment === undefined && work.block === undefined) return nothingPending
  return { segment: work.segment, block: work.block }
}
