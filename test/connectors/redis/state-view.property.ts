import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { StateView } from '../../../connectors/contract.ts'
import { memoryStateView } from '../../../connectors/memory/index.ts'
import { openRedisView } from '../../../connectors/redis/index.ts'
import { redisServer, type TestServer } from './redis-server.ts'

let server: TestServer
let views: readonly StateView[]
before(async () => {
  server = await redisServer()
  views = await Promise.all([1, 2].map(() => openRedisView({ nodes: [server.node] })))
})
after(async () => {
  await Promise.all(views.map((view) => view.close()))
  await server.stop()
})

// Few first bytes, so that values share beginnings; some too long for a slot.
const value = fc
  .tuple(
    fc.constantFrom<readonly number[]>([], [1], [1, 7, 8], [1, 7, 9], [2]),
    fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ minLength: 190, maxLength: 420 })),
  )
  .map(([head, tail]) => Uint8Array.from([...head, ...tail]))
const cells = fc.array(
  fc.record({
    table: fc.constantFrom('t', 'u:é'),
    index: fc.oneof(fc.nat(30), fc.nat(3_000), fc.nat(2 ** 31)),
    day: fc.constantFrom(0, 5, 6, 20_000),
    value,
  }),
  { maxLength: 30 },
)
const step = fc.record({
  cells,
  floorDay: fc.constantFrom(-1, 0, 0, 6),
  tableRises: fc.constantFrom(0, 0, 0, 6, 20_000),
  client: fc.nat(1),
  rebuilt: fc.boolean(),
  sentTwice: fc.boolean(),
})

test('the Redis view answers as the one in memory does, from two clients, over rebuilds and resent applies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
      const model = memoryStateView()
      const scope = `property/${randomUUID()}`
      let at = { gen: 'g', seq: 0, hash: '' }
      for (const view of [model, views[0]!]) assert.equal(await view.reset(scope, undefined, at, []), 'ok')
      let ofTable = 0
      for (const [turn, one] of steps.entries()) {
        const view = views[one.client]!
        const lookup = [...one.cells, ...(steps[turn - 1]?.cells ?? [])].map(({ table, index, day }) => ({
          table,
          index,
          day,
        }))
        if (one.rebuilt) {
          const to = { gen: `g${turn}`, seq: at.seq, hash: at.hash }
          for (const each of [model, view]) assert.equal(await each.reset(scope, at, to, one.cells), 'ok')
          at = to
        }
        ofTable += one.tableRises
        const floors = { floorDay: one.floorDay, tableFloors: new Map([['u:é', ofTable]]) }
        const apply = { seq: at.seq + 1, hash: `hash ${turn}`, ...floors, cells: one.cells }
        const request = { expected: at, apply, lookup }
        const expected = await model.exchange(scope, request)
        assert.deepEqual(await view.exchange(scope, request), expected)
        if (one.sentTwice) assert.deepEqual(await views[1 - one.client]!.exchange(scope, request), expected)
        at = { gen: at.gen, seq: apply.seq, hash: apply.hash }
        assert.deepEqual(await view.position(scope), at)
      }
    }),
    // A case is a dozen calls of a real server: a hundredth of what functions are tried with.
    { numRuns: Math.ceil(Number(process.env['MV_CASES'] ?? 15_000) / 100) },
  )
})
