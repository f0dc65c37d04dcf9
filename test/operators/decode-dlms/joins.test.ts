import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import type { DecodeContext, Decoded } from '../../../operators/decode-dlms/types.ts'
import {
  decodePending,
  encodePending,
  nothingPending,
  type Pending,
} from '../../../operators/decode-dlms/wire/pending.ts'
import { WireError } from '../../../operators/decode-dlms/wire/reasons.ts'
import { bytes, generalGlo, hdlc, joined, keysFor, mbus, plainContext, sized } from './make.ts'

const push = bytes('0f 00000001 00 0203 0600001391 1105 1206ab')
const llc = bytes('e6e700')

function feed(units: readonly Uint8Array[], base: DecodeContext, seconds = 1): readonly Decoded[] {
  let pending: Pending = nothingPending
  let receivedAt = 1_700_000_000_000
  return units.map((unit) => {
    // The state travels as bytes, as it does through a changelog.
    const before = decodePending(encodePending(pending))
    assert.deepEqual(encodePending(before), encodePending(pending))
    const decoded = decode(unit, { ...base, pending: before, receivedAt })
    pending = decoded.pending
    receivedAt += seconds * 1000
    return decoded
  })
}

function short(decoded: Decoded): string {
  return decoded.outcome === 'refused' ? decoded.reason : decoded.outcome
}

function parts(data: Uint8Array, size: number): readonly Uint8Array[] {
  const all: Uint8Array[] = []
  for (let at = 0; at < data.length; at += size) all.push(data.subarray(at, at + size))
  return all
}

const pieces = parts(push, 5)
const last = pieces.length - 1

function segments(control: (k: number) => number, to = '41'): Uint8Array[] {
  return pieces.map((piece, k) =>
    hdlc(k === 0 ? joined(llc, piece) : piece, { segmented: k < last, control: control(k), to }),
  )
}

function block(number: number, data: Uint8Array, final: boolean): Uint8Array {
  return joined(Uint8Array.of(0xe0, final ? 0xc0 : 0x40, 0, number, 0, 0), sized(data))
}

function datablock(number: number, data: Uint8Array, final: boolean): Uint8Array {
  return joined(Uint8Array.of(0xc4, 0x02, 0xc1, final ? 1 : 0, 0, 0, 0, number, 0x00), sized(data))
}

const unnumbered = segments(() => 0x13) as [Uint8Array, Uint8Array, Uint8Array, ...Uint8Array[]]
const numbered = segments((k) => (k << 1) | 0x10) as [Uint8Array, Uint8Array, Uint8Array, ...Uint8Array[]]
const blocks = pieces.map((piece, k) => block(k + 1, piece, k === last)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  ...Uint8Array[],
]
const value = push.subarray(6)
const answers = parts(value, 5).map((piece, k, all) => datablock(k + 1, piece, k === all.length - 1)) as [
  Uint8Array,
  Uint8Array,
  ...Uint8Array[],
]
const sequences = pieces.map((piece, k) => mbus(piece, k | (k === last ? 0x10 : 0))) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  ...Uint8Array[],
]
const link = plainContext('hdlc')
const bare = plainContext('apdu')
const wired = plainContext('mbus')
const waits = (count: number): string[] => new Array<string>(count).fill('pending')

describe('joins', () => {
  it('are tried on a message that takes four parts', () => assert.equal(pieces.length, 4))

  const cases: readonly (readonly [string, DecodeContext, readonly Uint8Array[], readonly string[]])[] = [
    ['HDLC segments without numbers', link, unnumbered, [...waits(3), 'message']],
    ['HDLC segments with numbers', link, numbered, [...waits(3), 'message']],
    [
      'a numbered segment sent twice',
      link,
      [numbered[0], numbered[1], numbered[1], ...numbered.slice(2)],
      [...waits(4), 'message'],
    ],
    [
      'a lost numbered segment',
      link,
      [numbered[0], ...numbered.slice(2)],
      ['pending', 'segment_missing', 'segment_missing'],
    ],
    [
      'a lost unnumbered segment, seen when the data does not fit',
      link,
      [unnumbered[0], ...unnumbered.slice(2)],
      ['pending', 'pending', 'segment_missing'],
    ],
    [
      'segments of another address in between',
      link,
      [unnumbered[0], segments(() => 0x13, '43')[1] as Uint8Array],
      ['pending', 'segment_missing'],
    ],
    [
      'a message that begins before the one before it has ended',
      link,
      [unnumbered[0], ...unnumbered],
      [...waits(4), 'message'],
    ],
    [
      'an acknowledgement between segments',
      link,
      [unnumbered[0], hdlc(new Uint8Array(0), { control: 0x51 }), ...unnumbered.slice(1)],
      ['pending', 'link', 'pending', 'pending', 'message'],
    ],
    [
      'a damaged unit between segments',
      link,
      [unnumbered[0], unnumbered[1].subarray(0, 9), ...unnumbered.slice(1)],
      ['pending', 'frame_truncated', 'pending', 'pending', 'message'],
    ],
    ['M-Bus sequences', wired, sequences, [...waits(3), 'message']],
    ['M-Bus sequences out of order', wired, [sequences[0], sequences[2]], ['pending', 'segment_missing']],
    ['an M-Bus sequence without its beginning', wired, [sequences[last] as Uint8Array], ['segment_missing']],
    ['general block transfer', bare, blocks, [...waits(3), 'message']],
    ['a block sent twice', bare, [blocks[0], blocks[1], blocks[1], ...blocks.slice(2)], [...waits(4), 'message']],
    [
      'a block number with other content',
      bare,
      [blocks[0], blocks[1], block(2, bytes('00'), false)],
      ['pending', 'pending', 'block_missing'],
    ],
    ['a lost block', bare, [blocks[0], blocks[2]], ['pending', 'block_missing']],
    ['a block without its beginning', bare, [blocks[1]], ['block_missing']],
    ['a transfer that starts anew', bare, [blocks[0], blocks[1], ...blocks], [...waits(5), 'message']],
    ['a transfer inside a transfer', bare, [block(1, block(1, push, true), true)], ['apdu_unknown_tag']],
    ['get-response blocks', bare, answers, [...waits(answers.length - 1), 'message']],
    ['a lost get-response block', bare, [answers[0], answers[2] as Uint8Array], ['pending', 'block_missing']],
  ]
  for (const [what, context, units, outcomes] of cases) {
    it(`take ${what}`, () => assert.deepEqual(feed(units, context).map(short), outcomes))
  }

  it('forget what was open after a gap', () => {
    const [, refused] = feed([blocks[0], blocks[2]], bare)
    assert.deepEqual(refused?.pending, nothingPending)
  })

  it('tell that a transfer was begun anew and the old one given up', () => {
    const [, , again] = feed([blocks[0], blocks[1], blocks[0]], bare)
    assert.equal(again?.path.restarted, true)
    assert.equal(again?.path.abandoned, 'block_missing')
  })

  it('give up parts that came too long ago', () => {
    assert.deepEqual(feed(unnumbered, link, 121).map(short), [
      'pending',
      'segment_missing',
      'segment_missing',
      'segment_missing',
    ])
    const [, late] = feed(blocks, bare, 121)
    assert.equal(late?.path.abandoned, 'segment_expired')
  })

  it('never hold more than the limit', () => {
    const joinLimits = { bytes: 12, millis: 60_000 }
    assert.deepEqual(feed(unnumbered, { ...link, joinLimits }).map(short), [
      'pending',
      'pending',
      'frame_oversize',
      'segment_missing',
    ])
    assert.deepEqual(feed(blocks, { ...bare, joinLimits }).map(short), [
      'pending',
      'pending',
      'frame_oversize',
      'block_missing',
    ])
  })

  it('take ciphering inside and around block transfer', () => {
    const keys = keysFor(0)
    const context: DecodeContext = { transport: 'apdu', keys: () => keys }
    const inside = parts(generalGlo(push, 0x30, 1), 20).map((piece, k, all) =>
      block(k + 1, piece, k === all.length - 1),
    )
    assert.equal(short(feed(inside, context).at(-1) as Decoded), 'message')
    const around = pieces.map((piece, k) => generalGlo(block(k + 1, piece, k === last), 0x30, k + 1))
    const decoded = feed(around, context).at(-1) as Decoded
    assert.equal(decoded.outcome === 'message' && decoded.trust.tag, 'verified')
  })

  it('refuse a plain block among ciphered ones', () => {
    const keys = keysFor(0)
    const units = [generalGlo(blocks[0], 0x30, 1), blocks[1]]
    assert.deepEqual(feed(units, { transport: 'apdu', keys: () => keys }).map(short), ['pending', 'block_missing'])
  })

  it('refuse state of another version or with bytes too many', () => {
    const state = encodePending((feed([unnumbered[0]], link)[0] as Decoded).pending)
    for (const wrong of [
      joined(Uint8Array.of(9), state.subarray(1)),
      joined(state, Uint8Array.of(0)),
      state.subarray(0, 9),
    ]) {
      assert.throws(() => decodePending(wrong), WireError)
    }
  })
})
