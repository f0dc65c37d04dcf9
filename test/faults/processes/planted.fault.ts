import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { redisServer, type TestServer } from '../../connectors/redis/redis-server.ts'
import { ownServices, services } from '../../helpers/services.ts'
import { plantedCases, runPlanted } from './planted.ts'

const own = await ownServices({ kafka: true })
const shared = await services({ registry: true })

describe('wrong protocols over real services', { skip: own.skip || shared.skip }, () => {
  let redis: TestServer
  before(async () => {
    redis = await redisServer({ aof: true })
  })
  after(async () => {
    await redis.stop()
    await own.stop()
  })

  for (const one of plantedCases) {
    test(`a worker that ${one.name} is caught, and the right one is not`, async (t) => {
      const given = { own, registry: shared.address('registry'), redis }
      assert.deepEqual(await runPlanted(one, 'right', given), [])
      const found = await runPlanted(one, 'wrong', given)
      t.diagnostic(found.join('; '))
      assert.notDeepEqual(found, [])
    })
  }
})
