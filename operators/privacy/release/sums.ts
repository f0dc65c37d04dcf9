import type { PartialCell } from '../../../schemas/load-partial.ts'

/**
 * What a group has in a window and phase, in Wh. `boundedWh` grows by `addCell` only, which takes bounded cells; it is the
 * only field a release reads. The rest is for the restricted aggregate.
 */
export interface GroupSum {
  readonly boundedWh: number
  readonly exactWh: number
  readonly count: number
  readonly largestWh: number
  readonly secondWh: number
}

export const emptySum: GroupSum = Object.freeze({ boundedWh: 0, exactWh: 0, count: 0, largestWh: 0, secondWh: 0 })

/** Adds a cell of the same group, window and phase. Order does not matter. Throws RangeError past 2^53. */
export function addCell(sum: GroupSum, cell: PartialCell): GroupSum {
  const next = {
    boundedWh: sum.boundedWh + cell.boundedWh,
    exactWh: sum.exactWh + cell.exactWh,
    count: sum.count + cell.count,
    largestWh: Math.max(sum.largestWh, cell.largestWh),
    secondWh: secondOf(sum, cell),
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

type TopTwo = Pick<GroupSum, 'largestWh' | 'secondWh'>

/** The second largest of two sets of values, of which each knows its two largest. */
export function secondOf(a: TopTwo, b: TopTwo): number {
  return a.largestWh >= b.largestWh ? Math.max(a.secondWh, b.largestWh) : Math.max(b.secondWh, a.largestWh)
}
