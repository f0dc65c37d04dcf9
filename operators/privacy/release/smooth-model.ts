import type { EpochMs } from '../../../schemas/codec.ts'
import { type LocalDay, localDay } from '../../window/local-day.ts'

/*
 * One load series is taken as: slow level + daily profile + what weekends differ + a deviation that fades over hours + one
 * that fades within the hour. The profiles are Fourier series; everything but the two deviations is a random walk. All
 * variances are in units of the noise variance of the series, so that how certain the states are depends on the calendar
 * alone and is worked out once for all series that began together.
 */
const dailyHarmonics = 8
const weekendHarmonics = 4

/** States of one model, and how many of them come before the two deviations, which are the last. */
export const stateCount = 1 + 2 * dailyHarmonics + 1 + 2 * weekendHarmonics + 2
const slowAt = stateCount - 2
const fastAt = stateCount - 1

/**
 * The models that contend for each series: variance of the slow deviation, and that of the fast one as a multiple of it.
 * From a load that is lost in its noise to one that hardly has any, where smoothing turns itself off.
 */
const candidates: readonly (readonly [slow: number, fast: number])[] = [
  [0.002, 3],
  [0.01, 3],
  [0.05, 0.3],
  [0.05, 3],
  [0.3, 0.3],
  [0.3, 3],
  [3, 1],
  [10, 1],
  [30, 1],
  [10_000, 1],
]
export const modelCount = candidates.length

/** How much of the deviations is left after half an hour. */
const slowKept = 0.95
const fastKept = 0.5
/** Random walk of level and daily profile over a day, as parts of the slow deviation's variance. */
const levelPerDay = 0.05
const profilePerDay = 0.02
/** Age in days at a Monday from which a series counts as settled: its certainty then repeats every week. */
export const settledDays = 42

/** How each model of the bank takes in one value. `features` holds for all models; the rest model by model. */
export interface Gains {
  readonly features: Float64Array
  /** What a surprise of 1 adds to each state. */
  readonly gain: Float64Array
  /** Expected squared surprise in units of the noise variance, its logarithm, and the part of it that is load. */
  readonly total: Float64Array
  readonly logTotal: Float64Array
  readonly kept: Float64Array
  /** What is left of the slow and the fast deviation after a window. */
  readonly decay: readonly [slow: number, fast: number]
}

interface Bank {
  readonly perDay: number
  readonly decay: readonly [slow: number, fast: number]
  /** Per model: variance added to each state per window. */
  readonly drift: readonly Float64Array[]
  /** Per model: covariance of the states, row by row. Changes with every step. */
  readonly covariance: readonly Float64Array[]
  fresh: boolean
}

function newBank(windowSeconds: number): Bank {
  const perDay = 86_400 / windowSeconds
  const decay = [slowKept ** (windowSeconds / 1_800), fastKept ** (windowSeconds / 1_800)] as const
  const drift: Float64Array[] = []
  const covariance: Float64Array[] = []
  for (const [slow, ratio] of candidates) {
    const d = new Float64Array(stateCount)
    const p = new Float64Array(stateCount * stateCount)
    const set = (at: number, spread: number, perWindow: number): void => {
      p[at * stateCount + at] = spread
      d[at] = perWindow
    }
    set(0, 100 * slow + 1, (levelPerDay * slow) / perDay)
    for (let k = 1; k <= dailyHarmonics; k++) {
      for (const at of [2 * k - 1, 2 * k]) set(at, (50 * slow) / k ** 2, (profilePerDay * slow) / perDay / k)
    }
    const weekend = 1 + 2 * dailyHarmonics
    for (let k = 0; k <= weekendHarmonics; k++) {
      const places = k === 0 ? [weekend] : [weekend + 2 * k - 1, weekend + 2 * k]
      for (const at of places) {
        set(at, (5 * slow) / (1 + k) ** 2, (0.25 * profilePerDay * slow) / perDay / (1 + k))
      }
    }
    set(slowAt, slow, slow * (1 - decay[0] ** 2))
    set(fastAt, slow * ratio, slow * ratio * (1 - decay[1] ** 2))
    drift.push(d)
    covariance.push(p)
  }
  return { perDay, decay, drift, covariance, fresh: true }
}

/** Lets one window pass: advances the covariances and answers how its value is to be taken in (Kalman 1960). */
function step(bank: Bank, phase: number, weekend: boolean): Gains {
  const n = stateCount
  const features = featuresOf(phase, weekend)
  const gain = new Float64Array(modelCount * n)
  const total = new Float64Array(modelCount)
  const kept = new Float64Array(modelCount)
  const product = new Float64Array(n)
  for (let model = 0; model < modelCount; model++) {
    const p = bank.covariance[model]!
    if (!bank.fresh) advance(p, bank.drift[model]!, bank.decay)
    let spread = 0
    for (let i = 0; i < n; i++) {
      let sum = 0
      for (let j = 0; j < n; j++) sum += p[i * n + j]! * features[j]!
      product[i] = sum
      spread += features[i]! * sum
    }
    const all = spread + 1
    total[model] = all
    kept[model] = spread / all
    for (let i = 0; i < n; i++) {
      const weight = product[i]! / all
      gain[model * n + i] = weight
      for (let j = 0; j < n; j++) p[i * n + j]! -= weight * product[j]!
    }
  }
  bank.fresh = false
  return { features, gain, total, logTotal: total.map(Math.log), kept, decay: bank.decay }
}

function advance(p: Float64Array, drift: Float64Array, [slow, fast]: Bank['decay']): void {
  const n = stateCount
  for (let i = 0; i < n; i++) {
    p[i * n + slowAt]! *= slow
    p[slowAt * n + i]! *= slow
    p[i * n + fastAt]! *= fast
    p[fastAt * n + i]! *= fast
  }
  for (let i = 0; i < n; i++) p[i * n + i]! += drift[i]!
}

function featuresOf(phase: number, weekend: boolean): Float64Array {
  const features = new Float64Array(stateCount)
  features[0] = 1
  features[slowAt] = 1
  features[fastAt] = 1
  const write = (from: number, count: number): void => {
    for (let k = 1; k <= count; k++) {
      features[from + 2 * (k - 1)] = Math.cos(2 * Math.PI * k * phase)
      features[from + 2 * (k - 1) + 1] = Math.sin(2 * Math.PI * k * phase)
    }
  }
  write(1, dailyHarmonics)
  if (weekend) {
    const from = 1 + 2 * dailyHarmonics
    features[from] = 1
    write(from + 1, weekendHarmonics)
  }
  return features
}

/**
 * Answers the gains of windows one after another; a function of its arguments alone, and quick where they follow each other.
 * Gains depend on the calendar alone, so one source may serve any number of states.
 */
export interface GainSource {
  /** Gains at `window` of a series whose first value was that of the window `born`. */
  readonly at: (timeZone: string, windowSeconds: number, born: EpochMs, window: EpochMs) => Gains
}

interface Run {
  readonly bank: Bank
  /** The newest window that was asked for. */
  window: EpochMs
  /** Gains of the windows of the last days, oldest first: a state that was restored asks for some of them again. */
  readonly gains: Map<EpochMs, Gains>
}

const keptMs = 2 * 86_400_000

export function gainSource(): GainSource {
  const runs = new Map<string, Run>()
  const settled = new Map<number, Bank>()
  const advanceTo = (timeZone: string, windowSeconds: number, born: EpochMs, window: EpochMs): Gains => {
    const monday = mondayOf(timeZone, window)
    const isSettled = monday.day - localDay(timeZone, born).day >= settledDays
    const start = isSettled ? monday.start : born
    const name = `${timeZone} ${windowSeconds} ${isSettled} ${start}`
    const gainsAt = (bank: Bank, instant: EpochMs): Gains => {
      const day = localDay(timeZone, instant)
      return step(bank, (instant - day.start) / (day.end - day.start), isWeekend(day.day))
    }
    let run = runs.get(name)
    const known = run?.gains.get(window)
    if (known) return known
    if (!run || run.window > window) {
      const bank = isSettled ? copyOf(settledBank(settled, windowSeconds)) : newBank(windowSeconds)
      run = { bank, window: start, gains: new Map([[start, gainsAt(bank, start)]]) }
      runs.set(name, run)
      // Whoever began with another window is not asked for again, or is worked out anew.
      for (const [other, { window: last }] of runs) if (last < window - keptMs && other !== name) runs.delete(other)
    }
    while (run.window < window) {
      run.window += windowSeconds * 1_000
      run.gains.set(run.window, gainsAt(run.bank, run.window))
      for (const old of run.gains.keys()) {
        if (old >= run.window - keptMs) break
        run.gains.delete(old)
      }
    }
    return run.gains.get(run.window)!
  }
  // The groups of one window are asked for one after another, and most series began together.
  let last: { readonly of: Parameters<GainSource['at']>; readonly gains: Gains } | undefined
  return {
    at: (...of) => {
      if (last === undefined || of.some((each, i) => each !== last!.of[i])) last = { of, gains: advanceTo(...of) }
      return last.gains
    },
  }
}

/** Certainty at the start of a Monday of a series that began on one, `settledDays` days before. */
function settledBank(known: Map<number, Bank>, windowSeconds: number): Bank {
  const found = known.get(windowSeconds)
  if (found) return found
  const bank = newBank(windowSeconds)
  for (let i = 0; i < settledDays * bank.perDay; i++) {
    const day = Math.floor(i / bank.perDay)
    step(bank, (i % bank.perDay) / bank.perDay, day % 7 >= 5)
  }
  known.set(windowSeconds, bank)
  return bank
}

const copyOf = (bank: Bank): Bank => ({ ...bank, covariance: bank.covariance.map((each) => each.slice()) })

function mondayOf(timeZone: string, at: EpochMs): LocalDay {
  let day = localDay(timeZone, at)
  while (weekdayOf(day.day) !== 0) day = localDay(timeZone, day.start - 1)
  return day
}

/** Day of the week of a local date in days since 1970-01-01, a Thursday; Monday is 0. */
const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7
const isWeekend = (day: number): boolean => weekdayOf(day) >= 5
