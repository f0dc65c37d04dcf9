import { changeVariance, type ForecastModel, type RunningModel } from './model.ts'
import { dayKinds, type Grid, type Moment, slotOf } from './moments.ts'

/** How much of a surprise goes into the level per window, and into the seasonal value per day of its kind. */
const gains: readonly (readonly [level: number, season: number])[] = [
  [0.02, 0.4],
  [0.005, 0.15],
  [0.002, 0.05],
]

// Per variant: windows seen, sum and number of squared surprises beyond noise, level; then times seen and value of each slot.
const seenAt = 0
const errorAt = 1
const errorsAt = 2
const levelAt = 3
const seasonAt = 4

/**
 * Additive exponential smoothing (Holt 1957, Winters 1960) of a level and of a daily course for each kind of day: working
 * days, Saturdays, Sundays with holidays. Gains begin as those of a plain mean and fall to their lasting value. Variance:
 * that of the surprises so far beyond the known noise, and the noise that the smoothed values still hold. Needs two days.
 */
export function exponentialSmoothing(): ForecastModel {
  return { name: 'exponential_smoothing', variants: gains.length, open: running }
}

function running(grid: Grid): RunningModel {
  const { perDay } = grid
  const slots = dayKinds.length * perDay
  const size = seasonAt + 2 * slots
  const place = (moment: Moment): number => dayKinds.indexOf(moment.kind) * perDay + slotOf(grid, moment)
  const kept = 1 - 1 / (10 * perDay)
  /** Seasonal value of a slot; another kind of day stands in for one that was never seen. */
  const seasonOf = (state: Float64Array, from: number, slot: number): number => {
    const times = from + seasonAt
    if (state[times + slot]! > 0) return state[times + slots + slot]!
    for (let other = slot % perDay; other < slots; other += perDay) {
      if (state[times + other]! > 0) return state[times + slots + other]!
    }
    return 0
  }
  return {
    size: gains.length * size,
    begin: (state) => void state.fill(0),
    observe: (state, { moment, value, noise }) => {
      const slot = place(moment)
      for (let variant = 0, from = 0; variant < gains.length; variant++, from += size) {
        state[from + seenAt]! += 1
        if (Number.isNaN(value)) continue
        const [levelGain, seasonGain] = gains[variant]!
        const season = seasonOf(state, from, slot)
        const surprise = value - state[from + levelAt]! - season
        if (state[from + seenAt]! > perDay) {
          state[from + errorAt] = kept * state[from + errorAt]! + surprise * surprise - noise
          state[from + errorsAt] = kept * state[from + errorsAt]! + 1
        }
        const toLevel = Math.max(levelGain, 1 / state[from + seenAt]!)
        const times = from + seasonAt + slot
        state[times]! += 1
        state[from + levelAt]! += toLevel * surprise
        state[times + slots] = season + Math.max(seasonGain, 1 / state[times]!) * (1 - toLevel) * surprise
      }
    },
    predict: (state, variant, { ahead, noise, load }) => {
      const from = variant * size
      if (state[from + errorsAt]! < 0.8 * perDay) return undefined
      const change = changeVariance(state[from + errorAt]!, state[from + errorsAt]!, load, perDay / 4)
      const mean = new Float64Array(ahead.length)
      const variance = new Float64Array(ahead.length)
      for (let step = 0; step < ahead.length; step++) {
        mean[step] = state[from + levelAt]! + seasonOf(state, from, place(ahead[step]!))
        variance[step] = change * (1 + step / perDay) + gains[variant]![1] * noise
      }
      return { mean, variance }
    },
  }
}
