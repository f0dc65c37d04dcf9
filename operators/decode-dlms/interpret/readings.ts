// The values of a message as a reader wants them: OBIS code, exact decimal, unit where the push or a profile says it, raw value always.
import type { Message, UntaggedEntry } from '../wire/apdu/message.ts'
import { type AxdrValue, isContainer, nextOf, offsetOf, sizeOf, tagOf } from '../wire/axdr.ts'
import { bitsAt, floatAt, hexAt, integerAt } from '../wire/axdr-read.ts'
import { axdrName, axdrTag } from '../wire/axdr-types.ts'
import { dateTimeLength } from '../wire/date-time.ts'
import { obisText } from '../wire/obis.ts'
import { shiftDecimal } from './decimal.ts'
import { type Layout, objectAttribute, objectClass, walk } from './layout.ts'
import { plausibleTime, timeText } from './time.ts'
import { unitSymbol } from './units.ts'

/** A value in printable form. Numbers of bcd, enum and boolean are codes; everything scaled is an exact decimal string. */
export type ReadingValue = string | number | null | readonly ReadingValue[]

/** One value of a message. */
export interface Reading {
  /** `A-B:C.D.E.F`; `undefined` if neither the push nor a profile says it. */
  readonly obis: string | undefined
  /** Place in the list, where there is no OBIS code. */
  readonly index: number | undefined
  readonly classId: number | undefined
  readonly attribute: number | undefined
  /** Name of the A-XDR type. */
  readonly type: string
  /** The integer as sent; `undefined` for other types. */
  readonly raw: number | bigint | undefined
  readonly scaler: number | undefined
  /** Symbol, or the code of a unit that is not in the table; `undefined`: not known, and not guessed. */
  readonly unit: string | number | undefined
  readonly value: ReadingValue
  /** Bytes of an octet-string as sent, for those who know what they are; a view, not a copy. */
  readonly octets: Uint8Array | undefined
}

/** The values of a message and how they were arranged; `undefined` layout if the message holds none. */
export interface Readings {
  readonly layout: Layout | undefined
  readonly values: readonly Reading[]
}

/** Power of ten and unit code of a register. */
export interface Scale {
  readonly scaler: number
  readonly unit: number
}

/** Scaler and unit of an entry from outside the push (a profile); `undefined` if unknown. */
export type ScaleLookup = (obis: string) => Scale | undefined

const unknownScale: ScaleLookup = () => undefined

/** All values of a message. Without a profile, lists without OBIS codes give raw values with their index. */
export function readings(message: Message, scales: ScaleLookup = unknownScale): Readings {
  switch (message.kind) {
    case 'data-notification':
      if (message.entries !== undefined) return untagged(message.bytes, message.entries)
      return message.value === undefined ? { layout: undefined, values: [] } : valuesOf(message.value, scales)
    case 'event-notification':
    case 'data':
      return valuesOf(message.value, scales)
    case 'get-response-normal':
    case 'get-response-with-datablock':
    case 'action-response-normal':
      return message.result !== undefined && 'value' in message.result
        ? valuesOf(message.result.value, scales)
        : { layout: undefined, values: [] }
    case 'get-response-with-list':
      return listOf(message.results.flatMap((result) => ('value' in result ? [result.value] : [])))
    case 'access-response':
      return listOf(message.values)
    default:
      return { layout: undefined, values: [] }
  }
}

function valuesOf(value: AxdrValue, scales: ScaleLookup): Readings {
  const { bytes, words } = value
  const values: Reading[] = []
  const layout = walk(value, (node, obisAt, index, object, scalerUnit) => {
    const listed = object >= 0
    const classId = listed ? objectClass(bytes, words, object) : undefined
    const attribute = listed ? objectAttribute(bytes, words, object) : undefined
    const obis = obisAt < 0 ? undefined : obisText(bytes, obisAt)
    values.push(
      readingAt(
        value,
        node,
        obis,
        index < 0 ? undefined : index,
        classId,
        attribute,
        scaleOf(value, scalerUnit, obis, scales),
      ),
    )
  })
  return { layout, values }
}

function scaleOf(
  value: AxdrValue,
  scalerUnit: number,
  obis: string | undefined,
  scales: ScaleLookup,
): Scale | undefined {
  if (scalerUnit < 0) return obis === undefined ? undefined : scales(obis)
  const { bytes, words } = value
  const scaler = ((bytes[offsetOf(words, scalerUnit + 1)] as number) << 24) >> 24
  return { scaler, unit: bytes[offsetOf(words, scalerUnit + 2)] as number }
}

function listOf(values: readonly AxdrValue[]): Readings {
  return {
    layout: 'positional',
    values: values.map((value, index) => positionalReading(value, value.root, index, undefined)),
  }
}

function untagged(bytes: Uint8Array, entries: readonly UntaggedEntry[]): Readings {
  const values = entries.map(({ classId, attribute, obisAt, value }) =>
    readingAt(value, value.root, obisText(bytes, obisAt), undefined, classId, attribute, undefined),
  )
  return { layout: 'array{untagged class/obis/attribute, value}', values }
}

/** A value that has a place instead of an OBIS code. `scale` comes from a layout, if at all. */
export function positionalReading(value: AxdrValue, node: number, index: number, scale: Scale | undefined): Reading {
  return readingAt(value, node, undefined, index, undefined, undefined, scale)
}

function readingAt(
  value: AxdrValue,
  node: number,
  obis: string | undefined,
  index: number | undefined,
  classId: number | undefined,
  attribute: number | undefined,
  scale: Scale | undefined,
): Reading {
  const { bytes, words } = value
  const tag = tagOf(words, node)
  const at = offsetOf(words, node)
  const raw = integerAt(bytes, tag, at)
  const scaler = scale?.scaler
  return {
    obis,
    index,
    classId,
    attribute,
    type: axdrName[tag] as string,
    raw,
    scaler,
    unit: scale === undefined ? undefined : unitSymbol(scale.unit),
    value: raw === undefined ? printable(value, node) : shiftDecimal(raw, scaler ?? 0),
    octets:
      tag === axdrTag.octetString
        ? new Uint8Array(bytes.buffer, bytes.byteOffset + at, sizeOf(words, node))
        : undefined,
  }
}

/** A node in printable form; containers element by element. */
export function printable(value: AxdrValue, node: number): ReadingValue {
  const { bytes, words } = value
  const tag = tagOf(words, node)
  const at = offsetOf(words, node)
  const size = sizeOf(words, node)
  if (isContainer(tag)) {
    const elements: ReadingValue[] = []
    for (let child = node + 1; child < nextOf(words, node); child = nextOf(words, child))
      elements.push(printable(value, child))
    return elements
  }
  switch (tag) {
    case axdrTag.nullData:
      return null
    case axdrTag.boolean:
    case axdrTag.bcd:
    case axdrTag.enum:
      return bytes[at] as number
    case axdrTag.bitString:
      return bitsAt(bytes, at, size)
    case axdrTag.float32:
    case axdrTag.float64:
      return String(floatAt(bytes, tag, at))
    case axdrTag.octetString:
      return size === dateTimeLength && plausibleTime(bytes, at) ? timeText(bytes, at) : textOrHex(bytes, at, size)
    case axdrTag.dateTime:
      return plausibleTime(bytes, at) ? timeText(bytes, at) : hexAt(bytes, at, size)
    case axdrTag.visibleString:
      return latin1(bytes, at, paddedEnd(bytes, at, size))
    case axdrTag.utf8String:
      return utf8(bytes, at, paddedEnd(bytes, at, size))
    case axdrTag.date:
    case axdrTag.time:
      return hexAt(bytes, at, size)
    default: {
      const integer = integerAt(bytes, tag, at) as number | bigint
      return typeof integer === 'number' ? integer : integer.toString()
    }
  }
}

// Meters pad identifiers with NUL or spaces to a fixed width.
function paddedEnd(bytes: Uint8Array, at: number, size: number): number {
  let end = at + size
  while (end > at && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end--
  return end
}

function textOrHex(bytes: Uint8Array, at: number, size: number): string {
  const end = paddedEnd(bytes, at, size)
  if (end === at) return size === 0 ? '' : hexAt(bytes, at, size)
  for (let k = at; k < end; k++) {
    const byte = bytes[k] as number
    if (byte < 0x20 || byte > 0x7e) return hexAt(bytes, at, size)
  }
  return latin1(bytes, at, end)
}

const shortText = 32

function latin1(bytes: Uint8Array, from: number, to: number): string {
  // Below this length a loop is faster than a call into the runtime, and nearly every identifier is.
  if (to - from > shortText) return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
  let text = ''
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] as number)
  return text
}

function utf8(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')
}
