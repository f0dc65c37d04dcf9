import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { CellValue, StateView } from '../../../connectors/contract.ts'
import { type RedisClient, redisClient } from '../../../connectors/redis/client.ts'
import { dropUnused, sweepDead, switchGeneration, writeGeneration } from '../../../connectors/redis/generations.ts'
import { openRedisView } from '../../../connectors/redis/index.ts'
import { scopeKeys, slotsPerBucket } from '../../../connectors/redis/keys.ts'
import { cellFold } from '../../../pipelines/runtime/cell-fold.ts'
import { eventually } from './eventually.ts'
import { redisServer, type TestServer } from './redis-server.ts'

const keys = scopeKeys('meterveil', 's')
const at = (gen: string) => ({ gen, seq: 0, hash: '' })
const cells: CellValue[] = Array.from({ length: 3_000 }, (_, index) => ({
  table: 't',
  index,
  day: index % 3,
  value: index === 7 ? new Uint8Array(900) : Uint8Array.of(index & 255, index >> 8),
}))
const lookup = cells.map(({ table, index, day }) => ({ table, index, day }))

let server: TestServer
let view: StateView
let client: RedisClient
beforeEach(async () => {
  server = await redisServer()
  view = await openRedisView({ nodes: [server.node] })
  client = redisClient({ nodes: [server.node] })
})
afterEach(async () => {
  await Promise.all([view.close(), client.close()])
  await server.stop()
})

const names = (gen: string) => server.admin.keys(`*:${gen}:*`)

async function isWhole(gen: string): Promise<void> {
  const answer = await view.exchange('s', { expected: at(gen), lookup })
  assert.deepEqual(answer, { status: 'ok', cells: cells.map(({ value }) => value) })
}

test('what a rebuild writes has a time to live until the switch, and none afterwards', async () => {
  const written = await writeGeneration(client, keys.generation('one'), cells, 100)
  assert.deepEqual((await names('one')).toSorted(), written.written.toSorted())
  for (const key of written.written) assert.ok((await server.admin.ttl(key)) > 0, key)
  assert.equal(await switchGeneration(client, keys, undefined, at('one'), written), 'ok')
  for (const key of await server.admin.keys('*')) assert.equal(await server.admin.ttl(key), -1, key)
  await isWhole('one')
})

const fold = () => {
  const folded = cellFold()
  for (const table of ['t', 'u']) {
    folded.table(table)
    for (let index = 0; index < 10 * slotsPerBucket; index++) folded.put(index, 5, Buffer.from(`${index}`), 0, 3)
  }
  return folded.cells()
}

test('a rebuild holds no more than two buckets of what a fold gives out', async () => {
  let taken = 0
  let written = 0
  let most = 0
  const counting: RedisClient = {
    ...client,
    call: (command, args) => {
      if (command === 'set' && `${args[0]}`.includes(':c:')) written++
      return client.call(command, args)
    },
  }
  const counted = {
    *[Symbol.iterator]() {
      for (const cell of fold()) {
        taken++
        most = Math.max(most, taken - written * slotsPerBucket)
        yield cell
      }
    },
  }
  await writeGeneration(counting, keys.generation('one'), counted, 100)
  assert.equal(taken, 20 * slotsPerBucket)
  assert.equal(written, 20)
  assert.ok(most <= 2 * slotsPerBucket, `${most} cells were held`)
})

for (const [what, given] of [
  ['that can be gone through again', (all: CellValue[]) => all],
  ['that can be gone through once', (all: CellValue[]) => all.values()],
] as const) {
  test(`of cells ${what} the last value counts, whatever was written before it`, async () => {
    const cell = (index: number, value: Uint8Array): CellValue => ({ table: 't', index, day: 1, value })
    const short = Uint8Array.of(1, 2, 3)
    const long = new Uint8Array(900).fill(7)
    const all = [cell(1, long), cell(2, short), cell(3, short), cell(2_000, short), cell(1, short), cell(2, long)]
    assert.equal(await view.reset('s', undefined, at('one'), given(all)), 'ok')
    const answer = await view.exchange('s', {
      expected: at('one'),
      lookup: [1, 2, 3, 2_000].map((index) => ({ table: 't', index, day: 1 })),
    })
    assert.deepEqual(answer, { status: 'ok', cells: [short, long, short, short] })
  })
}

test('a rebuild that ended half way is not the view, and leaves only what its time to live sweeps', async () => {
  const broken = {
    *[Symbol.iterator]() {
      for (const cell of fold()) {
        if (cell.table === 'u') throw new Error('the process ended')
        yield cell
      }
    },
  }
  await assert.rejects(view.reset('s', undefined, at('one'), broken), /the process ended/)
  assert.equal(await view.position('s'), undefined)
  const left = await server.admin.keys('*')
  assert.ok(left.length > 0)
  for (const key of left) assert.ok((await server.admin.ttl(key)) > 0, key)
})

test('what an apply adds has no time to live', async () => {
  await view.reset('s', undefined, at('one'), cells)
  const apply = {
    seq: 1,
    hash: 'h',
    floorDay: 0,
    cells: [{ table: 'u', index: 1, day: 9, value: new Uint8Array(999) }],
  }
  await view.exchange('s', { expected: at('one'), apply, lookup: [] })
  for (const key of await server.admin.keys('*')) assert.equal(await server.admin.ttl(key), -1, key)
})

for (const lost of ['all keys', 'one bucket', 'the registry'] as const) {
  test(`a rebuild that lost ${lost} before the switch does not become the view`, async () => {
    const written = await writeGeneration(client, keys.generation('one'), cells, 100)
    if (lost === 'all keys') await server.admin.flushall()
    else await server.admin.del(lost === 'one bucket' ? written.written[1]! : keys.generation('one').registry)
    await assert.rejects(switchGeneration(client, keys, undefined, at('one'), written), { code: 'retriable' })
    assert.equal(await view.position('s'), undefined)
  })
}

test('the generation that was left is deleted, and one that lost the switch too', async () => {
  await view.reset('s', undefined, at('one'), cells)
  assert.equal(await view.reset('s', at('one'), at('two'), cells), 'ok')
  await eventually(async () => assert.deepEqual(await names('one'), []))
  assert.equal(await server.admin.exists(keys.dead), 0)
  const late = await writeGeneration(client, keys.generation('three'), cells, 100)
  assert.equal(await switchGeneration(client, keys, at('one'), at('three'), late), 'mismatch')
  await dropUnused(client, late.written)
  assert.deepEqual(await names('three'), [])
  await isWhole('two')
})

test('a process that ended before its sweep leaves it to the next rebuild', async () => {
  await view.reset('s', undefined, at('one'), cells)
  const two = await writeGeneration(client, keys.generation('two'), cells, 100)
  assert.equal(await switchGeneration(client, keys, at('one'), at('two'), two), 'ok')
  assert.notDeepEqual(await names('one'), [])
  assert.equal(await view.reset('s', at('two'), at('three'), cells), 'ok')
  await eventually(async () => assert.deepEqual([await names('one'), await names('two')], [[], []]))
  await isWhole('three')
})

test('a sweep spares the generation that the view lives on', async () => {
  await view.reset('s', undefined, at('one'), cells)
  await server.admin.sadd(keys.dead, 'one')
  await sweepDead(client, keys)
  await isWhole('one')
})

test('days below the floor are deleted with all their keys', async () => {
  await view.reset('s', undefined, at('one'), cells)
  const apply = { seq: 1, hash: 'h', floorDay: 2, cells: [] }
  await view.exchange('s', { expected: at('one'), apply, lookup: [] })
  assert.deepEqual(
    (await names('one')).filter((key) => /:1:\d+$/.test(key)),
    [],
  )
})

test('a rebuild under the generation in use is refused, so that nobody writes into it from aside', async () => {
  await view.reset('s', undefined, at('one'), cells)
  assert.equal(await view.reset('s', at('one'), at('one'), []), 'mismatch')
  await isWhole('one')
})

test('days that another client added below the floor go with the next apply', async () => {
  const other = await openRedisView({ nodes: [server.node] })
  const old = { table: 't', index: 1, day: 2, value: Uint8Array.of(1) }
  const step = (seq: number, floorDay: number, added: readonly CellValue[]) => ({
    expected: { gen: 'one', seq: seq - 1, hash: seq === 1 ? '' : `${seq - 1}` },
    apply: { seq, hash: `${seq}`, floorDay, cells: added },
    lookup: [{ table: 't', index: 1, day: 2 }],
  })
  await view.reset('s', undefined, at('one'), [])
  await view.exchange('s', step(1, 5, []))
  assert.deepEqual(await other.exchange('s', step(2, 0, [old])), { status: 'ok', cells: [old.value] })
  assert.deepEqual(await view.exchange('s', step(3, 5, [])), { status: 'ok', cells: [undefined] })
  await other.close()
})
