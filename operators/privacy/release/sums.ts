import type { PartialCell } from '../../../schemas/load-partial.ts'
import { type Largest, rankAll } from '../largest.ts'

/**
 * What a group has in a window and phase, in Wh. `boundedWh` grows by `addCell` only, which takes bounded cells; it is the
 * only field a release reads. The rest is for the restricted aggregate; what the three largest measuring points have, they have
 * at the most (see `PartialCell`).
 */
export interface GroupSum extends Largest {
  readonly boundedWh: number
  readonly exactWh: number
  readonly count: number
  readonly shared: number
}

export const emptySum: GroupSum = Object.freeze({
  boundedWh: 0,
  exactWh: 0,
  count: 0,
  shared: 0,
  largestWh: 0,
  secondWh: 0,
  thirdWh: 0,
})

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Adds a cell of the same group, window and phase. Order does not matter. Throws RangeError past 2^53. */
export function addCell(sum: GroupSum, cell: PartialCell): GroupSum {
  const next = { ...sum }
  addTo(next, cell)
  return next
}

function addTo(sum: Writable<GroupSum>, cell: PartialCell): void {
  sum.boundedWh += cell.boundedWh
  sum.exactWh += cell.exactWh
  sum.count += cell.count
  sum.shared += cell.shared
  if (!Number.isSafeInteger(sum.boundedWh) || !Number.isSafeInteger(sum.exactWh) || !Number.isSafeInteger(sum.count)) {
    throw new RangeError('a group sum is not a safe integer')
  }
  rankAll(sum, cell)
}

/** The sums of one window, channel and phase by position of the group in the day's plan; empty groups have none. */
export interface SumTable extends Iterable<readonly [at: number, sum: GroupSum]> {
  readonly get: (at: number) => GroupSum | undefined
  readonly set: (at: number, sum: GroupSum) => void
  /** Adds a cell to the sum there, as `addCell` does, and leaves it alone where that throws. */
  readonly add: (at: number, cell: PartialCell) => void
}

const columns = 7

/** Sums packed into one array: a day of late sums of a thousand groups would be three times as large in a Map. */
export function sumTable(entries: Iterable<readonly [number, GroupSum]> = []): SumTable {
  // Seven numbers a group; the count is NaN where a group has no sum.
  let packed = new Float64Array(0)
  const rows = (): number => packed.length / columns
  const has = (at: number): boolean => at < rows() && !Number.isNaN(packed[at * columns + 2])
  const read = (at: number): Writable<GroupSum> | undefined => {
    if (!has(at)) return undefined
    const from = at * columns
    return {
      boundedWh: packed[from]!,
      exactWh: packed[from + 1]!,
      count: packed[from + 2]!,
      largestWh: packed[from + 3]!,
      secondWh: packed[from + 4]!,
      thirdWh: packed[from + 5]!,
      shared: packed[from + 6]!,
    }
  }
  const write = (at: number, sum: GroupSum): void => {
    if (at >= rows()) {
      const wider = new Float64Array(columns * Math.max(at + 1, Math.min(2 * rows(), rows() + 256))).fill(Number.NaN)
      wider.set(packed)
      packed = wider
    }
    const from = at * columns
    packed[from] = sum.boundedWh
    packed[from + 1] = sum.exactWh
    packed[from + 2] = sum.count
    packed[from + 3] = sum.largestWh
    packed[from + 4] = sum.secondWh
    packed[from + 5] = sum.thirdWh
    packed[from + 6] = sum.shared
  }
  const table: SumTable = {
    get: read,
    set: write,
    add: (at, cell) => {
      const sum = read(at) ?? { ...emptySum }
      addTo(sum, cell)
      write(at, sum)
    },
    *[Symbol.iterator]() {
      for (let at = 0; at < rows(); at++) {
        const sum = table.get(at)
        if (sum) yield [at, sum] as const
      }
    },
  }
  for (const [at, sum] of entries) table.set(at, sum)
  return table
}
