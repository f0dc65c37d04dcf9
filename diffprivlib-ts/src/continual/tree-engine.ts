import { ParameterError } from '../errors.ts'
import { type Engine, type EngineState, fractionBits, integers, nearest, texts } from './engine.ts'
import type { TreeStrategy } from './strategy.ts'
import { keptNodes, nodesBetween, nodesInside, treeReach } from './tree-window.ts'
import type { Workload } from './workload.ts'

/** The weight of a node's own measurement beside its children's estimates: 2^h / (2^(h + 1) - 1), in units of 2^-64. */
const ownWeight = (height: number): bigint =>
  (1n << (fractionBits + BigInt(height))) / ((1n << BigInt(height + 1)) - 1n)

/** How many nodes end with the step before which `done` steps lie: one, and one more for each 1 at the end of `done`. */
const ending = (done: number): number => {
  let count = 1
  for (let left = done; left % 2 === 1; left = (left - 1) / 2) count += 1
  return count
}

interface Node {
  readonly truth: readonly bigint[]
  readonly estimate: readonly bigint[]
}

/**
 * Measures the sum of every node of the tree when its last step comes. It keeps the complete nodes that are not yet inside a larger complete
 * one, one for each 1 in the number of steps: their true sums, and their estimates, which a refined tree makes from the node's own
 * measurement and its children's estimates by inverse variance (Honaker, 2015), cut to 2^-64. A tree built for windows also keeps the estimates
 * of all nodes inside the last `window` steps, fewer than two a step, from which a window's fewest nodes are added up.
 */
export const treeEngine = (strategy: TreeStrategy, width: number, done: number, state?: EngineState): Engine => {
  const refined = strategy.name === 'refined'
  let steps = done
  const secret = (state?.secret ?? []).map(integers)
  const measured = (state?.measured ?? []).map(integers)
  // From the largest node to the smallest.
  const nodes: Node[] = secret.map((truth, i) => ({ truth, estimate: measured[i] ?? [] }))
  const expected = done.toString(2).replaceAll('0', '').length
  const window = strategy.window ?? 0
  if (nodes.length !== expected || measured.length !== expected + nodesInside(done, window))
    throw new ParameterError('the stored state does not fit the strategy: it keeps another number of nodes')

  const kept = keptNodes(window, done, measured.slice(expected))
  const rows = () => ending(steps)
  return {
    rows,
    absorb: (value, noise) => {
      const count = rows()
      let node: Node | undefined
      const out: (readonly bigint[])[] = []
      for (let height = 0; height < count; height++) {
        const left = height === 0 ? undefined : nodes.pop()
        const below = node
        const truth = below && left ? left.truth.map((x, i) => x + below.truth[i]!) : [...value]
        const row = truth.map((x, i) => x + noise[height]![i]!)
        const weight = ownWeight(height)
        const estimate = row.map((y, i) => {
          const own = y << fractionBits
          if (!refined || !below || !left) return own
          return (
            (weight * own + ((1n << fractionBits) - weight) * (left.estimate[i]! + below.estimate[i]!)) >> fractionBits
          )
        })
        node = { truth, estimate }
        kept.add(height, estimate)
        out.push(row)
      }
      if (node) nodes.push(node)
      steps += 1
      kept.settle(steps)
      return out
    },
    estimate: (workload: Workload) => {
      const reach = treeReach(strategy, workload)
      const inside =
        reach === 0 || reach >= steps
          ? nodes.map(({ estimate }) => estimate)
          : nodesBetween(steps - reach, steps).map((node) => kept.find(node, steps))
      const sums = new Array<bigint>(width).fill(0n)
      for (const estimate of inside) for (let i = 0; i < width; i++) sums[i] = sums[i]! + estimate[i]!
      return sums.map(nearest)
    },
    save: () => ({
      secret: nodes.map(({ truth }) => texts(truth)),
      measured: [...nodes.map(({ estimate }) => estimate), ...kept.rows()].map(texts),
    }),
  }
}
