import type { EpochMs } from '../../../schemas/codec.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { dayNamed } from '../release/day-grid.ts'
import { type KAnonymized, type KAnonymizeOptions, kAnonymize, type Told } from './k-anonymize.ts'
import type { Placed } from './place-table.ts'

export interface ByMonthOptions extends Omit<KAnonymizeOptions, 'previous'> {
  /** IANA time zone that decides the local month. Required. */
  readonly timeZone: string
  /**
   * First local month, `YYYY-MM`, in which anything was told. It must never change: what follows builds on it. Default:
   * none; each month then stands by itself, and two months together may tell of fewer than k.
   */
  readonly since?: string | undefined
}

/** Late readings of up to 60 days, the longest horizon there is, belong to so many months with those of today. */
const keptMonths = 4

/**
 * What may be told of a household in each local month: anonymised over whoever is registered at any time of the month, so
 * that nobody who left before or comes later counts toward k. With `since` it is also held against the month before (see
 * `previous` of `kAnonymize`), and nothing is told before. All is worked out from the register alone, so that a restart
 * gives the same; a month in which nobody comes or goes costs nothing. Throws RangeError for a `since` that is no month.
 */
export function kAnonymizeByMonth(
  entries: readonly RegisterEntry[],
  options: ByMonthOptions,
): (entry: Placed, date: string) => Told {
  const { timeZone, since } = options
  if (since !== undefined && !/^\d{4}-(?:0[1-9]|1[0-2])$/.test(since)) {
    throw new RangeError(`since must be a month, YYYY-MM, not "${since}"`)
  }
  const nothing = kAnonymize([], options)
  const known = new Map<string, KAnonymized>()
  const startOf = (month: string): EpochMs => dayNamed(timeZone, `${month}-01`).start
  const registeredIn = (month: string): ((entry: RegisterEntry) => boolean) => {
    const [start, end] = [startOf(month), startOf(after(month))]
    return ({ validFrom, validTo }) => validFrom < end && (validTo === null || validTo > start)
  }
  const haveTheSame = (one: string, other: string): boolean => {
    const [inOne, inOther] = [registeredIn(one), registeredIn(other)]
    return entries.every((entry) => inOne(entry) === inOther(entry))
  }
  const keep = (month: string, result: KAnonymized): KAnonymized => {
    known.set(month, result)
    if (known.size > keptMonths) known.delete([...known.keys()].sort()[0]!)
    return result
  }
  const byItself = (month: string): KAnonymized => {
    const alike = [...known].find(([other]) => haveTheSame(month, other))
    return keep(month, alike ? alike[1] : kAnonymize(entries.filter(registeredIn(month)), options))
  }
  const inTurn = (month: string, first: string): KAnonymized => {
    // Of a month before all that are known nothing is left to build on: from the first one again.
    let last = [...known.keys()].sort().findLast((each) => each < month)
    let result = last === undefined ? undefined : known.get(last)
    for (let next = last === undefined ? first : after(last); next <= month; next = after(next)) {
      const previous = result
      result =
        previous && last !== undefined && haveTheSame(last, next)
          ? previous
          : kAnonymize(entries.filter(registeredIn(next)), {
              ...options,
              ...(previous && { previous: previous.classOf }),
            })
      keep(next, result)
      last = next
    }
    return result!
  }
  const resultOf = (month: string): KAnonymized => {
    if (since === undefined) return known.get(month) ?? byItself(month)
    return month < since ? nothing : (known.get(month) ?? inTurn(month, since))
  }
  // Nearly all readings of a while are of one date.
  let last: { readonly date: string; readonly result: KAnonymized } | undefined
  return (entry, date) => {
    if (last?.date !== date) last = { date, result: resultOf(date.slice(0, 7)) }
    return last.result.of(entry)
  }
}

function after(month: string): string {
  const [year, number] = month.split('-').map(Number)
  return number === 12 ? `${year! + 1}-01` : `${year}-${String(number! + 1).padStart(2, '0')}`
}
