// general-block-transfer: E0 | control: bit 7 last, bit 6 streaming, bits 0-5 window | block number (2) | acknowledged block (2) | OCTET STRING block data
import { byteLength, type Cursor, finish, take, u8, u16 } from '../cursor.ts'

/** One block. Its data may end inside a value, so it is joined before anything in it is read. */
export interface TransferBlock {
  readonly last: boolean
  readonly number: number
  readonly data: Uint8Array
}

/** Reads one block; the cursor stands after the tag. */
export function readTransferBlock(c: Cursor): TransferBlock {
  const control = u8(c)
  const number = u16(c)
  u16(c)
  const data = take(c, byteLength(c))
  finish(c)
  return { last: (control & 0x80) !== 0, number, data }
}
