// What is open on one connection between two transport units, as plain data and as bytes, so that a runtime can keep it in a changelog.
//   version (1, 01) | flags (1): bit 0 segment join, bit 1 block transfer
//   segment join: link (1) | next (1, FF none) | count (2) | last length (4) | started (8) | address length (1), address | length (4), bytes
//   block transfer: transfer (1) | protection (1) | next (4) | last length (4) | started (8) | source length (1), source | length (4), bytes
import type { BlockJoin } from './blocks.ts'
import { type Cursor, cursor, finish, take, u8, u16, u32 } from './cursor.ts'
import { refuse } from './reasons.ts'
import type { SegmentJoin } from './segments.ts'

/** Open joins of one connection. `undefined` fields and an absent `Pending` both say: nothing is open. */
export interface Pending {
  readonly segment: SegmentJoin | undefined
  readonly block: BlockJoin | undefined
}

/** The state of a connection on which nothing is open. */
export const nothingPending: Pending = { segment: undefined, block: undefined }

const version = 1

/** Writes the state as bytes; `decodePending` gives it back. The bytes hold parts of a meter's message: treat them as identified. */
export function encodePending(pending: Pending): Uint8Array {
  const { segment, block } = pending
  const parts: Uint8Array[] = [Uint8Array.of(version, (segment ? 1 : 0) | (block ? 2 : 0))]
  if (segment !== undefined) {
    const head = Buffer.alloc(16)
    head[0] = segment.link === 'hdlc' ? 0 : 1
    head[1] = segment.next < 0 ? 0xff : segment.next
    head.writeUInt16BE(segment.count, 2)
    head.writeUInt32BE(segment.lastLength, 4)
    head.writeBigUInt64BE(BigInt(segment.startedAt), 8)
    parts.push(head, text(segment.address), counted(segment.bytes))
  }
  if (block !== undefined) {
    const head = Buffer.alloc(18)
    head[0] = block.transfer === 'general' ? 0 : 1
    head[1] = block.protection
    head.writeUInt32BE(block.next, 2)
    head.writeUInt32BE(block.lastLength, 6)
    head.writeBigUInt64BE(BigInt(block.startedAt), 10)
    parts.push(head, text(block.source), counted(block.bytes))
  }
  return Buffer.concat(parts)
}

/** Reads what `encodePending` wrote. Throws a `WireError` for anything else. */
export function decodePending(bytes: Uint8Array): Pending {
  const c = cursor(bytes)
  if (u8(c) !== version) refuse('axdr_unknown_type', 0)
  const flags = u8(c)
  const segment = (flags & 1) === 0 ? undefined : readSegment(c)
  const block = (flags & 2) === 0 ? undefined : readBlock(c)
  finish(c)
  return { segment, block }
}

function readSegment(c: Cursor): SegmentJoin {
  const link = u8(c) === 0 ? 'hdlc' : 'mbus'
  const next = u8(c)
  const count = u16(c)
  const lastLength = u32(c)
  const startedAt = u32(c) * 4_294_967_296 + u32(c)
  const address = readText(c)
  return { link, next: next === 0xff ? -1 : next, count, lastLength, startedAt, address, bytes: take(c, u32(c)) }
}

function readBlock(c: Cursor): BlockJoin {
  const transfer = u8(c) === 0 ? 'general' : 'get-response'
  const protection = u8(c)
  const next = u32(c)
  const lastLength = u32(c)
  const startedAt = u32(c) * 4_294_967_296 + u32(c)
  const source = readText(c)
  return { transfer, protection, next, lastLength, startedAt, source, bytes: take(c, u32(c)) }
}

function readText(c: Cursor): string {
  return Buffer.from(take(c, u8(c))).toString('latin1')
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value, 'latin1')
  return Buffer.concat([Uint8Array.of(bytes.length), bytes])
}

function counted(bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes.length)
  return Buffer.concat([head, bytes])
}
