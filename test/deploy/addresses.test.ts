import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as local from '../../deploy/local/index.ts'

describe('an address as it may be shown', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['127.0.0.1:9092,127.0.0.1:9093', '127.0.0.1:9092,127.0.0.1:9093'],
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['http://127.0.0.1:8081/apis/ccompat/v7', 'http://127.0.0.1:8081/apis/ccompat/v7'],
    ['http://user:s3cret@host:8081/apis/ccompat/v7', 'http://host:8081/apis/ccompat/v7'],
    ['redis://:s3cret@host:6379/0', 'redis://host:6379/0'],
    ['redis://u:s3cret@a:6379,redis://u:s3cret2@b:6379', 'redis://a:6379,redis://b:6379'],
    ['redis://u:s3cret@a:6379, rediss://u:s3cret2@b:6379', 'redis://a:6379, rediss://b:6379'],
    ['redis://u:s3cret@a:6379,u:s3cret2@b:6379', 'redis://b:6379'],
    ['redis://u:p@s3cret@a', 'redis://a'],
    ['redis://u:p/s3cret@a', 'redis://a'],
    ['redis://u:p,s3cret@a', 'redis://a'],
    ['u:s3cret@a:9092', 'a:9092'],
  ]
  for (const [address, shown] of cases) {
    test(`${address} is shown as ${shown}`, () => assert.equal(local.withoutUser(address), shown))
  }
})

const folder = mkdtempSync(join(tmpdir(), 'meterveil-addresses-'))
after(() => rmSync(folder, { recursive: true }))

describe('a registry that wants a password', () => {
  const asked: (string | undefined)[] = []
  const server = createServer(({ headers: { authorization }, url }, response) => {
    asked.push(authorization)
    const right = authorization === `Basic ${Buffer.from('me:s3cret@ä').toString('base64')}`
    response.writeHead(right && url === '/base/subjects' ? 200 : 401, { 'content-type': 'application/json' })
    response.end('[]')
  })
  let at = ''
  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    at = `127.0.0.1:${(server.address() as AddressInfo).port}/base`
  })
  after(() => server.close())

  const upAt = (url: string) =>
    local.up(
      { registry: 1 },
      {
        folder,
        cache: local.cacheFolder,
        usualPorts: false,
        docker: false,
        env: { SCHEMA_REGISTRY_URL: url },
        report: () => {},
      },
    )

  for (const user of ['me:s3cret%40%C3%A4', 'me:s3cret@ä']) {
    test(`is found with ${user}`, async () => {
      const url = `http://${user}@${at}`
      assert.deepEqual(await upAt(url), { registry: url })
    })
  }

  test('is not found with another password, or with none, which then is not sent', async () => {
    await assert.rejects(upAt(`http://me:wrong@${at}`), { code: 'unreachable' })
    asked.length = 0
    await assert.rejects(upAt(`http://${at}/`), { code: 'unreachable' })
    assert.deepEqual(asked, [undefined])
  })
})
