import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { StateView } from '../../../connectors/contract.ts'
import { openRedisView } from '../../../connectors/redis/index.ts'
import { minutes } from '../../../operators/contract/clock.ts'
import { Killed, pipeline, silentObserver, steps } from '../../../pipelines/runtime/index.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import type { RejectedFrame } from '../../../schemas/rejected-frame.ts'
import { eventually } from '../../conformance/log-harness.ts'
import { toyChangelog as changelog, onceBy } from '../../helpers/toy-once.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'
import { redisServer, type TestServer } from './redis-server.ts'

interface Item {
  readonly id: number
}

const input = toyTopic<Item, 'identified'>('items', 'identified')
const output = toyTopic<Item, 'identified'>('unique', 'identified')
const rejects = toyTopic<RejectedFrame, 'identified'>('rejects', 'identified')
const once = onceBy<Item>(({ id }) => id)

const unique = pipeline('unique', input, (items) => items.keyed(once).to(output), {
  rejects,
  changelog,
  covers: output,
})

const ids = (items: readonly Item[]) => items.map(({ id }) => id)
const sorted = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b)

let server: TestServer
let view: StateView
before(async () => {
  server = await redisServer({ aof: true })
})
after(() => server.stop())
afterEach(() => view.close())

/** What befalls the server, in turn. */
const disturbances: readonly (() => Promise<unknown>)[] = [
  () => server.admin.flushall(),
  async () => {
    await server.kill()
    await server.start()
  },
  () => server.restoreDump(),
  async () => {
    await server.kill()
    await server.start()
    await server.admin.flushall()
  },
]

for (const step of steps.filter((one) => one !== 'hold')) {
  for (const moment of ['before', 'after'] as const) {
    test(`loses and repeats nothing on Redis when killed ${moment} ${step}, the server being lost in between`, async () => {
      let armed = 2
      await server.admin.flushall()
      view = await openRedisView({ nodes: [server.node] })
      const driver = await testDriver([unique], {
        view,
        probe: (now) => {
          if (now.step === step && now.at === moment && armed-- === 0) throw new Killed(`${moment} ${step}`)
        },
      })
      const sent: number[] = []
      for (let round = 0; round < 6; round++) {
        const values = [round, round + 1, round * 7].map((id) => ({ id }))
        sent.push(...ids(values))
        armed = Math.max(armed, 0)
        if (round === 1) await server.dump()
        try {
          await driver.pipe(input, values)
          await driver.advance(minutes(2))
        } catch (error) {
          assert.ok(error instanceof Killed)
          armed = 3
          await disturbances[round % disturbances.length]!()
          await driver.start()
          await driver.settle().catch(() => driver.start())
        }
        if (round % 2 === 1) await disturbances[(round >> 1) % disturbances.length]!()
      }
      armed = -1
      await driver.start().catch(() => {})
      await driver.settle()
      assert.deepEqual(sorted(ids(await driver.read(output))), sorted(new Set(sent)))
      await driver.stop()
    })
  }
}

test('loses and repeats nothing while the server is killed, emptied and rolled back under load', async () => {
  await server.admin.flushall()
  view = await openRedisView({ nodes: [server.node] })
  let retries = 0
  const driver = await testDriver([unique], {
    view: {
      ...view,
      exchange: (...args) =>
        view.exchange(...args).catch((error: unknown) => {
          retries++
          throw error
        }),
    },
  })
  const sent: number[] = []
  for (let round = 0; round < 24; round++) {
    const values = Array.from({ length: 30 }, (_, i) => ({ id: (round * 7_919 + i * (round + 3)) % 1_000 }))
    sent.push(...ids(values))
    if (round % 5 === 0) await server.dump()
    const disturbed = disturbances[round % disturbances.length]!()
    for (const value of values) await driver.pipe(input, [value])
    await disturbed
    // A quiet while, after which retries begin with short pauses again.
    await driver.advance(minutes(1))
  }
  await driver.settle()
  assert.deepEqual(sorted(ids(await driver.read(output))), sorted(new Set(sent)))
  assert.ok(retries > 0, 'no call was ever lost')
  await driver.stop()
})

test('pauses while the server has no room, taking nothing in, and loses and repeats nothing once it has', async (t) => {
  await server.admin.flushall()
  view = await openRedisView({ nodes: [server.node] })
  const room = (bytes: number) => server.admin.config('SET', 'maxmemory', bytes)
  t.after(() => room(0))
  const steps: string[] = []
  const ends: bigint[] = []
  const driver = await testDriver([unique], {
    view,
    observer: { ...silentObserver, assignment: (_pipeline, _partition, step) => void steps.push(step) },
  })
  const wire = await openWire(driver.ports.registry, [input])
  const send = (id: number) =>
    driver.log.append([{ topic: input.name, partition: 0, key: null, value: wire.encode(input, { id }) }])
  const paused = () => steps.filter((step) => step === 'paused').length
  await driver.pipe(input, [{ id: 1 }, { id: 2 }])
  await room(1)
  for (const id of [2, 3]) {
    await send(id)
    await pause(30)
  }
  for (const looks of [2, 4]) {
    await eventually('it looks for room again', async () => paused() >= looks)
    ends.push((await driver.log.bounds(output.name, 0, 'read_uncommitted')).end)
  }
  for (const id of [3, 4, 1]) await send(id)
  assert.equal(ends[0], ends[1], 'readings came out although the view could not be told of them')
  await room(0)
  await eventually('it goes on', async () => steps.at(-1) === 'running')
  await driver.settle()
  assert.deepEqual(sorted(ids(await driver.read(output))), [1, 2, 3, 4])
  await driver.stop()
})
