// access-response: DA | long-invoke-id-and-priority (4) | date-time (OCTET STRING: 00, or 0C and 12 bytes)
//   | access-request-specification (OPTIONAL: 00, or 01 and a list of specifications)
//   | list of data: count, values | list of responses: count, (service (1), data-access-result (1))
import { type AxdrLimits, type AxdrValue, nodeCount, readValue, resultNodes } from '../axdr.ts'
import { type Cursor, finish, lengthPrefix, skip, u8, u32 } from '../cursor.ts'
import { dateTimeLength } from '../date-time.ts'
import { refuse } from '../reasons.ts'
import type { Message } from './message.ts'

/** Reads an access-response; the cursor stands after its tag. A repeated request specification is checked and skipped. */
export function readAccessResponse(c: Cursor, limits: AxdrLimits): Message {
  const invokeId = u32(c)
  const timeLengthAt = c.at
  const timeLength = u8(c)
  if (timeLength !== 0 && timeLength !== dateTimeLength) refuse('time_invalid', timeLengthAt)
  const timeAt = timeLength === 0 ? -1 : skip(c, timeLength)
  const flagAt = c.at
  const flag = u8(c)
  if (flag > 1) refuse('axdr_unknown_type', flagAt)
  let nodes = flag === 1 ? skipSpecifications(c, limits) : 0
  const count = boundedCount(c)
  const values: AxdrValue[] = []
  for (let k = 0; k < count; k++) {
    const value = readValue(c, limits)
    nodes += resultNodes + nodeCount(value)
    if (nodes > limits.elements) refuse('axdr_budget', c.at)
    values.push(value)
  }
  const answers = boundedCount(c)
  if (answers !== count) refuse('axdr_unknown_type', c.at)
  const results: { service: number; accessResult: number }[] = []
  for (let k = 0; k < answers; k++) {
    const serviceAt = c.at
    const service = u8(c)
    if (service < 1 || service > 3) refuse('axdr_unknown_type', serviceAt)
    results.push({ service, accessResult: u8(c) })
  }
  finish(c)
  return { kind: 'access-response', invokeId, bytes: c.bytes, timeAt, values, results }
}

function boundedCount(c: Cursor): number {
  const at = c.at
  const count = lengthPrefix(c)
  if (count > c.end - c.at) refuse('axdr_truncated', at)
  return count
}

// Each specification is a choice: 1 get, 2 set, 3 action (9 bytes of descriptor), 4 get with selection, 5 set with selection (selector and parameters after it).
// Returns the nodes that they took: they share one budget with the values, since a few bytes of a selection can name all of it.
function skipSpecifications(c: Cursor, limits: AxdrLimits): number {
  const count = boundedCount(c)
  let nodes = 0
  for (let k = 0; k < count; k++) {
    const at = c.at
    const choice = u8(c)
    if (choice < 1 || choice > 5) refuse('axdr_unknown_type', at)
    skip(c, 9)
    if (choice >= 4) {
      skip(c, 1)
      nodes += nodeCount(readValue(c, limits))
      if (nodes > limits.elements) refuse('axdr_budget', c.at)
    }
  }
  return nodes
}
