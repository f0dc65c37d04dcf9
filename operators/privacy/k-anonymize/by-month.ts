import type { EpochMs } from '../../../schemas/codec.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { isMonth } from '../../contract/policy-epoch.ts'
import { dayNamed } from '../release/day-grid.ts'
import { type KAnonymized, type KAnonymizeOptions, kAnonymize, type Told } from './k-anonymize.ts'
import { holdsAt } from './newcomers.ts'
import type { Placed } from './place-table.ts'

export interface ByMonthOptions extends Omit<KAnonymizeOptions, 'previous' | 'previousStart' | 'start'> {
  /** IANA time zone that decides the local month. Required. */
  readonly timeZone: string
  /**
   * First local month, `YYYY-MM`, in which anything may be told. It must never change: what follows builds on it. Default:
   * none, and nothing is ever told.
   */
  readonly since?: string | undefined
}

/** Late readings of up to 60 days, the longest horizon there is, belong to so many months with those of today. */
const keptMonths = 4

/**
 * What may be told of a household in each local month: anonymised over whoever is registered when the month begins, with
 * what holds then, and held against the month before (see `previous` and `previousStart` of `kAnonymize`). So nothing that
 * is loaded into the register later, dated later, changes what is told in a month that has begun: see `start` of `kAnonymize` for who comes
 * within it. All is worked out from the register alone, so that a restart gives the same; a month in which nobody comes or
 * goes costs nothing but for those who come later. Throws RangeError for a `since` that is no month.
 */
export function kAnonymizeByMonth(
  entries: readonly RegisterEntry[],
  options: ByMonthOptions,
): (entry: Placed, date: string) => Told {
  const monthOf = kAnonymizedMonths(entries, options)
  // Nearly all readings of a while are of one date.
  let last: { readonly date: string; readonly result: KAnonymized } | undefined
  return (entry, date) => {
    if (last?.date !== date) last = { date, result: monthOf(date.slice(0, 7)) }
    return last.result.of(entry)
  }
}

/**
 * The whole of what `kAnonymizeByMonth` tells in a local month, `YYYY-MM`, with what each residency zone loses by it: a
 * month of which nothing is told has no zones. Throws RangeError as it does.
 */
export function kAnonymizedMonths(
  entries: readonly RegisterEntry[],
  options: ByMonthOptions,
): (month: string) => KAnonymized {
  const { timeZone, since } = options
  if (since !== undefined && !isMonth(since)) {
    throw new RangeError(`since must be a month, YYYY-MM, not "${since}"`)
  }
  const nothing = kAnonymize([], options)
  const known = new Map<string, KAnonymized>()
  const startOf = (month: string): EpochMs => dayNamed(timeZone, `${month}-01`).start
  const isAsBefore = (one: string, other: string): boolean => {
    const [before, start] = [startOf(one), startOf(other)]
    return entries.every((entry) => holdsAt(entry, before) === holdsAt(entry, start))
  }
  const inTurn = (month: string, first: string): KAnonymized => {
    // Of a month before all that are known nothing is left to build on: from the first one again.
    let last = [...known.keys()].sort().findLast((each) => each < month)
    let result = last === undefined ? undefined : known.get(last)
    for (let next = last === undefined ? first : after(last); next <= month; next = after(next)) {
      // Who comes within a month must not decide whether it is worked out: it would be told otherwise once they are known.
      const start = startOf(next)
      const before = result && last !== undefined ? { previous: result.classOf, previousStart: startOf(last) } : {}
      if (result?.during && last !== undefined && isAsBefore(last, next)) result = result.during(entries, start)
      else result = monthBy(kAnonymize(entries, { ...options, start, ...before }))
      known.set(next, result)
      if (known.size > keptMonths) known.delete([...known.keys()].sort()[0]!)
      last = next
    }
    return result!
  }
  return (month) => (since === undefined || month < since ? nothing : (known.get(month) ?? inTurn(month, since)))
}

/** Without the lineage, which would hold on to every month since the first. */
const monthBy = ({ of, classOf, zones, during }: KAnonymized): KAnonymized => ({ of, classOf, zones, during })

function after(month: string): string {
  const [year, number] = month.split('-').map(Number)
  return number === 12 ? `${year! + 1}-01` : `${year}-${String(number! + 1).padStart(2, '0')}`
}
