import { ParameterError } from '../errors.ts'
import type { BitSource } from '../random/bit-source.ts'
import { integer, type Rational } from '../rational.ts'
import { categoricalWith, type Distance } from './exponential-categorical.ts'
import { type PrivateMechanism, securely } from './release.ts'

/** A tree of values: leaves are the values, all at one depth. */
export type Hierarchy<T extends string> = readonly (T | Hierarchy<T>)[]

/** Options of `exponentialHierarchical`. */
export interface ExponentialHierarchicalOptions<T extends string> {
  /** One record is randomised, and a neighbour holds any other value. Required. */
  readonly neighbours: 'replace-one'
  /** The pure epsilon to spend, greater than 0. Required. */
  readonly epsilon: Rational
  /** Values that are alike stand close together: their distance is how many levels one must go up to meet. Required. */
  readonly hierarchy: Hierarchy<T>
}

const leavesOf = <T extends string>(
  tree: Hierarchy<T>,
  path: readonly number[] = [],
): readonly (readonly [T, readonly number[]])[] =>
  tree.flatMap((node, i) => (typeof node === 'string' ? [[node, [...path, i]] as const] : leavesOf(node, [...path, i])))

/** The distances that a hierarchy stands for. Throws ParameterError when leaves repeat or lie at different depths. */
export const hierarchyDistances = <T extends string>(hierarchy: Hierarchy<T>): readonly Distance<T>[] => {
  const leaves = leavesOf(hierarchy)
  const depth = leaves[0]?.[1].length ?? 0
  if (leaves.some(([, path]) => path.length !== depth))
    throw new ParameterError('all values of a hierarchy must lie at one depth')
  if (new Set(leaves.map(([value]) => value)).size !== leaves.length)
    throw new ParameterError('a value may stand only once in a hierarchy')
  return leaves.flatMap(([a, pathA], i) =>
    leaves.slice(i + 1).map(([b, pathB]): Distance<T> => {
      const shared = pathA.findIndex((branch, level) => branch !== pathB[level])
      return [a, b, integer(depth - shared)]
    }),
  )
}

/** `exponentialHierarchical` over any bits; only the secure door and the test door export it. */
export const exponentialHierarchicalOver = <T extends string>(
  { neighbours, epsilon, hierarchy }: ExponentialHierarchicalOptions<T>,
  bits: BitSource,
): PrivateMechanism<'replace-one', T, T> =>
  categoricalWith('exponential-hierarchical', { neighbours, epsilon, utilityList: hierarchyDistances(hierarchy) }, bits)

/**
 * `exponentialCategorical` with distances read from a hierarchy of values. Exact. Throws ParameterError when leaves repeat or lie at different
 * depths.
 */
export const exponentialHierarchical = securely(exponentialHierarchicalOver)
