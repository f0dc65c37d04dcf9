import { type Rational, rational } from 'diffprivlib-ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { dayNamed } from './release/day-grid.ts'
import { halfWidths } from './release/policy.ts'

/** A span of whole local days, `[start, end)` in UTC. */
export interface Period {
  readonly name: string
  readonly start: EpochMs
  readonly end: EpochMs
}

/** The released load of one group over a period, in Wh. */
export interface PeriodSum {
  readonly period: Period
  /** Sum of the released raw values; `null` where there are none. */
  readonly rawWh: number | null
  /** Exact variance of its noise, Wh^2. */
  readonly variance: Rational
  /** Half-widths of the 50 and 95 % intervals that the noise gives, Wh, rounded up; they do not cover clipping. */
  readonly half50Wh: number
  readonly half95Wh: number
  /** Windows that are summed, and how much time of the period they leave out: withheld, or not released yet. */
  readonly windows: number
  readonly missingSeconds: number
}

const rollingDays = [7, 30, 90] as const

/** The year to date and the last 7, 30 and 90 days, each up to and with the local day `date` (`YYYY-MM-DD`). */
export function periodsThrough(timeZone: string, date: string): readonly Period[] {
  const { end } = dayNamed(timeZone, date)
  const year = dayNamed(timeZone, `${date.slice(0, 4)}-01-01`)
  const back = (days: number): EpochMs => {
    const first = new Date(Date.parse(`${date}T00:00:00Z`) - (days - 1) * 86_400_000)
    return dayNamed(timeZone, first.toISOString().slice(0, 10)).start
  }
  return [
    { name: 'year_to_date', start: year.start, end },
    ...rollingDays.map((days) => ({ name: `rolling_${days}_days`, start: back(days), end })),
  ]
}

/**
 * Adds up the released values of one group and channel over periods; post-processing, which costs no budget. A `final` value
 * stands for its window, else the `preliminary` one. Noise is independent from window to window, so the variances add up:
 * the half-width of a sum grows with the root of the number of windows. Values are raw, negative ones too; smoothed values
 * do not belong into a sum, since their errors are not independent.
 *
 * Throws RangeError for records of more than one group or channel, or for two values of one window and phase that differ.
 */
export function periodSums(records: Iterable<LoadPublic>, periods: readonly Period[]): readonly PeriodSum[] {
  const values = new Map<EpochMs, LoadPublic>()
  let first: LoadPublic | undefined
  for (const record of records) {
    first ??= record
    if (record.group !== first.group || record.level !== first.level || record.channel !== first.channel) {
      throw new RangeError('a period sum takes the records of one group and channel')
    }
    // What is withheld adds nothing; a group that is released in longer windows has both, and they may begin together.
    if (record.rawWh === null) continue
    const known = values.get(record.window)
    if (known?.phase === record.phase && known.rawWh !== record.rawWh) {
      throw new RangeError(`the window ${new Date(record.window).toISOString()} has two values of one phase`)
    }
    if (!known || record.phase === 'final') values.set(record.window, record)
  }
  return periods.map((period) => sumOver(values.values(), period))
}

function sumOver(values: Iterable<LoadPublic>, period: Period): PeriodSum {
  let raw = 0n
  let windows = 0
  let seconds = 0
  // Few variances occur, in one policy two: counting them first keeps the fractions short.
  const counts = new Map<string, number>()
  for (const { window, windowSeconds, rawWh, privacy } of values) {
    if (window < period.start || window >= period.end || rawWh === null) continue
    raw += BigInt(rawWh)
    windows += 1
    seconds += windowSeconds
    counts.set(privacy.sigma2, (counts.get(privacy.sigma2) ?? 0) + 1)
  }
  const variance = [...counts]
    .map(([sigma2, count]) => rational.mul(rational.parse(sigma2), rational.integer(count)))
    .reduce(rational.add, rational.zero)
  return {
    period,
    rawWh: windows === 0 ? null : Number(raw),
    variance,
    ...halfWidths(variance),
    windows,
    missingSeconds: (period.end - period.start) / 1_000 - seconds,
  }
}
