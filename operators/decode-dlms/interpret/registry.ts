// Positional layouts: lists that carry neither OBIS codes nor units, and whose meaning only the distributor knows. Layouts are data files with a
// version. A meter's configuration names the layouts that it may send; a list is labelled only if exactly one of them fits its types.
import { type AxdrValue, nextOf, sizeOf, tagOf } from '../wire/axdr.ts'
import { axdrName, axdrTag } from '../wire/axdr-types.ts'
import { parseObis } from '../wire/obis.ts'
import { type DecodeReason, refuse, WireError } from '../wire/reasons.ts'
import { positionalReading, type Reading } from './readings.ts'

/** One element of a positional list. Scaler and unit code are both there or both absent. */
export interface Position {
  /** A-XDR type name that the element has. */
  readonly type: string
  readonly obis?: string
  readonly scaler?: number
  readonly unit?: number
}

/** A positional layout as its data file holds it. */
export interface PositionalLayout {
  readonly kind: 'positional'
  readonly id: string
  readonly version: number
  readonly describes: string
  readonly positions: readonly Position[]
}

/** Refuses a layout whose codes or numbers are not well formed, naming its id; thrown when data files are loaded, never per frame. */
export function checkLayout(layout: PositionalLayout): PositionalLayout {
  const sound =
    Number.isInteger(layout.version) &&
    layout.version > 0 &&
    layout.positions.length > 0 &&
    layout.positions.every(
      ({ type, obis, scaler, unit }) =>
        Object.values(axdrName).includes(type) &&
        (obis === undefined || parseObis(obis) !== undefined) &&
        (scaler === undefined) === (unit === undefined),
    )
  if (!sound)
    throw new TypeError(`positional layout ${layout.id}: unknown type, malformed OBIS code, or a scaler without unit`)
  return layout
}

function fits(value: AxdrValue, layout: PositionalLayout): boolean {
  const { words, root } = value
  const tag = tagOf(words, root)
  if ((tag !== axdrTag.structure && tag !== axdrTag.array) || sizeOf(words, root) !== layout.positions.length)
    return false
  let node = root + 1
  for (const { type } of layout.positions) {
    if (axdrName[tagOf(words, node)] !== type) return false
    node = nextOf(words, node)
  }
  return true
}

/**
 * The one layout of `layouts` that fits the value; `undefined` if none does, so that the values stay positional and raw. Refuses with
 * `profile_ambiguous` if more than one does: a meter's configuration must then name fewer.
 */
export function layoutFor(value: AxdrValue, layouts: readonly PositionalLayout[]): PositionalLayout | undefined {
  const fitting = layouts.filter((layout) => fits(value, layout))
  if (fitting.length > 1) refuse('profile_ambiguous', 0)
  return fitting[0]
}

/** Labelled values of a positional list, the layout that labelled them, or why none could be chosen. */
export type Labelled =
  | { readonly layout: PositionalLayout; readonly values: readonly Reading[] }
  | { readonly layout: undefined; readonly values: readonly Reading[] }
  | { readonly reason: DecodeReason }

/** Labels a positional list by the configured layouts. Without a fitting one the values keep their index and get no label. */
export function labelled(value: AxdrValue, layouts: readonly PositionalLayout[]): Labelled {
  try {
    const layout = layoutFor(value, layouts)
    const values: Reading[] = []
    const { words, root } = value
    let index = 0
    for (let node = root + 1; node < nextOf(words, root); node = nextOf(words, node), index++) {
      const position = layout?.positions[index]
      const scale =
        position?.scaler === undefined || position.unit === undefined
          ? undefined
          : { scaler: position.scaler, unit: position.unit }
      const reading = positionalReading(value, node, index, scale)
      values.push(position?.obis === undefined ? reading : { ...reading, obis: position.obis })
    }
    return { layout, values }
  } catch (error) {
    if (error instanceof WireError) return { reason: error.reason }
    throw error
  }
}
