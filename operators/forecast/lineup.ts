import type { ForecastModel, Observation, Outlook, Prediction, RunningModel } from './model.ts'
import type { Grid } from './moments.ts'

/** One model with one set of parameters. */
export interface Contender {
  readonly model: string
  /** Only for series that are the difference from a part of another one. */
  readonly onlyParts: boolean
  readonly predict: (state: LineupState, outlook: Outlook) => Prediction | undefined
}

/** The states of one series, model by model. */
export type LineupState = readonly Float64Array[]

/** All models at work on the series of one grid. */
export interface Lineup {
  readonly grid: Grid
  readonly contenders: readonly Contender[]
  readonly begin: () => LineupState
  readonly observe: (state: LineupState, next: Observation) => void
}

export function lineupOf(models: readonly ForecastModel[], grid: Grid): Lineup {
  const running: readonly RunningModel[] = models.map((model) => model.open(grid))
  return {
    grid,
    contenders: models.flatMap((model, at) =>
      Array.from({ length: model.variants }, (_, variant) => ({
        model: model.name,
        onlyParts: model.suits === 'parts',
        predict: (state: LineupState, outlook: Outlook) => running[at]!.predict(state[at]!, variant, outlook),
      })),
    ),
    begin: () =>
      running.map(({ size, begin }) => {
        const state = new Float64Array(size)
        begin(state)
        return state
      }),
    observe: (state, next) => {
      for (let at = 0; at < running.length; at++) running[at]!.observe(state[at]!, next)
    },
  }
}

/** Makes `state` a copy of `other`. */
export function copyState(state: LineupState, other: LineupState): void {
  for (let at = 0; at < state.length; at++) state[at]!.set(other[at]!)
}
