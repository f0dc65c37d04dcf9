import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../../../connectors/contract.ts'
import { HaltError } from '../../../operators/contract/halt.ts'
import type { Accumulating } from '../../../operators/contract/operator.ts'
import { type Pipeline, type Ports, pipeline, run } from '../../../pipelines/runtime/index.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import type { LoadState } from '../../../schemas/load-state.ts'
import type { RejectedFrame } from '../../../schemas/rejected-frame.ts'
import { toyChangelog as changelog, once } from '../../helpers/toy-once.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const input = toyTopic<number, 'identified'>('numbers', 'identified')
const output = toyTopic<number, 'identified'>('results', 'identified')
const rejects = toyTopic<RejectedFrame, 'identified'>('rejects', 'identified')
const state = toyTopic<LoadState, 'identified'>('state', 'identified', ({ row }) => row)

/** Counts, keeps the count in a row, and compares it with what it has emitted, as [load] does with its ledger. */
const counted: Accumulating<number, number, { n: number }> = {
  spec: { name: 'counted', drops: [], rejects: [] },
  restore: (rows, history) => {
    const n = Number(Buffer.from(rows.find(({ row }) => row === 'n')?.body ?? new Uint8Array()).toString())
    if (n !== history.length) throw new HaltError(`the rows say ${n}, the history ${history.length}`, 'Find out why.')
    return { n }
  },
  process: (batch, held, out) => {
    for (const from of batch) {
      held.n += 1
      out.emit(from, held.n)
    }
    return 'done'
  },
  changed: ({ n }) => [{ row: 'n', body: Buffer.from(String(n)) }],
}

const cases: Readonly<Record<string, Pipeline>> = {
  'a changelog and what it vouches for': pipeline('keyed', input, (all) => all.keyed(once).to(output), {
    rejects,
    changelog,
    covers: output,
  }),
  'rows and their history': pipeline('counted', input, (all) => all.accumulate(counted).to(output), {
    state,
    history: { topic: output, read: 'whole', partition: 'same' },
  }),
}

/** Holds the first look at the output topic until told. */
function holding(log: Log): { readonly log: Log; readonly looked: Promise<void>; readonly goOn: () => void } {
  const looked = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  return {
    log: {
      ...log,
      bounds: async (name, ...rest) => {
        if (name === output.name) {
          looked.resolve()
          await held.promise
        }
        return log.bounds(name, ...rest)
      },
    },
    looked: looked.promise,
    goOn: held.resolve,
  }
}

for (const [what, built] of Object.entries(cases)) {
  test(`a task that is overtaken between reading ${what} does not halt: only an owner may`, async () => {
    const driver = await testDriver([built])
    await driver.pipe(input, [1, 2])
    const { log, looked, goOn } = holding(driver.log)
    const ports: Ports = { ...driver.ports, log }
    let retries = 0
    let ended: unknown
    const slow = await run(built, ports, {
      partitions: [0],
      task: { confirmed: async () => false },
      observer: {
        batch: () => {},
        transaction: () => {},
        settled: () => {},
        assignment: () => {},
        retry: () => {
          retries += 1
        },
        halted: (_, error) => {
          ended = error
        },
      },
    })
    await looked
    // The first owner was fenced; a third takes over from the second, which has read half of what it needs.
    await driver.start()
    await driver.pipe(input, [3])
    goOn()
    for (let turn = 0; retries === 0 && ended === undefined && turn < 500; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await slow.stop().catch(() => {})
    await driver.pipe(input, [4])
    assert.equal(ended, undefined)
    assert.equal(retries, 1)
    assert.equal((await driver.read(output)).length, 4)
    await driver.stop()
  })
}
