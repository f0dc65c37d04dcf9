import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../../../connectors/contract.ts'
import type { MemoryLog } from '../../../connectors/memory/index.ts'
import { minutes } from '../../../operators/contract/clock.ts'
import type { Accumulating, Operator } from '../../../operators/contract/operator.ts'
import { pipeline } from '../../../pipelines/runtime/index.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import type { LoadState } from '../../../schemas/load-state.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const input = toyTopic<number, 'aggregate'>('numbers', 'aggregate')
const output = toyTopic<number, 'aggregate'>('copies', 'aggregate')
const state = toyTopic<LoadState, 'aggregate'>('state', 'aggregate', ({ row }) => row)

/** A log that writes down what its transactors are asked for. */
function recording(calls: string[]) {
  return (inner: MemoryLog): Log => ({
    ...inner,
    open: async (...args) => {
      const transactor = await inner.open(...args)
      const noted = <A extends readonly unknown[], R>(name: string, call: (...args: A) => R) => {
        return (...given: A): R => {
          calls.push(name)
          return call(...given)
        }
      }
      return {
        begin: noted('begin', transactor.begin),
        sendOffsets: noted('offsets', transactor.sendOffsets),
        send: noted('send', transactor.send),
        commit: noted('commit', transactor.commit),
        abort: noted('abort', transactor.abort),
        close: transactor.close,
      }
    },
  })
}

const copy: Operator<number, number> = {
  spec: { name: 'copy', drops: [], rejects: [] },
  process: (batch, out) => {
    for (const from of batch) out.emit(from, from.value)
  },
}
const count: Accumulating<number, number, { n: number }> = {
  spec: { name: 'count', drops: [], rejects: [] },
  restore: () => ({ n: 0 }),
  process: (batch, held, out, { whole }) => {
    held.n += batch.length
    if (batch.length > 0) out.emit(whole, held.n)
    return 'done'
  },
  changed: () => [],
}

const one = ['begin', 'offsets', 'send', 'commit']
const marker = ['begin', 'send', 'commit']
const cases = {
  'stateless steps': {
    built: pipeline('copies', input, (all) => all.through(copy).to(output)),
    expected: [...one, ...one],
  },
  'an accumulating step, after its marker': {
    built: pipeline('counts', input, (all) => all.accumulate(count).to(output), { state }),
    expected: [...marker, ...one, ...one],
  },
}

for (const [what, { built, expected }] of Object.entries(cases)) {
  // A broker that learns of the offsets last could commit outputs whose input is not known to be done.
  test(`a batch of ${what} sends its offsets, then all outputs at once, then commits, and nothing else`, async () => {
    const calls: string[] = []
    const driver = await testDriver([built], { log: recording(calls) })
    await driver.pipe(input, [1, 2])
    await driver.pipe(input, [3])
    await driver.advance(minutes(1))
    await driver.stop()
    assert.deepEqual(calls, expected)
  })
}
