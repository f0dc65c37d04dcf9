import type { EpochMs } from '../../schemas/codec.ts'
import { advance, firstCovariance, project, type StateSpace, takeIn } from './kalman.ts'
import type { Grid, Moment } from './moments.ts'

const dailyHarmonics = 8
const weekendHarmonics = 4
const sundayHarmonics = 2

/** Features and gains of one window, the gains variant by variant. */
export interface Gains {
  readonly features: Float64Array
  readonly gain: Float64Array
}

/** What the structural model knows of series that began together: it depends on the calendar and the weather alone. */
export interface GainSource {
  /** States of one variant. */
  readonly states: number
  readonly decay: Float64Array
  readonly at: (born: EpochMs, window: EpochMs) => Gains
  readonly featuresOf: (moment: Moment) => Float64Array
  /** Variance of the load of each window ahead, in units of the noise variance, once those before were taken in. */
  readonly spreadAhead: (variant: number, born: EpochMs, ahead: readonly Moment[]) => Float64Array
}

/** A set of drifts, in units of the noise variance: of what fades within a day or so, and of the daily profile in a day. */
export interface Drifts {
  readonly deviation: number
  readonly profile: number
}

/** How much of the deviations is left after half an hour: weather of the day, events of the hour. */
const slowKept = 0.98
const fastKept = 0.6
/** Temperatures beyond which buildings are heated or cooled, in degrees Celsius, and the scale of their effect. */
const heatedBelow = 15.5
const cooledAbove = 22
const degrees = 10

/** Age in days from which all series count as having begun with the eldest one: their certainty is the same by then. */
const settledDays = 56
/** How far back gains are kept, in days: a final value comes within three. */
const daysKept = 4

interface Run {
  readonly covariance: readonly Float64Array[]
  readonly gains: Map<EpochMs, Gains>
  readonly spreads: Map<string, Float64Array>
  window: EpochMs
}

export function gainSource(grid: Grid, sets: readonly Drifts[]): GainSource {
  const { states, decay, spaces } = spacesOf(grid, sets)
  const features = featureSource(states)
  const runs = new Map<EpochMs, Run>()
  let eldest: EpochMs | undefined

  const step = (run: Run): void => {
    const row = features(grid.momentAt(run.window))
    const gain = new Float64Array(sets.length * states)
    spaces.forEach((space, variant) => {
      const covariance = run.covariance[variant]!
      if (run.gains.size > 0) advance(space, covariance)
      takeIn(row, covariance, gain.subarray(variant * states, (variant + 1) * states))
    })
    run.gains.set(run.window, { features: row, gain })
    const old = run.window - daysKept * 86_400_000
    for (const each of run.gains.keys()) {
      if (each >= old) break
      run.gains.delete(each)
    }
    run.spreads.clear()
  }
  const begin = (born: EpochMs): Run => {
    for (const [other, { window }] of runs) {
      if (other !== eldest && window < born - daysKept * 86_400_000) runs.delete(other)
    }
    const run = { covariance: spaces.map(firstCovariance), gains: new Map(), spreads: new Map(), window: born }
    runs.set(born, run)
    step(run)
    return run
  }
  const runFor = (born: EpochMs, window: EpochMs): Run => {
    eldest ??= born
    if (born < eldest) eldest = born
    const settled = window - born >= settledDays * 86_400_000
    if (settled && born !== eldest) runs.delete(born)
    const start = settled ? eldest : born
    let run = runs.get(start) ?? begin(start)
    // Older than what is kept: worked out again from the beginning.
    if (window <= run.window && !run.gains.has(window)) run = begin(start)
    while (run.window < window) {
      run.window += grid.stepMs
      step(run)
    }
    return run
  }

  return {
    states,
    decay,
    featuresOf: features,
    at: (born, window) => runFor(born, window).gains.get(window)!,
    spreadAhead: (variant, born, ahead) => {
      const before = ahead[0]!.at - grid.stepMs
      const run = runFor(born, before)
      const name = `${variant} ${before} ${ahead.length}`
      const known = run.spreads.get(name)
      if (known) return known
      const covariance = run.covariance[variant]!.slice()
      const product = new Float64Array(states)
      const spread = Float64Array.from(ahead, (moment) => {
        advance(spaces[variant]!, covariance)
        return project(features(moment), covariance, product)
      })
      run.spreads.set(name, spread)
      return spread
    },
  }
}

/** The states: level, daily profile, what weekends and what Sundays differ, weather, slow and fast deviation. */
function spacesOf(grid: Grid, sets: readonly Drifts[]) {
  const weekendAt = 1 + 2 * dailyHarmonics
  const sundayAt = weekendAt + 1 + 2 * weekendHarmonics
  const weatherAt = sundayAt + 1 + 2 * sundayHarmonics
  const states = weatherAt + 4
  const decay = new Float64Array(states).fill(1)
  decay[states - 2] = slowKept ** (grid.stepMs / 1_800_000)
  decay[states - 1] = fastKept ** (grid.stepMs / 1_800_000)
  const spaces = sets.map(({ deviation, profile }): StateSpace => {
    const drift = new Float64Array(states)
    const spread = new Float64Array(states)
    const set = (at: number, known: number, perDay: number): void => {
      spread[at] = known
      drift[at] = perDay / grid.perDay
    }
    const course = (from: number, harmonics: number, part: number): void => {
      for (let k = 1; k <= harmonics; k++) {
        for (const at of [from + 2 * k - 2, from + 2 * k - 1]) {
          set(at, (part * (50 * deviation + 100 * profile)) / k ** 2, (part * profile) / k)
        }
      }
    }
    set(0, 100 * (deviation + profile) + 1, 0.1 * deviation + profile)
    course(1, dailyHarmonics, 1)
    set(weekendAt, 10 * (deviation + profile), 0.25 * profile)
    course(weekendAt + 1, weekendHarmonics, 0.25)
    set(sundayAt, 5 * (deviation + profile), 0.1 * profile)
    course(sundayAt + 1, sundayHarmonics, 0.1)
    for (const at of [weatherAt, weatherAt + 1]) set(at, 20 * (deviation + profile), 0.02 * (deviation + profile))
    for (const at of [states - 2, states - 1]) {
      spread[at] = deviation
      drift[at] = deviation * (1 - decay[at]! ** 2)
    }
    return { decay, drift, spread }
  })
  return { states, decay, spaces }
}

function featureSource(states: number): (moment: Moment) => Float64Array {
  const known = new WeakMap<Moment, Float64Array>()
  return (moment) => {
    const found = known.get(moment)
    if (found) return found
    const { phase, kind, celsius } = moment
    const row = new Float64Array(states)
    const course = (from: number, harmonics: number): number => {
      for (let k = 1; k <= harmonics; k++) {
        row[from + 2 * k - 2] = Math.cos(2 * Math.PI * k * phase)
        row[from + 2 * k - 1] = Math.sin(2 * Math.PI * k * phase)
      }
      return from + 2 * harmonics
    }
    row[0] = 1
    const weekendAt = course(1, dailyHarmonics)
    const sundayAt = weekendAt + 1 + 2 * weekendHarmonics
    if (kind !== 'workday') {
      row[weekendAt] = 1
      course(weekendAt + 1, weekendHarmonics)
    }
    if (kind === 'sunday') {
      row[sundayAt] = 1
      course(sundayAt + 1, sundayHarmonics)
    }
    if (celsius !== undefined) {
      row[states - 4] = Math.max(heatedBelow - celsius, 0) / degrees
      row[states - 3] = Math.max(celsius - cooledAbove, 0) / degrees
    }
    row[states - 2] = 1
    row[states - 1] = 1
    known.set(moment, row)
    return row
  }
}
