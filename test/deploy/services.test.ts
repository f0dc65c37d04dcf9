import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { probeKafka, probeRedis, redis } from '../../deploy/local/probe.ts'
import { ownServices, services } from '../helpers/services.ts'

const real = await services({ kafka: true, registry: true, redis: true })

describe('services of a test run', { skip: real.skip }, () => {
  test('answer at their addresses', async () => {
    const [host = '', port] = real.address('kafka').split(':')
    assert.equal(await probeKafka(host, Number(port)), 'Kafka')
    const url = new URL(real.address('redis'))
    assert.equal(await probeRedis(url.hostname, Number(url.port)), 'Redis')
    assert.equal((await fetch(`${real.address('registry')}/subjects`)).status, 200)
  })

  test('are the same for whoever asks again', async () => {
    const again = await services({ kafka: true, redis: true })
    assert.deepEqual([again.address('kafka'), again.address('redis')], [real.address('kafka'), real.address('redis')])
    assert.throws(() => again.address('registry'), /was not asked for/)
  })

  test('give names that no other test uses', () => {
    assert.notEqual(real.unique('topic'), real.unique('topic'))
  })
})

describe('services of one file', { skip: real.skip }, () => {
  test('can be killed and started again with their data, apart from those of the run', async () => {
    const own = await ownServices({ redis: true })
    const { hostname, port } = new URL(own.address('redis'))
    const ask = (...command: string[]) => redis(hostname, Number(port), command)
    assert.notEqual(own.address('redis'), real.address('redis'))
    assert.deepEqual((await ask('SET', 'a', '1'))[0], '+OK')
    // The append-only file is forced to the disk every second; a write to it survives the process, not the machine.
    await own.kill('redis')
    assert.equal(await probeRedis(hostname, Number(port)), undefined)
    await own.start('redis')
    assert.deepEqual((await ask('GET', 'a')).slice(0, 2), ['$1', '1'])
    await own.stop()
    assert.equal(await probeRedis(hostname, Number(port)), undefined)
    const url = new URL(real.address('redis'))
    assert.equal(await probeRedis(url.hostname, Number(url.port)), 'Redis')
  })

  test('three nodes of Redis form a cluster', async () => {
    const own = await ownServices({ redis: 3 })
    for (const address of own.address('redis').split(',')) {
      const { hostname, port } = new URL(address)
      assert.ok((await redis(hostname, Number(port), ['CLUSTER', 'INFO'])).includes('cluster_state:ok'))
    }
    await own.stop()
  })
})
