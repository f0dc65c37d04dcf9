import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { services } from '../../helpers/services.ts'

const real = await services({ kafka: true })
const what =
  'a broker takes a small batch that unpacks to more than may be held; who asks is told its offsets, and reads on'

test(what, { skip: real.skip }, async () => {
  const brokers = real.address('kafka').split(',')
  const log = kafkaLog({ brokers })
  const producer = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).producer()
  const topic = `oversize-${randomUUID()}`
  const small = { topic, partition: 0, key: null, value: Buffer.from('small') }
  await log.createTopics([{ name: topic, partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null }])
  await log.append([small])
  await producer.connect()
  const messages = Array.from({ length: 70 }, () => ({ partition: 0, value: Buffer.alloc(1_000_000) }))
  await producer.send({ topic, messages, compression: kafkajs.CompressionTypes.GZIP })
  await producer.disconnect()
  await log.append([small])

  const poll = { maxRecords: 10, maxBytes: 1_000_000, waitMs: 1_000 }
  const told = await log.read(topic, 0, 0n, 'read_committed', 'tell')
  const found: unknown[] = []
  for (let next = 0n; next < 72n; ) {
    const fetched = await told.poll(poll)
    for (const { offset, through, value } of fetched.records)
      found.push([offset, through, (value?.length ?? 0) < 100_000])
    next = fetched.next
  }
  assert.deepEqual(found, [
    [0n, undefined, true],
    [1n, 70n, true],
    [71n, undefined, true],
  ])
  await told.close()

  const strict = await log.read(topic, 0, 1n, 'read_committed')
  await assert.rejects(strict.poll(poll), { code: 'record_invalid', message: /offsets 1 to 70 / })
  await strict.close()
  await log.close()
})
