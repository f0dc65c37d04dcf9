import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createAppender } from '../../../connectors/kafka/appender.ts'
import type { Directory } from '../../../connectors/kafka/directory.ts'
import { withDefaults } from '../../../connectors/kafka/options.ts'
import { record } from '../../conformance/log-harness.ts'
import { lateBroker } from './late-broker.ts'

const directory = { requirePartition: async () => {} } as unknown as Directory

test('a producer that connects after its append was given up is disconnected', async () => {
  const { kafka, made, live } = lateBroker('connect', 300)
  const appender = createAppender(kafka, directory, withDefaults({ brokers: [], deadlineMs: 100 }))
  for (let turn = 0; turn < 5; turn++) await assert.rejects(appender.append([record('t', 'x')]), { code: 'retriable' })
  await appender.close()
  await pause(500)
  assert.deepEqual([made(), live()], [5, 0])
})

test('the producer of an append that connected in time is kept for the next, until the end', async () => {
  const { kafka, made, live } = lateBroker('connect', 10)
  const appender = createAppender(kafka, directory, withDefaults({ brokers: [], deadlineMs: 5_000 }))
  for (let turn = 0; turn < 3; turn++) await appender.append([record('t', 'x')])
  assert.deepEqual([made(), live()], [1, 1])
  await appender.close()
  assert.equal(live(), 0)
})
