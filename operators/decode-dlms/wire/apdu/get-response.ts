// get-response: C4 | choice
//   01 normal:    invoke-id-and-priority (1) | result: 00 data, or 01 data-access-result (1)
//   02 datablock: invoke-id-and-priority (1) | last (1) | block number (4) | 00 and OCTET STRING raw data, or 01 data-access-result (1)
//   03 with list: invoke-id-and-priority (1) | count | results
import { type AxdrLimits, nodeCount, readValue, resultNodes } from '../axdr.ts'
import { byteLength, type Cursor, finish, lengthPrefix, skip, u8, u32 } from '../cursor.ts'
import { refuse } from '../reasons.ts'
import type { DataResult, Message } from './message.ts'

/** Reads one result of a Get-Data-Result choice. */
export function readDataResult(c: Cursor, limits: AxdrLimits): DataResult {
  const at = c.at
  const choice = u8(c)
  if (choice === 1) return { accessResult: u8(c) }
  if (choice !== 0) refuse('axdr_unknown_type', at)
  return { value: readValue(c, limits) }
}

/** Reads a get-response; the cursor stands after its tag. A block keeps its raw bytes: it may end inside a value. */
export function readGetResponse(c: Cursor, limits: AxdrLimits): Message {
  const at = c.at
  const choice = u8(c)
  const invokeId = u8(c)
  if (choice === 1) {
    const result = readDataResult(c, limits)
    finish(c)
    return { kind: 'get-response-normal', invokeId, result }
  }
  if (choice === 2) {
    const last = u8(c) !== 0
    const blockNumber = u32(c)
    const resultAt = c.at
    const result = u8(c)
    if (result === 1) {
      const accessResult = u8(c)
      finish(c)
      return {
        kind: 'get-response-with-datablock',
        invokeId,
        last,
        blockNumber,
        block: undefined,
        result: { accessResult },
      }
    }
    if (result !== 0) refuse('axdr_unknown_type', resultAt)
    const length = byteLength(c)
    const dataAt = skip(c, length)
    finish(c)
    const block = c.bytes.subarray(dataAt, dataAt + length)
    return { kind: 'get-response-with-datablock', invokeId, last, blockNumber, block, result: undefined }
  }
  if (choice !== 3) refuse('axdr_unknown_type', at)
  const countAt = c.at
  const count = lengthPrefix(c)
  if (count * 2 > c.end - c.at) refuse('axdr_truncated', countAt)
  const results: DataResult[] = []
  // One budget for all values: compact arrays can name far more elements than they have bytes.
  let nodes = 0
  for (let k = 0; k < count; k++) {
    const result = readDataResult(c, limits)
    nodes += resultNodes + ('value' in result ? nodeCount(result.value) : 0)
    if (nodes > limits.elements) refuse('axdr_budget', c.at)
    results.push(result)
  }
  finish(c)
  return { kind: 'get-response-with-list', invokeId, results }
}
