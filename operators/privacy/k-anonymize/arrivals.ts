import type { EpochMs } from '../../../schemas/codec.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { entriesAt } from './newcomers.ts'

/**
 * Connection points that have an entry when an epoch begins and had none in the previous one, which began at `before`. What
 * the previous epoch tells of them is told only of frames of before their entry, which are replayed once it is loaded: it
 * has no records else by which one of them would pass for a home that was there.
 */
export function arrivalsAt(
  entries: Iterable<RegisterEntry>,
  before: EpochMs,
  start: EpochMs,
): (connection: string) => boolean {
  const arrivals = new Set<string>()
  for (const { connection, validFrom } of entriesAt(entries, start)) if (validFrom === start) arrivals.add(connection)
  if (arrivals.size > 0) {
    for (const { connection, validFrom, validTo } of entries) {
      if (validFrom < start && (validTo === null || validTo > before)) arrivals.delete(connection)
    }
  }
  return (connection) => arrivals.has(connection)
}
