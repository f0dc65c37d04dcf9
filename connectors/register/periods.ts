import type { EpochMs } from '../../schemas/codec.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'

/** The entries of one key by `validFrom`; nearly always one, which then stands for itself: a million lists are not free. */
export type Periods = RegisterEntry | RegisterEntry[]

/** Entries by a key, those of one key in the order of their validity. */
export function periodsBy(
  entries: readonly RegisterEntry[],
  keyOf: (entry: RegisterEntry) => string,
): ReadonlyMap<string, Periods> {
  const periods = new Map<string, Periods>()
  const lists: RegisterEntry[][] = []
  for (const entry of entries) {
    const key = keyOf(entry)
    const known = periods.get(key)
    if (known === undefined) periods.set(key, entry)
    else if (Array.isArray(known)) known.push(entry)
    else {
      const list = [known, entry]
      lists.push(list)
      periods.set(key, list)
    }
  }
  for (const list of lists) list.sort((a, b) => a.validFrom - b.validFrom)
  return periods
}

/** The entry that is valid at `at`, by binary search. */
export function validAt(periods: Periods | undefined, at: EpochMs): RegisterEntry | undefined {
  if (periods === undefined) return undefined
  const entry = Array.isArray(periods) ? newestFrom(periods, at) : periods
  if (entry === undefined || at < entry.validFrom) return undefined
  return entry.validTo === null || at < entry.validTo ? entry : undefined
}

/** The last entry that begins at or before `at`. */
function newestFrom(periods: readonly RegisterEntry[], at: EpochMs): RegisterEntry | undefined {
  let low = 0
  let high = periods.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((periods[middle] as RegisterEntry).validFrom <= at) low = middle + 1
    else high = middle
  }
  return periods[low - 1]
}
