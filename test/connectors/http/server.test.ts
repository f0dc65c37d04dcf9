import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { healthObserver, ListenError, serveHttp } from '../../../connectors/http/index.ts'

const metrics = { contentType: 'text/plain; version=0.0.4', text: async () => 'up 1\n' }

async function served() {
  const { observer, health } = healthObserver(['readings', 'load'])
  const server = await serveHttp({ port: 0, metrics, health })
  const get = async (path: string) => {
    const response = await fetch(server.url + path)
    return { status: response.status, body: await response.text(), headers: response.headers }
  }
  return { observer, server, get }
}

test('serves the metrics page on the loopback address', async (t) => {
  const { server, get } = await served()
  t.after(server.close)
  const { status, body, headers } = await get('/metrics')
  assert.deepEqual([status, body], [200, 'up 1\n'])
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/)
})

test('is ready once every pipeline runs, and neither ready nor live after a halt', async (t) => {
  const { observer, server, get } = await served()
  t.after(server.close)
  const both = async () => [(await get('/health/live')).status, (await get('/health/ready')).status]

  observer.assignment('readings', 0, 'assigned')
  observer.assignment('readings', 0, 'running')
  assert.deepEqual(await both(), [200, 503])
  assert.deepEqual(JSON.parse((await get('/health/ready')).body), {
    status: 'not_ready',
    pipelines: { readings: 'running', load: 'starting' },
  })
  observer.assignment('load', 0, 'running')
  assert.deepEqual(await both(), [200, 200])
  observer.assignment('load', 0, 'lost')
  assert.deepEqual(await both(), [200, 503])
  observer.assignment('load', 0, 'running')
  observer.halted('load', new Error('secret-meter-4711'))
  assert.deepEqual(await both(), [503, 503])
  assert.ok(!(await get('/health/ready')).body.includes('4711'))
})

test('is ready where others have all partitions of a pipeline, until they are given to it', async (t) => {
  const { observer, server, get } = await served()
  t.after(server.close)
  const ready = async () => {
    const { status, body } = await get('/health/ready')
    return [status, JSON.parse(body).pipelines.load]
  }
  observer.settled('readings', 4)
  observer.assignment('readings', 0, 'running')
  assert.deepEqual(await ready(), [503, 'starting'])
  observer.settled('load', 0)
  assert.deepEqual(await ready(), [200, 'idle'])
  observer.settled('load', 1)
  assert.deepEqual(await ready(), [503, 'starting'], 'what it was given does not run yet')
  observer.assignment('load', 0, 'running')
  assert.deepEqual(await ready(), [200, 'running'])
  observer.assignment('load', 0, 'lost')
  assert.deepEqual(await ready(), [503, 'starting'], 'it is still its own')
  observer.settled('load', 0)
  observer.halted('load', new Error('over'))
  assert.deepEqual(await ready(), [503, 'halted'])
})

test('is not ready while a pipeline that was given partitions runs none, however long', async (t) => {
  const { observer, server, get } = await served()
  t.after(server.close)
  observer.settled('readings', 0)
  observer.settled('load', 2)
  assert.equal((await get('/health/ready')).status, 503)
})

test('knows no other page', async (t) => {
  const { server, get } = await served()
  t.after(server.close)
  assert.equal((await get('/')).status, 404)
})

test('a port in use is one sentence that says what to do', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.after(() => other.close())
  const { port } = other.address() as { port: number }
  await assert.rejects(serveHttp({ port, metrics, health: healthObserver([]).health }), (error: unknown) => {
    assert.ok(error instanceof ListenError)
    assert.equal(error.code, 'port_in_use')
    assert.equal(
      error.message,
      `Port ${port} on 127.0.0.1 is in use: choose another metrics port, or 0 for a free one.`,
    )
    return true
  })
})

test('gives the port back when closed', async () => {
  const { server } = await served()
  await server.close()
  const again = await serveHttp({ port: server.port, metrics, health: healthObserver([]).health })
  await again.close()
})
