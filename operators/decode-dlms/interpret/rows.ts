// Buffers of profile-generic objects (class 7). Nulls save bytes: in the clock column null is the clock of the row before plus the capture
// period (minus, if the newest row comes first); in another column it is the value of the row before; the first row has none.
// Delta types (28..33) are differences to the row before.
import { type AxdrValue, nextOf, offsetOf, sizeOf, tagOf } from '../wire/axdr.ts'
import { integerAt } from '../wire/axdr-read.ts'
import { axdrTag } from '../wire/axdr-types.ts'
import { dateTimeLength, localMillisAt } from '../wire/date-time.ts'
import { refuse } from '../wire/reasons.ts'
import { printable, type ReadingValue } from './readings.ts'
import { timeText } from './time.ts'

/** How a buffer was captured; the buffer itself does not say. */
export interface Capture {
  /** Column of the clock, -1 if there is none. */
  readonly clockColumn: number
  /** Capture period in seconds; 0 if rows are not captured periodically, and then a null clock is refused. */
  readonly periodSeconds: number
  /** The newest row comes first (sort method "largest first" on the clock). */
  readonly newestFirst: boolean
}

/** One cell after the null rules: an integer, or the node of another value. `millis` is set in the clock column. */
export interface Cell {
  /** Node that the value comes from, in this row or an earlier one; for a derived clock the node of the last clock that was sent. */
  readonly node: number
  readonly integer: number | bigint | undefined
  /** Milliseconds to add to the clock at `node`. */
  readonly shiftMillis: number
}

/**
 * Undoes the null and delta rules of a buffer and tells each row in the order of the wire. The cells of a row are valid during the call only.
 * Refuses with `time_missing` (null clock without a period or a row before), `value_out_of_range` (null or delta in the first row, or rows of different length).
 */
export function walkRows(
  value: AxdrValue,
  buffer: number,
  capture: Capture,
  visit: (cells: readonly Cell[]) => void,
): void {
  const { bytes, words } = value
  const columns = buffer + 1 < nextOf(words, buffer) ? sizeOf(words, buffer + 1) : 0
  const step = capture.periodSeconds * (capture.newestFirst ? -1000 : 1000)
  let before: readonly Cell[] | undefined
  for (let row = buffer + 1; row < nextOf(words, buffer); row = nextOf(words, row)) {
    const at = offsetOf(words, row)
    if (tagOf(words, row) !== axdrTag.structure || sizeOf(words, row) !== columns) refuse('value_out_of_range', at)
    const cells: Cell[] = []
    for (let node = row + 1, column = 0; node < nextOf(words, row); node = nextOf(words, node), column++) {
      const tag = tagOf(words, node)
      const above = before?.[column]
      if (tag === axdrTag.nullData) {
        const isClock = column === capture.clockColumn
        if (above === undefined || (isClock && step === 0)) refuse(isClock ? 'time_missing' : 'value_out_of_range', at)
        cells.push(isClock ? { ...above, shiftMillis: above.shiftMillis + step } : above)
        continue
      }
      let integer = integerAt(bytes, tag, offsetOf(words, node))
      if (integer !== undefined && tag >= axdrTag.deltaInteger) {
        if (above?.integer === undefined) refuse('value_out_of_range', at)
        integer = plus(above.integer, integer)
      }
      cells.push({ node, integer, shiftMillis: 0 })
    }
    visit(cells)
    before = cells
  }
}

function plus(first: number | bigint, second: number | bigint): number | bigint {
  if (typeof first === 'number' && typeof second === 'number') {
    // Rounding begins beyond the safe integers, so a safe sum is exact.
    const quick = first + second
    if (Number.isSafeInteger(quick)) return quick
  }
  const sum = BigInt(first) + BigInt(second)
  const narrow = Number(sum)
  return Number.isSafeInteger(narrow) ? narrow : sum
}

/** A buffer as printable rows: times as ISO 8601, integers as exact decimals, whatever else as it is. */
export function profileRows(
  value: AxdrValue,
  capture: Capture,
  buffer = value.root,
): readonly (readonly ReadingValue[])[] {
  const rows: ReadingValue[][] = []
  walkRows(value, buffer, capture, (cells) => {
    rows.push(
      cells.map((cell, column) =>
        column === capture.clockColumn
          ? clockText(value, cell)
          : (cell.integer?.toString() ?? printable(value, cell.node)),
      ),
    )
  })
  return rows
}

// A derived clock keeps the deviation and status of the clock it was derived from.
function clockText(value: AxdrValue, cell: Cell): ReadingValue {
  const { bytes, words } = value
  const at = offsetOf(words, cell.node)
  if (sizeOf(words, cell.node) !== dateTimeLength) return printable(value, cell.node)
  if (cell.shiftMillis === 0) return timeText(bytes, at)
  const local = localMillisAt(bytes, at)
  if (Number.isNaN(local)) return null
  const moved = new Date(local + cell.shiftMillis)
  // A Buffer's own slice would be a view of the message.
  const copy = Uint8Array.from(bytes.subarray(at, at + dateTimeLength))
  copy.set([
    moved.getUTCFullYear() >> 8,
    moved.getUTCFullYear() & 0xff,
    moved.getUTCMonth() + 1,
    moved.getUTCDate(),
    moved.getUTCDay() || 7,
  ])
  copy.set([moved.getUTCHours(), moved.getUTCMinutes(), moved.getUTCSeconds()], 5)
  return timeText(copy, 0)
}
