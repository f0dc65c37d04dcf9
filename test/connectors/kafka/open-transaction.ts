import { kafkaLog } from '../../../connectors/kafka/index.ts'

/*
 * A process that opens a transactional id, leaves a transaction open with records and an offset, says so, and waits to be
 * killed.
 */
const [brokers = '', id = '', topic = '', group = ''] = process.argv.slice(2)

const log = kafkaLog({ brokers: brokers.split(',') })
const transactor = await log.open(id, { timeoutMs: 60_000 })
await transactor.begin()
await transactor.sendOffsets(group, topic, 0, 1_000n)
await transactor.send(
  Array.from({ length: 1_000 }, (_, index) => ({
    topic,
    partition: 0,
    key: null,
    value: Buffer.from(`dead ${index}`),
  })),
)
process.stdout.write('open\n')
setInterval(() => {}, 60_000)
