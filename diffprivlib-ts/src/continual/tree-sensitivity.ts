import { ParameterError } from '../errors.ts'
import { powerOfTwo } from '../rational.ts'

const impossible = -Infinity

/** The heights of the complete trees that a horizon falls into, from the left: one for each 1 in its binary form. */
export const heightsOf = (steps: number): readonly number[] => {
  const heights: number[] = []
  for (let height = 31; height >= 0; height--) if ((steps >>> height) % 2 === 1) heights.push(height)
  return heights
}

/**
 * The squared sensitivity of all complete nodes of a binary tree over `steps` leaves to one unit of size 1 in at most `most` leaves that lie
 * at least `apart` steps from each other: the largest sum of squared counts of those leaves over the nodes, by dynamic programming over
 * (height, count, free leaves at either end). Throws ParameterError when the table would pass 50 million steps of work.
 */
export const treeSensitivity = (steps: number, most: number, apart: number): number => {
  const heights = heightsOf(steps)
  if (most === 1) return heights[0]! + 1
  const capacity = (leaves: number) => Math.min(most, Math.ceil(leaves / apart))
  if (apart === 1 && most >= steps) return heights.reduce((sum, h) => sum + powerOfTwo(h) * (powerOfTwo(h + 1) - 1), 0)
  const gaps = Math.min(apart, steps)
  if (capacity(steps) * capacity(steps) * gaps * gaps * gaps * heights.length > 5e7)
    throw new ParameterError(
      'the sensitivity of this tree takes too long to find: use a Toeplitz strategy, or one step for each unit',
    )
  const known = new Map<string, number>()

  /** The best of a complete tree with exactly `count` leaves taken, none of the first `lead` and none of the last `trail`. */
  const best = (height: number, count: number, lead: number, trail: number): number => {
    if (count === 0) return 0
    const leaves = powerOfTwo(height)
    const room = leaves - lead - trail
    if (room <= 0 || count > Math.ceil(room / apart)) return impossible
    if (height === 0) return 1
    const key = `${height},${count},${lead},${trail}`
    const found = known.get(key)
    if (found !== undefined) return found
    const half = leaves / 2
    let value = Math.max(
      best(height - 1, count, Math.max(lead - half, 0), trail),
      best(height - 1, count, lead, Math.max(trail - half, 0)),
    )
    for (let left = 1; left < count; left++)
      for (let end = 0; end < gaps; end++) {
        const first = best(height - 1, left, lead, end)
        if (first === impossible) break
        value = Math.max(value, first + best(height - 1, count - left, Math.max(apart - 1 - end, 0), trail))
      }
    value += count * count
    known.set(key, value)
    return value
  }

  /** The best of the trees from `index` on with at most `count` leaves taken, none of the first `lead`. */
  const forest = (index: number, count: number, lead: number): number => {
    const height = heights[index]
    if (height === undefined || count === 0) return 0
    const leaves = powerOfTwo(height)
    const key = `f${index},${count},${lead}`
    const found = known.get(key)
    if (found !== undefined) return found
    let value = forest(index + 1, count, Math.max(lead - leaves, 0))
    for (let taken = 1; taken <= Math.min(count, capacity(leaves)); taken++)
      for (let end = 0; end < gaps; end++) {
        const here = best(height, taken, Math.min(lead, leaves), end)
        if (here === impossible) break
        value = Math.max(value, here + forest(index + 1, count - taken, Math.max(apart - 1 - end, 0)))
      }
    known.set(key, value)
    return value
  }
  return forest(0, capacity(steps), 0)
}
