import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { after, describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { pythonMissing, runPython } from '../helpers/python-client.ts'
import { ownServices } from '../helpers/services.ts'

const run = promisify(execFile)
const skip = await pythonMissing()
const own = await ownServices({ kafka: true, registry: true, redis: true })
const out = mkdtempSync(join(tmpdir(), 'meterveil-client-'))
const program = join(out, 'read.py')
/** What the program printed, line by line, sorted. */
let read: readonly string[] = []
after(async () => {
  await own.stop()
  rmSync(out, { recursive: true })
})

/** The program as docs/analyst.md shows it. */
function documented(): string {
  const page = readFileSync(new URL('../../docs/analyst.md', import.meta.url), 'utf8')
  const found = /<!-- example: read-load-public\.py -->\n```python\n([\s\S]*?)```/.exec(page)
  return found![1]!
}

describe('a client that is not ours', { skip: skip || own.skip }, () => {
  test('reads in load.public what the demo on real services released', async () => {
    const env = {
      ...process.env,
      KAFKA_BOOTSTRAP: own.address('kafka'),
      SCHEMA_REGISTRY_URL: own.address('registry'),
      REDIS_URL: own.address('redis'),
    }
    const bin = new URL('../../pipelines/cli/bin.js', import.meta.url).pathname
    const demo = await run(process.execPath, [bin, 'demo', '--kafka', '--out', out], { env })
    assert.match(demo.stdout, /every interval is there exactly once/)

    writeFileSync(program, documented())
    const stdout = await runPython(program, [own.address('kafka'), own.address('registry')])
    read = stdout.trim().split('\n').sort()
    const written = readFileSync(join(out, 'load.public.ndjson'), 'utf8').trim().split('\n')
    const expected = written.map((line) => {
      const { level, group, window, phase, rawWh } = JSON.parse(line) as LoadPublic
      const time = new Date(window).toISOString().replace('T', ' ').replace('.000Z', '+00:00')
      return [level, group, time, phase, rawWh ?? 'None'].join('\t')
    })
    assert.ok(
      expected.some((line) => !line.endsWith('None')),
      'something was released',
    )
    assert.deepEqual(read, expected.sort())
  })

  test('asks a registry again that did not answer', async (t) => {
    const registry = new URL(own.address('registry'))
    let connections = 0
    const proxy = createServer((client) => {
      client.on('error', () => {})
      connections += 1
      if (connections === 1) return client.resume()
      const server = connect(Number(registry.port), registry.hostname)
      server.on('error', () => {})
      pipeline(client, server, client, () => {})
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    t.after(() => proxy.close())
    const { port } = proxy.address() as AddressInfo
    const stdout = await runPython(program, [own.address('kafka'), `http://127.0.0.1:${port}${registry.pathname}`])
    assert.ok(connections > 1)
    assert.deepEqual(stdout.trim().split('\n').sort(), read)
  })
})
