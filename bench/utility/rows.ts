import { defaultPolicy, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { byLevel, type Level, levels } from '../../schemas/register-entry.ts'
import { simulationRandom } from '../fleet/random.ts'
import { type BoundedSeries, boundPool } from './bounded-pool.ts'
import { boundsFor, type SeasonBounds } from './bounds.ts'
import { type ForecastErrors, forecastTruth } from './forecasts.ts'
import { drawRough, drawSmooth, type Mix, membersOf, type Roughness, sumOf, type TreeGroup, treeOf } from './groups.ts'
import type { Households } from './households.ts'
import { type LateErrors, lateErrors, latePool } from './late.ts'
import { type NaiveErrors, naiveErrors } from './naive.ts'
import { type LevelErrors, releaseErrors } from './released.ts'

/** One line of the utility table for one season. */
export interface Row {
  readonly set: string
  readonly season: string
  readonly homes: number
  readonly population: Roughness
  readonly windowSeconds: number
  /** The whole budget on the level, every group of which is released; and a few groups that know of no others. */
  readonly one: LevelErrors
  readonly alone: LevelErrors
  /** The budget in equal parts on four levels. */
  readonly four: LevelErrors
  /** Of forecasts from the true sums. */
  readonly forecast: ForecastErrors | undefined
  readonly laplace: NaiveErrors
  readonly gaussian: NaiveErrors
  /** Of both phases on four levels where readings come late; for groups of at most as many households as are told apart. */
  readonly late: LateErrors | undefined
}

export interface JudgeOptions {
  readonly set: string
  readonly season: string
  /** Largest group size that is looked at. */
  readonly most: number
  /** Days before the errors count. */
  readonly warmUp: number
}

/** Group size that each level stands for, and how many groups of it are released where the whole budget is on the level. */
const sizes: Readonly<Record<Level, { readonly homes: number; readonly groups: number }>> = {
  feeder: { homes: 1_000, groups: 4 },
  substation: { homes: 10_000, groups: 3 },
  region: { homes: 100_000, groups: 2 },
  utility: { homes: 1_000_000, groups: 1 },
}

/**
 * RMSE in percent that a row is held against. The goals are for half hours. A window of half that length has half the load
 * and noise that is 1.41 times less, as the bound of a day is a norm: so its goals are 1.41 times those of half hours.
 */
export function rowGoals(
  homes: number,
  population: Roughness,
  windowSeconds = 1_800,
): { readonly one: number; readonly four: number } {
  const goals: Readonly<Record<number, Readonly<Record<Roughness, readonly [number, number]>>>> = {
    1000: { smooth: [6.4, 10], rough: [9.8, 15] },
    10000: { smooth: [1.9, 3.3], rough: [2.1, 4.6] },
    100000: { smooth: [0.5, 0.75], rough: [0.5, 0.75] },
    1000000: { smooth: [0.05, 0.1], rough: [0.05, 0.1] },
  }
  const [one, four] = goals[homes]![population]
  const scaled = (goal: number): number => Number((goal * Math.sqrt(1_800 / windowSeconds)).toPrecision(3))
  return { one: scaled(one), four: scaled(four) }
}

/** By how many points of MAPE forecasts from released values may be worse than those from true sums, in windows of any length. */
export function forecastGoals(homes: number): { readonly one: number; readonly four: number } {
  const goals: Readonly<Record<number, readonly [number, number]>> = { 1000: [2.5, 5], 10000: [0.5, 1.2] }
  const [one, four] = goals[homes] ?? [0.2, 0.2]
  return { one, four }
}

/** The rows of one set and season. */
export function judge(households: Households, options: JudgeOptions): readonly Row[] {
  const { set, season, most, warmUp } = options
  const bounds = boundsFor(households.name, season)
  const random = simulationRandom(1, 'topology', Date.parse(season) / 86_400_000, households.intervalSeconds)
  const four: ReleasePolicy = {
    ...defaultPolicy,
    windowSeconds: households.intervalSeconds,
    clipWhPerHalfHour: bounds.four.clip,
    // Every group is released here, also one that the default calls not useful.
    maxRelativeNoise: '1/1',
    meanLoadWhPerDay: 100_000,
  }
  const members = membersOf(households.count)
  const pool = boundPool(households, members, four, bounds)
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
  const trees = new Map<string, readonly TreeGroup[]>()
  const released = new Map<string, ReadonlyMap<Level, LevelErrors>>()
  const forecasts = new Map<string, ReadonlyMap<Level, ForecastErrors>>()
  const tree = (
    population: Roughness,
    level: Level,
  ): { readonly name: string; readonly groups: readonly TreeGroup[] } => {
    const name = population === 'smooth' ? population : `${population} ${level}`
    const rough = level === 'feeder' || level === 'substation' ? level : undefined
    const groups =
      trees.get(name) ?? treeOf(pool, random, sizes.feeder.homes, population === 'rough' ? rough : undefined)
    trees.set(name, groups)
    return { name, groups }
  }
  const fourLevels = ({ name, groups }: ReturnType<typeof tree>): ReadonlyMap<Level, LevelErrors> => {
    const errors = released.get(name) ?? releaseErrors(groups, four, households, warmUp, true)
    released.set(name, errors)
    return errors
  }
  const trueSums = ({ name, groups }: ReturnType<typeof tree>): ReadonlyMap<Level, ForecastErrors> => {
    const errors = forecasts.get(name) ?? forecastTruth(groups, households, warmUp)
    forecasts.set(name, errors)
    return errors
  }
  let late: ReadonlyMap<Level, LateErrors> | undefined
  const lateOf = ({ groups }: ReturnType<typeof tree>): ReadonlyMap<Level, LateErrors> => {
    late ??= lateErrors(groups, latePool(households, members, four, bounds.four), four, households, warmUp)
    return late
  }
  return shown.flatMap((level) => {
    const { homes, groups } = sizes[level]
    const populations: Roughness[] = level === 'feeder' || level === 'substation' ? ['smooth', 'rough'] : ['smooth']
    return populations.map((population): Row => {
      const mixes = Array.from({ length: groups }, () =>
        population === 'smooth' ? drawSmooth(random, pool.length, homes, sizes.feeder.homes) : drawRough(random, homes),
      )
      const whole = tree(population, level)
      const upTo = whole.groups.filter((group) => levels.indexOf(group.level) <= levels.indexOf(level))
      const only = oneLevel(four, level, bounds)
      const own = upTo.map((group) => ({ ...group, clipped: group.ownClipped }))
      return {
        set,
        season,
        homes,
        population,
        windowSeconds: households.intervalSeconds,
        one: releaseErrors(own, only, households, warmUp, true).get(level)!,
        alone: releaseErrors(alone(pool, mixes, level, homes), only, households, warmUp).get(level)!,
        four: fourLevels(whole).get(level)!,
        forecast: trueSums(whole).get(level),
        laplace: naiveErrors('laplace', pool, mixes, naive),
        gaussian: naiveErrors('gaussian', pool, mixes, naive),
        late: population === 'smooth' && homes <= 10_000 ? lateOf(whole).get(level) : undefined,
      }
    })
  })
}

/** Groups of one level that know of no others. */
function alone(pool: readonly BoundedSeries[], mixes: readonly Mix[], level: Level, size: number): TreeGroup[] {
  return mixes.map((mix, i) => {
    const { truth, ownClipped } = sumOf(pool, mix, level)
    return { level, group: `g-${i}`, parent: null, size, mix, truth, clipped: ownClipped, ownClipped }
  })
}

/** All but 3 of 1,000 parts of the budget on one level: a policy gives every level something. */
function oneLevel(policy: ReleasePolicy, level: Level, { one }: SeasonBounds): ReleasePolicy {
  const clipWhPerHalfHour = byLevel((each) => one[each].clip)
  const shares = byLevel((each) => (each === level ? '997/1000' : '1/1000'))
  return { ...policy, clipWhPerHalfHour, shares }
}
