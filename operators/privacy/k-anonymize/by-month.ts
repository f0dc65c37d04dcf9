import type { EpochMs } from '../../../schemas/codec.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { dayNamed } from '../release/day-grid.ts'
import { type KAnonymized, type KAnonymizeOptions, kAnonymize, type Told } from './k-anonymize.ts'

export interface ByMonthOptions extends Omit<KAnonymizeOptions, 'previous'> {
  /** IANA time zone that decides the local month. Required. */
  readonly timeZone: string
  /** First local month, `YYYY-MM`, in which anything was told. It must never change: what follows builds on it. Required. */
  readonly since: string
}

/** A late reading may belong to the month before. */
const keptMonths = 2

/**
 * What may be told of a household in each local month: anonymised over whoever is registered at any time of the month, and
 * held against the month before (see `previous` of `kAnonymize`). Nothing is told before `since`. The months are worked
 * out one after another from the register alone, so that a restart gives the same; a month in which nobody comes or
 * goes costs nothing. Throws RangeError for a `since` that is no month.
 */
export function kAnonymizeByMonth(
  entries: readonly RegisterEntry[],
  options: ByMonthOptions,
): (entry: Pick<RegisterEntry, 'connection'>, date: string) => Told {
  const { timeZone, since } = options
  if (!/^\d{4}-(?:0[1-9]|1[0-2])$/.test(since)) throw new RangeError(`since must be a month, YYYY-MM, not "${since}"`)
  const nothing = kAnonymize([], options)
  const known = new Map<string, KAnonymized>()
  const startOf = (month: string): EpochMs => dayNamed(timeZone, `${month}-01`).start
  const worked = (month: string): KAnonymized => {
    let last: string | undefined = [...known.keys()].at(-1)
    if (last === undefined || last > month) {
      known.clear()
      last = undefined
    }
    for (let next = last === undefined ? since : after(last); next <= month; next = after(next)) {
      const previous = last === undefined ? undefined : known.get(last)
      const [start, end] = [startOf(next), startOf(after(next))]
      const present = entries.filter(
        ({ validFrom, validTo }) => validFrom < end && (validTo === null || validTo > start),
      )
      const same = previous && last !== undefined && isSame(entries, startOf(last), start, end)
      known.set(
        next,
        same ? previous : kAnonymize(present, { ...options, ...(previous && { previous: previous.classOf }) }),
      )
      const oldest = known.keys().next()
      if (known.size > keptMonths && !oldest.done) known.delete(oldest.value)
      last = next
    }
    return known.get(month)!
  }
  return (entry, date) => {
    const month = date.slice(0, 7)
    return (month < since ? nothing : (known.get(month) ?? worked(month))).of(entry)
  }
}

/** Whether the month from `start` to `end` has the entries of the month before, which began at `before`. */
function isSame(entries: readonly RegisterEntry[], before: EpochMs, start: EpochMs, end: EpochMs): boolean {
  return entries.every(({ validFrom, validTo }) => {
    const begins = validFrom >= start && validFrom < end
    const ended = validTo !== null && validTo > before && validTo <= start
    return !begins && !ended
  })
}

function after(month: string): string {
  const [year, number] = month.split('-').map(Number)
  return number === 12 ? `${year! + 1}-01` : `${year}-${String(number! + 1).padStart(2, '0')}`
}
