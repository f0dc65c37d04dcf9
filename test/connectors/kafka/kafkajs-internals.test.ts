import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs, { type Kafka, type Producer, type Transaction } from 'kafkajs'
import type { Log, LogRecord } from '../../../connectors/contract.ts'
import { failureOf } from '../../../connectors/kafka/errors.ts'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { clusterOf } from '../../../connectors/kafka/kafkajs-internals.ts'
import { record, texts, topic } from '../../conformance/log-harness.ts'
import { services } from '../../helpers/services.ts'

const load = createRequire(import.meta.url)
const real = await services({ kafka: true })

test('the version whose inside is used is the one that is installed', () => {
  const { version } = load('kafkajs/package.json') as { version: string }
  assert.equal(version, '2.2.4')
})

test('what is taken from inside kafkajs is there', () => {
  const cluster = clusterOf(new kafkajs.Kafka({ brokers: ['127.0.0.1:1'] }))
  for (const name of ['connect', 'disconnect', 'refreshMetadata', 'findBroker', 'findGroupCoordinator'] as const) {
    assert.equal(typeof cluster[name], 'function', name)
  }
  assert.equal(typeof cluster.brokerPool.findConnectedBroker, 'function')
  assert.equal(typeof cluster.connectionPoolBuilder.build, 'function')
})

test('a connection with nothing to wait for sets no timer, one with a waiting request does', () => {
  const { prototype } = load('kafkajs/src/network/requestQueue') as { prototype: object }
  const queue = (pending: readonly unknown[]) =>
    Object.assign(Object.create(prototype), { pending, throttledUntil: -1, throttleCheckTimeoutId: null }) as {
      throttleCheckTimeoutId: NodeJS.Timeout | null
      scheduleCheckPendingRequests: () => void
    }
  const idle = queue([])
  idle.scheduleCheckPendingRequests()
  assert.equal(idle.throttleCheckTimeoutId, null)
  const busy = queue([{}])
  busy.scheduleCheckPendingRequests()
  assert.notEqual(busy.throttleCheckTimeoutId, null)
  clearTimeout(busy.throttleCheckTimeoutId ?? undefined)
})

describe('kafkajs on a real broker', { skip: real.skip }, () => {
  let kafka: Kafka
  let log: Log
  const producers: Producer[] = []
  before(() => {
    const brokers = real.address('kafka').split(',')
    kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
    log = kafkaLog({ brokers })
  })
  after(async () => {
    for (const producer of producers) await producer.disconnect()
    await log.close()
  })

  const connected = async (transactionalId: string): Promise<Producer> => {
    const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
    producers.push(producer)
    await producer.connect()
    return producer
  }
  const sending = async (transaction: Transaction, name: string, value: string) => {
    await transaction.send({ topic: name, messages: [{ partition: 0, value }] })
  }

  test('connecting fences nobody; an empty transaction does', async () => {
    const name = await topic(log)
    const id = randomUUID()
    const zombie = await connected(id)
    const first = await zombie.transaction()
    await sending(first, name, 'a')
    const owner = await connected(id)
    await first.commit()
    const second = await zombie.transaction()
    await sending(second, name, 'b')
    await (await owner.transaction()).abort()
    await assert.rejects(second.commit(), (error) => failureOf(error).code === 47)
    assert.deepEqual(texts(await readTo(name, 1)), ['a'])
  })

  test('an end that fails kills the producer: neither end nor a new transaction is possible', async () => {
    const name = await topic(log)
    const id = randomUUID()
    const zombie = await connected(id)
    const open = await zombie.transaction()
    await sending(open, name, 'a')
    await (await (await connected(id)).transaction()).abort()
    await assert.rejects(open.commit(), (error) => failureOf(error).code === 47)
    await assert.rejects(open.abort(), /once ended/)
    await assert.rejects(zombie.transaction())
  })

  test('one send is one batch, which a broker refuses over max.message.bytes', async () => {
    const name = await topic(log)
    const producer = kafka.producer()
    producers.push(producer)
    await producer.connect()
    const messages = Array.from({ length: 5_000 }, () => ({ partition: 0, value: Buffer.alloc(250) }))
    await assert.rejects(producer.send({ topic: name, messages }), (error) => failureOf(error).code === 10)
  })

  test('an answer to a commit comes before its markers: the next transaction may meet 51', async () => {
    const name = await topic(log)
    const producer = await connected(randomUUID())
    let met = 0
    for (let turn = 0; turn < 40; turn++) {
      const transaction = await producer.transaction()
      const offsets = { consumerGroupId: name, topics: [{ topic: name, partitions: [{ partition: 0, offset: '1' }] }] }
      for (;;) {
        try {
          await transaction.sendOffsets(offsets)
          break
        } catch (error) {
          assert.ok([51, 14, 15, 16].includes(failureOf(error).code ?? 0), String(error))
          if (failureOf(error).code === 51) met += 1
          await pause(2)
        }
      }
      await sending(transaction, name, `${turn}`)
      await transaction.commit()
    }
    assert.ok(met > 0, 'the retry of sendOffsets is there for a reason')
  })

  test('it asks a group for whatever offset is there: an undecided one is passed over, which ours waits for', async () => {
    const name = await topic(log)
    const producer = await connected(randomUUID())
    const transaction = await producer.transaction()
    const topics = [{ topic: name, partitions: [{ partition: 0, offset: '5' }] }]
    for (let tried = false; !tried; ) {
      tried = await transaction.sendOffsets({ consumerGroupId: name, topics }).then(
        () => true,
        () => pause(5).then(() => false),
      )
    }
    const ours = log.committed(name, name, 0)
    const admin = kafka.admin()
    await admin.connect()
    const [theirs] = await admin.fetchOffsets({ groupId: name, topics: [name] })
    await admin.disconnect()
    assert.equal(theirs?.partitions[0]?.offset, '-1')
    await transaction.commit()
    assert.equal(await ours, 5n)
  })

  test('records of a partition that it has not heard of are dropped without a word, so we refuse them', async () => {
    const name = await topic(log)
    const producer = kafka.producer()
    producers.push(producer)
    await producer.connect()
    await producer.send({ topic: name, messages: [{ partition: 7, value: 'gone' }] })
    await assert.rejects(log.append([record(name, 'x', 7)]), { code: 'topic_unknown' })
  })

  async function readTo(name: string, count: number) {
    const reader = await log.read(name, 0, 0n, 'read_committed')
    const records: LogRecord[] = []
    while (records.length < count) {
      records.push(...(await reader.poll({ maxRecords: 100, maxBytes: 1_000_000, waitMs: 1_000 })).records)
    }
    await reader.close()
    return records
  }
})
