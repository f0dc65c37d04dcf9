import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  appendLink,
  type ChainHead,
  emptyHead,
  headOf,
  type LedgerEntry,
  linkFault,
  verifyChain,
} from '../../../../operators/privacy/ledger/chain.ts'
import type { LedgerRecord } from '../../../../schemas/ledger-record.ts'

const entries: readonly LedgerEntry[] = [
  {
    kind: 'charge',
    domain: 'demo',
    zone: 'de',
    date: '2026-01-15',
    charges: [
      { release: 'interval_sums', level: 'utility', rho: '1/100' },
      { release: 'interval_sums', level: 'feeder', rho: '1/200' },
    ],
    policy: Uint8Array.of(1, 2, 3),
  },
  { kind: 'checkpoint', domain: 'demo', date: '2026-01-15', rhoYear: '3/200', days: 1, seals: 7 },
  {
    kind: 'seal',
    domain: 'demo',
    zone: 'de',
    date: '2026-01-15',
    window: 1_768_431_600_000,
    windowSeconds: 1_800,
    channel: 'import',
    phase: 'preliminary',
    tick: 1_768_434_900_000,
    digest: Uint8Array.of(4, 5),
    count: 0,
    records: Uint8Array.of(6),
  },
]

const chain: LedgerRecord[] = []
for (const entry of entries) chain.push(appendLink(chain.length > 0 ? headOf(chain.at(-1)!) : emptyHead, entry))

describe('ledger chain', () => {
  it('numbers links from 1 and ties each to the one before', () => {
    assert.deepEqual(
      chain.map(({ seq }) => seq),
      [1, 2, 3],
    )
    assert.deepEqual(chain[0]!.prev, new Uint8Array(32))
    assert.deepEqual(chain[1]!.prev, chain[0]!.hash)
    assert.deepEqual(verifyChain(chain), { ok: true, head: { seq: 3, hash: chain[2]!.hash } })
  })

  it('hashes the canonical bytes of a link', () => {
    const text = (value: string): Buffer => {
      const bytes = Buffer.from(value)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return Buffer.concat([length, bytes])
    }
    const number = (value: number): Buffer => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(BigInt(value))
      return bytes
    }
    const prev = Buffer.concat([Buffer.from([0, 0, 0, 32]), chain[0]!.hash])
    const bytes = Buffer.concat([
      text('meterveil/ledger/1'),
      number(2),
      prev,
      ...['demo', 'checkpoint', '2026-01-15', '3/200'].map(text),
      number(1),
    ])
    const hash = (all: Buffer) => createHash('sha256').update(all).digest()
    assert.deepEqual(Buffer.from(chain[1]!.hash), hash(Buffer.concat([bytes, number(7)])))
    const uncounted = appendLink(headOf(chain[0]!), { ...entries[1]!, seals: null } as LedgerEntry)
    assert.deepEqual(Buffer.from(uncounted.hash), hash(bytes), 'a checkpoint from before seals were counted')
  })

  it('notices a change of any field', () => {
    const other = (value: unknown): unknown => {
      if (value instanceof Uint8Array)
        return value.length === 0 ? Uint8Array.of(0) : value.map((b, i) => (i ? b : b ^ 1))
      if (typeof value === 'number') return value + 1
      if (Array.isArray(value)) return value.slice(1)
      return value === 'demo' ? 'other' : `${String(value)}x`
    }
    for (const link of chain) {
      for (const field of Object.keys(link).filter((name) => name !== 'kind')) {
        const changed = { ...link, [field]: other(link[field as keyof LedgerRecord]) } as LedgerRecord
        const before: ChainHead = { seq: link.seq - 1, hash: link.prev }
        assert.equal(linkFault(before, changed), 'altered', `${link.kind}.${field}`)
      }
    }
  })

  const [one, two, three] = chain as [LedgerRecord, LedgerRecord, LedgerRecord]
  const faults: readonly (readonly [string, readonly LedgerRecord[], string, number])[] = [
    ['a gap', [one, three], 'gap', 3],
    ['a missing beginning', [two, three], 'gap', 2],
    ['a twin with the same content', [one, two, two], 'twin', 2],
    ['a twin with other content', [one, two, appendLink(headOf(one), entries[2]!)], 'twin', 2],
    ['another order', [one, three, two], 'gap', 3],
    ['an old link again', [one, two, three, one], 'reordered', 1],
    ['another history', [one, appendLink({ seq: 1, hash: new Uint8Array(32) }, entries[1]!)], 'detached', 2],
    ['another domain', [appendLink(emptyHead, { ...entries[0]!, domain: 'x' })], 'foreign', 1],
  ]
  for (const [what, links, fault, seq] of faults) {
    it(`finds ${what}`, () => {
      assert.deepEqual(verifyChain(links, emptyHead, 'demo'), { ok: false, fault, seq })
    })
  }

  it('verifies from any known head', () => {
    assert.equal(verifyChain([three], headOf(two)).ok, true)
    assert.deepEqual(verifyChain([], headOf(two)), { ok: true, head: headOf(two) })
  })
})
