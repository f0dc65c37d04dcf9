import { type Level, levels } from '../../schemas/register-entry.ts'
import type { SimulationRandom } from '../fleet/random.ts'
import type { BoundedSeries, Member } from './bounded-pool.ts'
import { mostWeeks } from './households.ts'

/** How many households of a group each member of the pool stands for. */
export type Mix = ReadonlyMap<number, number>

/**
 * `smooth`: every household drawn anew, from homes that each feeder prefers in its own way, so that neighbourhoods differ.
 * `rough`: every household of a group is one of the same hundred, all on one date, so the sum of a thousand is as jagged as
 * that of a hundred.
 */
export type Roughness = 'smooth' | 'rough'

export const roughHomes = 100

const scales = [0.9, 1, 1.1]
const shifts = 2 * mostWeeks + 1

/** Members of a pool: every home at every shift and scale, of the first `homes` homes. */
export function membersOf(homes: number): readonly Member[] {
  return Array.from({ length: homes * shifts * scales.length }, (_, i) => ({
    home: Math.floor(i / (shifts * scales.length)),
    weeks: (Math.floor(i / scales.length) % shifts) - mostWeeks,
    scale: scales[i % scales.length]!,
  }))
}

const memberAt = (home: number, shift: number, scale: number): number => (home * shifts + shift) * scales.length + scale

/** Spread of the logarithm of how often a feeder draws a home. */
const preference = 0.5

/** Feeders of `feeder` households each, `size` in all, drawn with replacement. */
export function drawSmooth(random: SimulationRandom, pool: number, size: number, feeder: number): Mix {
  const mix = new Map<number, number>()
  const homes = pool / (shifts * scales.length)
  for (let drawn = 0; drawn < size; drawn += feeder) {
    const upTo = new Float64Array(homes)
    let total = 0
    for (let home = 0; home < homes; home++) {
      total += Math.exp(preference * random.normal())
      upTo[home] = total
    }
    for (let i = 0; i < feeder; i++) {
      const at = random.unit() * total
      const home = upTo.findIndex((sum) => at < sum)
      const member = memberAt(home, random.below(shifts), random.below(scales.length))
      mix.set(member, (mix.get(member) ?? 0) + 1)
    }
  }
  return mix
}

/** A group of `size` households, each of the hundred `size / 100` times, all shifted alike. */
export function drawRough(random: SimulationRandom, size: number, shift = random.below(shifts)): Mix {
  return new Map(Array.from({ length: roughHomes }, (_, home) => [memberAt(home, shift, 1), size / roughHomes]))
}

/** True and bounded sums of a group per window, in Wh. */
export interface GroupSeries {
  readonly truth: Float64Array
  readonly clipped: Float64Array
  /** Clipped by the bounds of a level that has the whole budget. */
  readonly ownClipped: Float64Array
}

export function sumOf(pool: readonly BoundedSeries[], mix: Mix, level: Level): GroupSeries {
  const windows = pool[0]!.exact.length
  const truth = new Float64Array(windows)
  const clipped = new Float64Array(windows)
  const ownClipped = new Float64Array(windows)
  for (const [member, times] of mix) {
    const { exact, bounded, ownBounded } = pool[member]!
    const counted = bounded[level]
    const ownCounted = ownBounded[level]
    for (let i = 0; i < windows; i++) {
      truth[i]! += times * exact[i]!
      clipped[i]! += times * counted[i]!
      ownClipped[i]! += times * ownCounted[i]!
    }
  }
  return { truth, clipped, ownClipped }
}

const none = new Float64Array(0)

/** A group with its place in the tree and its sums. */
export interface TreeGroup extends GroupSeries {
  readonly level: Level
  readonly group: string
  readonly parent: string | null
  readonly size: number
  readonly mix: Mix
}

/** Ten regions of ten substations of ten feeders of `feederSize` households: a million where that is a thousand. */
export function treeOf(
  pool: readonly BoundedSeries[],
  random: SimulationRandom,
  feederSize: number,
  roughAt?: 'feeder' | 'substation',
): readonly TreeGroup[] {
  const groups: TreeGroup[] = []
  const build = (depth: number, group: string, parent: string | null, shift?: number): Mix => {
    const level = levels[depth]!
    const own = level === roughAt ? random.below(shifts) : shift
    const at = groups.length
    groups.push({ level, group, parent, size: 0, mix: new Map(), truth: none, clipped: none, ownClipped: none })
    let mix: Mix
    if (level !== 'feeder') {
      const sum = new Map<number, number>()
      for (let child = 0; child < 10; child++) {
        for (const [member, times] of build(depth + 1, `${group}-${child}`, group, own)) {
          sum.set(member, (sum.get(member) ?? 0) + times)
        }
      }
      mix = sum
    } else
      mix =
        own === undefined ? drawSmooth(random, pool.length, feederSize, feederSize) : drawRough(random, feederSize, own)
    const size = feederSize * 10 ** (levels.length - 1 - depth)
    groups[at] = { level, group, parent, size, mix, ...sumOf(pool, mix, level) }
    return mix
  }
  build(0, 'u', null)
  return groups
}
