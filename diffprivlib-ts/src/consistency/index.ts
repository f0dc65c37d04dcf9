import { ParameterError } from '../errors.ts'
import { largestRemainders, leastSquares } from './estimate.ts'
import { type MeasuredNode, placeNodes } from './tree.ts'
import { weightsOf } from './weights.ts'

export type { MeasuredNode } from './tree.ts'

/** Makes noisy values of one hierarchy consistent; made once for a set of variances, used for any number of values. */
export interface ConsistencyTree {
  /**
   * Integer estimates of every node, the measured and the unmeasured, in which children add up to their parent exactly. `values` holds an
   * integer for each node that has a variance and for no other. Throws ParameterError otherwise.
   */
  readonly estimate: (values: ReadonlyMap<string, bigint>) => ReadonlyMap<string, bigint>
  /**
   * The variance of each node's estimate before it is rounded to an integer, in squared units of the value: never above that of its own
   * value. Rounding moves each node by at most 1.
   */
  readonly variances: ReadonlyMap<string, number>
}

/**
 * The best linear unbiased estimates of a hierarchy from noisy values of its nodes: weighted least squares under the constraint that children
 * add up to their parent (Hay, Rastogi, Miklau and Suciu, VLDB 2010, for any tree and any variances), then integers by the largest
 * remainder. Nodes may lack a value; several roots are several hierarchies. Free of charge when the values are already released: it reads
 * nothing else. Negative estimates are left as they are: cutting them off would bias every sum above.
 *
 * Throws ParameterError for no nodes, an id twice, an unknown parent, a circle, a variance that is not positive, or nodes that the values do
 * not determine, which it names.
 */
export const consistencyTree = (nodes: readonly MeasuredNode[]): ConsistencyTree => {
  const placed = placeNodes(nodes)
  const weights = weightsOf(placed)
  const measured = placed.filter(({ variance }) => variance !== Infinity).length
  const byId = new Map(placed.map(({ id }, i) => [id, i]))
  const inOrder = <T>(of: (i: number) => T): ReadonlyMap<string, T> =>
    new Map(nodes.map(({ id }) => [id, of(byId.get(id)!)]))
  return Object.freeze({
    estimate: (values: ReadonlyMap<string, bigint>) => {
      const found = placed.map(({ id, variance }) => {
        const value = values.get(id)
        if ((value === undefined) !== (variance === Infinity))
          throw new ParameterError(`node ${JSON.stringify(id)} needs a value exactly when it has a variance`)
        return value
      })
      if (values.size !== measured)
        throw new ParameterError('a value was given for a node that the hierarchy does not have')
      const rounded = largestRemainders(placed, leastSquares(placed, weights, found))
      return inOrder((i) => rounded[i]!)
    },
    variances: inOrder((i) => weights[i]!.variance),
  })
}

/**
 * The sums of a complete tree over values in a row: each node adds up `branching` nodes of the level below, with zeros past the end. Root
 * first, level by level, and at the lowest level no more than the values. Throws ParameterError for no values or a branching below 2.
 */
export const treeSums = (values: readonly bigint[], branching: number): readonly (readonly bigint[])[] => {
  if (values.length === 0) throw new ParameterError('a tree needs at least one value')
  if (!Number.isInteger(branching) || branching < 2)
    throw new ParameterError(`the branching of a tree is an integer of at least 2, got ${branching}`)
  let width = 1
  let depth = 0
  while (width < values.length) {
    width *= branching
    depth += 1
  }
  const levels: (readonly bigint[])[] = [values]
  let padded: readonly bigint[] = [...values, ...new Array<bigint>(width - values.length).fill(0n)]
  for (let level = 0; level < depth; level++) {
    const below = padded
    padded = Array.from({ length: below.length / branching }, (_, i) =>
      below.slice(i * branching, (i + 1) * branching).reduce((sum, value) => sum + value, 0n),
    )
    levels.unshift(padded)
  }
  return levels
}
