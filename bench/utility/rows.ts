import { defaultPolicy, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { simulationRandom } from '../fleet/random.ts'
import { type BoundedSeries, boundMembers } from './bounded-pool.ts'
import { drawRough, drawSmooth, type Mix, membersOf, type Roughness, sumOf, type TreeGroup, treeOf } from './groups.ts'
import type { Households } from './households.ts'
import { type NaiveErrors, naiveErrors } from './naive.ts'
import { type LevelErrors, releaseErrors } from './released.ts'

/** One line of the utility table for one season. */
export interface Row {
  readonly set: string
  readonly season: string
  readonly homes: number
  readonly population: Roughness
  readonly one: LevelErrors
  readonly four: LevelErrors
  readonly laplace: NaiveErrors
  readonly gaussian: NaiveErrors
}

export interface JudgeOptions {
  readonly set: string
  readonly season: string
  /** Largest group size that is looked at. */
  readonly most: number
  /** Days before the errors count. */
  readonly warmUp: number
  /** S per half hour and level; default `utilityClip`. */
  readonly clip?: Readonly<Record<Level, number>>
}

/** Group size that each level stands for, and how many groups of it are released where the whole budget is on the level. */
const sizes: Readonly<Record<Level, { readonly homes: number; readonly groups: number }>> = {
  feeder: { homes: 1_000, groups: 4 },
  substation: { homes: 10_000, groups: 3 },
  region: { homes: 100_000, groups: 2 },
  utility: { homes: 1_000_000, groups: 1 },
}

/** S per half hour, in Wh. */
export const utilityClip: Readonly<Record<Level, number>> = {
  utility: 20_000,
  region: 15_000,
  substation: 12_000,
  feeder: 8_000,
}

/** RMSE in percent that a row is held against. */
export function rowGoals(homes: number, population: Roughness): { readonly one: number; readonly four: number } {
  const goals: Readonly<Record<number, Readonly<Record<Roughness, readonly [number, number]>>>> = {
    1000: { smooth: [6.4, 10], rough: [9.8, 15] },
    10000: { smooth: [1.9, 3.3], rough: [2.1, 4.6] },
    100000: { smooth: [0.5, 0.75], rough: [0.5, 0.75] },
    1000000: { smooth: [0.05, 0.1], rough: [0.05, 0.1] },
  }
  const [one, four] = goals[homes]![population]
  return { one, four }
}

/** The rows of one set and season. */
export function judge(households: Households, options: JudgeOptions): readonly Row[] {
  const { set, season, most, warmUp, clip = utilityClip } = options
  const random = simulationRandom(1, 'topology', Date.parse(season) / 86_400_000, households.intervalSeconds)
  const four: ReleasePolicy = {
    ...defaultPolicy,
    windowSeconds: households.intervalSeconds,
    clipWhPerHalfHour: clip,
    // Every group is released here, also one that the default calls not useful.
    maxRelativeNoise: '1/1',
    meanLoadWhPerDay: 100_000,
  }
  const pool = boundMembers(households, membersOf(households.count), four)
  const perDay = 86_400 / households.intervalSeconds
  const naive = {
    capWh:
      (Math.max(...Array.from({ length: households.count }, (_, home) => households.fuseWhPerHour(home))) / 3_600) *
      households.intervalSeconds,
    perDay,
    epsilon: '1/1',
    rho: defaultPolicy.rhoPerDay,
    from: warmUp * perDay,
  }
  const shown = levels.filter((level) => sizes[level].homes <= most).reverse()
  const trees = new Map<string, ReadonlyMap<Level, LevelErrors>>()
  const tree = (rough?: 'feeder' | 'substation'): ReadonlyMap<Level, LevelErrors> => {
    const known = trees.get(`${rough}`)
    if (known) return known
    const made = releaseErrors(treeOf(pool, random, sizes.feeder.homes, rough), four, households, warmUp)
    trees.set(`${rough}`, made)
    return made
  }
  return shown.flatMap((level) => {
    const { homes, groups } = sizes[level]
    const populations: Roughness[] = level === 'feeder' || level === 'substation' ? ['smooth', 'rough'] : ['smooth']
    return populations.map((population): Row => {
      const mixes = Array.from({ length: groups }, () =>
        population === 'smooth' ? drawSmooth(random, pool.length, homes, sizes.feeder.homes) : drawRough(random, homes),
      )
      const one = releaseErrors(alone(pool, mixes, level, homes), oneLevel(four, level), households, warmUp).get(level)!
      const rough = population === 'smooth' ? undefined : (level as 'feeder' | 'substation')
      return {
        set,
        season,
        homes,
        population,
        one,
        four: tree(rough).get(level)!,
        laplace: naiveErrors('laplace', pool, mixes, naive),
        gaussian: naiveErrors('gaussian', pool, mixes, naive),
      }
    })
  })
}

/** Groups of one level that know of no others. */
function alone(pool: readonly BoundedSeries[], mixes: readonly Mix[], level: Level, size: number): TreeGroup[] {
  return mixes.map((mix, i) => ({ level, group: `g-${i}`, parent: null, size, ...sumOf(pool, mix, level) }))
}

/** All but 3 of 1,000 parts of the budget on one level: a policy gives every level something. */
function oneLevel(policy: ReleasePolicy, level: Level): ReleasePolicy {
  const shares = Object.fromEntries(levels.map((each) => [each, each === level ? '997/1000' : '1/1000']))
  return { ...policy, shares: shares as ReleasePolicy['shares'] }
}
