import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { topics } from '../../../schemas/topics.ts'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { ownServices, services } from '../../helpers/services.ts'
import { killRun, killRunText } from './kill-run.ts'
import { openStage, roughFaults } from './stage.ts'

/*
 * A dead-letter topic that takes no writes: row 26 of the fault matrix. The broker denies the workers the right to write
 * to it, and gives it back. Meanwhile they end, with a sentence, rather than drop what they must refuse.
 */

const own = await ownServices({ kafka: true }, { principals: ['worker'] })
const shared = await services({ registry: true })
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

describe('dead letters that nobody takes', { skip: own.skip || shared.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(async () => {
    await redis.stop()
    await own.stop()
  })
  const identity = (name: string) => {
    const { ca, cert, key } = own.credentials(name)
    return { ssl: { ca: [ca], cert, key } }
  }

  test('end the worker with a sentence, and are written once that is allowed again', async (t) => {
    const brokers = own.address('kafka').split(',')
    const prefix = own.unique('letters')
    const admin = new kafkajs.Kafka({ brokers, ...identity('admin'), logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    const mine = { principal: 'User:worker', host: '*' }
    const all = { operation: AclOperationTypes.ALL, permissionType: AclPermissionTypes.ALLOW, resourceName: prefix }
    await admin.createAcls({
      acl: [AclResourceTypes.TOPIC, AclResourceTypes.GROUP, AclResourceTypes.TRANSACTIONAL_ID].map((resourceType) => ({
        ...mine,
        ...all,
        resourceType,
        resourcePatternType: ResourcePatternTypes.PREFIXED,
      })),
    })
    const deny = {
      ...mine,
      resourceType: AclResourceTypes.TOPIC,
      resourceName: `${prefix}.${topics.meterRejected.name}`,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      operation: AclOperationTypes.WRITE,
      permissionType: AclPermissionTypes.DENY,
    }
    const stage = await openStage({
      brokers,
      registry: shared.address('registry'),
      redis: redis.node,
      prefix,
      seed: 71,
      homes: 30,
      faults: { ...roughFaults, corrupt: 0.1 },
      client: identity('admin'),
      workers: identity('worker'),
    })
    const ended = () => stage.crew.log().match(/ended: \w+: .*/g) ?? []
    try {
      let stood = 0
      const result = await killRun(stage, {
        seed: 71,
        assignment: 'ordinal',
        paceMs: [300, 300],
        drainMs: 120_000,
        disturb: async (step) => {
          if (step % 20 !== 7) return
          const before = ended().length
          await admin.createAcls({ acl: [deny] })
          for (let looks = 0; looks < 100 && ended().length < before + 2; looks++) {
            await stage.feedTo(Math.min(stage.end, stage.crew.now() + 300_000))
            await pause(200)
          }
          const links = await stage.heads()
          await pause(1_500)
          // Whoever comes after meets the same frame at the same place.
          const same = (await stage.heads()).filter((head, partition) => head?.inTo === links[partition]?.inTo).length
          if (same > 0 && (await stage.unfinished()) > 0) stood += 1
          await admin.deleteAcls({ filters: [deny] })
        },
      })
      const sentences = [...new Set(ended().map((one) => one.replaceAll(/[\w.-]+-\d+/g, '…')))]
      for (const line of [killRunText(result), ...sentences, ...result.outcome.faults]) t.diagnostic(line)
      assert.deepEqual(result.outcome.faults, [])
      assert.ok(result.failed.length >= 4 && stood >= 2, `${result.failed.length} workers ended, ${stood} times still`)
      assert.ok(result.outcome.refused > 50, 'did not bite')
      for (const one of sentences)
        assert.match(one, /TOPIC_AUTHORIZATION_FAILED \(29\) for \S*meter\.rejected; grant the principal this right/)
    } finally {
      if (process.env['MV_LOG']) process.stderr.write(stage.crew.log())
      await admin.disconnect()
      await stage.close()
    }
  })
})
