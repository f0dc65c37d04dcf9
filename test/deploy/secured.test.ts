import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type KafkaConfig } from 'kafkajs'
import { ownServices } from '../helpers/services.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } = kafkajs
type Client = InstanceType<typeof Kafka>

const own = await ownServices({ kafka: true }, { principals: ['writer', 'reader'] })
after(() => own.stop())

describe('a secured Kafka', { skip: own.skip }, () => {
  const client = (config: Partial<KafkaConfig>) =>
    new Kafka({
      brokers: own.address('kafka').split(','),
      logLevel: logLevel.NOTHING,
      retry: { retries: 2 },
      ...config,
    })
  const byCertificate = (name: string) => {
    const { ca, cert, key } = own.credentials(name)
    return client({ ssl: { ca: [ca], cert, key } })
  }
  const byPassword = (username: string, password: string) =>
    client({
      brokers: own.saslAddress().split(','),
      ssl: { ca: [own.credentials('reader').ca] },
      sasl: { mechanism: 'scram-sha-512', username, password },
    })

  /** Sends one record and gives the error type, or `done`. ACLs take a moment, so an outcome is waited for. */
  async function sends(kafka: Client, topic: string): Promise<string> {
    const producer = kafka.producer({ retry: { retries: 0 } })
    try {
      await producer.connect()
      await producer.send({ topic, messages: [{ value: 'x' }] })
      return 'done'
    } catch (error) {
      const { type, name, cause } = error as { type?: string; name: string; cause?: { type?: string } }
      return type ?? cause?.type ?? name
    } finally {
      await producer.disconnect()
    }
  }
  async function eventually(expected: string, attempt: () => Promise<string>): Promise<void> {
    let last = ''
    for (let tries = 0; tries < 100 && last !== expected; tries++) {
      last = await attempt()
      if (last !== expected) await sleep(100)
    }
    assert.equal(last, expected)
  }

  test('lets in who is allowed, by certificate or password, and only for what an ACL allows', async () => {
    const admin = byCertificate('admin').admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'held', numPartitions: 1 }], waitForLeaders: false })
    await admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: 'held',
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: 'User:writer',
          host: '*',
          operation: AclOperationTypes.WRITE,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    })
    await admin.disconnect()
    await eventually('done', () => sends(byCertificate('writer'), 'held'))
    await eventually('done', () => sends(byPassword('writer', own.credentials('writer').password), 'held'))
    await eventually('TOPIC_AUTHORIZATION_FAILED', () => sends(byCertificate('reader'), 'held'))
    await eventually('TOPIC_AUTHORIZATION_FAILED', () =>
      sends(byPassword('reader', own.credentials('reader').password), 'held'),
    )
  })

  const strangers: readonly (readonly [string, () => Client])[] = [
    ['a wrong password', () => byPassword('writer', 'wrong')],
    ['no certificate', () => client({ ssl: { ca: [own.credentials('admin').ca] } })],
    ['no TLS', () => client({})],
  ]
  for (const [what, stranger] of strangers) {
    test(`refuses ${what}`, async () => {
      await assert.rejects(stranger().admin().connect())
    })
  }
})
