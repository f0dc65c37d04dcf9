import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { canonical } from '../../../../operators/privacy/ledger/canonical.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('canonical bytes', () => {
  it('carry the length of texts and bytes, and numbers in eight bytes', () => {
    const bytes = canonical('d').text('é').integer(258).integer(-1n).bytes(Uint8Array.of(7)).finish()
    assert.equal(hex(bytes), '0000000164' + '00000002c3a9' + '0000000000000102' + 'ffffffffffffffff' + '0000000107')
  })

  for (const number of [0, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), -(2 ** 32) - 1, 2 ** 53 - 1, 1 - 2 ** 53]) {
    it(`are the same of ${number} as a number and as a bigint`, () => {
      assert.equal(hex(canonical('d').integer(number).finish()), hex(canonical('d').integer(BigInt(number)).finish()))
    })
  }

  for (const text of ['', 'é', '😀', '\ud800', 'ab\udc00', '€'.repeat(2_000)]) {
    it(`are those of the bytes of a text of ${text.length} units`, () => {
      const bytes = hex(canonical('d').bytes(Buffer.from(text)).integer(1).finish())
      assert.equal(hex(canonical('d').text(text).integer(1).finish()), bytes)
    })
  }

  it('differ where fields are cut differently', () => {
    assert.notEqual(
      hex(canonical('d').text('ab').text('c').finish()),
      hex(canonical('d').text('a').text('bc').finish()),
    )
  })

  it('differ by purpose', () => {
    assert.notEqual(hex(canonical('a').text('x').finish()), hex(canonical('b').text('x').finish()))
  })

  it('hold more than the first buffer', () => {
    const writer = canonical('d')
    for (let i = 0; i < 1_000; i++) writer.integer(i)
    writer.bytes(new Uint8Array(10_000).fill(1))
    assert.equal(writer.finish().length, 5 + 8_000 + 4 + 10_000)
  })

  for (const number of [0.5, Number.NaN, 2 ** 53]) {
    it(`refuse the number ${number}`, () => {
      assert.throws(() => canonical('d').integer(number), RangeError)
    })
  }
})
