import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LogError, type OutgoingRecord } from '../../../connectors/contract.ts'
import { portMessage } from '../../../connectors/kafka/produce-request.ts'
import { cutIntoSends, maxBatchBytes, maxRecordBytes } from '../../../connectors/kafka/sends.ts'

const record = (topic: string, partition: number, bytes: number): OutgoingRecord => ({
  topic,
  partition,
  key: null,
  value: new Uint8Array(bytes),
})

test('no records make no send', () => {
  assert.deepEqual(cutIntoSends([]), [])
})

test('a record larger than a batch should be goes alone, one larger than a batch may be is refused', () => {
  const sends = cutIntoSends([record('t', 0, 10), record('t', 0, maxRecordBytes), record('t', 0, 10)])
  assert.deepEqual(
    sends.map((send) => send.map(({ batches }) => batches.flat().length)),
    [[1], [1], [1]],
  )
  assert.throws(
    () => cutIntoSends([record('t', 0, 10), record('t', 0, maxRecordBytes + 1)]),
    (error) => error instanceof LogError && error.code === 'record_too_large',
  )
})

test('keys, values, headers and stamps reach the message as they are', () => {
  const headers = { 'privacy-label': 'identified' }
  const key = Uint8Array.of(1, 2)
  const sends = cutIntoSends([
    { topic: 't', partition: 3, key, value: null, headers, timestamp: 0 },
    { topic: 't', partition: 3, key: null, value: new Uint8Array(0) },
  ])
  assert.deepEqual(sends, [
    [
      {
        topic: 't',
        batches: [
          [
            { [portMessage]: true, partition: 3, key: Buffer.of(1, 2), value: null, headers, timestamp: '0' },
            { [portMessage]: true, partition: 3, key: null, value: Buffer.alloc(0) },
          ],
        ],
      },
    ],
  ])
})

test('records stay in order, whole, and in batches of bounded size', () => {
  const arbitrary = fc.array(
    fc.record({
      topic: fc.constantFrom('a', 'b'),
      partition: fc.nat(2),
      bytes: fc.oneof(fc.nat(1_000), fc.integer({ min: 100_000, max: maxRecordBytes })),
    }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(arbitrary, (shapes) => {
      const records = shapes.map(({ topic, partition, bytes }) => record(topic, partition, bytes))
      const sends = cutIntoSends(records)
      for (const place of ['a0', 'a1', 'a2', 'b0', 'b1', 'b2']) {
        const batches = sends.map((send) =>
          send.flatMap(({ topic, batches }) =>
            batches
              .flat()
              .filter(({ partition }) => `${topic}${partition}` === place)
              .map(({ value }) => value as Buffer),
          ),
        )
        for (const batch of batches) {
          const bytes = batch.reduce((sum, value) => sum + value.length + 24, 0)
          assert.ok(batch.length <= 1 || bytes <= maxBatchBytes)
        }
        const expected = records.filter(({ topic, partition }) => `${topic}${partition}` === place)
        assert.deepEqual(
          batches.flat().map((value) => value.buffer),
          expected.map(({ value }) => value!.buffer),
        )
      }
    }),
    { numRuns: Number(process.env['MV_CASES'] ?? 200) > 200 ? 2_000 : 200 },
  )
})
