import type { EpochMs } from '../../schemas/codec.ts'
import type { Grid, Moment } from './moments.ts'

/** One window of a series as a model takes it in. */
export interface Observation {
  /** When the series began: models may share what depends on that and the calendar alone. */
  readonly born: EpochMs
  readonly moment: Moment
  /** In Wh; NaN where nothing was released. */
  readonly value: number
  /** Known variance of the noise in the value, Wh^2. */
  readonly noise: number
  /** Variance around a smooth course: the noise, and what a window has of its own; never nothing. */
  readonly unit: number
}

/** What a forecast is made for: the windows that follow the newest one seen. */
export interface Outlook {
  readonly born: EpochMs
  readonly ahead: readonly Moment[]
  readonly noise: number
  readonly unit: number
  /** Mean load of the whole group in Wh, also where the series is only its difference from a part of another one. */
  readonly load: number
}

/** What a model says about the load of the windows to come: mean in Wh, and its variance without any release noise. */
export interface Prediction {
  readonly mean: Float64Array
  readonly variance: Float64Array
}

/** A model at work on the series of one grid. The state of a series is a row of doubles, so that it can be copied and counted. */
export interface RunningModel {
  /** Length of the state of all variants together. */
  readonly size: number
  /** Makes the state that of a series of which nothing is known. */
  readonly begin: (state: Float64Array) => void
  /** Takes in the next window. */
  readonly observe: (state: Float64Array, next: Observation) => void
  /** Answers undefined while the model has seen too little. */
  readonly predict: (state: Float64Array, variant: number, outlook: Outlook) => Prediction | undefined
}

/** A way to forecast. It sees released values only, so what it learns costs no privacy. */
export interface ForecastModel {
  /** Stands in every forecast made with it. */
  readonly name: string
  /** Sets of parameters that contend apart. */
  readonly variants: number
  /** Whether it applies to series that are the difference from a part of another one, and whether to others. */
  readonly suits?: 'parts'
  readonly open: (grid: Grid) => RunningModel
}

/** Change from one season to the next that is assumed while none could be seen: this part of the mean load. */
export const assumedChange = 0.2

/** Variance that was seen `count` times with this sum, where the assumption weighs as much as `weight` of them. Never nothing. */
export function changeVariance(sum: number, count: number, load: number, weight: number): number {
  const prior = (assumedChange * load) ** 2
  return Math.max((sum + weight * prior) / (count + weight), prior / 400)
}
