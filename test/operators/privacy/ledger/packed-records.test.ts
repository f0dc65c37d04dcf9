import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import {
  PackError,
  packRecords,
  unlinkedHash,
  unpackRecords,
} from '../../../../operators/privacy/ledger/packed-records.ts'

const hash = new Uint8Array(32).fill(0xab)
const record = (key: string, body: Uint8Array) => ({ key, bytes: new Uint8Array([...body, ...unlinkedHash]) })
const published = (key: string, body: Uint8Array) => ({ key, bytes: new Uint8Array([...body, ...hash]) })

describe('packed records', () => {
  it('come out in order with the hash of their link at the end', () => {
    const bodies = [Uint8Array.of(1, 2), new Uint8Array(0), new Uint8Array(300).fill(9)]
    const packed = packRecords(bodies.map((body, i) => record(`feeder/${i}`, body)))
    assert.deepEqual(
      unpackRecords(packed, hash, 3),
      bodies.map((body, i) => published(`feeder/${i}`, body)),
    )
  })

  it('come out as they went in, whatever they are', () => {
    const entries = fc.array(
      fc.tuple(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.uint8Array({ maxLength: 300 })),
    )
    fc.assert(
      fc.property(entries, (list) => {
        const packed = packRecords(list.map(([key, body]) => record(key, body)))
        assert.deepEqual(
          unpackRecords(packed, hash, list.length),
          list.map(([key, body]) => published(key, body)),
        )
      }),
      { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 5000) / 10) },
    )
  })

  it('refuse a record without the place for the hash', () => {
    for (const bytes of [hash, new Uint8Array(31), new Uint8Array(0)]) {
      assert.throws(() => packRecords([{ key: 'k', bytes }]), PackError)
    }
  })

  const good = packRecords([record('feeder/1', Uint8Array.of(1, 2, 3))])
  const plain = inflateRawSync(good)
  const faults: readonly (readonly [string, Uint8Array, number])[] = [
    ['another count', good, 2],
    ['bytes that are no pack', Uint8Array.of(1, 2, 3), 1],
    ['an unknown version', deflateRawSync(Buffer.from([9, ...plain.subarray(1)])), 1],
    ['bytes after the last record', deflateRawSync(Buffer.concat([plain, Buffer.of(0)])), 1],
    ['a number without an end', deflateRawSync(Buffer.from([1, 0x80, 0x80, 0x80, 0x80, 0x80])), 1],
  ]
  for (const [what, packed, count] of faults) {
    it(`refuse ${what}`, () => {
      assert.throws(() => unpackRecords(packed, hash, count), PackError)
    })
  }

  it('refuse a pack cut anywhere', () => {
    for (let length = 0; length < plain.length; length++) {
      assert.throws(() => unpackRecords(deflateRawSync(plain.subarray(0, length)), hash, 1), PackError)
    }
  })

  it('refuse a pack that inflates beyond all measure', () => {
    const bomb = deflateRawSync(new Uint8Array(65 * 1_024 * 1_024))
    assert.throws(() => unpackRecords(bomb, hash, 1), PackError)
  })
})
