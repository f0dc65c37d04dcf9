import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import kafkajs, { type AclEntry } from 'kafkajs'
import type { Log, TopicSpec } from '../../../connectors/contract.ts'
import { type KafkaLogOptions, kafkaLog } from '../../../connectors/kafka/index.ts'
import { inspectKafka } from '../../../connectors/kafka/inspect.ts'
import { commitAll, eventually, record, rejectsWith, texts } from '../../conformance/log-harness.ts'
import { ownServices } from '../../helpers/services.ts'

const own = await ownServices({ kafka: true }, { principals: ['pipeline', 'analyst'] })
after(() => own.stop())

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

const spec = (name: string): TopicSpec => ({
  name,
  partitions: 1,
  timestamps: 'append',
  cleanup: 'delete',
  retentionMs: null,
})

const rights = [
  ['pipeline', 'TOPIC', 'raw', 'READ'],
  ['pipeline', 'TOPIC', 'bills', 'READ'],
  ['pipeline', 'TOPIC', 'public', 'WRITE'],
  ['pipeline', 'GROUP', 'load', 'READ'],
  ['pipeline', 'TRANSACTIONAL_ID', 'load-', 'WRITE'],
  ['pipeline', 'TRANSACTIONAL_ID', 'load-', 'DESCRIBE'],
  ['analyst', 'TOPIC', 'public', 'READ'],
] as const

describe('the log over a secured Kafka', { skip: own.skip }, () => {
  const logs: Log[] = []
  const connect = (options: Omit<KafkaLogOptions, 'brokers'>, brokers = own.address('kafka')): Log => {
    const log = kafkaLog({ brokers: brokers.split(','), deadlineMs: 10_000, ...options })
    logs.push(log)
    return log
  }
  const certified = (principal: string) => {
    const { ca, cert, key } = own.credentials(principal)
    return { ca, cert, key }
  }
  const withPassword = (username: string, password: string): Omit<KafkaLogOptions, 'brokers'> => ({
    ssl: { ca: own.credentials(username).ca },
    sasl: { mechanism: 'scram-sha-512', username, password },
  })
  let pipeline: Log
  let analyst: Log

  before(async () => {
    const admin = connect({ ssl: certified('admin') })
    await admin.createTopics([spec('raw'), spec('bills'), spec('public')])
    await admin.append([record('raw', 'frame')])
    const kafka = new kafkajs.Kafka({
      brokers: own.address('kafka').split(','),
      ssl: certified('admin'),
      logLevel: kafkajs.logLevel.NOTHING,
    })
    const client = kafka.admin()
    await client.connect()
    const acl = rights.map(
      ([principal, resource, resourceName, operation]): AclEntry => ({
        principal: `User:${principal}`,
        host: '*',
        resourceType: AclResourceTypes[resource],
        resourceName,
        resourcePatternType: resource === 'TOPIC' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
        operation: AclOperationTypes[operation],
        permissionType: AclPermissionTypes.ALLOW,
      }),
    )
    await client.createAcls({ acl })
    await client.disconnect()
    pipeline = connect({ ssl: certified('pipeline') })
    const { password } = own.credentials('analyst')
    analyst = connect(withPassword('analyst', password), own.saslAddress())
    await eventually('the rights are in force', async () => {
      try {
        return (await pipeline.partitions('raw')) === 1 && (await analyst.partitions('public')) === 1
      } catch {
        return false
      }
    })
  })
  after(async () => {
    await Promise.all(logs.map((log) => log.close()))
  })

  test('a principal with a certificate joins, reads, and transacts what it may', async () => {
    const owned: number[] = []
    const assigned = async (partitions: readonly number[]) => void owned.push(...partitions)
    const membership = await pipeline.join('load', 'raw', { assigned, revoked: async () => {} })
    await eventually('it has the partition', () => owned.length === 1)
    await membership.leave()
    const transactor = await pipeline.open('load-raw-0', { timeoutMs: 10_000 })
    await transactor.begin()
    await transactor.sendOffsets('load', 'raw', 0, 1n)
    await transactor.send([record('public', 'aggregate')])
    await transactor.commit()
    await transactor.close()
    await (await pipeline.open('load-raw-0', { timeoutMs: 10_000 })).close()
    assert.equal(await pipeline.committed('load', 'raw', 0), 1n)
  })

  test('a principal with a password reads what it may', async () => {
    const transactor = await pipeline.open('load-raw-1', { timeoutMs: 10_000 })
    await commitAll(transactor, [record('public', 'for the analyst')])
    await transactor.close()
    const reader = await analyst.read('public', 0, 0n, 'read_committed')
    const seen: (string | null)[] = []
    await eventually('it is there', async () => {
      seen.push(...texts((await reader.poll({ maxRecords: 10, maxBytes: 1_000_000, waitMs: 500 })).records))
      return seen.includes('for the analyst')
    })
    await reader.close()
  })

  test('what a principal may not is unauthorized, at once and by name', async () => {
    const transactor = await pipeline.open('load-raw-0', { timeoutMs: 10_000 })
    await transactor.begin()
    await rejectsWith('unauthorized', () => transactor.sendOffsets('foreign', 'raw', 0, 1n))
    await transactor.close()
    const writer = await pipeline.open('load-raw-0', { timeoutMs: 10_000 })
    await writer.begin()
    await rejectsWith('unauthorized', () => writer.send([record('raw', 'x')]))
    await writer.close()
    const nothing = { assigned: async () => {}, revoked: async () => {} }
    for (const call of [
      () => pipeline.open('other-0', { timeoutMs: 10_000 }),
      () => pipeline.join('foreign', 'raw', nothing),
      () => pipeline.committed('foreign', 'raw', 0),
      () => pipeline.append([record('raw', 'x')]),
      () => pipeline.createTopics([spec('new')]),
      () => analyst.read('raw', 0, 0n, 'read_committed'),
      () => analyst.bounds('raw', 0, 'read_committed'),
      () => analyst.append([record('public', 'x')]),
    ]) {
      await rejectsWith('unauthorized', call)
    }
  })

  test('what a principal may not is unauthorized also among what it may, in any order, and names the topics', async () => {
    for (const [topics, named] of [
      [['public', 'raw'], 'raw'],
      [['raw', 'public'], 'raw'],
      [['raw', 'public', 'bills'], 'bills, raw'],
    ] as const) {
      const records = topics.map((topic) => record(topic, 'never committed'))
      const writer = await pipeline.open('load-raw-0', { timeoutMs: 10_000 })
      await writer.begin()
      await assert.rejects(writer.send(records), {
        code: 'unauthorized',
        message: `send of load-raw-0: TOPIC_AUTHORIZATION_FAILED (29) for ${named}; grant the principal this right`,
      })
      await writer.abort()
      await writer.close()
    }
    const denied = [record('raw', 'x'), record('bills', 'x')]
    await assert.rejects(pipeline.append(denied), { code: 'unauthorized', message: /\(29\) for bills, raw; grant/ })
  })

  test('a topic whose offsets a principal may not commit is named, too', async () => {
    const writer = await pipeline.open('load-public-0', { timeoutMs: 10_000 })
    await writer.begin()
    await assert.rejects(writer.sendOffsets('load', 'public', 0, 1n), {
      code: 'unauthorized',
      message: 'offsets of load-public-0: TOPIC_AUTHORIZATION_FAILED (29) for public; grant the principal this right',
    })
    await writer.close()
  })

  test('a wrong password, no certificate and an unknown authority are unauthorized; TLS met in the clear is not answered', async () => {
    const wrong = connect(withPassword('analyst', 'wrong'), own.saslAddress())
    await rejectsWith('unauthorized', () => wrong.partitions('public'))
    const { ca } = certified('pipeline')
    await rejectsWith('unauthorized', () => connect({ ssl: { ca } }).partitions('public'))
    await rejectsWith('unauthorized', () => connect({ ssl: true }).partitions('public'))
    await assert.rejects(connect({ deadlineMs: 1_000 }).partitions('public'), { code: 'retriable' })
  })

  test('an inspection tells what a principal may, what it may not see, and what is missing', async (t) => {
    const brokers = own.address('kafka').split(',')
    const inspect = (principal: string) => {
      const inspection = inspectKafka({ brokers, ssl: certified(principal), deadlineMs: 10_000 })
      t.after(inspection.close)
      return inspection
    }
    const seen = inspect('pipeline')
    const topics = await seen.topics(['raw', 'public', 'new'])
    assert.deepEqual(topics.get('raw'), { state: 'present', partitions: 1, may: new Set(['READ', 'DESCRIBE']) })
    assert.deepEqual(topics.get('public'), { state: 'present', partitions: 1, may: new Set(['WRITE', 'DESCRIBE']) })
    assert.deepEqual(topics.get('new'), { state: 'hidden' })
    assert.deepEqual((await inspect('admin').topics(['new'])).get('new'), { state: 'missing' })
    assert.deepEqual(await seen.group('load-none-has-joined'), new Set(['READ', 'DESCRIBE']))
    assert.deepEqual(await seen.group('foreign'), new Set())
    await rejectsWith('unauthorized', () => seen.configs(['raw']))
    const configs = await inspect('admin').configs(['raw'])
    assert.equal(configs.get('raw')?.['message.timestamp.type'], 'LogAppendTime')
  })

  test('a transactional id that is asked for is not taken from its owner', async (t) => {
    const inspection = inspectKafka({ brokers: own.address('kafka').split(','), ssl: certified('pipeline') })
    t.after(inspection.close)
    const owner = await pipeline.open('load-raw-7', { timeoutMs: 10_000 })
    await owner.begin()
    await owner.send([record('public', 'begun before it was asked for')])
    assert.equal(await inspection.mayTransact('load-raw-7'), true)
    await owner.commit()
    await commitAll(owner, [record('public', 'begun after')])
    await owner.close()
    assert.equal(await inspection.mayTransact('other-0'), false)
  })

  test('no error names a password or a key', async () => {
    const secret = 'secret-that-is-wrong'
    const wrong = connect(withPassword('analyst', secret), own.saslAddress())
    await assert.rejects(wrong.partitions('public'), (error) => !String((error as Error).stack).includes(secret))
  })
})
