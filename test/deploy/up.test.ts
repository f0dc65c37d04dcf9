import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import * as local from '../../deploy/local/index.ts'
import { run } from '../../deploy/local/program.ts'
import { services } from '../helpers/services.ts'

const { skip } = await services({ redis: true })
const folder = mkdtempSync(join(tmpdir(), 'meterveil-up-'))
after(async () => {
  await local.down(folder, { report: () => {} })
  rmSync(folder, { recursive: true })
})

const options = (env: NodeJS.ProcessEnv = {}) => ({
  folder,
  cache: local.cacheFolder,
  usualPorts: false,
  docker: false,
  env: { PATH: process.env['PATH'], ...env },
  report: () => {},
})
const pids = () => local.readRecord(folder, 'redis')?.nodes.map(({ process }) => process?.pid)

function killed(pid: number): local.Owned {
  const owned = local.identify(pid)
  assert.ok(owned)
  local.signal(owned, 'SIGKILL')
  return owned
}

describe('up and down', { skip }, () => {
  test('up twice leaves what runs; down twice is no error; the port stays the same', async () => {
    const first = await local.up({ redis: 1 }, options())
    const [pid] = pids() ?? []
    assert.deepEqual(await local.up({ redis: 1 }, options()), first)
    assert.deepEqual(pids(), [pid])
    assert.equal((await local.status(folder, {})).find(({ service }) => service === 'redis')?.state, 'ready')

    for (let times = 0; times < 2; times++) await local.down(folder, { report: () => {} })
    assert.equal(local.identify(pid ?? 0), undefined)
    assert.equal((await local.status(folder, {})).find(({ service }) => service === 'redis')?.state, 'down')
    assert.deepEqual(await local.up({ redis: 1 }, options()), first)
  })

  test('two ups at a time start one set', async () => {
    await local.down(folder, { report: () => {} })
    const [one, two] = await Promise.all([local.up({ redis: 1 }, options()), local.up({ redis: 1 }, options())])
    assert.deepEqual(one, two)
  })

  test('a killed service is started again', async () => {
    let same = false
    // Another test may take the port in the moment between, and then keeps it, as it should.
    for (let times = 0; times < 3 && !same; times++) {
      const before = await local.up({ redis: 1 }, options())
      const [pid = 0] = pids() ?? []
      await local.gone(killed(pid), 10_000)
      const now = await local.up({ redis: 1 }, options())
      assert.notDeepEqual(pids(), [pid])
      same = now.redis === before.redis
    }
    assert.ok(same, 'the port never stayed the same')
  })

  test('a port that somebody took in the meantime is left to him', async () => {
    const before = await local.up({ redis: 1 }, options())
    await local.down(folder, { report: () => {} })
    const squatter = createServer().listen(Number(new URL(before.redis ?? '').port), '127.0.0.1')
    await once(squatter, 'listening')
    const now = await local.up({ redis: 1 }, options())
    assert.notEqual(now.redis, before.redis)
    squatter.close()
  })

  test('another number of nodes over the same data is refused', async () => {
    await local.up({ redis: 1 }, options())
    await assert.rejects(
      local.up({ redis: 3 }, options()),
      (error) => error instanceof local.ServicesError && error.code === 'data_differs' && /--wipe/.test(error.action),
    )
  })

  test('what the environment names is used, and never stopped', async () => {
    const { redis = '' } = await local.up({ redis: 1 }, options())
    const elsewhere = { ...options({ REDIS_URL: redis }), folder: `${folder}-elsewhere` }
    assert.deepEqual(await local.up({ redis: 1 }, elsewhere), { redis })
    await local.down(elsewhere.folder, { report: () => {}, wipe: true })
    rmSync(elsewhere.folder, { recursive: true })
    assert.ok(local.identify(pids()?.[0] ?? 0))
  })

  test('what the environment names must answer; the error shows no password', async () => {
    for (const [service, variable, address] of [
      ['kafka', 'KAFKA_BOOTSTRAP', '127.0.0.1:1'],
      ['registry', 'SCHEMA_REGISTRY_URL', 'http://me:s3cret@127.0.0.1:1'],
      ['redis', 'REDIS_URL', 'redis://me:s3cret@127.0.0.1:1'],
    ] as const) {
      await assert.rejects(local.up({ [service]: 1 }, options({ [variable]: address })), (error) => {
        assert.ok(error instanceof local.ServicesError)
        assert.equal(error.code, 'unreachable')
        assert.match(error.message, new RegExp(variable))
        assert.doesNotMatch(error.message + error.action, /s3cret/)
        return true
      })
    }
    const shown = await local.status(folder, { REDIS_URL: 'redis://me:s3cret@127.0.0.1:1' })
    assert.doesNotMatch(JSON.stringify(shown), /s3cret/)
  })
})

describe('a machine that has neither services nor a package manager', () => {
  const helper = JSON.stringify(new URL('../helpers/services.ts', import.meta.url).href)
  const script = `const { services } = await import(${helper})
    process.stdout.write(JSON.stringify((await services({ redis: true })).skip))`
  const bare = (env: NodeJS.ProcessEnv) => {
    const cache = join(folder, 'bare')
    return run(process.execPath, ['--input-type=module', '-e', script], {
      timeoutMs: 60_000,
      env: { PATH: '/nowhere', METERVEIL_CACHE_FOLDER: cache, ...env },
    })
  }

  test('has its tests skipped with one line that says what is missing', async () => {
    const { stdout } = await bare({})
    assert.match(JSON.parse(stdout), /^needs Redis: pip cannot be found on the PATH\. Install it .*REDIS_URL\.$/)
  })

  test('fails in CI', async () => {
    const { code, stderr } = await bare({ CI: 'true' })
    assert.equal(code, 1)
    assert.match(stderr, /pip cannot be found/)
  })
})
