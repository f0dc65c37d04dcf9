import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { StateView } from '../../../connectors/contract.ts'
import {
  openRedisView,
  RedisSettingsError,
  type RedisSettingsErrorCode,
  type RedisViewOptions,
  redisViewCommands,
} from '../../../connectors/redis/index.ts'
import { freePort } from '../../../deploy/local/ports.ts'
import { which } from '../../../deploy/local/program.ts'
import { redisProxy } from './proxy.ts'
import { redisServer, type TestServer } from './redis-server.ts'

const password = 'correct horse battery staple'

async function refused(options: RedisViewOptions, code: RedisSettingsErrorCode, remedy: RegExp): Promise<void> {
  await assert.rejects(openRedisView({ timeoutMs: 1_000, ...options }), (error) => {
    assert.ok(error instanceof RedisSettingsError)
    assert.equal(error.code, code)
    assert.match(error.message, remedy)
    assert.ok(!error.message.includes(password))
    return true
  })
}

/** A life of a view: every script and every kind of value. */
async function live(view: StateView): Promise<void> {
  const scope = `readings/${randomUUID()}`
  const long = { table: 't', index: 2, day: 4, value: new Uint8Array(3_000).fill(7) }
  const short = { table: 't', index: 1, day: 3, value: Uint8Array.of(1) }
  const lookup = [short, long].map(({ table, index, day }) => ({ table, index, day }))
  let at = { gen: 'one', seq: 0, hash: '' }
  assert.equal(await view.reset(scope, undefined, at, [short, long]), 'ok')
  for (const floorDay of [3, 4]) {
    const apply = { seq: at.seq + 1, hash: `hash ${at.seq + 1}`, floorDay, cells: [long, { ...short, index: 9 }] }
    const answer = await view.exchange(scope, { expected: at, apply, lookup })
    assert.deepEqual(answer, { status: 'ok', cells: [floorDay === 3 ? short.value : undefined, long.value] })
    at = { ...at, seq: apply.seq, hash: apply.hash }
  }
  assert.equal(await view.reset(scope, at, { ...at, gen: 'two' }, [short]), 'ok')
  assert.deepEqual(await view.position(scope), { ...at, gen: 'two' })
}

describe('a view at start', () => {
  let server: TestServer
  before(async () => {
    server = await redisServer()
  })
  after(() => server.stop())

  for (const policy of ['allkeys-lru', 'volatile-ttl', 'allkeys-random']) {
    test(`refuses a server that evicts by ${policy}, at start and when it is assigned again`, async () => {
      const view = await openRedisView({ nodes: [server.node] })
      await server.admin.config('SET', 'maxmemory-policy', policy)
      try {
        await refused({ nodes: [server.node] }, 'evicting', /set maxmemory-policy to noeviction/)
        await assert.rejects(view.position('s'), { name: 'RedisSettingsError', code: 'evicting' })
      } finally {
        await server.admin.config('SET', 'maxmemory-policy', 'noeviction')
        await view.close()
      }
    })
  }

  test('refuses an address where nobody listens', async () => {
    const node = { host: '127.0.0.1', port: await freePort() }
    await refused({ nodes: [node], timeoutMs: 200 }, 'unreachable', /check redis\.nodes/)
  })

  test('refuses a server that takes the connection and says nothing', async () => {
    const proxy = await redisProxy(server.node)
    proxy.loseAnswers(true)
    await refused({ nodes: [proxy.node], timeoutMs: 200 }, 'unreachable', /check redis\.nodes/)
    await proxy.close()
  })

  test('refuses a single server as a Cluster', async () => {
    await refused({ nodes: [server.node], cluster: true }, 'unreachable', /check redis\.nodes, redis\.cluster/)
  })

  test('refuses a replica', async () => {
    const replica = await redisServer()
    await replica.admin.replicaof(server.node.host, server.node.port)
    await refused({ nodes: [replica.node] }, 'replica', /name its primary/)
    await replica.stop()
  })

  test('refuses a Cluster node as a single server', async () => {
    const node = await redisServer({ args: ['--cluster-enabled', 'yes'] })
    await refused({ nodes: [node.node] }, 'wrong_mode', /set redis\.cluster to true/)
    await node.stop()
  })

  test('a view that was closed answers that it is, and closing twice does nothing', async () => {
    const view = await openRedisView({ nodes: [server.node] })
    await view.close()
    await view.close()
    await assert.rejects(view.position('s'), { name: 'LogError', code: 'closed' })
  })
})

describe('a server with an access control list', () => {
  let server: TestServer
  const user = { username: 'pipeline', password }
  before(async () => {
    server = await redisServer()
    await server.admin.call('acl', 'setuser', 'pipeline', 'on', `>${password}`, '~meterveil:*', ...redisViewCommands)
  })
  after(() => server.stop())

  test('a user with the commands that are listed can do everything', async () => {
    const view = await openRedisView({ nodes: [server.node], ...user })
    await live(view)
    await view.close()
  })

  test('refuses another password', async () => {
    await refused({ nodes: [server.node], ...user, password: 'wrong' }, 'unauthorized', /check redis\.username/)
  })

  for (const command of ['info', 'evalsha']) {
    test(`a user without ${command} is told to be granted what is missing`, async () => {
      await server.admin.call('acl', 'setuser', 'pipeline', `-${command}`)
      const act = async () => {
        const view = await openRedisView({ nodes: [server.node], ...user, timeoutMs: 1_000 })
        await live(view).finally(view.close)
      }
      await assert.rejects(act, { code: 'unauthorized', message: /grant the commands/ })
      await server.admin.call('acl', 'setuser', 'pipeline', `+${command}`)
    })
  }

  test('keys outside of the prefix are out of reach', async () => {
    const view = await openRedisView({ nodes: [server.node], ...user, keyPrefix: 'another' })
    await assert.rejects(view.exchange('s', { expected: { gen: 'g', seq: 0, hash: '' }, lookup: [] }), {
      code: 'unauthorized',
    })
    await view.close()
  })
})

test('a server that is full refuses the apply as such, and takes it once there is room', async () => {
  const server = await redisServer()
  const view = await openRedisView({ nodes: [server.node] })
  const origin = { gen: 'g', seq: 0, hash: '' }
  const apply = { seq: 1, hash: 'one', floorDay: 0, cells: [{ table: 't', index: 1, day: 1, value: Uint8Array.of(1) }] }
  await view.reset('s', undefined, origin, [])
  await server.admin.config('SET', 'maxmemory', '1')
  await assert.rejects(view.exchange('s', { expected: origin, apply, lookup: [] }), { code: 'disk_full' })
  await server.admin.config('SET', 'maxmemory', '0')
  assert.deepEqual(await view.position('s'), origin)
  assert.equal((await view.exchange('s', { expected: origin, apply, lookup: [] })).status, 'ok')
  await view.close()
  await server.stop()
})

const openssl = which('openssl')
const skip = openssl === undefined && 'openssl is not on the PATH, and nothing else here makes a certificate'
test('speaks TLS, and refuses a server whose certificate nobody vouches for', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meterveil-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync(openssl!, [...args, ...name, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const server = await redisServer()
  const pem = readFileSync(cert)
  const proxy = await redisProxy(server.node, { key: readFileSync(key), cert: pem })
  try {
    const view = await openRedisView({ nodes: [proxy.node], tls: { ca: pem } })
    await live(view)
    await view.close()
    await refused({ nodes: [proxy.node], tls: {}, timeoutMs: 300 }, 'unreachable', /redis\.tls/)
    await refused({ nodes: [proxy.node], timeoutMs: 300 }, 'unreachable', /redis\.tls/)
  } finally {
    await proxy.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  }
})
