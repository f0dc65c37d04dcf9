import { hours, minutes } from '../../operators/contract/clock.ts'
import { appendLink, emptyHead, headOf } from '../../operators/privacy/ledger/chain.ts'
import { packRecords, unlinkedHash, unpackRecords } from '../../operators/privacy/ledger/packed-records.ts'
import type { LedgerRecord, LedgerSeal } from '../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../schemas/load-partial.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { type DrivenLog, drive } from './release-driver.ts'
import { berlin, cell, partial, publicCodec, publicKey, releaseOperator } from './release-fixtures.ts'

/** A ledger that the operator itself wrote: two days charged, the first one sealed in both phases, the second begun. */
export const releasedLog = (untilHours = 31): DrivenLog =>
  drive({ operator: releaseOperator(), partials: releasedPartials(untilHours), batches: [4] })

/** What such a ledger was made from. */
export function releasedPartials(untilHours: number): readonly LoadPartial[] {
  const start = berlin('2026-01-15T00:00')
  return Array.from({ length: untilHours * 2 }, (_, n) => {
    const progress = start + (n + 1) * minutes(30)
    const window = progress - hours(1)
    const date = window < start + hours(24) ? '2026-01-15' : '2026-01-16'
    const cells = window < start ? [] : [cell(`${date}T00:00`, 100_000 + n, { window, date })]
    return [partial(0, n + 1, progress, cells), partial(1, n + 1, progress)]
  }).flat()
}

/** The links anew, each behind the one before: what a forger who can hash would hand in. */
export function relinked(links: readonly LedgerRecord[]): LedgerRecord[] {
  const chain: LedgerRecord[] = []
  for (const link of links) {
    const { seq: _seq, prev: _prev, hash: _hash, ...entry } = link
    const before = chain.at(-1)
    chain.push(appendLink(before ? headOf(before) : emptyHead, entry as Parameters<typeof appendLink>[1]))
  }
  return chain
}

/** A seal whose records were changed and packed again. */
export function withRecords(
  seal: LedgerSeal,
  edit: (records: readonly { key: string; record: LoadPublic }[]) => readonly { key: string; record: LoadPublic }[],
): LedgerSeal {
  const opened = unpackRecords(seal.records, unlinkedHash, seal.count)
  const edited = edit(opened.map(({ key, bytes }) => ({ key, record: publicCodec.decode(bytes) })))
  const packed = edited.map(({ key, record }) => ({
    key,
    bytes: publicCodec.encode({ ...record, ledgerHash: unlinkedHash }),
  }))
  return { ...seal, count: packed.length, records: packRecords(packed) }
}

/** The first record that shows a value, changed. */
export const withFirstShown = (seal: LedgerSeal, change: (record: LoadPublic) => LoadPublic): LedgerSeal =>
  withRecords(seal, (records) => {
    const at = records.findIndex(({ record }) => record.rawWh !== null)
    return records.map((each, i) => (i === at ? { key: each.key, record: change(each.record) } : each))
  })

export { publicCodec, publicKey }
