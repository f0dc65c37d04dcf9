import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import kafkajs, { type Admin } from 'kafkajs'
import type { Log } from '../../../connectors/contract.ts'
import { type KafkaLogOptions, kafkaLog } from '../../../connectors/kafka/index.ts'
import {
  commitAll,
  eventually,
  open,
  readAll,
  record,
  steadily,
  texts,
  topic,
  unique,
} from '../../conformance/log-harness.ts'
import { services } from '../../helpers/services.ts'

const real = await services({ kafka: true })

describe('groups of a log whose topics grow', { skip: real.skip }, () => {
  const logs: Log[] = []
  let admin: Admin
  const connect = (options: Partial<KafkaLogOptions> = {}): Log => {
    const log = kafkaLog({ brokers: real.address('kafka').split(','), metadataMaxAgeMs: 500, ...options })
    logs.push(log)
    return log
  }
  const join = async (log: Log, group: string, name: string) => {
    const owned = new Set<number>()
    const membership = await steadily(() =>
      log.join(group, name, {
        assigned: async (partitions) => {
          for (const partition of partitions) owned.add(partition)
        },
        revoked: async () => owned.clear(),
      }),
    )
    return { owned, membership }
  }
  const grow = async (name: string, count: number) => {
    await admin.createPartitions({ topicPartitions: [{ topic: name, count }] })
  }
  before(async () => {
    const brokers = real.address('kafka').split(',')
    admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
  })
  after(async () => {
    await admin.disconnect()
    await Promise.all(logs.map((log) => log.close()))
  })

  test('new partitions are given to the members that are there, whichever of them leads', async () => {
    const [one, two] = [connect(), connect()]
    const name = await topic(one, { partitions: 2 })
    const group = unique('group')
    const members = [await join(one, group, name), await join(two, group, name)]
    await eventually('each has one', () => members.every(({ owned }) => owned.size === 1))
    await grow(name, 5)
    const all = () => members.flatMap(({ owned }) => [...owned]).sort()
    await eventually('all are given out', () => all().length === 5)
    assert.deepEqual(all(), [0, 1, 2, 3, 4])
    assert.ok(members.every(({ owned }) => owned.size >= 2))
    for (const { owned, membership } of members) {
      for (const partition of owned) assert.equal(await membership.owns(partition), true)
    }
    const [leaver, stayer] = members
    await leaver!.membership.leave()
    await eventually('the one that stayed has all', () => stayer!.owned.size === 5)
    await grow(name, 6)
    await eventually('and what comes later', () => stayer!.owned.size === 6)
    await stayer!.membership.leave()
  })

  test('a log that knew fewer partitions counts, reads and writes the new ones', async () => {
    const log = connect()
    const name = await topic(log)
    const transactor = await open(log)
    await log.append([record(name, 'before')])
    await commitAll(transactor, [record(name, 'before')])
    await grow(name, 3)
    await log.append([record(name, 'appended', 1)])
    await commitAll(transactor, [record(name, 'committed', 2)])
    await eventually('they are counted', async () => (await log.partitions(name)) === 3)
    assert.deepEqual(texts((await readAll(log, name, { partition: 1 })).records), ['appended'])
    assert.deepEqual(texts((await readAll(log, name, { partition: 2 })).records), ['committed'])
    await transactor.close()
  })

  test('creating a topic with as many partitions as it had before it grew is refused', async () => {
    const log = connect()
    const name = await topic(log)
    await grow(name, 2)
    const spec = { name, timestamps: 'append', cleanup: 'delete', retentionMs: null } as const
    await assert.rejects(log.createTopics([{ ...spec, partitions: 1 }]), { code: 'topic_differs' })
    await log.createTopics([{ ...spec, partitions: 2 }])
  })
})
