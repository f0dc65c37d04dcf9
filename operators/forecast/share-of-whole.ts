import { changeVariance, type ForecastModel } from './model.ts'

/**
 * A part keeps the share of its whole that it has by registered points: the difference between the two is nothing. For
 * groups that are lost in their noise. Variance: how far the part was from its share so far, beyond the known noise.
 */
export function shareOfWhole(): ForecastModel {
  return {
    name: 'share_of_whole',
    variants: 1,
    suits: 'parts',
    open: (grid) => {
      const kept = 1 - 1 / (10 * grid.perDay)
      return {
        size: 2,
        begin: (state) => void state.fill(0),
        observe: (state, { value, noise }) => {
          if (Number.isNaN(value)) return
          state[0] = kept * state[0]! + value * value - noise
          state[1] = kept * state[1]! + 1
        },
        predict: (state, _, { ahead, load }) => ({
          mean: new Float64Array(ahead.length),
          variance: new Float64Array(ahead.length).fill(changeVariance(state[0]!, state[1]!, load, grid.perDay / 4)),
        }),
      }
    },
  }
}
