import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Log, LogError, type StateView, type Transactor } from '../../../connectors/contract.ts'
import { healthObserver } from '../../../connectors/http/index.ts'
import { memoryStateView } from '../../../connectors/memory/index.ts'
import { prometheusMetrics } from '../../../connectors/prometheus/index.ts'
import { systemClock } from '../../../operators/contract/clock.ts'
import type { Operator } from '../../../operators/contract/operator.ts'
import { type Observer, observers, pipeline, silentObserver } from '../../../pipelines/runtime/index.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { type Driver, testDriver } from '../../../pipelines/testing/driver.ts'
import { eventually } from '../../conformance/log-harness.ts'
import { toyChangelog as changelog, once } from '../../helpers/toy-once.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const input = toyTopic<number, 'identified'>('numbers', 'identified')
const output = toyTopic<number, 'identified'>('unique', 'identified')
const copies = toyTopic<number, 'identified'>('copies', 'identified')

const copy: Operator<number, number> = {
  spec: { name: 'copy', drops: [], rejects: [] },
  process: (batch, out) => {
    for (const record of batch) out.emit(record, record.value)
  },
}

const keyed = pipeline('unique', input, (numbers) => numbers.keyed(once).to(output), { changelog, covers: output })
const plain = pipeline('copies', input, (numbers) => numbers.through(copy).to(copies))

/** A store that takes nothing while it is full. */
function store() {
  let full = false
  let refused = 0
  const guard = async <T>(act: () => Promise<T>): Promise<T> => {
    if (!full) return act()
    refused += 1
    throw new LogError('disk_full', 'the store has no room: make some')
  }
  return {
    fill: (now: boolean) => {
      full = now
    },
    refused: () => refused,
    view: (inner: StateView): StateView => ({
      ...inner,
      exchange: (scope, request) =>
        request.apply ? guard(() => inner.exchange(scope, request)) : inner.exchange(scope, request),
      reset: (...args) => guard(() => inner.reset(...args)),
    }),
    log: (inner: Log, where: 'open' | 'send' | 'commit'): Log => ({
      ...inner,
      open: async (...args) => {
        const open = () => inner.open(...args)
        const transactor = await (where === 'open' ? guard(open) : open())
        return {
          ...transactor,
          send: (records) => (where === 'send' ? guard(() => transactor.send(records)) : transactor.send(records)),
          commit: () => (where === 'commit' ? guard(() => transactor.commit()) : transactor.commit()),
        } satisfies Transactor
      },
    }),
  }
}

/** Appends a number, and waits for nobody. */
async function append({ log, ports }: Driver, number: number): Promise<void> {
  const wire = await openWire(ports.registry, [input])
  await log.append([{ topic: input.name, partition: 0, key: null, value: wire.encode(input, number) }])
}

/** What the runtime reported, as operators see it. */
function watching(name: string) {
  const metrics = prometheusMetrics({ clock: systemClock, version: '0', process: false })
  const { observer, health } = healthObserver([name])
  const steps: string[] = []
  const outcomes: string[] = []
  const told: Observer = {
    ...silentObserver,
    assignment: (_, __, step) => void steps.push(step),
    transaction: (_, outcome) => void outcomes.push(outcome),
    retry: (_, __, error) => void outcomes.push((error as LogError).code),
    halted: () => void steps.push('halted'),
  }
  const gauge = async (metric: string) =>
    Number(new RegExp(`^${metric}\\{pipeline="${name}"\\} (\\d+)$`, 'm').exec(await metrics.text())?.[1])
  return { observer: observers(metrics.observer, observer, told), health, steps, outcomes, gauge }
}

for (const where of ['view', 'open', 'send', 'commit'] as const) {
  for (const one of where === 'view' ? [keyed] : [keyed, plain]) {
    test(`pauses ${one.name} where there is no room at ${where}, says so, and goes on with nothing lost`, async (t) => {
      const full = store()
      const seen = watching(one.name)
      let polls = 0
      const into = one === keyed ? output : copies
      const driver: Driver = await testDriver([one], {
        observer: seen.observer,
        probe: ({ step, at }) => {
          if (step === 'poll' && at === 'after') polls += 1
        },
        ...(where === 'view' ? { view: full.view(memoryStateView()) } : {}),
        ...(where === 'view' ? {} : { log: (log: Log) => full.log(log, where) }),
      })
      t.after(() => {
        full.fill(false)
        return driver.stop()
      })
      await driver.pipe(input, [1, 2])
      assert.equal(await seen.gauge('pipeline_paused_partitions'), 0)
      full.fill(true)
      if (where === 'open') await driver.stop().then(driver.start)
      // The view is told of a batch with the next one, so it takes two to come to the end of the room.
      for (const value of [3, 4]) {
        await append(driver, value)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await eventually('it pauses and looks again', async () => full.refused() >= 3)
      assert.equal(seen.health.pipelines()[one.name], 'paused')
      assert.deepEqual([seen.health.live(), seen.health.ready()], [true, false])
      assert.equal(await seen.gauge('pipeline_paused_partitions'), 1)
      assert.equal(await seen.gauge('pipeline_running_partitions'), 0)
      const before = polls
      const looks = full.refused()
      await eventually('it looks once more', async () => full.refused() > looks)
      // A task with a position of its own finds out by its marker; one without has only its input to try with.
      if (one === keyed) assert.equal(polls, before, 'it took input although it could not go on')

      full.fill(false)
      const all = async () => [...(await driver.read(into))].sort((a, b) => a - b)
      await eventually('everything is there', async () => (await all()).length === 4)
      assert.deepEqual(await all(), [1, 2, 3, 4])
      await eventually('it runs', async () => seen.health.ready())
      assert.equal(await seen.gauge('pipeline_paused_partitions'), 0)
      assert.ok(!seen.steps.includes('halted'))
      assert.deepEqual([...new Set(seen.outcomes)].sort(), ['committed', 'disk_full'])
      await driver.stop()
      assert.equal(seen.steps.at(-1), 'lost')
    })
  }
}

test('a paused partition that is asked to stop, or taken away, is paused no longer', async (t) => {
  const full = store()
  const seen = watching('unique')
  const driver = await testDriver([keyed], { observer: seen.observer, log: (log) => full.log(log, 'commit') })
  t.after(() => driver.stop())
  full.fill(true)
  await append(driver, 1)
  await eventually('it pauses', async () => seen.steps.at(-1) === 'paused')
  await driver.stop()
  assert.equal(seen.steps.at(-1), 'lost')
  assert.equal(await seen.gauge('pipeline_paused_partitions'), 0)
  assert.equal(seen.health.pipelines()['unique'], 'starting')
})
