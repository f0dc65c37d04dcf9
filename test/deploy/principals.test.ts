import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as local from '../../deploy/local/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterveil-principals-'))
after(() => rmSync(folder, { recursive: true }))

const upIn = (name: string, nodes: number, principals: readonly string[], reports: string[] = []) =>
  local.up(
    { kafka: nodes },
    {
      folder: join(folder, name),
      cache: local.cacheFolder,
      usualPorts: false,
      docker: false,
      principals,
      env: { PATH: '/nowhere' },
      report: (_, what) => reports.push(what),
    },
  )

describe('a secured Kafka that runs', () => {
  // A process that lives and a port that answers: all that is looked at of one that runs already.
  const listener = createServer()
  const address = () => `127.0.0.1:${(listener.address() as AddressInfo).port}`
  before(async () => {
    await once(listener.listen(0, '127.0.0.1'), 'listening')
    const own = join(folder, 'running', 'kafka')
    mkdirSync(own, { recursive: true })
    const log = join(own, 'broker.log')
    writeFileSync(log, 'Kafka Server started')
    writeFileSync(join(own, 'cluster.json'), JSON.stringify({ id: 'x', kind: 'one broker, secured for a' }))
    const { port } = listener.address() as AddressInfo
    const process_ = local.identify(process.pid)
    assert.ok(process_)
    local.writeRecord(join(folder, 'running'), {
      service: 'kafka',
      title: 'Kafka, secured',
      address: address(),
      secured: true,
      nodes: [{ name: 'broker-1', port, command: 'none', args: [], cwd: own, log, process: process_ }],
      ports: {},
    })
  })
  after(() => listener.close())

  test('runs already for the principals that it was made for', async () => {
    const reports: string[] = []
    assert.deepEqual(await upIn('running', 1, ['a'], reports), { kafka: address() })
    assert.deepEqual(reports, [`runs already, at ${address()}`])
  })

  for (const [principals, asked] of [
    [['a', 'b'], 'secured for a, b'],
    [['b'], 'secured for b'],
    [[], 'open'],
  ] as const) {
    test(`is refused where one is asked for that is ${asked}`, async () => {
      await assert.rejects(upIn('running', 1, principals), {
        name: 'ServicesError',
        code: 'data_differs',
        message: `The data of Kafka is that of one broker, secured for a; asked for is one broker, ${asked}.`,
      })
    })
  }
})

test('a Kafka that Docker runs is refused to principals, for whom it is open', async () => {
  local.writeRecord(join(folder, 'docker'), {
    service: 'kafka',
    title: 'Kafka',
    address: '127.0.0.1:9092',
    nodes: [],
    project: 'meterveil',
    ports: {},
  })
  for (const [nodes, principals] of [
    [1, ['a']],
    [3, []],
  ] as const) {
    await assert.rejects(upIn('docker', nodes, principals), { code: 'data_differs', message: /which Docker runs/ })
  }
})
