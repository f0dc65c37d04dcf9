import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Log, LogError } from '../../../connectors/contract.ts'
import { healthObserver } from '../../../connectors/http/index.ts'
import { memoryLog, memorySchemaRegistry, memoryStateView } from '../../../connectors/memory/index.ts'
import { prometheusMetrics } from '../../../connectors/prometheus/index.ts'
import { systemClock } from '../../../operators/contract/clock.ts'
import { HaltError } from '../../../operators/contract/halt.ts'
import type { Operator } from '../../../operators/contract/operator.ts'
import { pipeline, type Running, run, runAll } from '../../../pipelines/runtime/index.ts'
import { type Observer, observers, silentObserver } from '../../../pipelines/runtime/observer.ts'
import { eventually } from '../../conformance/log-harness.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const input = toyTopic<number, 'aggregate'>('numbers', 'aggregate')
const output = toyTopic<number, 'aggregate'>('copies', 'aggregate')

const copy: Operator<number, number> = {
  spec: { name: 'copy', drops: [], rejects: [] },
  process: (batch, out) => {
    for (const record of batch) out.emit(record, record.value)
  },
}
const refuse: Operator<number, number> = {
  ...copy,
  process: (batch) => {
    if (batch.length > 0) throw new HaltError('a promise was broken', 'Mend it.')
  },
}

/** A process that runs the pipeline: its own health and metrics, and every step of its assignments in order. */
async function worker(log: Log, operator = copy, partitions?: (count: number) => readonly number[]) {
  const metrics = prometheusMetrics({ clock: systemClock, version: '0', process: false })
  const { observer, health } = healthObserver(['copies'])
  const steps: string[] = []
  let told = () => {}
  const listener: Observer = {
    ...silentObserver,
    assignment: (_, partition, step) => {
      steps.push(`${partition} ${step}`)
      told()
    },
  }
  const ports = {
    log,
    view: memoryStateView(),
    registry: memorySchemaRegistry(),
    clock: systemClock,
    seal: (bytes: Uint8Array) => bytes,
  }
  const copies = pipeline('copies', input, (numbers) => numbers.through(operator).to(output))
  const running: Running = await run(copies, ports, {
    observer: observers(metrics.observer, observer, listener),
    task: { lingerMs: 5 },
    ...(partitions ? { partitions } : {}),
  })
  return {
    ...running,
    health,
    steps,
    /** Resolves once that many partitions run here. */
    runs: async (many: number) => {
      while (partitionsOf(steps).size !== many) {
        await new Promise<void>((resolve) => {
          told = resolve
        })
      }
    },
    gauge: async () =>
      Number(/^pipeline_running_partitions\{pipeline="copies"\} (\d+)$/m.exec(await metrics.text())?.[1]),
  }
}

/** Partitions whose last step is that they run. */
function partitionsOf(steps: readonly string[]): Set<string> {
  const last = new Map(steps.map((step) => step.split(' ') as [string, string]))
  return new Set([...last].filter(([, step]) => step === 'running').map(([partition]) => partition))
}

async function twoPartitions() {
  const log = memoryLog()
  const shape = { partitions: 2, timestamps: 'append', cleanup: 'delete', retentionMs: null } as const
  await log.createTopics([
    { name: 'numbers', ...shape },
    { name: 'copies', ...shape },
  ])
  return log
}

test('a partition that another process takes over is no longer told as running here', { timeout: 20_000 }, async () => {
  const log = await twoPartitions()
  const first = await worker(log)
  await first.runs(2)
  assert.equal(await first.gauge(), 2)
  const second = await worker(log)
  await second.runs(1)
  await first.runs(1)
  assert.deepEqual([await first.gauge(), await second.gauge()], [1, 1])
  await first.stop()
  await second.runs(2)
  assert.deepEqual([await first.gauge(), await second.gauge()], [0, 2])
  assert.deepEqual([first.health.ready(), second.health.ready()], [false, true])
  await second.stop()
  assert.equal(await second.gauge(), 0)
})

test('a worker that gets no partition is idle and ready, by the group as by a list, and takes over', {
  timeout: 20_000,
}, async () => {
  const log = await twoPartitions()
  const listed = await worker(log, copy, () => [])
  assert.deepEqual([listed.health.pipelines()['copies'], listed.health.ready()], ['idle', true])
  await listed.stop()
  const workers = [await worker(log), await worker(log), await worker(log)]
  const states = () => workers.map(({ health }) => health.pipelines()['copies']).sort()
  await eventually('two run, one is idle', () => states().join() === 'idle,running,running')
  assert.ok(workers.every(({ health }) => health.ready()))
  const leaver = workers.find(({ health }) => health.pipelines()['copies'] === 'running')!
  await leaver.stop()
  const others = workers.filter((each) => each !== leaver)
  await eventually('both others run', () => others.every(({ health }) => health.pipelines()['copies'] === 'running'))
  await Promise.all(others.map(({ stop }) => stop()))
})

test('every assignment ends once, whether by stopping, a lost answer or a halt', { timeout: 20_000 }, async () => {
  const log = await twoPartitions()
  let lose = true
  const losing: Log = {
    ...log,
    open: async (id, options) => {
      const answer = await log.open(id, options)
      if (lose) {
        lose = false
        throw new LogError('unknown_outcome', 'the answer was lost')
      }
      return answer
    },
  }
  const stopped = await worker(losing)
  await stopped.runs(2)
  await stopped.stop()
  const halted = await worker(log, refuse)
  await halted.runs(2)
  const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), input.codec.encode(7)])
  await log.append([{ topic: 'numbers', partition: 0, key: null, value }])
  await assert.rejects(halted.done, HaltError)
  for (const { steps } of [stopped, halted]) {
    const count = (wanted: string) => steps.filter((step) => step.endsWith(` ${wanted}`)).length
    assert.equal(count('lost'), count('assigned'), steps.join(', '))
    assert.deepEqual([...partitionsOf(steps)], [])
  }
  assert.equal(await halted.gauge(), 0)
  assert.equal(halted.health.live(), false)
})

test('partitions chosen from their count run whoever else does', { timeout: 20_000 }, async () => {
  const log = await twoPartitions()
  const grouped = await worker(log)
  await grouped.runs(2)
  await grouped.stop()
  const odd = await worker(log, copy, (count) => Array.from({ length: count }, (_, p) => p).filter((p) => p % 2 === 1))
  await odd.runs(1)
  assert.deepEqual([...partitionsOf(odd.steps)], ['1'])
  await odd.stop()
  assert.deepEqual([...partitionsOf(odd.steps)], [])
})

test('pipelines start all or none', { timeout: 20_000 }, async (t) => {
  const log = await twoPartitions()
  t.after(() => log.close())
  const steps: string[] = []
  const observer: Observer = {
    ...silentObserver,
    assignment: (name, partition, step) => void steps.push(`${partition} ${step} ${name}`),
  }
  const ports = {
    log: {
      ...log,
      join: async (...args: Parameters<Log['join']>) => {
        if (args[0] === 'second') throw new LogError('unauthorized', 'no such right')
        return await log.join(...args)
      },
    },
    view: memoryStateView(),
    registry: memorySchemaRegistry(),
    clock: systemClock,
    seal: (bytes: Uint8Array) => bytes,
  }
  const both = ['first', 'second'].map((name) => pipeline(name, input, (from) => from.through(copy).to(output)))
  await assert.rejects(runAll(both, ports, { observer, task: { lingerMs: 5 } }), { code: 'unauthorized' })
  assert.deepEqual([...partitionsOf(steps)], [])
})

test('a pipeline whose group refuses it for good ends with what it said; what may pass is a retry', {
  timeout: 20_000,
}, async (t) => {
  const log = await twoPartitions()
  t.after(() => log.close())
  let told: Parameters<Log['join']>[2] | undefined
  const joined = Promise.withResolvers<void>()
  const ports = {
    log: {
      ...log,
      join: async (...args: Parameters<Log['join']>) => {
        told = args[2]
        joined.resolve()
        return await log.join(...args)
      },
    },
    view: memoryStateView(),
    registry: memorySchemaRegistry(),
    clock: systemClock,
    seal: (bytes: Uint8Array) => bytes,
  }
  const said: string[] = []
  const observer: Observer = {
    ...silentObserver,
    retry: (name, partition, error) => void said.push(`${name} ${partition} again: ${error.message}`),
    halted: (name, error) => void said.push(`${name} ended: ${error.message}`),
  }
  const copies = pipeline('copies', input, (numbers) => numbers.through(copy).to(output))
  const running = await run(copies, ports, { observer, task: { lingerMs: 5 } })
  await joined.promise
  told?.retried?.(new LogError('retriable', 'nobody answered'))
  told?.failed?.(new LogError('group_refused', 'not in this group'))
  await assert.rejects(running.done, { code: 'group_refused' })
  assert.deepEqual(said, ['copies -1 again: nobody answered', 'copies ended: not in this group'])
})
