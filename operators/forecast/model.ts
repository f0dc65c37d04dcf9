import type { EpochMs } from '../../schemas/codec.ts'

/** Where an instant lies in the local day and week. */
export interface CalendarPoint {
  /** Part of the local day that has passed, 0 to 1. */
  readonly phase: number
  readonly weekend: boolean
}

/** Released values of one group and channel on an even grid, oldest first. */
export interface History {
  /** Start of the first window, UTC, and the step in milliseconds. */
  readonly start: EpochMs
  readonly stepMs: number
  /** Released load in Wh; NaN where nothing was released. */
  readonly wh: Float64Array
  /** Known variance of the noise in each value, Wh^2. */
  readonly noise: Float64Array
  readonly calendar: (at: EpochMs) => CalendarPoint
}

/** What a model says about the load of the windows to come: mean in Wh, and its variance without any release noise. */
export interface Prediction {
  readonly mean: Float64Array
  readonly variance: Float64Array
}

/** A model with its parameters chosen. Predicts from any history of the same series. */
export interface FittedModel {
  readonly predict: (history: History, steps: number) => Prediction
}

/** A way to forecast. It sees released values only, so what it learns costs no privacy. */
export interface ForecastModel {
  /** Stands in every forecast made with it. */
  readonly name: string
  /** Chooses parameters, or answers undefined where the history is too short for the model. */
  readonly fit: (history: History) => FittedModel | undefined
}

/** Mean of the values that are there; NaN if none is. */
export function meanOf(values: Iterable<number>): number {
  let sum = 0
  let count = 0
  for (const value of values) {
    if (Number.isNaN(value)) continue
    sum += value
    count += 1
  }
  return sum / count
}

/** Windows of a whole number of days. */
export const windowsOf = (days: number, stepMs: number): number => Math.round((days * 86_400_000) / stepMs)
