import type { Lineup, LineupState } from './lineup.ts'
import type { Outlook } from './model.ts'

/** How much of a day's score is left after a day: a week's memory. */
const remembered = 0.87

/** How the contenders did on one series, each day predicted from its start. Errors are parts of the mean load, squared. */
export interface Contest {
  /** Contender by contender: sum over the days of mean squared error less known noise, that claimed, and number of days. */
  readonly excess: Float64Array
  readonly claimed: Float64Array
  readonly days: Float64Array
  /** Known variance of the noise of a value on the last day scored, and how many values that day had. */
  noise: number
  known: number
  /** The day that is being predicted: its first window and the means, contender by contender; NaN for who could not. */
  pending: { readonly from: number; readonly means: Float64Array; readonly claims: Float64Array } | undefined
  /** Who does the next forecasts. */
  chosen: number | undefined
}

export function newContest({ contenders }: Lineup): Contest {
  const sums = (): Float64Array => new Float64Array(contenders.length)
  return { excess: sums(), claimed: sums(), days: sums(), noise: 0, known: 1, pending: undefined, chosen: undefined }
}

/** Has every contender predict the day of `outlook`. */
export function predictDay(
  contest: Contest,
  { contenders }: Lineup,
  state: LineupState,
  outlook: Outlook,
  isPart: boolean,
): void {
  const steps = outlook.ahead.length
  const means = new Float64Array(contenders.length * steps).fill(Number.NaN)
  const claims = new Float64Array(contenders.length).fill(Number.NaN)
  contenders.forEach((contender, at) => {
    if (contender.onlyParts && !isPart) return
    const prediction = contender.predict(state, outlook)
    if (!prediction) return
    means.set(prediction.mean, at * steps)
    claims[at] = prediction.variance.reduce((sum, each) => sum + each, 0) / steps
  })
  contest.pending = { from: outlook.ahead[0]!.at, means, claims }
}

/** A value of the day that was predicted, and the known variance of its noise. */
export interface Scored {
  readonly value: number
  readonly noise: number
}

/** Scores the predicted day against what was released; `values` are its windows in order. */
export function scoreDay(contest: Contest, values: readonly Scored[], load: number): void {
  const { pending, excess, claimed, days } = contest
  contest.pending = undefined
  const known = values.filter(({ value }) => !Number.isNaN(value)).length
  const steps = pending ? pending.means.length / days.length : 0
  if (!pending || known < steps / 2 || values.length !== steps) return
  const scale = load * load
  const noise = values.reduce((sum, each) => sum + (Number.isNaN(each.value) ? 0 : each.noise), 0) / known
  for (let at = 0; at < days.length; at++) {
    excess[at]! *= remembered
    claimed[at]! *= remembered
    days[at]! *= remembered
    if (Number.isNaN(pending.claims[at]!)) continue
    let sum = 0
    for (let step = 0; step < steps; step++) {
      const miss = values[step]!.value - pending.means[at * steps + step]!
      if (!Number.isNaN(miss)) sum += miss * miss
    }
    excess[at]! += (sum / known - noise) / scale
    claimed[at]! += pending.claims[at]! / scale
    days[at]! += 1
  }
  contest.noise = noise / scale
  contest.known = known
}

/** Mean excess of each contender over the series of one kind: what one noisy series cannot tell, many can. NaN for none. */
export function pooledExcess(contests: readonly Contest[], contenders: number): Float64Array {
  return Float64Array.from({ length: contenders }, (_, at) => {
    let sum = 0
    let days = 0
    for (const contest of contests) {
      sum += contest.excess[at]!
      days += contest.days[at]!
    }
    return sum / days
  })
}

/** Excess of a contender, drawn to that of all series of its kind as far as noise blurs its own; NaN where never scored. */
export function judged({ excess, days, noise, known }: Contest, at: number, pooled: Float64Array): number {
  if (days[at] === 0) return Number.NaN
  const own = excess[at]! / days[at]!
  const usual = Math.max(pooled[at]!, 0)
  const spread = (0.5 * usual) ** 2 + 1e-12
  // Variance that the noise leaves in a mean of squared errors less their noise.
  const unsure = (2 * noise * noise + 4 * noise * usual) / (known * days[at]!)
  const weight = spread / (spread + unsure)
  return weight * own + (1 - weight) * pooled[at]!
}

/** The contender with the least error of those that were scored for about as long as any; by order before any score. */
export function choose(contest: Contest, { contenders }: Lineup, pooled: Float64Array, isPart: boolean): void {
  const { pending, days } = contest
  const able = contenders.flatMap(({ onlyParts }, at) => {
    const knows = pending !== undefined && !Number.isNaN(pending.claims[at]!)
    return knows && (isPart || !onlyParts) ? [at] : []
  })
  const longest = Math.max(...able.map((at) => days[at]!), 0)
  const enough = able.filter((at) => days[at]! > 0 && days[at]! >= Math.min(longest, 2))
  const best = enough.reduce<number | undefined>(
    (found, at) => (found !== undefined && judged(contest, found, pooled) <= judged(contest, at, pooled) ? found : at),
    undefined,
  )
  // Who only knows the share is the safe one for a part.
  contest.chosen = best ?? able.find((at) => contenders[at]!.onlyParts) ?? able[0]
}

/**
 * By how much the variance that a contender claims is to be multiplied so that it would have been right on the days scored;
 * a quarter of a day counts as just right.
 */
export function calibration(contest: Contest, at: number, pooled: Float64Array): number {
  const days = contest.days[at]!
  if (days === 0) return 1
  const claimed = contest.claimed[at]! / days
  const excess = Math.max(judged(contest, at, pooled), 0)
  return Math.min(Math.max((4 * days * excess + claimed) / (4 * days * claimed + claimed), 0.02), 10_000)
}
