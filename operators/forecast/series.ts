import type { EpochMs } from '../../schemas/codec.ts'
import type { Contest } from './contest.ts'
import { copyState, type Lineup, type LineupState } from './lineup.ts'
import type { Outlook } from './model.ts'
import type { Moment } from './moments.ts'
import { newWidths, takeFinal, type Widths } from './widths.ts'

/** What was released of one window of a series. */
export interface SeriesValue {
  readonly window: EpochMs
  /** In Wh; what is forecast: the load of the group, or its difference from its share of the group above. */
  readonly value: number
  /** Known variance of the noise in it. */
  readonly noise: number
  /** Load of the whole group, and as it was drawn: with the noise of its own draws alone. */
  readonly load: number
  readonly raw: number
}

interface TailValue extends SeriesValue {
  readonly final: boolean
}

/** One group and channel. */
export interface Series {
  readonly born: EpochMs
  /** Name of the group that the values are a difference from a share of. */
  whole: string | undefined
  /** States of the models after the windows that will not change any more, and after all of them. */
  readonly settled: LineupState
  readonly current: LineupState
  /** Windows that are not settled, oldest first, without gaps. */
  readonly tail: TailValue[]
  /** `current` is to be worked out again from `settled`. */
  stale: boolean
  /** Released windows so far, and their mean load lately. */
  seen: number
  load: number
  readonly contest: Contest
  readonly widths: Widths
}

/** Days after which a window is settled though no final value came. */
const settledAfter = 2.5
/** Days without any value after which a series begins anew. */
const longestGap = 1

export function beginSeries(lineup: Lineup, born: EpochMs, whole: string | undefined, contest: Contest): Series {
  return {
    born,
    whole,
    settled: lineup.begin(),
    current: lineup.begin(),
    tail: [],
    stale: false,
    seen: 0,
    load: Number.NaN,
    contest,
    widths: newWidths(),
  }
}

/**
 * Makes the series one of differences from a share of another whole. A home of one whole is much like one of another, so
 * what a part differs by is told of it still; what was predicted of the day is not what comes now, and scores nothing. A
 * group that was no part is left as it is.
 */
export function moveTo(series: Series, whole: string): void {
  if (series.whole === undefined || series.whole === whole) return
  series.whole = whole
  series.contest.pending = undefined
}

/** The window after the newest one; `undefined` for a series without any. */
const nextWindow = ({ tail }: Series, stepMs: number): EpochMs | undefined => {
  const last = tail.at(-1)
  return last && last.window + stepMs
}

/** Whether a window is the next one or comes soon after, lies beside the grid or in the past, or begins the series anew. */
export function placeOf(series: Series, window: EpochMs, stepMs: number): 'next' | 'beside' | 'anew' {
  const gap = window - (nextWindow(series, stepMs) ?? series.born)
  if (gap >= longestGap * 86_400_000) return 'anew'
  return gap >= 0 && gap % stepMs === 0 ? 'next' : 'beside'
}

/** Takes in the next preliminary value; windows between it and the last one stay without. `late`: see `lateFactor`. */
export function append(series: Series, lineup: Lineup, value: SeriesValue, late: number): void {
  const { stepMs, perDay } = lineup.grid
  refresh(series, lineup, late)
  let window = nextWindow(series, stepMs) ?? value.window
  for (; window < value.window; window += stepMs) {
    add(series, lineup, { window, value: Number.NaN, noise: 0, load: Number.NaN, raw: Number.NaN, final: false }, late)
  }
  add(series, lineup, { ...value, final: false }, late)
  while (series.tail.length > settledAfter * perDay) settleFirst(series, lineup, late)
}

function add(series: Series, lineup: Lineup, value: TailValue, late: number): void {
  series.tail.push(value)
  if (!Number.isNaN(value.load)) {
    series.seen += 1
    const weight = Math.max(1 / (7 * lineup.grid.perDay), 1 / series.seen)
    series.load = series.seen === 1 ? value.load : series.load + weight * (value.load - series.load)
  }
  observe(series, lineup, series.current, value, late)
}

/** Puts a final value in the place of the preliminary one, which it answers; undefined where there is none any more. */
export function finish(series: Series, lineup: Lineup, value: SeriesValue, late: number): SeriesValue | undefined {
  const { tail, widths } = series
  takeFinal(widths, lineup.grid, value.window, value.raw)
  const at = tail.findIndex(({ window }) => window === value.window)
  const before = tail[at]
  if (!before || before.final) return undefined
  tail[at] = { ...value, final: true }
  series.stale = true
  // One window stays, so that what comes next is known.
  while (tail.length > 1 && tail[0]!.final) settleFirst(series, lineup, late)
  return before
}

function settleFirst(series: Series, lineup: Lineup, late: number): void {
  observe(series, lineup, series.settled, series.tail.shift()!, late)
}

function refresh(series: Series, lineup: Lineup, late: number): void {
  if (!series.stale) return
  series.stale = false
  copyState(series.current, series.settled)
  for (const value of series.tail) observe(series, lineup, series.current, value, late)
}

/** A preliminary value stands for a final one: what is still to come on average is added. */
export const expected = ({ value, final }: TailValue, late: number): number => (final ? value : value * late)

function observe(series: Series, { grid, observe: take }: Lineup, state: LineupState, value: TailValue, late: number) {
  const noise = value.final ? value.noise : value.noise * late ** 2
  const unit = unitOf(noise, series.load)
  take(state, { born: series.born, moment: grid.momentAt(value.window), value: expected(value, late), noise, unit })
}

/** What a window has of its own beside noise: this part of the mean load. */
const ownPart = 0.003
const unitOf = (noise: number, load: number): number => noise + Math.max(ownPart * Math.abs(load), 1) ** 2

/** What the next windows are forecast for. */
export function outlookOf(series: Series, ahead: readonly Moment[]): Outlook {
  const noise = series.tail.findLast(({ noise: known }) => known > 0)?.noise ?? 0
  return { born: series.born, ahead, noise, unit: unitOf(noise, series.load), load: series.load }
}
