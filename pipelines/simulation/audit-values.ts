import type { LoadPublic } from '../../schemas/load-public.ts'

/** Fields that noise decides: the drawn value, and what is worked out from drawn values. */
const drawn = /^(?:raw|consistent|smoothed|expectedLate)/
/** What a record is about, and where the ledger has it: a number, and the hash of noisy bytes. */
const place: readonly string[] = ['level', 'group', 'channel', 'window', 'phase', 'ledgerSeq', 'ledgerHash']

/** The values of a record by name, `rawWh` first; `null` where withheld. */
export function drawnValues(record: LoadPublic): readonly (readonly [name: string, value: number | null])[] {
  return Object.entries(record).filter((entry): entry is [string, number | null] => drawn.test(entry[0]))
}

/** Everything else that a record says: what no reading may change. */
export function undrawnFields(record: LoadPublic): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !drawn.test(name) && !place.includes(name)))
}
