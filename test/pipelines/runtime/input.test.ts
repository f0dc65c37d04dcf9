import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Log, LogError } from '../../../connectors/contract.ts'
import type { HaltError } from '../../../operators/contract/halt.ts'
import type { Accumulating } from '../../../operators/contract/operator.ts'
import { type Pipeline, pipeline, run } from '../../../pipelines/runtime/index.ts'
import type { AnyTopic } from '../../../pipelines/runtime/stream.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { type Driver, testDriver } from '../../../pipelines/testing/driver.ts'
import type { LoadState } from '../../../schemas/load-state.ts'
import type { RejectedFrame } from '../../../schemas/rejected-frame.ts'
import { eventually } from '../../conformance/log-harness.ts'
import { toyChangelog as changelog, once } from '../../helpers/toy-once.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const input = toyTopic<number, 'identified'>('numbers', 'identified')
const output = toyTopic<number, 'identified'>('results', 'identified')
const rejects = toyTopic<RejectedFrame, 'identified'>('rejects', 'identified')
const state = toyTopic<LoadState, 'identified'>('state', 'identified', ({ row }) => row)

const passed: Accumulating<number, number, undefined> = {
  spec: { name: 'passed', drops: [], rejects: [] },
  restore: () => undefined,
  process: (batch, _, out) => {
    for (const from of batch) out.emit(from, from.value)
    return 'done'
  },
  changed: () => [],
}

const pipelines: Readonly<Record<string, Pipeline>> = {
  'a pipeline with a changelog': pipeline('numbers', input, (all) => all.keyed(once).to(output), {
    rejects,
    changelog,
    covers: output,
  }),
  'a pipeline with rows': pipeline('numbers', input, (all) => all.accumulate(passed).to(output), { state }),
  'a pipeline that rebuilds its state': pipeline('numbers', input, (all) => all.accumulate(passed).to(output), {
    state,
    replay: true,
  }),
}

/** A log that holds what another held, but only the first `kept` records of the input. */
async function withInputCut(first: Driver, kept: number): Promise<Driver> {
  const older = await testDriver([])
  await older.log.createTopics(first.log.topics())
  for (const topic of first.log.topics()) {
    const records = await first.records(topic)
    await older.log.append(
      records
        .slice(0, topic.name === input.name ? kept : records.length)
        .map(({ key, value, headers }) => ({ topic: topic.name, partition: 0, key, value, headers })),
    )
  }
  return older
}

for (const [what, built] of Object.entries(pipelines)) {
  for (const kept of [0, 2]) {
    test(`${what} halts where its input ends at ${kept} but more was processed`, async () => {
      const first = await testDriver([built])
      await first.pipe(input, [1, 2, 3])
      await first.stop()
      const { ports } = await withInputCut(first, kept)
      const running = await run(built, ports, { partitions: [0], task: { settleMs: 50 } })
      await assert.rejects(running.done, {
        name: 'HaltError',
        message: new RegExp(`^numbers\\[0\\] ends at ${kept}, but its input below 3 is processed`),
      })
    })
  }

  test(`${what} goes on where the end of its input is told too low for a while`, async () => {
    const low = { answers: 0 }
    const driver = await testDriver([built], {
      log: (log): Log => ({
        ...log,
        bounds: async (topic, partition, isolation) => {
          const { first, end } = await log.bounds(topic, partition, isolation)
          if (topic !== input.name || low.answers === 0) return { first, end }
          low.answers -= 1
          return { first, end: end - 2n }
        },
      }),
    })
    await driver.pipe(input, [1, 2, 3])
    await driver.stop()
    low.answers = 5
    await driver.start()
    await driver.pipe(input, [4])
    await eventually('the new number', async () => (await driver.read(output)).includes(4))
    assert.deepEqual([await driver.read(output), low.answers], [[1, 2, 3, 4], 0])
    await driver.stop()
  })

  test(`${what} opens its input again where the offset it stands at is refused`, async () => {
    let refusals = 0
    const driver = await testDriver([built], {
      log: (log): Log => ({
        ...log,
        read: async (topic, ...rest) => {
          const reader = await log.read(topic, ...rest)
          if (topic !== input.name) return reader
          return {
            ...reader,
            poll: (options) => {
              if (refusals === 0) return reader.poll(options)
              refusals -= 1
              return Promise.reject(new LogError('offset_out_of_range', 'the partition does not hold this offset'))
            },
          }
        },
      }),
    })
    await driver.pipe(input, [1, 2, 3])
    refusals = 1
    await driver.pipe(input, [4])
    await driver.pipe(input, [5])
    await eventually('the newest number', async () => (await driver.read(output)).includes(5))
    assert.deepEqual(await driver.read(output), [1, 2, 3, 4, 5])
    await driver.stop()
  })
}

describe('input that was deleted before it was processed', () => {
  const [keyed, withRows] = Object.values(pipelines) as [Pipeline, Pipeline]

  const append = async ({ log, ports }: Driver, values: readonly number[]) => {
    const wire = await openWire(ports.registry, [input as AnyTopic])
    await log.append(
      values.map((one) => ({ topic: input.name, partition: 0, key: null, value: wire.encode(input as AnyTopic, one) })),
    )
  }

  /** Processes 1 to 3, then loses 4 and 5 of 4 to 6. */
  async function cut(built: Pipeline): Promise<Driver> {
    const driver = await testDriver([built])
    await driver.pipe(input, [1, 2, 3])
    await driver.stop()
    await append(driver, [4, 5, 6])
    await driver.log.truncate(input.name, 0, 5n)
    return driver
  }
  const begin = ({ ports }: Driver, built: Pipeline, ...acceptLostInput: string[]) =>
    run(built, ports, { partitions: [0], task: { settleMs: 50, acceptLostInput } })

  test('halts, and names the loss; another that was accepted changes nothing', async () => {
    const driver = await cut(keyed)
    for (const other of [[], ['numbers[0]@2..5', 'numbers[0]@3..4', 'numbers[1]@3..5']]) {
      const running = await begin(driver, keyed, ...other)
      await assert.rejects(running.done, ({ message, action }: HaltError) => {
        assert.match(message, /^numbers\[0\] was cut at 5, but only input below 3 is processed/)
        assert.match(action, /METERVEIL_ACCEPT_LOST_INPUT='numbers\[0\]@3\.\.5'/)
        return true
      })
    }
  })

  test('is gone on without once that very loss is accepted, and the chain keeps the gap', async () => {
    const driver = await cut(keyed)
    const running = await begin(driver, keyed, 'numbers[0]@3..5')
    await eventually('the number behind the gap', async () => (await driver.read(output)).includes(6))
    await running.stop()
    assert.deepEqual(await driver.read(output), [1, 2, 3, 6])
    const links = (await driver.read(changelog)).filter(({ kind }) => kind === 'batch')
    assert.deepEqual(links.map(({ inFrom, inTo }) => [inFrom, inTo]).slice(-2), [
      [0n, 3n],
      [5n, 6n],
    ])
    await driver.start()
    await driver.pipe(input, [7])
    assert.deepEqual(await driver.read(output), [1, 2, 3, 6, 7])
    await driver.stop()
  })

  test('of a topic made anew: what is there is read, and repeats are dropped', async () => {
    const first = await testDriver([keyed])
    await first.pipe(input, [1, 2, 3])
    await first.stop()
    const older = await withInputCut(first, 1)
    const ports = { ...older.ports, registry: first.ports.registry }
    const running = await begin({ ...older, ports }, keyed, 'numbers[0]@3..0')
    await append({ ...older, ports }, [8])
    const wire = await openWire(ports.registry, [output as AnyTopic])
    const numbers = async () =>
      (await older.records(output)).map((record) => wire.decode(output as AnyTopic, record.value!))
    await eventually('the new number', async () => (await numbers()).includes(8))
    assert.deepEqual(await numbers(), [1, 2, 3, 8])
    await running.stop()
  })

  describe('in a topic made anew that has grown past what was processed', () => {
    /** Processes 1 to 3; then the input is another one, with five numbers that came a second later. */
    async function grown() {
      const first = await testDriver([keyed])
      await first.pipe(input, [1, 2, 3])
      await first.stop()
      const older = await withInputCut(first, 0)
      const driver = { ...older, ports: { ...older.ports, registry: first.ports.registry } }
      driver.clock.moveTo(driver.clock.now() + 1_000)
      await append(driver, [2, 5, 6, 7, 8])
      return driver
    }

    test('halts, and names the loss', async () => {
      const running = await begin(await grown(), keyed)
      await assert.rejects(running.done, ({ message, action }: HaltError) => {
        assert.match(message, /^numbers\[0\] holds at 0 what was received after all its input below 3 was processed/)
        assert.match(action, /METERVEIL_ACCEPT_LOST_INPUT='numbers\[0\]@3\.\.0'/)
        return true
      })
    })

    test('is read whole once the loss is accepted, and then goes on after any restart', async () => {
      const driver = await grown()
      const wire = await openWire(driver.ports.registry, [output as AnyTopic])
      const numbers = async () =>
        (await driver.records(output)).map((record) => wire.decode(output as AnyTopic, record.value!))
      const running = await begin(driver, keyed, 'numbers[0]@3..0')
      await eventually('the last number', async () => (await numbers()).includes(8))
      await running.stop()
      const again = await begin(driver, keyed)
      await append(driver, [9])
      await eventually('the next number', async () => (await numbers()).includes(9))
      await again.stop()
      assert.deepEqual(await numbers(), [1, 2, 3, 5, 6, 7, 8, 9])
    })
  })

  test('cannot be accepted where no changelog would keep it', async () => {
    const driver = await cut(withRows)
    const running = await begin(driver, withRows, 'numbers[0]@3..5')
    await assert.rejects(running.done, ({ name, action }: HaltError) => {
      assert.equal(name, 'HaltError')
      assert.doesNotMatch(action, /ACCEPT/)
      return true
    })
  })
})
