// action-response: C7 | 01 normal | invoke-id-and-priority (1) | action-result (1) | return parameters (OPTIONAL: 00, or 01 and a Get-Data-Result)
import type { AxdrLimits } from '../axdr.ts'
import { type Cursor, finish, u8 } from '../cursor.ts'
import { refuse } from '../reasons.ts'
import { readDataResult } from './get-response.ts'
import type { Message } from './message.ts'

/** Reads an action-response; the cursor stands after its tag. Block and list forms answer meter control and are out of scope. */
export function readActionResponse(c: Cursor, limits: AxdrLimits): Message {
  const at = c.at
  if (u8(c) !== 1) refuse('apdu_out_of_scope', at)
  const invokeId = u8(c)
  const actionResult = u8(c)
  const flagAt = c.at
  const flag = u8(c)
  if (flag > 1) refuse('axdr_unknown_type', flagAt)
  const result = flag === 1 ? readDataResult(c, limits) : undefined
  finish(c)
  return { kind: 'action-response-normal', invokeId, actionResult, result }
}
