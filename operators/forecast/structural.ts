import type { ForecastModel, RunningModel } from './model.ts'
import type { Grid } from './moments.ts'
import { type Drifts, gainSource } from './structural-gains.ts'

/** From a load that is lost in its noise to one that hardly has any, and from a profile that stays to one that changes. */
const sets: readonly Drifts[] = [0.003, 0.1, 3, 100].flatMap((deviation) =>
  [0.003, 0.03, 0.3].map((part) => ({ deviation, profile: part * deviation })),
)

// The state: windows seen; then the means of the states, variant by variant.
const statesAt = 1

/**
 * Structural time series (Harvey 1989): slow level + daily profile in Fourier terms + what weekends, and what Sundays and
 * holidays differ + the effect of temperature where it is known + a deviation that fades within a day or two and one that
 * fades within hours. Kalman filters weigh each value by its known noise variance, so they smooth as much as the noise asks
 * for; their drifts are fixed sets that contend. Needs two days.
 */
export function structural(): ForecastModel {
  return { name: 'kalman_seasonal', variants: sets.length, open: running }
}

function running(grid: Grid): RunningModel {
  const source = gainSource(grid, sets)
  const { states: n, decay } = source
  return {
    size: statesAt + sets.length * n,
    begin: (state) => void state.fill(0),
    observe: (state, { born, moment, value }) => {
      const { features, gain } = source.at(born, moment.at)
      const first = state[0] === 0
      state[0]! += 1
      for (let variant = 0; variant < sets.length; variant++) {
        const from = statesAt + variant * n
        state[from + n - 2]! *= decay[n - 2]!
        state[from + n - 1]! *= decay[n - 1]!
        if (Number.isNaN(value)) continue
        if (first) state[from] = value
        let surprise = value
        for (let i = 0; i < n; i++) surprise -= features[i]! * state[from + i]!
        for (let i = 0; i < n; i++) state[from + i]! += gain[variant * n + i]! * surprise
      }
    },
    predict: (state, variant, { born, ahead, noise, unit }) => {
      if (state[0]! < 1.9 * grid.perDay) return undefined
      const from = statesAt + variant * n
      let slow = state[from + n - 2]!
      let fast = state[from + n - 1]!
      const spread = source.spreadAhead(variant, born, ahead)
      const mean = new Float64Array(ahead.length)
      const variance = new Float64Array(ahead.length)
      for (let step = 0; step < ahead.length; step++) {
        const features = source.featuresOf(ahead[step]!)
        slow *= decay[n - 2]!
        fast *= decay[n - 1]!
        let sum = slow + fast
        for (let i = 0; i < n - 2; i++) sum += features[i]! * state[from + i]!
        mean[step] = sum
        variance[step] = spread[step]! * unit + unit - noise
      }
      return { mean, variance }
    },
  }
}
