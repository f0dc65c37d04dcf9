// event-notification: C2 | time (OPTIONAL: 00, or 01 and OCTET STRING 0C and 12 bytes) | class (2) | OBIS (6) | attribute (1) | data
// Quirk: the time as tagged data, 09 0C and 12 bytes, without the usage flag.
import { type AxdrLimits, readValue } from '../axdr.ts'
import { type Cursor, finish, skip, u8, u16 } from '../cursor.ts'
import { dateTimeLength } from '../date-time.ts'
import { obisLength } from '../obis.ts'
import { refuse } from '../reasons.ts'
import type { EventNotification } from './message.ts'

/** Reads an event-notification; the cursor stands after its tag. */
export function readEventNotification(c: Cursor, limits: AxdrLimits): EventNotification {
  const flagAt = c.at
  const flag = u8(c)
  let timeAt = -1
  if (flag === 0x01 || flag === 0x09) {
    if (u8(c) !== dateTimeLength) refuse('time_invalid', c.at - 1)
    timeAt = skip(c, dateTimeLength)
  } else if (flag !== 0) refuse('axdr_unknown_type', flagAt)
  const classId = u16(c)
  const obisAt = skip(c, obisLength)
  const attribute = (u8(c) << 24) >> 24
  const value = readValue(c, limits)
  finish(c)
  const quirk = flag === 0x09 ? 'tagged-date-time' : undefined
  return {
    kind: 'event-notification',
    bytes: c.bytes,
    timeAt,
    quirk,
    classId,
    obisAt,
    attribute,
    value,
  }
}
