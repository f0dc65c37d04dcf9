import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ChainHead, headOf } from '../../../../operators/privacy/ledger/chain.ts'
import { type FoundFault, type LedgerFault, ledgerFaults } from '../../../../operators/privacy/ledger/faults.ts'
import { documentedCap } from '../../../../operators/privacy/ledger/overview.ts'
import { verifyLedger } from '../../../../operators/privacy/ledger/verify.ts'
import type { LedgerCharge, LedgerRecord, LedgerSeal } from '../../../../schemas/ledger-record.ts'
import { topics } from '../../../../schemas/topics.ts'
import { publicCodec, releasedLog, relinked, withFirstShown, withRecords } from '../../../helpers/ledger-fixture.ts'

const { ledger } = releasedLog()
const published = { key: topics.loadPublic.key, decode: publicCodec.decode }

function faultsOf(
  links: readonly (LedgerRecord | undefined)[],
  options: { readonly pin?: ChainHead; readonly from?: 'first link' | 'checkpoint' } = {},
): FoundFault[] {
  const faults: FoundFault[] = []
  const verifier = verifyLedger({ published, cap: documentedCap, found: (fault) => faults.push(fault), ...options })
  for (const link of links) {
    if (link) verifier.follow(link)
    else verifier.unreadable()
  }
  verifier.finish()
  return faults
}

const indexOf = (fits: (link: LedgerRecord) => boolean): number => ledger.findIndex(fits)
const isSeal = (phase: string) => (link: LedgerRecord) => link.kind === 'seal' && link.phase === phase
const preliminary = indexOf(isSeal('preliminary'))
const late = indexOf(isSeal('late'))
const secondCharge = ledger.findLastIndex(({ kind }) => kind === 'charge')
const checkpoint = secondCharge + 1

/** The ledger with one link changed, and hashed anew as a forger would. */
const forged = <T extends LedgerRecord>(at: number, change: (link: T) => LedgerRecord): LedgerRecord[] =>
  relinked(ledger.map((link, i) => (i === at ? change(link as T) : link)))
const forgedSeal = (change: (seal: LedgerSeal) => LedgerSeal, at = preliminary) => forged<LedgerSeal>(at, change)
const forgedCharge = (change: (charge: LedgerCharge) => LedgerRecord) => forged<LedgerCharge>(secondCharge, change)
const without = (at: number): LedgerRecord[] => ledger.filter((_, i) => i !== at)
const moved = (at: number, to: number): LedgerRecord[] => {
  const rest = without(at)
  return relinked([...rest.slice(0, to), ledger[at]!, ...rest.slice(to)])
}
const otherRho = (charge: LedgerCharge, rho: string): LedgerCharge => ({
  ...charge,
  charges: charge.charges.map((each, i) => (i === 0 ? { ...each, rho } : each)),
})
const mid = Math.floor(ledger.length / 2)
const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))

const planted: readonly (readonly [LedgerFault, string, () => FoundFault[]])[] = [
  ['unreadable', 'a record that is none', () => faultsOf([...ledger.slice(0, 5), undefined, ...ledger.slice(6)])],
  ['altered', 'one byte of a seal', () => faultsOf(ledger.map((l, i) => (i === mid ? { ...l, domain: 'other' } : l)))],
  ['foreign', 'a link of another domain', () => faultsOf(forged(mid, (l) => ({ ...l, domain: 'other' })))],
  ['twin', 'a second link of the same number', () => faultsOf([...ledger.slice(0, mid + 1), ...ledger.slice(mid)])],
  ['reordered', 'an older link', () => faultsOf([...ledger.slice(0, mid), ledger[2]!, ...ledger.slice(mid)])],
  ['gap', 'a link left out', () => faultsOf(without(mid))],
  [
    'detached',
    'a ledger that went on after a restore',
    () => {
      const other = forgedSeal((seal) => ({ ...seal, digest: flipped(seal.digest) }), mid)
      return faultsOf([...ledger.slice(0, mid + 1), ...other.slice(mid + 1)])
    },
  ],
  ['cut', 'the first links gone', () => faultsOf(ledger.slice(4))],
  ['behind_pin', 'an end before the pin', () => faultsOf(ledger.slice(0, mid), { pin: headOf(ledger.at(-1)!) })],
  [
    'differs_from_pin',
    'another history than the pinned one',
    () => {
      const other = forgedSeal((seal) => ({ ...seal, digest: flipped(seal.digest) }))
      return faultsOf(other, { pin: headOf(ledger[mid]!) })
    },
  ],
  ['charge_unreadable', 'a cost below nothing', () => faultsOf(forgedCharge((c) => otherRho(c, '-1/100')))],
  [
    'charge_repeats',
    'a level charged twice in one charge',
    () => faultsOf(forgedCharge((c) => ({ ...c, charges: [...c.charges, c.charges[0]!] }))),
  ],
  [
    'charged_twice',
    'the day before charged again',
    () => faultsOf(forgedCharge((c) => ({ ...c, date: '2026-01-15' }))),
  ],
  ['charged_above_cap', 'more than the cap', () => faultsOf(forgedCharge((c) => otherRho(c, '1/2')))],
  ['day_skipped', 'a day left out', () => faultsOf(forgedCharge((c) => ({ ...c, date: '2026-01-17' })))],
  ['checkpoint_missing', 'no checkpoint', () => faultsOf(relinked(without(checkpoint)))],
  ...(
    [
      ['of another day', { date: '2026-01-14' }],
      ['with other rho', { rhoYear: '1/100' }],
      ['with other days', { days: 1 }],
      ['with other seals', { seals: 3 }],
    ] as const
  ).map(
    ([what, change]) =>
      [
        'checkpoint_differs',
        `a checkpoint ${what}`,
        () => faultsOf(forged(checkpoint, (link) => ({ ...link, ...change }) as LedgerRecord)),
      ] as const,
  ),
  ['sealed_uncharged', 'a seal before its charge', () => faultsOf(moved(preliminary, 0))],
  [
    'sealed_uncharged',
    'a seal in another zone than was charged',
    () => faultsOf(forgedSeal((seal) => ({ ...seal, zone: 'elsewhere' }))),
  ],
  ['sealed_twice', 'a window sealed again', () => faultsOf(relinked([...ledger, ledger[preliminary]!]))],
  ['late_first', 'late before preliminary', () => faultsOf(moved(late, preliminary))],
  ['tick_early', 'a tick inside the window', () => faultsOf(forgedSeal((s) => ({ ...s, tick: s.window + 60_000 })))],
  [
    'pack_unreadable',
    'bytes that are no pack',
    () => faultsOf(forgedSeal((s) => ({ ...s, records: flipped(s.records) }))),
  ],
  ['pack_unreadable', 'another count', () => faultsOf(forgedSeal((s) => ({ ...s, count: s.count + 1 })))],
  ...(
    [
      ['another window', (r) => ({ ...r, window: r.window + 1_800_000 })],
      ['another length', (r) => ({ ...r, windowSeconds: 900 })],
      ['another channel', (r) => ({ ...r, channel: 'export' })],
      ['another phase', (r) => ({ ...r, phase: 'final' })],
      ['another link', (r) => ({ ...r, ledgerSeq: r.ledgerSeq + 1 })],
      ['another group than its key', (r) => ({ ...r, group: 'other' })],
    ] as const satisfies readonly (readonly [string, Parameters<typeof withFirstShown>[1]])[]
  ).map(
    ([what, change]) =>
      [
        'record_differs',
        `a record of ${what}`,
        () => faultsOf(forgedSeal((seal) => withFirstShown(seal, change))),
      ] as const,
  ),
  [
    'record_repeats',
    'two records of one group',
    () => faultsOf(forgedSeal((seal) => withRecords(seal, (records) => [...records, records[0]!]))),
  ],
  ['cost_differs', 'less than was charged, on paper', () => faultsOf(stating({ rho: '1/1000' }))],
  ['noise_differs', 'less noise than the cost gives', () => faultsOf(stating({ sigma2: '1' }))],
  ['noise_differs', 'a wider bound with the same noise', () => faultsOf(stating({ clipWh: 1_000_000 }))],
  ['epsilon_understated', 'a smaller epsilon of the day', () => faultsOf(stating({ epsilonDay: 0.5 }))],
  ['epsilon_understated', 'a smaller epsilon of the year', () => faultsOf(stating({ epsilonYear: 1 }))],
  ['epsilon_understated', 'an epsilon that is no number', () => faultsOf(stating({ epsilonWeek: Number.NaN }))],
  [
    'withheld_shown',
    'a value that is said to be withheld',
    () => faultsOf(forgedSeal((s) => withFirstShown(s, (r) => ({ ...r, flags: ['withheld_small_group'] })))),
  ],
  [
    'withheld_shown',
    'a value hidden without a reason',
    () => faultsOf(forgedSeal((seal) => withFirstShown(seal, (record) => ({ ...record, rawWh: null })))),
  ],
]

function stating(change: Readonly<Record<string, unknown>>): LedgerRecord[] {
  return forgedSeal((seal) =>
    withFirstShown(seal, (record) => ({ ...record, privacy: { ...record.privacy, ...change } })),
  )
}

describe('verifyLedger', () => {
  it('finds nothing in what the release wrote, and counts it', () => {
    const faults: FoundFault[] = []
    const pin = headOf(ledger[mid]!)
    const verifier = verifyLedger({ published, cap: documentedCap, pin, found: (fault) => faults.push(fault) })
    for (const link of ledger) verifier.follow(link)
    const seals = ledger.filter(({ kind }) => kind === 'seal').length
    const { head, domain, ...counts } = verifier.finish()
    assert.deepEqual(faults, [])
    assert.deepEqual(counts, { days: 2, seals, records: seals * 7 })
    assert.deepEqual([head, domain], [headOf(ledger.at(-1)!), 'demo'])
  })

  it('may begin at a checkpoint, where it goes on from its totals', () => {
    const tail = ledger.slice(1)
    assert.deepEqual(faultsOf(tail, { from: 'checkpoint' }), [])
    assert.deepEqual(faultsOf(tail, { from: 'checkpoint', pin: headOf(ledger[0]!) }), [])
    assert.ok(faultsOf(ledger.slice(3), { from: 'checkpoint' }).some(({ fault }) => fault === 'cut'))
  })

  for (const [fault, what, check] of planted) {
    it(`finds ${what}`, () => {
      const found = check()
      assert.ok(
        found.some((each) => each.fault === fault),
        `no ${fault} among ${JSON.stringify(found)}`,
      )
      for (const { says } of found) assert.match(says, /^\S.{10,}$/)
    })
  }

  it('is shown every fault that the ledger alone can have', () => {
    const inCopies = Object.keys(ledgerFaults).filter((fault) => fault.startsWith('published_'))
    const shown = new Set([...planted.map(([fault]) => fault), ...inCopies])
    assert.deepEqual([...shown].sort(), Object.keys(ledgerFaults).sort())
  })
})
