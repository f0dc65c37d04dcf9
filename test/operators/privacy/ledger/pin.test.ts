import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HistoryBehindError } from '../../../../operators/contract/halt.ts'
import { appendLink, type ChainHead, emptyHead, headOf } from '../../../../operators/privacy/ledger/chain.ts'
import {
  comparePin,
  formatPin,
  PinError,
  type PinStanding,
  parsePin,
  requirePinned,
} from '../../../../operators/privacy/ledger/pin.ts'
import type { LedgerRecord } from '../../../../schemas/ledger-record.ts'

const chainOf = (rho: string, length: number): LedgerRecord[] => {
  const chain: LedgerRecord[] = []
  for (let n = 1; n <= length; n++) {
    const head = chain.length > 0 ? headOf(chain.at(-1)!) : emptyHead
    chain.push(
      appendLink(head, { kind: 'checkpoint', domain: 'demo', date: '2026-01-15', rhoYear: rho, days: n, seals: 0 }),
    )
  }
  return chain
}
const chain = chainOf('1/100', 6)
const other = chainOf('1/200', 6)
const pin = headOf(chain[3]!)

const standings: readonly (readonly [string, ChainHead, readonly LedgerRecord[], PinStanding])[] = [
  ['a ledger that went on', pin, chain, 'holds'],
  ['a ledger that ends at the pin', pin, chain.slice(0, 4), 'holds'],
  ['a ledger that was rolled back', pin, chain.slice(0, 3), 'ends before'],
  ['an empty ledger', pin, [], 'ends before'],
  ['another history', pin, other, 'differs'],
  ['a part that begins at the pin', pin, chain.slice(3), 'holds'],
  ['a part that begins behind the pin, whose link names it', pin, chain.slice(4), 'holds'],
  ['such a part of another history', pin, other.slice(4), 'differs'],
  ['a part that begins later', pin, chain.slice(5), 'begins after'],
  ['an empty ledger and the pin of one', emptyHead, [], 'holds'],
  ['a ledger that went on from the pin of an empty one', emptyHead, chain, 'holds'],
]

describe('a pinned head', () => {
  for (const [what, head, history, standing] of standings) {
    it(`${standing}: ${what}`, () => {
      assert.equal(comparePin(head, history), standing)
      const check = () => requirePinned(head, history)
      if (standing === 'holds') return check()
      const reasons = { 'ends before': 'pin_behind', 'begins after': 'pin_gap', differs: 'pin_differs' }
      assert.throws(check, { name: 'HaltError', reason: reasons[standing] })
      assert.equal(standing === 'ends before', thrown(check) instanceof HistoryBehindError)
    })
  }

  it('is one line that comes back as it was', () => {
    const text = formatPin({ domain: 'demo', ...pin })
    assert.match(text, /^\{"domain":"demo","seq":4,"hash":"[0-9a-f]{64}"\}\n$/)
    assert.deepEqual(parsePin(text), { domain: 'demo', ...pin })
  })

  const good = JSON.parse(formatPin({ domain: 'demo', ...pin })) as object
  for (const [what, text] of [
    ['nothing', ''],
    ['no JSON', 'seq 4'],
    ['null', 'null'],
    ['a long text', `"${'x'.repeat(2_000)}"`],
    ['no domain', JSON.stringify({ ...good, domain: '' })],
    ['a number below nothing', JSON.stringify({ ...good, seq: -1 })],
    ['half a number', JSON.stringify({ ...good, seq: 1.5 })],
    ['a lost day of no calendar', JSON.stringify({ ...good, unproven: '2026-02-30' })],
    ['a short hash', JSON.stringify({ ...good, hash: 'abcd' })],
  ] as const) {
    it(`is not read from ${what}`, () => assert.throws(() => parsePin(text), PinError))
  }
})

function thrown(act: () => void): unknown {
  try {
    act()
    return undefined
  } catch (error) {
    return error
  }
}
