/** A linear program over non-negative variables: equations `row . x = right`. */
export interface Equations {
  readonly rows: readonly (readonly number[])[]
  readonly right: readonly number[]
}

/**
 * The largest value of `objective . x` over all x >= 0 that fulfil the equations; Infinity if there is none. Simplex in two
 * phases with Bland's rule, for matrices that are totally unimodular (as those of groups that nest are): every
 * pivot is 1 or -1 and every number an integer, so that nothing is rounded. Throws where that is not so, or where no x
 * fulfils the equations.
 */
export function maximum(objective: readonly number[], { rows, right }: Equations): number {
  const variables = objective.length
  const width = variables + rows.length + 1
  // Rows: coefficients of the variables, of one helper variable per equation, and the right side.
  const table = rows.map((row, i) => {
    const sign = right[i]! < 0 ? -1 : 1
    const helpers = rows.map((_, j) => (i === j ? 1 : 0))
    return [...row.map((x) => sign * x), ...helpers, sign * right[i]!]
  })
  const basis = rows.map((_, i) => variables + i)
  const first = new Array<number>(width).fill(0)
  for (const row of table) subtract(first, -1, row)
  for (let j = variables; j < width - 1; j++) first[j] = 0
  run(table, basis, first, variables)
  if (first[width - 1] !== 0) throw new RangeError('no x fulfils the equations')
  // A helper that is left in the basis is zero: take it out, or its equation says nothing new.
  for (let i = 0; i < table.length; i++) {
    if (basis[i]! < variables) continue
    const column = table[i]!.findIndex((x, j) => j < variables && x !== 0)
    if (column >= 0) pivot(table, basis, [], i, column)
  }
  const second = [...objective, ...new Array<number>(width - variables).fill(0)]
  table.forEach((row, i) => {
    const cost = second[basis[i]!]!
    subtract(second, cost, row)
  })
  return run(table, basis, second, variables) ? -second[width - 1]! : Number.POSITIVE_INFINITY
}

/** The smallest value; see `maximum`. */
export const minimum = (objective: readonly number[], equations: Equations): number =>
  0 -
  maximum(
    objective.map((x) => -x),
    equations,
  )

/** Pivots until no coefficient of `goal` among the variables is positive. False where it grows without bound. */
function run(table: number[][], basis: number[], goal: number[], variables: number): boolean {
  for (;;) {
    const column = goal.findIndex((x, j) => j < variables && x > 0)
    if (column < 0) return true
    let leaving = -1
    table.forEach((row, i) => {
      if (row[column]! <= 0) return
      if (leaving < 0) leaving = i
      else {
        const [a, b] = [row.at(-1)!, table[leaving]!.at(-1)!]
        if (a < b || (a === b && basis[i]! < basis[leaving]!)) leaving = i
      }
    })
    if (leaving < 0) return false
    pivot(table, basis, goal, leaving, column)
  }
}

function pivot(table: number[][], basis: number[], goal: number[], at: number, column: number): void {
  const own = table[at]!
  const by = own[column]!
  if (by !== 1 && by !== -1) throw new RangeError('the matrix is not totally unimodular')
  if (by < 0) subtract(own, 2, own.slice())
  for (const row of [...table.filter((other) => other !== own), goal]) {
    subtract(row, row[column] ?? 0, own)
  }
  basis[at] = column
}

/** `from` becomes `from - times * row`. */
function subtract(from: number[], times: number, row: readonly number[]): void {
  if (times !== 0 && from.length > 0) for (let j = 0; j < row.length; j++) from[j] = from[j]! - times * row[j]!
}
