import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FoundFault, LedgerFault } from '../../../operators/privacy/ledger/faults.ts'
import { unpackRecords } from '../../../operators/privacy/ledger/packed-records.ts'
import { compareCopies } from '../../../pipelines/cli/ledger-copies.ts'
import type { PublicCopy } from '../../../pipelines/cli/ledger-open.ts'
import type { LedgerSeal } from '../../../schemas/ledger-record.ts'
import { publicCodec, releasedLog } from '../../helpers/ledger-fixture.ts'
import { drivePublish } from '../../helpers/release-driver.ts'

const { ledger } = releasedLog(6)
const seals = ledger.filter((link): link is LedgerSeal => link.kind === 'seal')
const copies: readonly PublicCopy[] = drivePublish(ledger).map(({ key, bytes, timestamp }) => ({
  key,
  bytes,
  timestamp,
  seq: publicCodec.decode(bytes).ledgerSeq,
}))
const groups = 7

async function compared(published: readonly PublicCopy[], { partitions = 1, from = 0, sealed = seals } = {}) {
  const faults: FoundFault[] = []
  const all = Array.from({ length: partitions }, (_, p) =>
    inTurn(published.filter(({ key }) => partOf(key) % partitions === p)),
  )
  const comparer = compareCopies(all, (fault) => faults.push(fault))
  comparer.begin(from)
  for (const seal of sealed.filter(({ seq }) => seq >= from)) {
    await comparer.match(seal, unpackRecords(seal.records, seal.hash, seal.count))
  }
  return { faults, ...(await comparer.finish()) }
}

async function* inTurn(values: readonly PublicCopy[]): AsyncGenerator<PublicCopy> {
  yield* values
}

const partOf = (key: string) => key.length
const change = (at: number, to: Partial<PublicCopy>) => copies.map((copy, i) => (i === at ? { ...copy, ...to } : copy))

const planted: readonly (readonly [LedgerFault, string, readonly PublicCopy[]])[] = [
  ['published_unsealed', 'a copy that names a charge', change(groups, { seq: 1 })],
  ['published_unsealed', 'a copy that names a link to come', [...copies, { ...copies[0]!, seq: 10_000 }]],
  ['published_unsealed', 'a copy that cannot be read', change(3, { seq: undefined })],
  ['published_differs', 'one bit', change(5, { bytes: copies[5]!.bytes.map((b, i) => (i === 40 ? b ^ 1 : b)) })],
  ['published_differs', 'another key', change(5, { key: 'feeder/none' })],
  ['published_differs', 'another time stamp', change(5, { timestamp: copies[5]!.timestamp + 1 })],
  ['published_twice', 'the same copy at once', [...copies.slice(0, 6), ...copies.slice(5)]],
  ['published_twice', 'the same copy later', [...copies, copies[2]!]],
  ['published_missing', 'one copy less', copies.filter((_, i) => i !== 9)],
  ['published_missing', 'all copies of a seal less', copies.filter(({ seq }) => seq !== seals[2]!.seq)],
]

describe('public copies', () => {
  for (const partitions of [1, 3]) {
    it(`hold over ${partitions} partitions`, async () => {
      const { faults, ...counts } = await compared(copies, { partitions })
      assert.deepEqual(faults, [])
      assert.deepEqual(counts, { copies: copies.length, through: seals.at(-1)!.seq, waiting: 0 })
    })
  }

  it('may end before the ledger does: those seals wait for their tick', async () => {
    const { faults, waiting, through } = await compared(copies.slice(0, -2 * groups))
    assert.deepEqual([faults, waiting, through], [[], 2, seals.at(-3)!.seq])
  })

  it('of older links are left out where reading begins later', async () => {
    assert.deepEqual((await compared(copies, { from: seals[4]!.seq })).faults, [])
  })

  it('show a seal that is gone from the ledger', async () => {
    const { faults } = await compared(copies, { sealed: seals.filter((_, i) => i !== 3) })
    assert.deepEqual([...new Set(faults.map(({ fault }) => fault))], ['published_unsealed'])
    assert.equal(faults.length, groups)
  })

  for (const [fault, what, published] of planted) {
    it(`show ${what}`, async () => {
      const { faults } = await compared(published)
      assert.ok(
        faults.some((each) => each.fault === fault),
        JSON.stringify(faults),
      )
    })
  }

  it('can have every fault that there is of copies', () => {
    const all: readonly LedgerFault[] = [
      'published_unsealed',
      'published_differs',
      'published_twice',
      'published_missing',
    ]
    assert.deepEqual([...new Set(planted.map(([fault]) => fault))], all)
  })
})
