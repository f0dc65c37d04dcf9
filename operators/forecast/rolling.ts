import type { EpochMs } from '../../schemas/codec.ts'
import type { FittedModel, ForecastModel, History, Prediction } from './model.ts'

const daysScored = 7

/** How one model did on one day that it had predicted from the day's start. */
interface DayScore {
  /** Mean absolute error in Wh. */
  readonly error: number
  /** Sums over the day: squared error less known noise, and the variance the model had claimed. */
  readonly excess: number
  readonly claimed: number
}

/** A model at work on one series. */
export interface Contender {
  readonly model: ForecastModel
  fitted: FittedModel | undefined
  pending: { readonly start: EpochMs; readonly prediction: Prediction } | undefined
  readonly scores: DayScore[]
}

export const contend = (model: ForecastModel): Contender => ({
  model,
  fitted: undefined,
  pending: undefined,
  scores: [],
})

/**
 * At the start of a local day: scores what the model said about the day before against what was released, fits it anew
 * and has it predict the new day, `steps` windows long.
 */
export function startDay(contender: Contender, history: History, end: EpochMs, steps: number): void {
  const { pending } = contender
  if (pending) {
    const score = scoreDay(pending.start, pending.prediction, history)
    if (score) contender.scores.push(score)
    if (contender.scores.length > daysScored) contender.scores.shift()
  }
  contender.fitted = contender.model.fit(history)
  contender.pending = contender.fitted && { start: end, prediction: contender.fitted.predict(history, steps) }
}

function scoreDay(start: EpochMs, { mean, variance }: Prediction, history: History): DayScore | undefined {
  const from = Math.round((start - history.start) / history.stepMs)
  let error = 0
  let excess = 0
  let claimed = 0
  let count = 0
  for (let step = 0; step < mean.length; step++) {
    const value = history.wh[from + step] ?? Number.NaN
    if (Number.isNaN(value)) continue
    const miss = value - mean[step]!
    error += Math.abs(miss)
    excess += miss * miss - history.noise[from + step]!
    claimed += variance[step]!
    count += 1
  }
  return count < mean.length / 2 ? undefined : { error: error / count, excess, claimed }
}

/** The model with the least error over the days that all scored ones have in common; the first one before any score. */
export function choose(contenders: readonly Contender[]): Contender | undefined {
  const able = contenders.filter(({ fitted }) => fitted)
  const scored = able.filter(({ scores }) => scores.length > 0)
  const days = Math.min(...scored.map(({ scores }) => scores.length))
  const error = ({ scores }: Contender): number =>
    scores.slice(scores.length - days).reduce((sum, score) => sum + score.error, 0)
  return (
    scored.reduce<Contender | undefined>(
      (best, each) => (best && error(best) <= error(each) ? best : each),
      undefined,
    ) ?? able[0]
  )
}

/**
 * By how much the variance that a model claims is to be multiplied so that it would have been right on the days scored;
 * one further day counts as just right.
 */
export function calibration({ scores }: Contender): number {
  if (scores.length === 0) return 1
  const excess = scores.reduce((sum, score) => sum + score.excess, 0)
  const claimed = scores.reduce((sum, score) => sum + score.claimed, 0)
  const day = claimed / scores.length
  return Math.min(Math.max((excess + day) / (claimed + day), 0.2), 10)
}
