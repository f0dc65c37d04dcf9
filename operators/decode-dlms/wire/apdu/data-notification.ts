// data-notification: 0F | long-invoke-id-and-priority (4) | date-time (OCTET STRING: 00, or 0C and 12 bytes) | body (A-XDR data)
// Quirk: the time as tagged data, 09 0C and 12 bytes (Kaifa, Kamstrup 2017).
// Quirk: a Czech list, whose entries carry class, OBIS code and attribute without tags; see untagged-list.ts.
import { type AxdrLimits, readValue } from '../axdr.ts'
import { axdrTag } from '../axdr-types.ts'
import { type Cursor, finish, skip, u8, u32 } from '../cursor.ts'
import { dateTimeLength } from '../date-time.ts'
import { refuse, WireError } from '../reasons.ts'
import type { DataNotification } from './message.ts'
import { looksUntagged, readUntaggedList } from './untagged-list.ts'

/** Reads a data-notification; the cursor stands after its tag. */
export function readDataNotification(c: Cursor, limits: AxdrLimits): DataNotification {
  const invokeId = u32(c)
  const lengthAt = c.at
  let length = u8(c)
  const tagged = length === axdrTag.octetString
  if (tagged) length = u8(c)
  if (length !== dateTimeLength && (tagged || length !== 0)) refuse('time_invalid', lengthAt)
  const timeAt = length === 0 ? -1 : skip(c, length)
  const bodyAt = c.at
  const { bytes } = c
  const quirk = tagged ? 'tagged-date-time' : undefined
  try {
    const value = readValue(c, limits)
    finish(c)
    return {
      kind: 'data-notification',
      invokeId,
      bytes,
      timeAt,
      quirk,
      value,
      entries: undefined,
    }
  } catch (error) {
    // Only a body that opens exactly like the untagged list is read again, and only as a whole: no trying of patterns.
    if (!(error instanceof WireError) || !looksUntagged(bytes, bodyAt, c.end)) throw error
    const entries = readUntaggedList({ bytes, at: bodyAt, end: c.end }, limits, error)
    return {
      kind: 'data-notification',
      invokeId,
      bytes,
      timeAt,
      quirk: 'untagged-attribute-descriptors',
      value: undefined,
      entries,
    }
  }
}
