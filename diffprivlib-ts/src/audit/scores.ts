import { ParameterError } from '../errors.ts'

/** One run's output: a number, or a vector of figures; NaN stands for a figure that is absent. */
export type Output = number | readonly number[]

/** A figure made from one output, by which worlds may be told apart. */
export interface Score {
  readonly name: string
  readonly of: (row: readonly number[]) => number
}

/** The largest number of figures that the direction of Fisher is sought in: it takes their cubed number of steps. */
const widestDirection = 64

/** All outputs as rows of one width. Throws ParameterError when widths differ or there are fewer than 100 in a world. */
export const rowsOf = (outputs: readonly Output[], width?: number): readonly (readonly number[])[] => {
  if (outputs.length < 100) throw new ParameterError(`an audit needs at least 100 runs a world, got ${outputs.length}`)
  const rows = outputs.map((output) => (typeof output === 'number' ? [output] : output))
  const expected = width ?? rows[0]!.length
  if (expected < 1 || rows.some((row) => row.length !== expected))
    throw new ParameterError('every output of an audit has the same number of figures, at least one: fill with NaN')
  return rows
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value / values.length, 0)

/** Solves matrix * x = right by elimination with pivots; what is left of a singular direction weighs nothing. */
const solve = (matrix: number[][], right: number[]): readonly number[] => {
  const size = right.length
  const rows = matrix.map((row, i) => [...row, right[i]!])
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let i = column + 1; i < size; i++) if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i
    ;[rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!]
    const head = rows[column]![column]!
    if (head === 0) continue
    for (let i = 0; i < size; i++) {
      if (i === column) continue
      const factor = rows[i]![column]! / head
      if (factor !== 0) for (let j = column; j <= size; j++) rows[i]![j] = rows[i]![j]! - factor * rows[column]![j]!
    }
  }
  return rows.map((row, i) => (row[i] === 0 ? 0 : row[size]! / row[i]!))
}

/**
 * Fisher's direction: the combination of figures that moves most between the worlds against its own spread, pooled covariance^-1 times the
 * difference of means. Figures that are absent somewhere or never change are left out.
 */
const fisher = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): Score | undefined => {
  const centred = [a, b].map((rows) => {
    const means = rows[0]!.map((_, i) => meanOf(rows.map((row) => row[i]!)))
    return { rows, means }
  })
  const variance = (i: number) =>
    centred.reduce(
      (sum, { rows, means }) => sum + meanOf(rows.map((row) => (row[i]! - means[i]!) * (row[i]! - means[i]!))),
      0,
    )
  const usable = a[0]!
    .map((_, i) => i)
    .filter((i) => {
      const spread = variance(i)
      return Number.isFinite(spread) && spread > 0
    })
  if (usable.length < 2 || usable.length > widestDirection) return undefined
  // The ridge only keeps a combination without any noise from dividing by 0: such noise was used twice, and it shows.
  const covariance = usable.map((i, at) =>
    usable.map((j, other) => {
      const product = centred.reduce(
        (sum, { rows, means }) => sum + meanOf(rows.map((row) => (row[i]! - means[i]!) * (row[j]! - means[j]!))),
        0,
      )
      return at === other ? product * (1 + 1e-9) : product
    }),
  )
  const difference = usable.map((i) => centred[0]!.means[i]! - centred[1]!.means[i]!)
  const weights = solve(covariance, difference)
  if (!weights.every(Number.isFinite)) return undefined
  return {
    name: `Fisher's direction over ${usable.length} figures`,
    of: (row) => usable.reduce((sum, i, at) => sum + weights[at]! * row[i]!, 0),
  }
}

/** Every figure by itself, and Fisher's direction over all of them; chosen from the first halves alone. */
export const scoresOf = (
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  names?: readonly string[],
): readonly Score[] => {
  const single = a[0]!.map((_, i): Score => ({ name: names?.[i] ?? `figure ${i}`, of: (row) => row[i]! }))
  const direction = fisher(a, b)
  return direction ? [...single, direction] : single
}
