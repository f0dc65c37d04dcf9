import { ParameterError } from '../errors.ts'
import type { Placed } from './tree.ts'

/** Weights are held in integers of 2^-52. */
export const weightBits = 52n

/** How the estimate of one node is put together. */
export interface NodeWeights {
  /** The weight of the node's own value beside the sum of its children, 0 to 2^52. */
  readonly own: bigint
  /** The part of its parent's correction that this node takes, 0 to 2^52; the parts of siblings add up to 2^52. */
  readonly share: bigint
  /** The variance of the estimate. */
  readonly variance: number
}

const toWeight = (value: number): bigint => BigInt(Math.round(value * Number(1n << weightBits)))

/**
 * Weighted least squares over a tree in two passes (Hay, Rastogi, Miklau and Suciu, VLDB 2010, generalised from equal variances to any). Up:
 * a node's own value and the sum of its children's estimates are joined by inverse variance. Down: what the parent's estimate differs from
 * that sum is given to the children in proportion to their variances. A node without a value stands for infinite variance; among siblings
 * only one may have neither a value nor enough values below it, and takes all of the difference. Throws ParameterError naming the nodes that
 * the values do not determine.
 */
export const weightsOf = (nodes: readonly Placed[]): readonly NodeWeights[] => {
  const below = new Float64Array(nodes.length)
  const own = new Array<bigint>(nodes.length)
  for (const [i, node] of nodes.entries()) {
    const spread = node.children.reduce((sum, child) => sum + below[child]!, 0)
    if (node.children.length === 0 || spread === Infinity) {
      below[i] = node.variance
      own[i] = 1n << weightBits
    } else if (node.variance === Infinity) {
      below[i] = spread
      own[i] = 0n
    } else {
      // Joined variances only fall: the smaller of the two bounds what rounding might add.
      below[i] = Math.min(node.variance * (spread / (node.variance + spread)), node.variance, spread)
      own[i] = toWeight(spread / (node.variance + spread))
    }
  }

  const lost = (ids: readonly string[]) =>
    new ParameterError(
      `the values do not determine ${ids.map((id) => JSON.stringify(id)).join(' and ')}: measure more of these nodes, or leave them out`,
    )
  const variance = Float64Array.from(below)
  const share = new Array<bigint>(nodes.length).fill(0n)
  for (let i = nodes.length - 1; i >= 0; i--) {
    const { id, children, parent } = nodes[i]!
    if (parent < 0 && below[i] === Infinity) throw lost([id])
    if (children.length === 0) continue
    const unknown = children.filter((child) => below[child] === Infinity)
    if (unknown.length > 1) throw lost(unknown.map((child) => nodes[child]!.id))
    const spread = children.reduce((sum, child) => sum + below[child]!, 0)
    const open = unknown[0]
    if (open !== undefined) {
      const others = children.filter((child) => child !== open).reduce((sum, child) => sum + below[child]!, 0)
      share[open] = 1n << weightBits
      variance[open] = variance[i]! + others
      continue
    }
    let left = 1n << weightBits
    let widest = children[0]!
    for (const child of children) {
      const part = below[child]! / spread
      share[child] = toWeight(part)
      left -= share[child]!
      if (below[child]! > below[widest]!) widest = child
      // Given the parent the child keeps v (1 - part); the parent's own variance comes back with part^2.
      variance[child] = Math.min(below[child]! * (1 - part) + part * part * variance[i]!, below[child]!)
    }
    share[widest] = share[widest]! + left
  }
  return nodes.map((_, i) => ({ own: own[i]!, share: share[i]!, variance: variance[i]! }))
}
