import type { Placed } from './tree.ts'
import { type NodeWeights, weightBits } from './weights.ts'

/** Estimates are held in integers of 2^-32 of the value's unit. */
const fractionBits = 32n

/** The least-squares estimates, in integers of 2^-32, whose children add up to their parent exactly. */
export const leastSquares = (
  nodes: readonly Placed[],
  weights: readonly NodeWeights[],
  values: readonly (bigint | undefined)[],
): readonly bigint[] => {
  const estimate = new Array<bigint>(nodes.length)
  const sumOf = (children: readonly number[]) => children.reduce((sum, child) => sum + estimate[child]!, 0n)
  for (const [i, { children }] of nodes.entries()) {
    const value = values[i]
    const own = value === undefined ? undefined : value << fractionBits
    // A node that nothing below determines starts at 0; the way down gives it its value.
    if (children.length === 0) estimate[i] = own ?? 0n
    else {
      const sum = sumOf(children)
      estimate[i] = own === undefined ? sum : sum + (((own - sum) * weights[i]!.own) >> weightBits)
    }
  }
  for (let i = nodes.length - 1; i >= 0; i--) {
    const { children } = nodes[i]!
    if (children.length === 0) continue
    const correction = estimate[i]! - sumOf(children)
    let left = correction
    let widest = children[0]!
    for (const child of children) {
      const part = (correction * weights[child]!.share) >> weightBits
      estimate[child] = estimate[child]! + part
      left -= part
      if (weights[child]!.share > weights[widest]!.share) widest = child
    }
    // The few units that cutting left over, so that the sum is exact.
    estimate[widest] = estimate[widest]! + left
  }
  return estimate
}

/**
 * Integers whose children add up to their parent. The root goes to the nearest integer, every other node to the floor of its estimate or the
 * integer above: what the floors leave of the parent's integer goes to the largest remainders, ties in the order given.
 */
export const largestRemainders = (nodes: readonly Placed[], estimates: readonly bigint[]): readonly bigint[] => {
  const whole = estimates.map((value) => value >> fractionBits)
  const rounded = new Array<bigint>(nodes.length)
  for (let i = nodes.length - 1; i >= 0; i--) {
    const { children, parent } = nodes[i]!
    if (parent < 0) rounded[i] = (estimates[i]! + (1n << (fractionBits - 1n))) >> fractionBits
    if (children.length === 0) continue
    const remainder = (child: number) => estimates[child]! - (whole[child]! << fractionBits)
    const order = [...children].sort((a, b) => (remainder(a) > remainder(b) ? -1 : remainder(a) < remainder(b) ? 1 : 0))
    let left = rounded[i]! - children.reduce((sum, child) => sum + whole[child]!, 0n)
    for (const child of order) {
      rounded[child] = whole[child]! + (left > 0n ? 1n : 0n)
      if (left > 0n) left -= 1n
    }
  }
  return rounded
}
