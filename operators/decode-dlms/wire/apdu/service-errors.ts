// exception-response:      D8 | state-error (1) | service-error (1) | for service-error 6, invocation counter: the expected counter (4)
// confirmed-service-error: 0E | service (1) | error kind (1) | code (1)
import { type Cursor, finish, u8, u32 } from '../cursor.ts'
import type { Message } from './message.ts'

const invocationCounterError = 6

/** Reads an exception-response; the cursor stands after its tag. */
export function readExceptionResponse(c: Cursor): Message {
  const stateError = u8(c)
  const serviceError = u8(c)
  const invocationCounter = serviceError === invocationCounterError ? u32(c) : undefined
  finish(c)
  return { kind: 'exception-response', stateError, serviceError, invocationCounter }
}

/** Reads a confirmed-service-error; the cursor stands after its tag. */
export function readConfirmedServiceError(c: Cursor): Message {
  const service = u8(c)
  const error = u8(c)
  const code = u8(c)
  finish(c)
  return { kind: 'confirmed-service-error', service, error, code }
}
