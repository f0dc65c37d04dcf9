// The plain APDUs: first byte to reader. Ciphering and block transfer are layers around them and live in decode.ts.
import type { AxdrLimits } from '../axdr.ts'
import { cursor } from '../cursor.ts'
import { refuse } from '../reasons.ts'
import { readAare, readAarq } from './aare.ts'
import { readAccessResponse } from './access-response.ts'
import { readActionResponse } from './action-response.ts'
import { readDataNotification } from './data-notification.ts'
import { readEventNotification } from './event-notification.ts'
import { readGetResponse } from './get-response.ts'
import { readInitiateResponse } from './initiate.ts'
import type { Message } from './message.ts'
import { readP1Text } from './p1-text.ts'
import { readConfirmedServiceError, readExceptionResponse } from './service-errors.ts'
import { apduTag, outOfScope } from './tags.ts'

/** Reads the plain APDU in `bytes[start..end)`. Refuses unknown tags, and meter control as `apdu_out_of_scope`. */
export function readApdu(bytes: Uint8Array, start: number, end: number, limits: AxdrLimits): Message {
  if (start >= end) refuse('axdr_truncated', start)
  const tag = bytes[start] as number
  const c = cursor(bytes, start + 1, end)
  switch (tag) {
    case apduTag.dataNotification:
      return readDataNotification(c, limits)
    case apduTag.eventNotification:
      return readEventNotification(c, limits)
    case apduTag.getResponse:
      return readGetResponse(c, limits)
    case apduTag.actionResponse:
      return readActionResponse(c, limits)
    case apduTag.accessResponse:
      return readAccessResponse(c, limits)
    case apduTag.initiateResponse:
      return readInitiateResponse(c)
    case apduTag.aare:
      return readAare(c)
    case apduTag.aarq:
      return readAarq(c)
    case apduTag.exceptionResponse:
      return readExceptionResponse(c)
    case apduTag.confirmedServiceError:
      return readConfirmedServiceError(c)
    case apduTag.p1Text:
      return readP1Text(bytes, start, end)
    // Requests of the client and releases say nothing about energy; they are told as events, their content is not read.
    case apduTag.getRequest:
      return { kind: 'get-request', applicationContext: undefined }
    case apduTag.initiateRequest:
      return { kind: 'initiate-request', applicationContext: undefined }
    case apduTag.rlrq:
      return { kind: 'rlrq', applicationContext: undefined }
    case apduTag.rlre:
      return { kind: 'rlre', applicationContext: undefined }
    default:
      return refuse(outOfScope.has(tag) ? 'apdu_out_of_scope' : 'apdu_unknown_tag', start)
  }
}
