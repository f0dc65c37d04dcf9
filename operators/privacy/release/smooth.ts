import type { EpochMs } from '../../../schemas/codec.ts'
import { levels } from '../../../schemas/register-entry.ts'
import { consistencyOf } from './consistent.ts'
import type { DayPlan, PlannedGroup } from './day-plan.ts'
import { type GainSource, type Gains, modelCount, stateCount } from './smooth-model.ts'

/** What is believed of one load series. */
export interface SeriesFilter {
  /** Window of its first value. */
  readonly born: EpochMs
  /** Length of its windows in seconds. */
  readonly windowSeconds: number
  /** Means of the states in Wh, model by model, then the log-weight of each model; the best one has 0. */
  readonly belief: Float64Array
}

/** Filters of one channel by name of the group. */
export type SeriesFilters = Map<string, SeriesFilter>

export const filterName = ({ level, group }: Pick<PlannedGroup, 'level' | 'group'>): string => `${level}/${group}`

export const beliefLength = modelCount * stateCount + modelCount
const weightsAt = modelCount * stateCount

/** What of a model's record still counts after a window: old days fade within weeks. */
const remembered = 0.999

/** The window that is smoothed, and what is known of it. */
export interface SmoothedWindow {
  readonly plan: DayPlan
  readonly timeZone: string
  readonly window: EpochMs
  /** Consistent values in the plan's order. */
  readonly consistent: readonly (number | null)[]
}

/**
 * Smooths the consistent values of one window in real time, in the plan's order: what the values up to this window say of
 * the load of this window, given the known noise variance. `null` stays `null`, and its series begins anew when it comes
 * back. Post-processing: it reads released values and public variances only, and costs nothing.
 *
 * *Method*: a bank of Kalman filters with fixed parameters (see `smooth-model.ts`), weighted by how well each foretold the
 * values so far (Magill 1965). A group is smoothed as its difference from its share, by registered points, of the smoothed
 * load of the group above: day shape and weather show there with less noise.
 *
 * *Arithmetic*: doubles, in a fixed order. The result is sealed once and never computed again; whoever computes it again
 * from the released values gets the same on the same runtime (V8 brings its own logarithm and cosine).
 */
export function smoothWindow(
  filters: SeriesFilters,
  known: SmoothedWindow,
  gains: GainSource,
  replay?: Replay,
): readonly (number | null)[] {
  return smoothWithSpread(filters, known, gains, replay).smoothed
}

/** Smoothed values, and the variance of each in Wh^2 as far as the load behaves as the models say; NaN where withheld. */
export interface SmoothedValues {
  readonly smoothed: readonly (number | null)[]
  readonly spread: Float64Array
}

/**
 * As `smoothWindow`, with the variances. What is left of a group's load beside its share of the group above, and that share,
 * are taken to err independently: both come out of values that were made to add up, so this is rather too much.
 */
export function smoothWithSpread(
  filters: SeriesFilters,
  { plan, timeZone, window, consistent }: SmoothedWindow,
  gains: GainSource,
  replay?: Replay,
): SmoothedValues {
  const { windowSeconds } = plan.resolved.policy
  const { variances } = consistencyOf(plan)
  const wider = widerNoise(plan)
  const references = referencesOf(plan)
  const smoothed: (number | null)[] = replay ? [...replay.smoothed] : plan.groups.map(() => null)
  const spread = new Float64Array(plan.groups.length).fill(Number.NaN)
  plan.groups.forEach((group, i) => {
    const name = filterName(group)
    if (replay && !replay.includes(name, window)) return
    const value = consistent[i] ?? null
    if (value === null) {
      filters.delete(name)
      return
    }
    const reference = references[i]
    const expected = reference === undefined ? 0 : reference.share * (smoothed[reference.at] as number)
    let filter = filters.get(name)
    if (filter?.windowSeconds !== windowSeconds) {
      filter = newFilter(window, windowSeconds, value - expected)
      filters.set(name, filter)
    }
    const taken = gains.at(timeZone, windowSeconds, filter.born, window)
    const { load, variance } = takeIn(filter.belief, value - expected, variances[i]!, taken, wider)
    smoothed[i] = Math.round(expected + load)
    // The error of the group above comes with its share; of both together no more is believed than of the value itself.
    const shared = reference === undefined ? 0 : reference.share ** 2 * spread[reference.at]!
    spread[i] = Math.min(variance + shared, wider * variances[i]!)
  })
  return { smoothed, spread }
}

/** Bringing older filters up to date: only some groups are taken in; what was sealed for the others stands. */
export interface Replay {
  readonly smoothed: readonly (number | null)[]
  readonly includes: (name: string, window: EpochMs) => boolean
}

function newFilter(born: EpochMs, windowSeconds: number, value: number): SeriesFilter {
  const belief = new Float64Array(beliefLength)
  for (let model = 0; model < modelCount; model++) belief[model * stateCount] = value
  return { born, windowSeconds, belief }
}

// Of one value at a time: an array for each would be most of what smoothing allocates.
const estimates = new Float64Array(modelCount)

/** Takes in one value and answers the load that it and those before it speak for, and the variance of that in Wh^2. */
function takeIn(
  belief: Float64Array,
  value: number,
  variance: number,
  gains: Gains,
  wider: number,
): { readonly load: number; readonly variance: number } {
  const n = stateCount
  const { features, gain, total, logTotal, kept, decay } = gains
  let best = Number.NEGATIVE_INFINITY
  for (let model = 0; model < modelCount; model++) {
    const from = model * n
    belief[from + n - 2]! *= decay[0]
    belief[from + n - 1]! *= decay[1]
    let expected = 0
    for (let i = 0; i < n; i++) expected += features[i]! * belief[from + i]!
    const surprise = value - expected
    for (let i = 0; i < n; i++) belief[from + i]! += gain[from + i]! * surprise
    estimates[model] = expected + kept[model]! * surprise
    const unlikely = 0.5 * (logTotal[model]! + (surprise * surprise) / (variance * total[model]!))
    const weight = remembered * belief[weightsAt + model]! - unlikely
    belief[weightsAt + model] = weight
    if (weight > best) best = weight
  }
  let sum = 0
  let weighted = 0
  let squares = 0
  for (let model = 0; model < modelCount; model++) {
    belief[weightsAt + model]! -= best
    const weight = Math.exp(belief[weightsAt + model]!)
    sum += weight
    weighted += weight * estimates[model]!
    // A filter with gain g keeps the part g of the noise variance; from the value, where squares stay small.
    squares += weight * (errorOf(kept[model]!, wider) * variance + (estimates[model]! - value) ** 2)
  }
  const load = weighted / sum
  return { load, variance: Math.max(0, squares / sum - (load - value) ** 2) }
}

/**
 * Error variance of an estimate with gain g, in units of the noise variance. Where the state was learnt from values with up
 * to w times the noise, its own error is at most w times what the gains say, as that grows with every variance that goes in:
 * (1 - g)^2 w g / (1 - g) + g^2.
 */
const errorOf = (gain: number, wider: number): number => (wider === 1 ? gain : gain * ((1 - gain) * wider + gain))

/**
 * How much more noise than those of the day the remembered values may have had. Consistent values take from all levels, so
 * the level whose bound was narrowed most counts for all.
 */
function widerNoise({ resolved: { policy } }: DayPlan): number {
  const { clipWhPerHalfHour: own, smoothedClipWhPerHalfHour: widest } = policy
  return widest === undefined ? 1 : Math.max(...levels.map((level) => (widest[level] / own[level]) ** 2))
}

/** Of which group, by position, a group is a part, and which part of it by registered points. */
interface Reference {
  readonly at: number
  readonly share: number
}

const references = new WeakMap<DayPlan, readonly (Reference | undefined)[]>()

/** For each group the nearest group above that has values. */
function referencesOf(plan: DayPlan): readonly (Reference | undefined)[] {
  const known = references.get(plan)
  if (known) return known
  const above = new Array<number | undefined>(plan.groups.length).fill(undefined)
  for (const { whole, parts } of plan.families) for (const part of parts) above[part] = whole
  const made = plan.groups.map(({ registered }, i): Reference | undefined => {
    let at = above[i]
    while (at !== undefined && plan.groups[at]!.withheld !== null) at = above[at]
    return at === undefined ? undefined : { at, share: registered / Math.max(plan.groups[at]!.registered, 1) }
  })
  references.set(plan, made)
  return made
}
