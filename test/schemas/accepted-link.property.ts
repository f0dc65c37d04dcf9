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
