import { test } from 'node:test'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { logConformance } from '../../conformance/log.ts'
import { services } from '../../helpers/services.ts'

const real = await services({ kafka: true })

if (real.skip) test('Kafka is a log', { skip: real.skip }, () => {})
else {
  logConformance('Kafka', async () => {
    const brokers = real.address('kafka').split(',')
    const log = kafkaLog({ brokers })
    const other = kafkaLog({ brokers, clientId: 'meterveil-other' })
    return {
      log,
      other,
      close: async () => {
        await Promise.all([log.close(), other.close()])
      },
    }
  })
}
