import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log, LogError, Membership } from '../../../connectors/contract.ts'
import { memoryStateView } from '../../../connectors/memory/index.ts'
import { hours, minutes } from '../../../operators/contract/clock.ts'
import type { Keyed, Operator } from '../../../operators/contract/operator.ts'
import { Killed, pipeline, run, silentObserver, steps } from '../../../pipelines/runtime/index.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { type Driver, testDriver } from '../../../pipelines/testing/driver.ts'
import type { RejectedFrame } from '../../../schemas/rejected-frame.ts'
import { eventually } from '../../conformance/log-harness.ts'
import { laggingLog } from '../../helpers/lagging-log.ts'
import { toyChangelog as changelog } from '../../helpers/toy-once.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

interface Item {
  readonly id: number
}

const input = toyTopic<Item, 'identified'>('items', 'identified')
const output = toyTopic<Item, 'identified'>('unique', 'identified')
const rejects = toyTopic<RejectedFrame, 'identified'>('rejects', 'identified')

/** Passes an id once; even over restarts. */
const once: Keyed<Item, Item, boolean> = {
  spec: { name: 'once', drops: ['duplicate'], rejects: ['value_out_of_range'] },
  state: { name: 'once', aged: false, codec: { encode: () => new Uint8Array([1]), decode: () => true } },
  keys: (batch) => batch.map(({ value }) => ({ index: value.id, day: 0 })),
  process: (batch, cells, out) => {
    for (const record of batch) {
      const key = { index: record.value.id, day: 0 }
      if (record.value.id > 999) out.reject(record, 'value_out_of_range', 3)
      else if (cells.get(key)) out.drop(record, 'duplicate')
      else {
        cells.set(key, true)
        out.emit(record, record.value)
      }
    }
  },
}

const unique = pipeline('unique', input, (items) => items.keyed(once).to(output), {
  rejects,
  changelog,
  covers: output,
})

const ids = (items: readonly Item[]) => items.map(({ id }) => id)

test('passes every id once, drops repeats in the batch and later, and writes dead letters', async () => {
  const driver = await testDriver([unique])
  await driver.pipe(input, [{ id: 1 }, { id: 2 }, { id: 1 }, { id: 5_000 }])
  await driver.pipe(input, [{ id: 2 }, { id: 3 }])
  assert.deepEqual(ids(await driver.read(output)), [1, 2, 3])
  const dead = await driver.read(rejects)
  assert.deepEqual(
    dead.map(({ reason, stage, byteOffset, offset }) => ({ reason, stage, byteOffset, offset })),
    [{ reason: 'value_out_of_range', stage: 'once', byteOffset: 3, offset: 3 }],
  )
  await driver.stop()
})

/** Lets nothing with a negative id come as far as `once`. */
const notNegative: Operator<Item, Item> = {
  spec: { name: 'notNegative', drops: [], rejects: ['value_out_of_range'] },
  process: (batch, out) => {
    for (const record of batch) {
      if (record.value.id < 0) out.reject(record, 'value_out_of_range', 0)
      else out.emit(record, record.value)
    }
  },
}

const asksNothing: readonly [string, (driver: Driver) => Promise<void>][] = [
  [
    'of records that do not fit their schema',
    async ({ log, settle }) => {
      await log.append([{ topic: input.name, partition: 0, key: null, value: Uint8Array.of(0, 0, 0) }])
      await settle()
    },
  ],
  ['of records that an operator before refuses', ({ pipe }) => pipe(input, [{ id: -1 }])],
]
for (const [what, send] of asksNothing) {
  test(`a batch ${what} does not make the view forget the one before`, async () => {
    const guarded = pipeline('unique', input, (items) => items.through(notNegative).keyed(once).to(output), {
      rejects,
      changelog,
      covers: output,
    })
    const driver = await testDriver([guarded])
    await driver.pipe(input, [{ id: 1 }, { id: 2 }])
    await send(driver)
    await driver.pipe(input, [{ id: 1 }, { id: 3 }])
    assert.deepEqual(ids(await driver.read(output)), [1, 2, 3])
    assert.equal((await driver.read(rejects)).length, 1)
    await driver.stop()
  })
}

test('says how far a silent partition is, in the log’s own time', async () => {
  const driver = await testDriver([unique])
  await driver.pipe(input, [{ id: 1 }])
  await driver.advance(hours(2))
  const batches = (await driver.read(changelog)).filter(({ kind }) => kind === 'batch')
  assert.equal(batches.at(-1)?.progress, driver.clock.now())
  assert.equal(batches.at(-1)?.inFrom, batches.at(-1)?.inTo)
  await driver.stop()
})

test('goes on after a stop where it left off', async () => {
  const driver = await testDriver([unique])
  await driver.pipe(input, [{ id: 1 }, { id: 2 }])
  await driver.stop()
  await driver.log.append([])
  await driver.start()
  await driver.pipe(input, [{ id: 2 }, { id: 3 }])
  assert.deepEqual(ids(await driver.read(output)), [1, 2, 3])
  await driver.stop()
})

for (const step of steps.filter((one) => one !== 'hold')) {
  for (const at of ['before', 'after'] as const) {
    test(`loses and repeats nothing when killed ${at} ${step}`, async () => {
      let armed = 2
      let bit = 0
      const driver = await testDriver([unique], {
        probe: (moment) => {
          if (moment.step === step && moment.at === at && armed-- === 0) {
            bit++
            throw new Killed(`${at} ${step}`)
          }
        },
      })
      const sent: number[] = []
      for (let round = 0; round < 6; round++) {
        const values = [round, round + 1, round * 7].map((id) => ({ id }))
        sent.push(...ids(values))
        armed = Math.max(armed, 0)
        try {
          await driver.pipe(input, values)
          await driver.advance(minutes(2))
        } catch (error) {
          assert.ok(error instanceof Killed)
          armed = 3
          await driver.start()
          await driver.settle().catch(() => driver.start())
        }
      }
      armed = -1
      await driver.start().catch(() => {})
      await driver.settle()
      assert.deepEqual(
        ids(await driver.read(output)).sort((a, b) => a - b),
        [...new Set(sent)].sort((a, b) => a - b),
      )
      assert.ok(bit > 0 || step === 'fence' || step === 'marker' || step === 'replay', 'the fault never bit')
    })
  }
}

test('halts where the changelog was restored to an older state than what it vouches for', async () => {
  const first = await testDriver([unique])
  for (const id of [1, 2, 3]) await first.pipe(input, [{ id }])
  await first.stop()
  const older = await testDriver([])
  await older.log.createTopics(first.log.topics())
  for (const topic of [input, output, changelog]) {
    const records = await first.records(topic)
    const kept = topic === changelog ? records.slice(0, -2) : records
    await older.log.append(
      kept.map(({ key, value, headers }) => ({ topic: topic.name, partition: 0, key, value, headers })),
    )
  }
  const running = await run(unique, { ...older.ports, log: older.log }, { partitions: [0] })
  await assert.rejects(running.done, { name: 'HaltError', message: /accepted\[0\] ends before unique\[0\]/ })
})

for (const asked of [{ lag: 1 }, { lag: 5 }, { right: 1, lag: 1 }, { right: 1, lag: 5 }, { right: 2, lag: 1 }]) {
  test(`passes nothing twice where reads show less than was committed: ${JSON.stringify(asked)}`, async () => {
    const late = laggingLog(asked)
    const view = memoryStateView()
    const driver = await testDriver([unique], { log: late.wrap, view })
    await driver.pipe(input, [{ id: 1 }, { id: 2 }])
    await driver.pipe(input, [{ id: 3 }])
    await driver.pipe(input, [{ id: 4 }])
    await driver.stop()
    view.clear('unique/0')
    await late.freeze(changelog, 3n)
    await driver.start()
    await driver.pipe(input, [{ id: 3 }, { id: 4 }, { id: 5 }])
    await eventually('the new id', async () => ids(await driver.read(output)).includes(5))
    assert.deepEqual(ids(await driver.read(output)), [1, 2, 3, 4, 5])
    await driver.stop()
  })
}

test('an expelled member that was not told does not fence the one that took over', async () => {
  const driver = await testDriver([])
  const topics = [input, output, rejects, changelog].map(
    ({ name }) => ({ name, partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null }) as const,
  )
  await driver.log.createTopics(topics)
  const wire = await openWire(driver.ports.registry, [input, output] as AnyTopic[])
  const memberships: Membership[] = []
  const log: Log = {
    ...driver.log,
    join: async (...call) => {
      const membership = await driver.log.join(...call)
      memberships.push(membership)
      return membership
    },
  }
  const fenced: string[] = []
  const start = (name: string) =>
    run(
      unique,
      { ...driver.ports, log },
      {
        observer: {
          ...silentObserver,
          retry: (_pipeline, _partition, error) => fenced.push(`${name} ${(error as LogError).code}`),
        },
      },
    )
  const first = await start('first')
  while (!(await memberships[0]!.owns?.(0))) await new Promise((resolve) => setTimeout(resolve, 1))
  driver.log.evict(memberships[0]!)
  const second = await start('second')
  for (let id = 0; id < 20; id++) {
    await driver.log.append([
      { topic: input.name, partition: 0, key: null, value: wire.encode(input as AnyTopic, { id }) },
    ])
    driver.clock.advance(1_000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.deepEqual(
    fenced.filter((one) => one.startsWith('second')),
    [],
  )
  const written = (await driver.records(output)).map(({ value }) => wire.decode(output as AnyTopic, value!) as Item)
  assert.deepEqual(
    ids(written),
    Array.from({ length: 20 }, (_, id) => id),
  )
  await Promise.all([first.stop(), second.stop()])
})
