// Joining what the application layer cut: general-block-transfer and get-response datablocks. Blocks carry raw bytes and may end inside a value,
// so they are joined first and read after. Numbers go up by one; an identical repetition of the last block is dropped, any other
// duplicate or gap gives the transfer up, and block 1 in the middle of a transfer begins a new one (meters restart after a lost link).
import type { DecodeReason } from './reasons.ts'
import { concat, endsWith, type JoinLimits } from './segments.ts'

/** An open block transfer. `startedAt` in UTC epoch milliseconds. */
export interface BlockJoin {
  readonly transfer: 'general' | 'get-response'
  /** Protection bits under which the blocks came; every block of a transfer must have the same. */
  readonly protection: number
  /**
   * Where the blocks come from: system title of the sender in hexadecimal, empty without ciphering, and for datablocks the invoke id of the request
   * that they answer. Blocks of two meters on one connection, or of two answers, never mix.
   */
  readonly source: string
  readonly next: number
  readonly bytes: Uint8Array
  readonly lastLength: number
  readonly startedAt: number
}

/** One block on its way into a join. */
export interface Block {
  readonly transfer: 'general' | 'get-response'
  readonly protection: number
  readonly source: string
  readonly number: number
  readonly last: boolean
  readonly data: Uint8Array
}

/** What became of a block. */
export interface BlockResult {
  readonly open: BlockJoin | undefined
  readonly complete: Uint8Array | undefined
  readonly refused: DecodeReason | undefined
  readonly abandoned: DecodeReason | undefined
  /** The block was an exact repetition and was dropped. */
  readonly repeated: boolean
  /** The block began a new transfer while another was open. */
  readonly restarted: boolean
}

/** Adds a block to the open transfer, or opens one. */
export function joinBlock(
  open: BlockJoin | undefined,
  block: Block,
  receivedAt: number,
  limits: JoinLimits,
): BlockResult {
  let before = open
  let abandoned: DecodeReason | undefined
  if (before !== undefined && receivedAt - before.startedAt > limits.millis) {
    before = undefined
    abandoned = 'segment_expired'
  }
  if (before !== undefined && block.number === before.next - 1 && sameSource(before, block)) {
    const same = block.data.length === before.lastLength && endsWith(before.bytes, block.data)
    if (same && !block.last) return result({ open: before, repeated: true, abandoned })
    if (block.number !== 1) return result({ refused: 'block_missing', abandoned })
  }
  const restarted = block.number === 1 && before !== undefined
  if (restarted) {
    before = undefined
    abandoned ??= 'block_missing'
  }
  if (before === undefined && block.number !== 1) return result({ refused: 'block_missing', abandoned })
  if (before !== undefined && (block.number !== before.next || !sameSource(before, block)))
    return result({ refused: 'block_missing', abandoned })
  const length = (before?.bytes.length ?? 0) + block.data.length
  if (length > limits.bytes) return result({ refused: 'frame_oversize', abandoned, restarted })
  const bytes = before === undefined ? block.data : concat(before.bytes, block.data)
  if (block.last) return result({ complete: bytes, abandoned, restarted })
  const { transfer, protection, source } = block
  const startedAt = before?.startedAt ?? receivedAt
  const next: BlockJoin = {
    transfer,
    protection,
    source,
    next: block.number + 1,
    bytes,
    lastLength: block.data.length,
    startedAt,
  }
  return result({ open: next, abandoned, restarted })
}

function sameSource(open: BlockJoin, block: Block): boolean {
  return open.transfer === block.transfer && open.protection === block.protection && open.source === block.source
}

function result(part: { [K in keyof BlockResult]?: BlockResult[K] | undefined }): BlockResult {
  return {
    open: part.open,
    complete: part.complete,
    refused: part.refused,
    abandoned: part.abandoned,
    repeated: part.repeated ?? false,
    restarted: part.restarted ?? false,
  }
}
