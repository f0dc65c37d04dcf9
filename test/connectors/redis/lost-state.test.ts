import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { CellValue, StateView, ViewPosition } from '../../../connectors/contract.ts'
import { openRedisView } from '../../../connectors/redis/index.ts'
import { eventually } from './eventually.ts'
import { type RedisProxy, redisProxy } from './proxy.ts'
import { redisServer, type TestServer } from './redis-server.ts'

const scope = 'readings/0'
const origin: ViewPosition = { gen: 'g', seq: 0, hash: '' }
const at = (seq: number, gen = 'g'): ViewPosition => ({ gen, seq, hash: seq === 0 ? '' : `hash ${seq}` })
const cell = (seq: number): CellValue => ({ table: 't', index: 1, day: 20_000, value: Uint8Array.of(1, seq) })
const lookup = [{ table: 't', index: 1, day: 20_000 }]
const step = (seq: number) => ({ seq, hash: `hash ${seq}`, floorDay: 0, cells: [cell(seq)] })

const apply = (view: StateView, seq: number) =>
  view.exchange(scope, { expected: at(seq - 1), apply: step(seq), lookup })
const look = (view: StateView, expected: ViewPosition) => view.exchange(scope, { expected, lookup })
const found = (seq: number) => ({ status: 'ok', cells: [Uint8Array.of(1, seq)] })

for (const aof of [false, true]) {
  describe(`a server ${aof ? 'with' : 'without'} an append-only file`, () => {
    let server: TestServer
    let view: StateView
    beforeEach(async () => {
      server = await redisServer({ aof })
      view = await openRedisView({ nodes: [server.node] })
      await view.reset(scope, undefined, origin, [])
      for (const seq of [1, 2]) assert.deepEqual(await apply(view, seq), found(seq))
    })
    afterEach(async () => {
      await view.close()
      await server.stop()
    })

    test(
      aof ? 'stands where it stood after kill -9' : 'is empty after kill -9, says so, and can be rebuilt',
      async () => {
        await server.kill()
        await server.start()
        if (aof) {
          assert.deepEqual(await eventually(() => view.position(scope)), at(2))
          assert.deepEqual(await apply(view, 3), found(3))
          return
        }
        assert.equal(await eventually(() => view.position(scope)), undefined)
        assert.deepEqual(await apply(view, 3), { status: 'mismatch', actual: undefined })
        assert.equal(await view.reset(scope, undefined, at(2, 'h'), [cell(2)]), 'ok')
        assert.deepEqual(await look(view, at(2, 'h')), found(2))
      },
    )

    test('is empty after FLUSHALL, and the scripts are sent again after SCRIPT FLUSH', async () => {
      await server.admin.flushall()
      await server.admin.script('FLUSH')
      assert.deepEqual(await look(view, at(2)), { status: 'mismatch', actual: undefined })
      assert.equal(await view.position(scope), undefined)
      assert.equal(await view.reset(scope, undefined, at(2, 'h'), [cell(2)]), 'ok')
      assert.deepEqual(await look(view, at(2, 'h')), found(2))
    })
  })
}

describe('a server that can be rolled back', () => {
  let server: TestServer
  let view: StateView
  beforeEach(async () => {
    server = await redisServer()
    view = await openRedisView({ nodes: [server.node] })
    await view.reset(scope, undefined, origin, [])
    await apply(view, 1)
  })
  afterEach(async () => {
    await view.close()
    await server.stop()
  })

  test('restored from an old dump it is behind: nothing is applied but from there on', async () => {
    await server.dump()
    for (const seq of [2, 3]) await apply(view, seq)
    await server.restoreDump()
    assert.deepEqual(await eventually(() => apply(view, 4)), { status: 'mismatch', actual: at(1) })
    for (const seq of [2, 3]) assert.deepEqual(await apply(view, seq), found(seq))
    assert.deepEqual(await view.position(scope), at(3))
  })

  test('what a client learnt after the dump is forgotten with it', async () => {
    await server.dump()
    const wide = { ...cell(2), value: Uint8Array.from({ length: 90 }, (_, i) => i) }
    const other = { ...step(2), cells: [wide, { ...wide, index: 5, value: new Uint8Array(90).fill(7) }] }
    await view.exchange(scope, { expected: at(1), apply: other, lookup })
    await server.restoreDump()
    await eventually(() => view.position(scope))
    const answer = await view.exchange(scope, {
      expected: at(1),
      apply: { ...other, cells: other.cells.toReversed() },
      lookup: [...lookup, { ...lookup[0]!, index: 5 }],
    })
    assert.deepEqual(answer, { status: 'ok', cells: [wide.value, new Uint8Array(90).fill(7)] })
  })

  test('restored to the generation before a rebuild it is that generation, whole, whatever is swept', async () => {
    await server.dump()
    await view.reset(scope, at(1), at(1, 'h'), [cell(1)])
    await server.restoreDump()
    assert.deepEqual(await eventually(() => look(view, at(1, 'h'))), { status: 'mismatch', actual: at(1) })
    assert.deepEqual(await look(view, at(1)), found(1))
    assert.equal(await view.reset(scope, at(1), at(1, 'i'), [cell(1)]), 'ok')
    assert.deepEqual(await look(view, at(1, 'i')), found(1))
  })

  test('ahead of a log that was restored, it tells where it stands and gives nothing away', async () => {
    for (const seq of [2, 3]) await apply(view, seq)
    assert.deepEqual(await apply(view, 2), { status: 'mismatch', actual: at(3) })
    const fork = { ...step(3), hash: 'another hash 3', cells: [cell(9)] }
    assert.deepEqual(await view.exchange(scope, { expected: at(2), apply: fork, lookup }), {
      status: 'mismatch',
      actual: at(3),
    })
    assert.deepEqual(await look(view, at(3)), found(3))
  })
})

describe('a server that fails over', () => {
  let primary: TestServer
  let replica: TestServer
  let proxy: RedisProxy
  let view: StateView
  beforeEach(async () => {
    primary = await redisServer({ args: ['--repl-diskless-sync-delay', '0'] })
    replica = await redisServer()
    proxy = await redisProxy(primary.node)
    view = await openRedisView({ nodes: [proxy.node], timeoutMs: 500 })
    await view.reset(scope, undefined, origin, [])
    await apply(view, 1)
    await replica.admin.replicaof(primary.node.host, primary.node.port)
    while (!(await replica.admin.info('replication')).includes('master_link_status:up')) await apply(view, 1)
    await primary.admin.wait(1, 1_000)
  })
  afterEach(async () => {
    await view.close()
    await proxy.close()
    await Promise.all([primary.stop(), replica.stop()])
  })
  const leadTo = (to: TestServer) => {
    proxy.lead(to.node)
    proxy.cut()
  }

  test('a replica that lags behind takes over: the view is behind, and goes on by replay', async () => {
    await replica.admin.replicaof('NO', 'ONE')
    for (const seq of [2, 3]) await apply(view, seq)
    leadTo(replica)
    assert.deepEqual(await eventually(() => apply(view, 4)), { status: 'mismatch', actual: at(1) })
    for (const seq of [2, 3]) assert.deepEqual(await apply(view, seq), found(seq))
  })

  test('while the replica is not yet promoted the view is asked again, and nothing is written', async () => {
    leadTo(replica)
    for (const ask of [() => view.position(scope), () => apply(view, 2)]) {
      await eventually(async () => {
        await assert.rejects(ask(), { name: 'LogError', code: 'retriable' })
      })
    }
    await replica.admin.replicaof('NO', 'ONE')
    assert.deepEqual(await view.position(scope), at(1))
    assert.deepEqual(await apply(view, 2), found(2))
  })

  test('an answer lost in a stalled connection is unknown, and the apply sent again counts once', async () => {
    proxy.loseAnswers(true)
    await assert.rejects(apply(view, 2), { name: 'LogError', code: 'unknown_outcome' })
    proxy.loseAnswers(false)
    proxy.cut()
    assert.deepEqual(await eventually(() => view.position(scope)), at(2))
    assert.deepEqual(await apply(view, 2), found(2))
    assert.deepEqual(await view.position(scope), at(2))
  })

  test('a connection cut in the middle of a call ends the call at once', async () => {
    proxy.loseAnswers(true)
    const asked = apply(view, 2)
    setTimeout(proxy.cut, 20)
    await assert.rejects(asked, { name: 'LogError', code: 'unknown_outcome' })
    proxy.loseAnswers(false)
    await eventually(() => apply(view, 2))
  })
})
