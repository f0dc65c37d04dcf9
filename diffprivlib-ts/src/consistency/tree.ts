import { ParameterError } from '../errors.ts'
import { type Rational, sign, toNumber } from '../rational.ts'

/** A node of a hierarchy, e.g. a substation inside a region. */
export interface MeasuredNode {
  readonly id: string
  /** The node that this one is a part of; left out at a root. */
  readonly parent?: string
  /** The variance of the noisy value of this node, in squared units of the value; left out when the node has no value of its own. */
  readonly variance?: Rational
}

/** A node in a tree of positions: children come before parents. */
export interface Placed {
  readonly id: string
  readonly parent: number
  readonly children: readonly number[]
  /** Infinity when the node has no value of its own. */
  readonly variance: number
}

/**
 * The nodes in an order in which every child comes before its parent, siblings in the order given. Throws ParameterError for no nodes, an id
 * twice, an unknown parent, a circle, or a variance that is not positive.
 */
export const placeNodes = (nodes: readonly MeasuredNode[]): readonly Placed[] => {
  if (nodes.length === 0) throw new ParameterError('a hierarchy needs at least one node')
  const index = new Map(nodes.map(({ id }, i) => [id, i]))
  if (index.size !== nodes.length) throw new ParameterError('a hierarchy names a node twice')
  const childrenOf = nodes.map((): number[] => [])
  const roots: number[] = []
  for (const [i, { id, parent, variance }] of nodes.entries()) {
    if (variance && sign(variance) <= 0)
      throw new ParameterError(`the variance of node ${JSON.stringify(id)} must be greater than 0`)
    if (parent === undefined) roots.push(i)
    else {
      const above = index.get(parent)
      if (above === undefined)
        throw new ParameterError(`node ${JSON.stringify(id)} has the unknown parent ${JSON.stringify(parent)}`)
      childrenOf[above]!.push(i)
    }
  }
  // Parents first, then turned round.
  const order = [...roots]
  for (let at = 0; at < order.length; at++) order.push(...childrenOf[order[at]!]!)
  if (order.length !== nodes.length) throw new ParameterError('the parents of a hierarchy run in a circle')
  order.reverse()
  const place = new Map(order.map((node, position) => [node, position]))
  return order.map((node) => {
    const { id, parent, variance } = nodes[node]!
    return {
      id,
      parent: parent === undefined ? -1 : place.get(index.get(parent)!)!,
      children: childrenOf[node]!.map((child) => place.get(child)!),
      variance: variance ? toNumber(variance, 'up') : Infinity,
    }
  })
}
