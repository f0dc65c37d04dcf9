// A choice among cells of whole sizes: U falls into the cell whose share of (0, 1) holds it.
import type { BitSource } from '../../random/bit-source.ts'
import { extend, type Prefix, usualStep } from './prefix.ts'

/** The first cell whose end lies above `place`. */
const cellAt = (ends: readonly bigint[], place: bigint): number => {
  let low = 0
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (ends[middle]! > place) high = middle
    else low = middle + 1
  }
  return low
}

/** The cell that U times the last end falls into, drawing bits until it is certain; `ends` are the cells' upper ends, ascending. */
export const cellOf = (prefix: Prefix, ends: readonly bigint[], source: BitSource, step: number): number => {
  const total = ends.at(-1)!
  let known = prefix
  for (;;) {
    const unit = BigInt(known.length)
    const cell = cellAt(ends, (known.value * total) >> unit)
    // U below the upper end of its prefix lies below this cell's end.
    if ((known.value + 1n) * total <= ends[cell]! << unit) return cell
    known = extend(known, source, step)
  }
}

/** Draws cells with probability in proportion to their sizes: by the first 32 bits of U, and by more where those hold a cell's end. */
export const cellSampler = (ends: readonly bigint[], source: BitSource): (() => number) => {
  const total = ends.at(-1)!
  // floor(2^32 end / total): a word below it lies in this cell or an earlier one, with all that may follow it, and a word above it in a later one.
  const borders = Float64Array.from(ends, (end) => Number((end << 32n) / total))
  const last = borders.length - 1
  const { word } = source
  return () => {
    const drawn = word()
    let low = 0
    let high = last
    while (low < high) {
      const middle = (low + high) >> 1
      if (borders[middle]! >= drawn) high = middle
      else low = middle + 1
    }
    return borders[low] === drawn ? cellOf({ value: BigInt(drawn), length: 32 }, ends, source, usualStep) : low
  }
}
