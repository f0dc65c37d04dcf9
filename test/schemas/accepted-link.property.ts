// Links read where they lie say the same as the codec's, of the same bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AcceptedBatch, acceptedBatchCodec, type ChangedCells } from '../../schemas/accepted-batch.ts'
import { hashPlace, readHead, scanCells } from '../../schemas/accepted-link.ts'
import { CodecError } from '../../schemas/codec.ts'
import { records } from './records.ts'

const numRuns = Math.ceil(Number(process.env['MV_CASES'] ?? 3000) / 5)
const links = records['meter.accepted'] as fc.Arbitrary<AcceptedBatch>

function scanned(body: Uint8Array): AcceptedBatch {
  const tables: (ChangedCells & { cells: ChangedCells['cells'][number][] })[] = []
  scanCells(body, {
    table: (table) => void tables.push({ table, cells: [] }),
    cell: (index, day, from, to) =>
      void tables.at(-1)!.cells.push({ index, day, value: Buffer.from(body.subarray(from, to)) }),
  })
  const { prev, hash, ...head } = readHead(body)
  return { ...head, prev: Buffer.from(prev), hash: Buffer.from(hash), tables }
}

function orRefused<T>(read: () => T): T | 'refused' {
  try {
    return read()
  } catch (error) {
    assert.ok(error instanceof CodecError)
    return 'refused'
  }
}

test('a link read where it lies is what the codec decodes', () => {
  fc.assert(
    fc.property(links, (link) => {
      const body = acceptedBatchCodec.encode(link)
      assert.deepEqual(scanned(body), link)
      assert.deepEqual(body.subarray(hashPlace(body), hashPlace(body) + 32), link.hash)
    }),
    { numRuns },
  )
})

test('numbers of every size are read as the codec reads them', () => {
  const around = (power: number) => [-(2 ** power), 1 - 2 ** power, 2 ** power - 1, 2 ** power]
  const ints = Array.from({ length: 31 }, (_, power) => around(power)).flat()
  const cells = ints.map((index) => ({ index, day: -1 - index, value: Buffer.alloc(0) }))
  const [body] = fc.sample(links, 1)
  for (let power = 0; power < 52; power++) {
    for (const seq of around(power)) {
      const link = { ...body!, seq, floor: seq, tables: [{ table: 't', cells }] }
      assert.deepEqual(scanned(acceptedBatchCodec.encode(link)), link)
    }
  }
})

/** A record whose first cell has these bytes in place of its index. */
function withIndex(number: readonly number[]): Uint8Array {
  const cells = [{ index: 1, day: 2, value: Buffer.from([3]) }]
  const [link] = fc.sample(links, 1)
  const whole = acceptedBatchCodec.encode({ ...link!, tables: [{ table: 't', cells }] })
  // Behind it stand the day, the length and byte of the value, and the ends of both arrays.
  return Buffer.concat([whole.subarray(0, whole.length - 6), Buffer.from(number), whole.subarray(whole.length - 5)])
}

for (const [what, make] of Object.entries({
  'a number of six bytes': () => withIndex([0x80, 0x80, 0x80, 0x80, 0x80, 0]),
  'a number beyond 32 bits': () => withIndex([0xff, 0xff, 0xff, 0xff, 0x1f]),
  'a sequence beyond 53 bits': () => {
    const body = acceptedBatchCodec.encode(fc.sample(links, 1)[0]!)
    const from = hashPlace(body) - 32
    return Buffer.concat([body.subarray(0, 1), Buffer.alloc(8, 0xff), Buffer.from([0x7f]), body.subarray(from)])
  },
  'a byte behind the record': () => Buffer.concat([withIndex([2]), Buffer.from([0])]),
})) {
  test(`${what} is refused, as the codec does`, () => {
    assert.doesNotThrow(() => scanned(withIndex([2])))
    const body = make()
    assert.throws(() => acceptedBatchCodec.decode(body), CodecError)
    assert.throws(() => scanned(body), CodecError)
  })
}

test('bytes that the codec refuses are refused, and others say the same', () => {
  const mutation = fc.record({ at: fc.nat(), to: fc.nat(255) })
  let refused = 0
  fc.assert(
    fc.property(links, fc.array(mutation, { minLength: 1, maxLength: 3 }), fc.nat(3), (link, mutations, cut) => {
      const whole = acceptedBatchCodec.encode(link)
      for (const { at, to } of mutations) whole[at % whole.length] = to
      const body = whole.subarray(0, whole.length - cut)
      const decoded = orRefused(() => acceptedBatchCodec.decode(body))
      if (decoded === 'refused') refused++
      assert.deepEqual(
        orRefused(() => scanned(body)),
        decoded,
      )
    }),
    { numRuns },
  )
  assert.ok(refused > 0)
})

test('the hash stands behind kind, seq and prev, by which links of every version are verified', () => {
  const { fields } = JSON.parse(acceptedBatchCodec.schema) as { fields: { name: string }[] }
  assert.deepEqual(
    fields.slice(0, 4).map(({ name }) => name),
    ['kind', 'seq', 'prev', 'hash'],
  )
})
