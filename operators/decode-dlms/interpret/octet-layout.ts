// Pushes whose body is one octet-string with fields of the maker's own (gas and water meters over NB-IoT): a layout names each field's place.
import { type AxdrValue, offsetOf, sizeOf, tagOf } from '../wire/axdr.ts'
import { axdrTag } from '../wire/axdr-types.ts'
import { parseObis } from '../wire/obis.ts'
import { type DecodeReason, refuse, WireError } from '../wire/reasons.ts'
import { shiftDecimal } from './decimal.ts'
import type { Reading } from './readings.ts'
import { unitSymbol } from './units.ts'

/** One field of an octet-string: an integer of 1 to 8 bytes. */
export interface OctetField {
  /** Offset of the first byte. */
  readonly at: number
  /** Length in bytes, 1 to 8. */
  readonly size: number
  readonly signed: boolean
  readonly littleEndian: boolean
  readonly obis: string
  readonly scaler: number
  /** COSEM unit code. */
  readonly unit: number
}

/** A layout of an octet-string as its data file holds it. */
export interface OctetLayout {
  readonly kind: 'octets'
  readonly id: string
  readonly version: number
  readonly describes: string
  /** Exact length of the octet-string in bytes. */
  readonly length: number
  readonly fields: readonly OctetField[]
}

/** Refuses an unsound layout, naming its id; thrown when data files are loaded, never per frame. */
export function checkOctetLayout(layout: OctetLayout): OctetLayout {
  const sound = layout.fields.every(
    ({ at, size, obis }) =>
      at >= 0 && size >= 1 && size <= 8 && at + size <= layout.length && parseObis(obis) !== undefined,
  )
  if (!sound) throw new TypeError(`octet layout ${layout.id}: a field lies outside the string or has no OBIS code`)
  return layout
}

/** Fields of a bare octet-string by the one configured layout that has its length, or why there are none. */
export function octetReadings(
  value: AxdrValue,
  layouts: readonly OctetLayout[],
): { readonly layout: OctetLayout; readonly values: readonly Reading[] } | { readonly reason: DecodeReason } {
  try {
    const { bytes, words, root } = value
    const at = offsetOf(words, root)
    if (tagOf(words, root) !== axdrTag.octetString) refuse('obis_unmapped', at)
    const fitting = layouts.filter(({ length }) => length === sizeOf(words, root))
    if (fitting.length > 1) refuse('profile_ambiguous', at)
    const [layout] = fitting
    if (layout === undefined) return refuse('obis_unmapped', at)
    return { layout, values: layout.fields.map((field) => fieldReading(bytes, at + field.at, field)) }
  } catch (error) {
    if (error instanceof WireError) return { reason: error.reason }
    throw error
  }
}

function fieldReading(
  bytes: Uint8Array,
  at: number,
  { size, signed, littleEndian, obis, scaler, unit }: OctetField,
): Reading {
  let wide = 0n
  for (let k = 0; k < size; k++)
    wide = (wide << 8n) | BigInt(bytes[littleEndian ? at + size - 1 - k : at + k] as number)
  if (signed) wide = BigInt.asIntN(size * 8, wide)
  const narrow = Number(wide)
  const raw = Number.isSafeInteger(narrow) ? narrow : wide
  return {
    obis,
    index: undefined,
    classId: undefined,
    attribute: undefined,
    type: 'octet-string',
    raw,
    scaler,
    unit: unitSymbol(unit),
    value: shiftDecimal(raw, scaler),
    octets: undefined,
  }
}
