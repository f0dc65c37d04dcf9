import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import type { Log } from '../../../connectors/contract.ts'
import { type KafkaLogOptions, kafkaLog } from '../../../connectors/kafka/index.ts'
import { eventually, open, readAll, record, steadily, text, topic, unique } from '../../conformance/log-harness.ts'
import { services } from '../../helpers/services.ts'

const real = await services({ kafka: true })

describe('options of the log over Kafka', { skip: real.skip }, () => {
  const logs: Log[] = []
  const connect = (options: Partial<KafkaLogOptions> = {}): Log => {
    const log = kafkaLog({ brokers: real.address('kafka').split(','), ...options })
    logs.push(log)
    return log
  }
  after(async () => {
    await Promise.all(logs.map((log) => log.close()))
  })

  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    test(`records sent with compression ${compression} reach our readers and those of kafkajs`, async () => {
      const log = connect({ compression })
      const name = await topic(log)
      const transactor = await open(log)
      await transactor.begin()
      const values = Array.from({ length: 500 }, (_, index) => `${index}`.padEnd(300, 'x'))
      await transactor.send(values.map((value) => ({ ...record(name, value, 0, 'k'), headers: { a: 'b' } })))
      await transactor.commit()
      await transactor.close()
      const { records } = await readAll(log, name)
      assert.deepEqual(
        records.map(({ value, headers }) => [text(value), { ...headers }]),
        values.map((value) => [value, { a: 'b' }]),
      )

      const client = new kafkajs.Kafka({
        brokers: real.address('kafka').split(','),
        logLevel: kafkajs.logLevel.NOTHING,
      })
      const consumer = client.consumer({ groupId: unique('group') })
      await consumer.connect()
      await consumer.subscribe({ topic: name, fromBeginning: true })
      const seen: string[] = []
      await consumer.run({ eachMessage: async ({ message }) => void seen.push(`${message.value}`) })
      await eventually('the consumer has all', () => seen.length >= values.length)
      await consumer.disconnect()
      assert.deepEqual(seen, values)
    })
  }

  test('a member that is gone without a word loses its partitions when its session times out', async () => {
    const options = { sessionTimeoutMs: 1_500 }
    const [dying, living] = [connect(options), connect(options)]
    const name = await topic(living, { partitions: 2 })
    const group = unique('group')
    const owned = { dying: new Set<number>(), living: new Set<number>() }
    const handlers = (own: Set<number>) => ({
      assigned: async (partitions: readonly number[]) => partitions.forEach((partition) => void own.add(partition)),
      revoked: async () => own.clear(),
    })
    await steadily(() => dying.join(group, name, handlers(owned.dying)))
    await eventually('it has both', () => owned.dying.size === 2)
    const membership = await steadily(() => living.join(group, name, handlers(owned.living)))
    await eventually('each has one', () => owned.dying.size === 1 && owned.living.size === 1)
    await dying.close()
    await eventually('the other has both', () => owned.living.size === 2)
    await membership.leave()
  })

  test('a member that reads nothing for longer than its session keeps its partitions, and reads on where it stopped', async () => {
    const log = connect({ sessionTimeoutMs: 1_500 })
    const name = await topic(log)
    const group = unique('group')
    const given: (readonly number[])[] = []
    let revoked = 0
    const membership = await steadily(() =>
      log.join(group, name, {
        assigned: async (partitions) => void given.push(partitions),
        revoked: async () => {
          revoked += 1
        },
      }),
    )
    await eventually('it has the partition', () => given.length === 1)
    await log.append(['a', 'b'].map((value) => record(name, value)))
    const reader = await log.read(name, 0, 0n, 'read_committed')
    const first = await reader.poll({ maxRecords: 1, maxBytes: 1_000, waitMs: 5_000 })
    await pause(4_000)
    assert.deepEqual([given.length, revoked, await membership.owns(0)], [1, 0, true])
    const second = await reader.poll({ maxRecords: 1, maxBytes: 1_000, waitMs: 5_000 })
    assert.deepEqual(
      [...first.records, ...second.records].map(({ value }) => text(value)),
      ['a', 'b'],
    )
    await reader.close()
    await membership.leave()
  })

  test('a topic can have a number of replicas, which must be possible', async () => {
    const log = connect({ replicationFactor: 99 })
    const spec = {
      name: unique('topic'),
      partitions: 1,
      timestamps: 'append',
      cleanup: 'delete',
      retentionMs: null,
    } as const
    await assert.rejects(log.createTopics([spec]), { code: 'topic_differs' })
  })

  test('what the client has to say is told to whom it may concern, without record content', async () => {
    const told: string[] = []
    const log = connect({
      brokers: ['127.0.0.1:1'],
      deadlineMs: 300,
      onDiagnostic: (_, message) => void told.push(message),
    })
    await assert.rejects(log.append([record('t', 'secret content')]))
    assert.ok(told.some((message) => message.includes('127.0.0.1:1')))
    assert.ok(!told.some((message) => message.includes('secret content')))
  })

  test('a closed log refuses every call', async () => {
    const log = connect()
    const name = await topic(log)
    const reader = await log.read(name, 0, 0n, 'read_committed')
    await log.close()
    for (const call of [
      () => log.partitions(name),
      () => log.append([record(name, 'x')]),
      () => log.open('id', { timeoutMs: 1_000 }),
      () => reader.poll({ maxRecords: 1, maxBytes: 1, waitMs: 0 }),
    ]) {
      await assert.rejects(call, { code: 'closed' })
    }
  })
})
