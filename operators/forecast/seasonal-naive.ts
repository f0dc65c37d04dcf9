import { changeVariance, type ForecastModel, type Observation, type RunningModel } from './model.ts'
import { type Grid, type Moment, slotOf } from './moments.ts'

// Windows seen, and sum and number of squared changes over a season beyond their noise; then the newest value of each slot.
const seenAt = 0
const changeAt = 1
const changesAt = 2
const valuesAt = 3

/**
 * The newest value of the same local time, of any day or of the same day of the week; holidays count as Sundays. Its
 * variance: how much the load changed from season to season so far, beyond the known noise, plus the noise in the value
 * that is repeated. Needs one season, nearly whole.
 */
export function seasonalNaive(days: 1 | 7): ForecastModel {
  return {
    name: days === 1 ? 'seasonal_naive_day' : 'seasonal_naive_week',
    variants: 1,
    open: (grid) => running(grid, days),
  }
}

function running(grid: Grid, days: 1 | 7): RunningModel {
  const slots = days * grid.perDay
  const at = (moment: Moment): number =>
    valuesAt + (days === 1 ? 0 : moment.weekday * grid.perDay) + slotOf(grid, moment)
  // A change counts less as it grows old: a season's weight fades over ten of them.
  const kept = 1 - 1 / (10 * slots)
  return {
    size: valuesAt + slots,
    begin: (state) => {
      state.fill(0, 0, valuesAt)
      state.fill(Number.NaN, valuesAt)
    },
    observe: (state, { moment, value, noise }: Observation) => {
      state[seenAt]! += 1
      if (Number.isNaN(value)) return
      const change = value - state[at(moment)]!
      if (!Number.isNaN(change)) {
        state[changeAt] = kept * state[changeAt]! + change * change - 2 * noise
        state[changesAt] = kept * state[changesAt]! + 1
      }
      state[at(moment)] = value
    },
    predict: (state, _, { ahead, noise, load }) => {
      if (state[seenAt]! < slots || missing(state) > slots / 10) return undefined
      // The assumption weighs as much as a quarter of a season seen.
      const change = changeVariance(state[changeAt]!, state[changesAt]!, load, slots / 4)
      const mean = new Float64Array(ahead.length)
      const variance = new Float64Array(ahead.length)
      for (let step = 0; step < ahead.length; step++) {
        mean[step] = nearest(state, at(ahead[step]!))
        variance[step] = noise + (1 + Math.floor(step / slots)) * change
      }
      return { mean, variance }
    },
  }
}

function missing(state: Float64Array): number {
  let count = 0
  for (let i = valuesAt; i < state.length; i++) if (Number.isNaN(state[i]!)) count += 1
  return count
}

/** The value of a slot, or of the nearest slot that has one. */
function nearest(state: Float64Array, slot: number): number {
  for (let distance = 0; distance < state.length; distance++) {
    for (const at of [slot - distance, slot + distance]) {
      if (at >= valuesAt && at < state.length && !Number.isNaN(state[at]!)) return state[at]!
    }
  }
  return Number.NaN
}
