import type { PartialCell } from '../../../schemas/load-partial.ts'

/**
 * What a group has in a window and phase, in Wh. `boundedWh` grows by `addCell` only, which takes bounded cells; it is the
 * only field a release reads. The rest is for the restricted aggregate.
 */
export interface GroupSum {
  readonly boundedWh: number
  readonly exactWh: number
  readonly count: number
  /** What the three largest measuring points have at the most; see `PartialCell`. */
  readonly largestWh: number
  readonly secondWh: number
  readonly thirdWh: number
}

export const emptySum: GroupSum = Object.freeze({
  boundedWh: 0,
  exactWh: 0,
  count: 0,
  largestWh: 0,
  secondWh: 0,
  thirdWh: 0,
})

/** Adds a cell of the same group, window and phase. Order does not matter. Throws RangeError past 2^53. */
export function addCell(sum: GroupSum, cell: PartialCell): GroupSum {
  const next = {
    boundedWh: sum.boundedWh + cell.boundedWh,
    exactWh: sum.exactWh + cell.exactWh,
    count: sum.count + cell.count,
    ...largestOf(sum, cell),
  }
  if (
    !Number.isSafeInteger(next.boundedWh) ||
    !Number.isSafeInteger(next.exactWh) ||
    !Number.isSafeInteger(next.count)
  ) {
    throw new RangeError('a group sum is not a safe integer')
  }
  return next
}

export type Largest = Pick<GroupSum, 'largestWh' | 'secondWh' | 'thirdWh'>

/** The three largest of two sets of values, of which each knows its three largest. */
export function largestOf(a: Largest, b: Largest): Largest {
  const [upper, lower] = a.largestWh >= b.largestWh ? [a, b] : [b, a]
  const secondWh = Math.max(upper.secondWh, lower.largestWh)
  const thirdWh =
    upper.secondWh >= lower.largestWh
      ? Math.max(upper.thirdWh, lower.largestWh)
      : Math.max(upper.secondWh, lower.secondWh)
  return { largestWh: upper.largestWh, secondWh, thirdWh }
}

/** The sums of one window, channel and phase by position of the group in the day's plan; empty groups have none. */
export interface SumTable extends Iterable<readonly [at: number, sum: GroupSum]> {
  readonly get: (at: number) => GroupSum | undefined
  readonly set: (at: number, sum: GroupSum) => void
}

const columns = 6

/** Sums packed into one array: a day of late sums of a thousand groups would be three times as large in a Map. */
export function sumTable(entries: Iterable<readonly [number, GroupSum]> = []): SumTable {
  // Six numbers a group; the count is NaN where a group has no sum.
  let packed = new Float64Array(0)
  const rows = (): number => packed.length / columns
  const table: SumTable = {
    get: (at) => {
      const from = at * columns
      if (at >= rows() || Number.isNaN(packed[from + 2])) return undefined
      return {
        boundedWh: packed[from]!,
        exactWh: packed[from + 1]!,
        count: packed[from + 2]!,
        largestWh: packed[from + 3]!,
        secondWh: packed[from + 4]!,
        thirdWh: packed[from + 5]!,
      }
    },
    set: (at, sum) => {
      if (at >= rows()) {
        const wider = new Float64Array(columns * Math.max(at + 1, Math.min(2 * rows(), rows() + 256))).fill(Number.NaN)
        wider.set(packed)
        packed = wider
      }
      const { boundedWh, exactWh, count, largestWh, secondWh, thirdWh } = sum
      packed.set([boundedWh, exactWh, count, largestWh, secondWh, thirdWh], at * columns)
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
