import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { clusterOf } from '../../../connectors/kafka/kafkajs-internals.ts'
import { logConformance } from '../../conformance/log.ts'
import { services } from '../../helpers/services.ts'

const real = await services({ kafka: true })

if (real.skip) test('Kafka is a log', { skip: real.skip }, () => {})
else {
  logConformance('Kafka', async () => {
    const brokers = real.address('kafka').split(',')
    const log = kafkaLog({ brokers })
    const other = kafkaLog({ brokers, clientId: 'meterveil-other' })
    const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
    const cluster = clusterOf(kafka)
    const admin = kafka.admin()
    await Promise.all([admin.connect(), cluster.connect()])
    return {
      log,
      other,
      expel: async (group) => {
        const { groups } = await admin.describeGroups([group])
        const coordinator = await cluster.findGroupCoordinator({ groupId: group })
        for (const { memberId } of groups[0]?.members ?? []) await coordinator.leaveGroup({ groupId: group, memberId })
      },
      close: async () => {
        await Promise.all([log.close(), other.close(), admin.disconnect(), cluster.disconnect()])
      },
    }
  })
}
