import type { EpochMs } from '../../../schemas/codec.ts'
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
  { plan, timeZone, window, consistent }: SmoothedWindow,
  gains: GainSource,
  replay?: Replay,
): readonly (number | null)[] {
  const { windowSeconds } = plan.resolved.policy
  const { variances } = consistencyOf(plan)
  const references = referencesOf(plan)
  const smoothed: (number | null)[] = replay ? [...replay.smoothed] : plan.groups.map(() => null)
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
    smoothed[i] = Math.round(expected + takeIn(filter.belief, value - expected, variances[i]!, taken))
  })
  return smoothed
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

/** Takes in one value and answers the load that it and those before it speak for. */
function takeIn(belief: Float64Array, value: number, variance: number, gains: Gains): number {
  const n = stateCount
  const { features, gain, total, logTotal, kept, decay } = gains
  let best = Number.NEGATIVE_INFINITY
  const estimates = new Float64Array(modelCount)
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
  for (let model = 0; model < modelCount; model++) {
    belief[weightsAt + model]! -= best
    const weight = Math.exp(belief[weightsAt + model]!)
    sum += weight
    weighted += weight * estimates[model]!
  }
  return weighted / sum
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
