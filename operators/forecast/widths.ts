import type { EpochMs } from '../../schemas/codec.ts'
import type { Grid, Moment } from './moments.ts'

/** Standard normal quantiles at 75 and 95 %, and how much of the values lies outside between them and their opposites. */
const inner = { z: 0.674_489_75, outside: 0.5 }
const outer = { z: 1.644_853_627, outside: 0.1 }
const intervals = [inner, outer] as const

/** Parts of the local day that are told apart: evenings are missed by more than mornings. */
const parts = 8
/** Logarithm by which an interval widens after a day that lies outside it altogether, and more than expected. */
const perDay = 0.8
const furthest = Math.exp(2)
/** An inner interval is at most so wide as a part of the outer one. */
const mostOfOuter = 0.9
/** Days that may still wait for final values when the next one begins; those of a day come in the morning after it. */
const longestWait = 2

/** How wide the intervals of one series are made: factors on the deviation that the models say, by part of the local day. */
export interface Widths {
  /** Of the inner interval, part by part; then of the outer one. */
  readonly factors: Float64Array
  /** What was forecast of the days that are not learnt yet, oldest first: at most three. */
  readonly stated: StatedDay[]
}

/** What was forecast of a day at its start. */
interface Stated {
  /** Its first window. */
  readonly from: EpochMs
  /** Medians and standard deviations in Wh, window by window, the known noise of final values included and no factor. */
  readonly wh: Float64Array
  readonly deviation: Float64Array
  /** Variance of that noise, Wh^2. */
  readonly noise: number
}

interface StatedDay extends Stated {
  /** The factors that its intervals were made with. */
  readonly factors: Float64Array
  /** Final values in Wh, window by window; NaN where none has come. */
  readonly finals: Float64Array
}

export const newWidths = (): Widths => ({ factors: new Float64Array(2 * parts).fill(1), stated: [] })

/** Where in the local day a window lies: between the middles of two parts, and how near to the second. */
export interface PartOfDay {
  readonly before: number
  readonly after: number
  readonly weight: number
}

export function partOf(grid: Grid, { phase }: Moment): PartOfDay {
  const at = (phase + 0.5 / grid.perDay) * parts - 0.5
  const before = Math.floor(at)
  return { before: (before + parts) % parts, after: (before + 1) % parts, weight: at - before }
}

/**
 * Half-widths of the inner and the outer interval, in Wh, of a value with this standard deviation, the noise of this
 * variance included: never narrower than that noise alone makes them.
 */
export function halfWidths(
  { factors }: Pick<Widths, 'factors'>,
  { before, after, weight }: PartOfDay,
  deviation: number,
  noise: number,
): readonly [inner: number, outer: number] {
  const least = Math.sqrt(noise)
  const narrow = (1 - weight) * factors[before]! + weight * factors[after]!
  const wide = (1 - weight) * factors[parts + before]! + weight * factors[parts + after]!
  const half = outer.z * Math.max(wide * deviation, least)
  return [Math.min(inner.z * Math.max(narrow * deviation, least), mostOfOuter * half), half]
}

/** Keeps what is forecast of a day that begins until its final values are there. */
export function stateDay({ factors, stated }: Widths, day: Stated): void {
  stated.push({ ...day, factors: factors.slice(), finals: new Float64Array(day.wh.length).fill(Number.NaN) })
}

/** Takes in a final value of one of the days that wait for them; others are not asked for. */
export function takeFinal({ stated }: Widths, { stepMs }: Grid, window: EpochMs, wh: number): void {
  for (const { from, finals } of stated) {
    const step = (window - from) / stepMs
    if (finals[step] !== undefined) finals[step] = wh
  }
}

/**
 * At the start of a day: learns from those before it whose final values have all come. A day that has waited too long is
 * learnt from what there is of it, which may be nothing.
 */
export function learn(widths: Widths, grid: Grid): void {
  const { stated } = widths
  while (stated.length > longestWait || stated[0]?.finals.every((wh) => !Number.isNaN(wh))) {
    learnDay(widths, grid, stated.shift()!)
  }
}

/**
 * Each part of a day widens both intervals by as much as they missed more than they say, and narrows them by as much as
 * they missed less (adaptive conformal inference: Gibbs and Candes 2021; Angelopoulos, Candes and Tibshirani 2023).
 * Whatever the load does, over many days they hold what they say: the models take for granted that the coming days are like
 * the last ones, which they are not when the season turns. Final values come after the next day was forecast, so what counts
 * is whether the intervals held that were stated, not those of today. Where the deviation is mostly known noise there is
 * little to learn, and the step is as much smaller. Released values alone go in, so it costs no budget.
 */
function learnDay({ factors }: Widths, grid: Grid, day: StatedDay): void {
  const missed = new Float64Array(2 * parts)
  let [unknown, whole] = [0, 0]
  day.finals.forEach((wh, step) => {
    if (Number.isNaN(wh)) return
    const deviation = day.deviation[step]!
    unknown += Math.max(deviation ** 2 - day.noise, 0)
    whole += deviation ** 2
    const part = partOf(grid, grid.momentAt(day.from + step * grid.stepMs))
    const halves = halfWidths(day, part, deviation, day.noise)
    intervals.forEach(({ outside }, at) => {
      const more = (Math.abs(wh - day.wh[step]!) > halves[at]! ? 1 : 0) - outside
      missed[at * parts + part.before]! += (1 - part.weight) * more
      missed[at * parts + part.after]! += part.weight * more
    })
  })
  if (whole === 0) return
  const step = (perDay * Math.sqrt(unknown / whole)) / Math.max(grid.perDay / parts, 1)
  missed.forEach((more, i) => {
    factors[i] = Math.min(Math.max(factors[i]! * Math.exp(step * more), 1 / furthest), furthest)
  })
}
