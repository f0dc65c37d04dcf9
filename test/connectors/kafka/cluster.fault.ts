import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs, { type Admin } from 'kafkajs'
import { type Log, LogError, type Membership } from '../../../connectors/contract.ts'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { type Cluster, clusterOf } from '../../../connectors/kafka/kafkajs-internals.ts'
import { eventually, readAll, record, steadily, texts, topic, unique } from '../../conformance/log-harness.ts'
import { type OwnServices, ownServices } from '../../helpers/services.ts'
import { copies, copyAsMember } from './copying.ts'

const own: OwnServices = await ownServices({ kafka: 3 })
after(() => own.stop())

const partitions = 4
const rounds = Number(process.env['MV_ROUNDS'] ?? 2)

describe('the log over three brokers, of which one is killed', { skip: own.skip }, () => {
  const logs: Log[] = []
  const stop = new AbortController()
  let admin: Admin
  let cluster: Cluster
  before(async () => {
    const brokers = own.address('kafka').split(',')
    for (const clientId of ['one', 'two', 'feeder']) logs.push(kafkaLog({ brokers, clientId }))
    const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
    admin = kafka.admin()
    cluster = clusterOf(kafka)
    await Promise.all([admin.connect(), cluster.connect()])
    await cluster.refreshMetadata()
  })
  after(async () => {
    stop.abort()
    await Promise.all([...logs.map((log) => log.close()), admin.disconnect(), cluster.disconnect()])
  })

  const leaderOf = async (name: string, partition: number): Promise<number> => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
    return topics[0]!.partitions.find(({ partitionId }) => partitionId === partition)!.leader
  }
  const coordinatorOf = async (groupId: string, coordinatorType: number): Promise<number> =>
    (await cluster.findGroupCoordinatorMetadata({ groupId, coordinatorType })).coordinator.nodeId
  /** Waits until every replica of a topic is in sync, so that the next kill finds a whole cluster. */
  const whole = async (name: string) => {
    await eventually(`all replicas of ${name} are in sync`, async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
      return topics[0]!.partitions.every(({ isr, replicas }) => isr.length === replicas.length)
    })
  }

  test('a group copies each record once while leaders and coordinators are killed in turn', async (context) => {
    const [one, two, feeder] = logs as [Log, Log, Log]
    const input = await topic(feeder, { partitions })
    const output = await topic(feeder, { partitions })
    const group = unique('group')
    const committedAt = new Map<number, number>()
    let lost = 0
    const copying = {
      group,
      input,
      output,
      onCommit: (partition: number) => void committedAt.set(partition, performance.now()),
      onLost: () => {
        lost += 1
      },
    }
    const feeding = (async () => {
      for (let count = 0; !stop.signal.aborted; count++) {
        const records = Array.from({ length: partitions }, (_, partition) => record(input, `${count}`, partition))
        // A send with an unknown outcome may be in the input: what counts is that the output is the same.
        await feeder.append(records).catch((error: unknown) => assert.ok(error instanceof LogError, String(error)))
        await pause(30)
      }
    })()
    const members: Membership[] = []
    for (const log of [one, two]) members.push(await steadily(() => copyAsMember(log, copying)))
    const allCommit = (since: number) =>
      eventually(
        'every partition is committed for',
        () => [...committedAt.values()].filter((at) => at > since).length === partitions,
      )
    await allCommit(performance.now())

    const roles: readonly (readonly [string, () => Promise<number>])[] = [
      ['leader of an output', () => leaderOf(output, 0)],
      ['transaction coordinator', () => coordinatorOf(`${group}-0`, 1)],
      ['group coordinator', () => coordinatorOf(group, 0)],
    ]
    for (let round = 0; round < rounds; round++) {
      for (const [role, find] of roles) {
        for (const name of [input, output, '__consumer_offsets', '__transaction_state']) await whole(name)
        const before = lost
        const node = await find()
        const killedAt = performance.now()
        await own.kill('kafka', 'SIGKILL', `broker-${node}`)
        await allCommit(killedAt)
        const tookMs = Math.round(Math.max(...committedAt.values()) - killedAt)
        context.diagnostic(
          `${role} (broker ${node}) killed: every partition committed after ${tookMs} ms, ${lost - before} producers thrown away`,
        )
        await own.start('kafka')
        await allCommit(performance.now())
      }
    }
    stop.abort()
    await feeding
    for (let partition = 0; partition < partitions; partition++) {
      const fed = texts((await readAll(feeder, input, { partition })).records)
      await eventually(`all of ${partition} is copied`, async () => {
        return (await copies(feeder, output, partition)).length >= fed.length
      })
      assert.deepEqual(await copies(feeder, output, partition), fed)
      assert.ok(fed.length > 100)
    }
    assert.ok(lost > 0, 'the kills hit the loop')
    await Promise.all(members.map((member) => member.leave()))
  })
})
