import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import kafkajs, { type Kafka } from 'kafkajs'
import type { Log } from '../../../connectors/contract.ts'
import { alterConfigs } from '../../../connectors/kafka/alter-configs.ts'
import { failureOf } from '../../../connectors/kafka/errors.ts'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { eventually, topic } from '../../conformance/log-harness.ts'
import { services } from '../../helpers/services.ts'

const real = await services({ kafka: true })

describe('settings of a topic', { skip: real.skip }, () => {
  let kafka: Kafka
  let log: Log
  let name: string
  const configOf = async (config: string): Promise<string | undefined> => {
    const admin = kafka.admin()
    await admin.connect()
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: [config] }],
    })
    await admin.disconnect()
    return resources[0]?.configEntries[0]?.configValue
  }
  before(async () => {
    const brokers = real.address('kafka').split(',')
    kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
    log = kafkaLog({ brokers })
    name = await topic(log)
  })
  after(() => log?.close())

  test('are set one at a time, and the others stay', async () => {
    await alterConfigs(kafka, [
      { topic: name, name: 'segment.ms', value: '123456789' },
      { topic: name, name: 'retention.ms', value: '1000000' },
    ])
    await alterConfigs(kafka, [{ topic: name, name: 'retention.ms', value: '2000000' }])
    await eventually('it can be seen', async () => (await configOf('retention.ms')) === '2000000')
    assert.equal(await configOf('segment.ms'), '123456789')
    assert.equal(await configOf('message.timestamp.type'), 'LogAppendTime')
  })

  test('are only checked where that is asked for', async () => {
    const change = { topic: name, name: 'retention.bytes', value: '1000' }
    await alterConfigs(kafka, [change], { validateOnly: true })
    assert.equal(await configOf('retention.bytes'), '-1')
  })

  test('that no broker takes are refused with its sentence', async () => {
    for (const validateOnly of [true, false]) {
      const wrong = { topic: name, name: 'retention.ms', value: 'a week' }
      await assert.rejects(alterConfigs(kafka, [wrong], { validateOnly }), (error) => {
        const { code, message } = failureOf(error)
        return code === 40 && message.startsWith(`${name}: `) && message.includes('retention.ms')
      })
    }
    const nowhere = { topic: `${name}-not`, name: 'retention.ms', value: '1' }
    await assert.rejects(alterConfigs(kafka, [nowhere]), (error) => failureOf(error).code === 3)
  })
})
