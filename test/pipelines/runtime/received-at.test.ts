import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecord } from '../../../connectors/contract.ts'
import { decodeRecords, type TaskContext } from '../../../pipelines/runtime/task.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const source = toyTopic<string, 'identified'>('items', 'identified')
const wire = { encode: () => new Uint8Array(), decode: () => 'item' }
const task = { pipeline: { source }, partition: 0, wire } as unknown as TaskContext
const record = (offset: number, timestamp: number): LogRecord => ({
  offset: BigInt(offset),
  timestamp,
  key: null,
  value: new Uint8Array(),
  headers: {},
})

test('the time of receipt never goes back within a partition, whatever clock stamped the records', () => {
  const { batch } = decodeRecords(task, [record(0, 90), record(1, 120), record(2, 110), record(3, 130)], 100)
  assert.deepEqual(
    batch.map(({ origin }) => origin.receivedAt),
    [100, 120, 120, 130],
  )
})
