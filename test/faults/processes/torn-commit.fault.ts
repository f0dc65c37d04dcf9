import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../../connectors/contract.ts'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { readRange } from '../../../pipelines/runtime/changelog.ts'
import { eventually } from '../../conformance/log-harness.ts'
import { type OwnServices, ownServices } from '../../helpers/services.ts'

/*
 * A finding about Kafka 4.4, not about us. A commit counts when the coordinator has written that it was decided; the
 * markers follow. Killed in between and started again, a broker that has no peer finds no leader for the partitions of the
 * transaction ("these partitions are likely deleted already and hence can be skipped"), writes no marker, and calls the
 * transaction complete. Its records then hang until the same producer ends another transaction on each partition: one that
 * is aborted on one of them and commits on the others tears a commit that was answered. Where partitions have replicas
 * there is a leader at all times.
 */

const topics = ['a', 'b', 'c'] as const
const turns = Number(process.env['MV_CASES'] ?? 10)

const record = (topic: string, text: string) => ({ topic, partition: 0, key: null, value: Buffer.from(text) })

for (const brokers of [1, 3]) {
  const own: OwnServices = await ownServices({ kafka: brokers })

  describe(`commits and kills of ${brokers} broker${brokers > 1 ? 's' : ''}`, { skip: own.skip }, () => {
    after(() => own.stop())

    test(brokers > 1 ? 'no commit that was answered is torn' : 'commits are torn now and then', async (t) => {
      const connect = () => kafkaLog({ brokers: own.address('kafka').split(','), deadlineMs: 60_000 })
      let log = connect()
      await log.createTopics(
        topics.map((name) => ({ name, partitions: 1, timestamps: 'create', cleanup: 'delete', retentionMs: null })),
      )
      const torn: string[] = []
      let answered = 0
      for (let turn = 0; turn < turns; turn++) {
        const first = await log.open('owner', { timeoutMs: 15_000 })
        await first.begin()
        await first.sendOffsets('group', 'a', 0, BigInt(turn))
        await first.send(topics.map((topic) => record(topic, `turn ${turn}`)))
        const outcome = first.commit().then(
          () => true,
          () => false,
        )
        await pause(8 + (turn % 5))
        const nodes = own.nodes('kafka')
        await own.kill('kafka', 'SIGKILL', nodes[turn % nodes.length]!.name)
        await own.start('kafka')
        const committed = await outcome
        answered += committed ? 1 : 0
        await log.close()
        log = connect()
        // The next owner ends in its first transaction, and the one after it begins with that aborted.
        const next = await log.open('owner', { timeoutMs: 15_000 })
        await next.begin()
        await next.send([record('a', 'left open')])
        const last = await log.open('owner', { timeoutMs: 15_000 })
        await last.begin()
        await last.send(topics.map((topic) => record(topic, `after ${turn}`)))
        await last.commit()
        await eventually('the last transaction is visible', async () =>
          (await Promise.all(topics.map((topic) => holds(log, topic, `after ${turn}`)))).every(Boolean),
        )
        const held = await Promise.all(topics.map((topic) => holds(log, topic, `turn ${turn}`)))
        const whole = held.every((one) => one === held[0]) && (held[0] || !committed)
        if (!whole) torn.push(`${committed ? 'answered' : 'unanswered'}: ${held.map(Number).join('')}`)
        await last.close()
      }
      await log.close()
      t.diagnostic(`${answered} of ${turns} commits answered; torn: ${torn.join(', ') || 'none'}`)
      if (brokers > 1) assert.deepEqual(torn, [])
    })
  })
}

async function holds(log: Log, topic: string, text: string): Promise<boolean> {
  const { first, end } = await log.bounds(topic, 0, 'read_committed')
  const records = await readRange(log, topic, 0, first, end)
  return records.some(({ value }) => Buffer.from(value!).toString() === text)
}
