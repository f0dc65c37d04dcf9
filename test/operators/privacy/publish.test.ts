import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HaltError } from '../../../operators/contract/halt.ts'
import type { Published } from '../../../operators/contract/published.ts'
import { appendLink, emptyHead, headOf } from '../../../operators/privacy/ledger/chain.ts'
import { packRecords, unlinkedHash, unpackRecords } from '../../../operators/privacy/ledger/packed-records.ts'
import type { HaltReason } from '../../../operators/privacy/ledger/reasons.ts'
import { publish } from '../../../operators/privacy/publish.ts'
import type { LedgerRecord, LedgerSeal } from '../../../schemas/ledger-record.ts'
import type { LoadPublic } from '../../../schemas/load-public.ts'
import { drive } from '../../helpers/release-driver.ts'
import {
  collector,
  context,
  envelope,
  groups,
  partial,
  publicCodec,
  publicKey,
  releaseOperator,
} from '../../helpers/release-fixtures.ts'

const { ledger } = drive({
  operator: releaseOperator(),
  partials: [
    partial(0, 1, '2026-01-15T01:50'),
    partial(1, 1, '2026-01-15T01:50'),
    partial(0, 2, '2026-01-16T01:50'),
    partial(1, 2, '2026-01-16T01:50'),
  ],
})
const seals = ledger.filter((link): link is LedgerSeal => link.kind === 'seal')

const operator = publish({ codec: publicCodec, domain: 'demo' })
const start = () => operator.restore([], [])

function copy(links: readonly LedgerRecord[], state = start()): Published<LoadPublic>[] {
  const out = collector<Published<LoadPublic>>()
  operator.process(links.map(envelope), state, out, context)
  return out.values
}

const sealedBytes = (seal: LedgerSeal): Published<LoadPublic>[] =>
  unpackRecords(seal.records, seal.hash, seal.count).map(({ key, bytes }) => ({ key, bytes, timestamp: seal.tick }))

describe('publish', () => {
  it('copies every record of every seal, in order, with its key and its tick', () => {
    assert.deepEqual(copy(ledger), seals.flatMap(sealedBytes))
  })

  it('emits the same whatever the batches are', () => {
    const state = start()
    assert.deepEqual(
      ledger.flatMap((link) => copy([link], state)),
      copy(ledger),
    )
  })

  it('publishes nothing for charges and checkpoints', () => {
    assert.deepEqual(copy(ledger.slice(0, 2)), [])
  })

  it('names its own link in every record', () => {
    const records = copy(ledger).map(({ bytes }) => publicCodec.decode(bytes))
    assert.deepEqual(
      [...new Set(records.map(({ ledgerSeq }) => ledgerSeq))],
      seals.map(({ seq }) => seq),
    )
    const hashes = new Map(ledger.map(({ seq, hash }) => [seq, hash]))
    for (const { ledgerSeq, ledgerHash } of records) assert.deepEqual(ledgerHash, hashes.get(ledgerSeq))
  })

  it('names the group above of every group, released or withheld', () => {
    const records = copy(ledger).map(({ bytes }) => publicCodec.decode(bytes))
    assert.ok(records.some(({ rawWh, parent }) => rawWh === null && parent !== null))
    const parents = new Map(groups.map(({ level, group, parent }) => [`${level}/${group}`, parent]))
    for (const { level, group, parent } of records) assert.equal(parent, parents.get(`${level}/${group}`))
  })

  const altered = (seq: number, change: Partial<LedgerSeal>): LedgerRecord[] =>
    ledger.map((link) => (link.seq === seq ? ({ ...link, ...change } as LedgerRecord) : link))
  const swapped = [...ledger.slice(0, 4), ledger[5]!, ledger[4]!, ...ledger.slice(6)]
  const faults: readonly (readonly [string, readonly LedgerRecord[], RegExp])[] = [
    ['a gap', ledger.filter(({ seq }) => seq !== 4), /link 5: gap/],
    ['a twin', [...ledger.slice(0, 4), ledger[3]!], /link 4: twin/],
    ['links in another order', swapped, /link 6: gap/],
    ['an older link', [...ledger.slice(0, 4), ledger[1]!], /link 2: reordered/],
    ['an altered tick', altered(4, { tick: 0 }), /link 4: altered/],
    [
      'an altered record',
      altered(4, { records: seals[0]!.records.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) }),
      /altered/,
    ],
    ['another domain', [appendLink(emptyHead, { ...ledger[0]!, domain: 'other' } as LedgerRecord)], /link 1: foreign/],
    [
      'a history of its own',
      [...ledger.slice(0, 3), appendLink({ seq: 3, hash: emptyHead.hash }, seals[0]!)],
      /detached/,
    ],
    ['a ledger that begins later', ledger.slice(1), /link 2: gap/],
  ]
  for (const [what, links, message] of faults) {
    it(`halts on ${what}`, () => {
      assert.throws(
        () => copy(links),
        (error) => error instanceof HaltError && message.test(error.message) && error.reason === 'ledger_broken',
      )
    })
  }

  const forged = (change: Partial<LoadPublic>, rest: Partial<LedgerSeal> = {}): LedgerRecord => {
    const [first] = sealedBytes(seals[0]!).map(({ bytes }) => publicCodec.decode(bytes))
    const record = { ...first!, ...change, ledgerHash: unlinkedHash }
    const records = packRecords([{ key: publicKey(record), bytes: publicCodec.encode(record) }])
    return appendLink(headOf(ledger[1]!), { ...seals[0]!, count: 1, records, ...rest })
  }
  const lies: readonly (readonly [string, LedgerRecord, HaltReason])[] = [
    ['another window', forged({ window: 0 }), 'seal_differs'],
    ['another channel', forged({ channel: 'export' }), 'seal_differs'],
    ['another phase', forged({ phase: 'final' }), 'seal_differs'],
    ['another link', forged({ ledgerSeq: 9 }), 'seal_differs'],
    ['another number of records', forged({}, { count: 2 }), 'seal_unreadable'],
  ]
  for (const [what, link, reason] of lies) {
    it(`halts on a sealed record of ${what}`, () => {
      assert.throws(() => copy([...ledger.slice(0, 2), link]), { name: 'HaltError', reason })
    })
  }
})

describe('publish: restoring', () => {
  const rows = (state: ReturnType<typeof start>) => operator.changed(state)
  const last = (links: readonly LedgerRecord[]): LoadPublic[] =>
    copy(links)
      .slice(-1)
      .map(({ bytes }) => publicCodec.decode(bytes))

  it('goes on after its row, and writes none while nothing is new', () => {
    const state = start()
    copy(ledger.slice(0, 6), state)
    const restored = operator.restore(rows(state), [])
    assert.deepEqual(rows(state), [])
    assert.deepEqual(copy(ledger.slice(6), restored), copy(ledger).slice(4 * 7))
  })

  for (const n of [0, 1, 2, 3, 4, 7, ledger.length - 1, ledger.length]) {
    it(`publishes the rest when load.public ends with link ${n} and reading begins at the first`, () => {
      const done = copy(ledger.slice(0, n))
      const restored = operator.restore([], last(ledger.slice(0, n)))
      assert.deepEqual([...done, ...copy(ledger, restored)], copy(ledger))
    })
  }

  it('halts when the published link is not in the ledger it reads', () => {
    const [record] = last(ledger.slice(0, 6))
    const restored = operator.restore([], [{ ...record!, ledgerHash: new Uint8Array(32) }])
    assert.throws(() => copy(ledger, restored), { message: /another link 6/, reason: 'published_differs' })
  })

  it('halts when links between row and input are missing', () => {
    const state = start()
    copy(ledger.slice(0, 6), state)
    assert.throws(() => copy(ledger.slice(7), operator.restore(rows(state), [])), /gap/)
  })

  it('halts when its row lies behind what is public', () => {
    const state = start()
    copy(ledger.slice(0, 4), state)
    assert.throws(() => operator.restore(rows(state), last(ledger)), { name: 'HaltError', reason: 'published_differs' })
  })
})
