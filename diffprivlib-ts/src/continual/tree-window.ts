import { ParameterError } from '../errors.ts'
import type { TreeStrategy } from './strategy.ts'
import { reachOf, type Workload } from './workload.ts'

// A horizon has fewer than 2^18 steps, so heights stay below 18 and sizes are small shifts.

/** A complete node of a binary tree: 2^height steps from `start`, a multiple of that, on. */
export interface TreeNode {
  readonly height: number
  readonly start: number
}

/** The fewest complete nodes that the steps from `from` up to but not with `to` fall into, from the left: at most two of a height. */
export const nodesBetween = (from: number, to: number): readonly TreeNode[] => {
  const nodes: TreeNode[] = []
  for (let start = from; start < to; ) {
    let height = 0
    while (start % (2 << height) === 0 && start + (2 << height) <= to) height += 1
    nodes.push({ height, start })
    start += 1 << height
  }
  return nodes
}

/** The step after the last node of a height that is complete after `done` steps. */
const endOf = (height: number, done: number): number => done - (done % (1 << height))

/** How many nodes of a height lie inside the last `window` of `done` steps. */
const countOf = (height: number, done: number, window: number): number => {
  const size = 1 << height
  return Math.max(0, Math.floor(done / size) - Math.ceil(Math.max(0, done - window) / size))
}

/** How many nodes lie inside the last `window` of `done` steps. */
export const nodesInside = (done: number, window: number): number => {
  let count = 0
  for (let height = 0; 1 << height <= window; height++) count += countOf(height, done, window)
  return count
}

/** Estimates of the nodes inside the last `window` steps, by height, each height from the left. */
export interface KeptNodes {
  /** Takes the node of this height that ends with the step after which there are `done`. */
  readonly add: (height: number, estimate: readonly bigint[]) => void
  /** Leaves out what no longer lies inside the window. */
  readonly settle: (done: number) => void
  readonly find: (node: TreeNode, done: number) => readonly bigint[]
  readonly rows: () => readonly (readonly bigint[])[]
}

/** The nodes kept of a tree, from the rows that were kept before. */
export const keptNodes = (window: number, done: number, rows: readonly (readonly bigint[])[]): KeptNodes => {
  const levels: (readonly bigint[])[][] = []
  for (let height = 0, at = 0; 1 << height <= window; height++) {
    const count = countOf(height, done, window)
    levels.push(rows.slice(at, at + count))
    at += count
  }
  return {
    add: (height, estimate) => levels[height]?.push(estimate),
    settle: (after) => {
      for (const [height, level] of levels.entries())
        while (level.length > countOf(height, after, window)) level.shift()
    },
    find: ({ height, start }, after) => levels[height]!.at((start - endOf(height, after)) / (1 << height))!,
    rows: () => levels.flat(),
  }
}

/**
 * How many of the latest steps a tree adds up for a workload, 0 for all of them. Throws ParameterError for a window larger than those that the
 * tree was built for, unless it holds the whole horizon.
 */
export const treeReach = ({ steps, window = 0 }: TreeStrategy, workload: Workload): number => {
  const reach = reachOf(workload, steps)
  if (reach === steps) return 0
  if (reach > window)
    throw new ParameterError(
      window === 0
        ? 'this tree answers prefix sums only: build it with { window }, or use a Toeplitz strategy'
        : `this tree answers windows of up to ${window} steps, got ${reach}: build it with a larger window`,
    )
  return reach
}
