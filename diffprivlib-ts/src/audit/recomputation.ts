import { ParameterError } from '../errors.ts'

/** A cell of a table by its row and column, from 0. */
export interface CellAt {
  readonly row: number
  readonly column: number
}

/** A published table whose suppressed cells an intruder tries to recompute from the margins. */
export interface SuppressedTable {
  /** The true cells, all of them: non-negative integers. */
  readonly cells: readonly (readonly number[])[]
  readonly suppressed: readonly CellAt[]
}

/**
 * The narrowest interval that a published table leaves for one of its suppressed cells, when all other cells and all row and column totals are
 * published and cells are known not to be negative: what linear programming finds, by flows. From the true table a cell can grow by
 * as much as runs round a cycle of suppressed cells, growing and shrinking in turn, and shrink by as much as runs the other way. An interval
 * without width recovers the cell. Throws ParameterError for a table that is not one of non-negative integers, or a cell that is not suppressed.
 */
export const recomputationInterval = (
  { cells, suppressed }: SuppressedTable,
  at: CellAt,
): readonly [number, number] => {
  const columns = cells[0]?.length ?? 0
  if (
    columns === 0 ||
    !cells.every((row) => row.length === columns && row.every((x) => Number.isSafeInteger(x) && x >= 0))
  )
    throw new ParameterError('a table has rows of one length, of non-negative integers')
  const inside = ({ row, column }: CellAt) => cells[row]?.[column] !== undefined
  if (!suppressed.every(inside)) throw new ParameterError('a suppressed cell lies outside the table')
  if (!suppressed.some(({ row, column }) => row === at.row && column === at.column))
    throw new ParameterError('only a suppressed cell has an interval')
  const truth = cells[at.row]![at.column]!
  const others = suppressed.filter(({ row, column }) => row !== at.row || column !== at.column)
  const [row, column] = [at.row, cells.length + at.column]
  const nodes = cells.length + columns

  /** The most that flows from one node to another. A suppressed cell carries any amount from its row to its column, its value back. */
  const flow = (from: number, to: number, most: number): number => {
    const room = Array.from({ length: nodes }, () => new Array<number>(nodes).fill(0))
    for (const cell of others) {
      room[cell.row]![cells.length + cell.column] = Infinity
      room[cells.length + cell.column]![cell.row] = cells[cell.row]![cell.column]!
    }
    let total = 0
    while (total < most) {
      const before = new Array<number>(nodes).fill(-1)
      before[from] = from
      const queue = [from]
      for (let i = 0; i < queue.length && before[to] === -1; i++)
        for (let next = 0; next < nodes; next++)
          if (before[next] === -1 && room[queue[i]!]![next]! > 0) {
            before[next] = queue[i]!
            queue.push(next)
          }
      if (before[to] === -1) return total
      let step = most - total
      for (let node = to; node !== from; node = before[node]!) step = Math.min(step, room[before[node]!]![node]!)
      if (step === Infinity) return Infinity
      for (let node = to; node !== from; node = before[node]!) {
        const parent = before[node]!
        room[parent]![node] = room[parent]![node]! - step
        room[node]![parent] = room[node]![parent]! + step
      }
      total += step
    }
    return total
  }
  // The cell grows when its row takes from other cells of the row: what leaves its column must come back to its row.
  return [truth - flow(row, column, truth), truth + flow(column, row, Infinity)]
}
