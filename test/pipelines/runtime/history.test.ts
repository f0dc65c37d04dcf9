// History that is read back from its end, and a witness outside the log that must agree with it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HaltError, HistoryBehindError } from '../../../operators/contract/halt.ts'
import type { Accumulating } from '../../../operators/contract/operator.ts'
import { type History, pipeline, type Witness } from '../../../pipelines/runtime/index.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import type { LoadState } from '../../../schemas/load-state.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const input = toyTopic<number, 'aggregate'>('numbers', 'aggregate')
const output = toyTopic<number, 'aggregate'>('squares', 'aggregate')
const state = toyTopic<LoadState, 'aggregate'>('sums', 'aggregate', ({ row }) => row)

/** Emits each number; its row says how many there were. `restored` sees what it was handed. */
const counting = (
  restored: (history: readonly unknown[]) => void,
): Accumulating<number, number, { count: number }> => ({
  spec: { name: 'count', drops: [], rejects: [] },
  restore: (rows, history) => {
    restored(history)
    const body = rows.find(({ row }) => row === 'count')?.body
    return { count: body ? Number(Buffer.from(body).toString()) : 0 }
  },
  process: (batch, held, out) => {
    for (const record of batch) out.emit(record, record.value)
    held.count += batch.length
    return 'done'
  },
  changed: ({ count }) => [{ row: 'count', body: Buffer.from(String(count)) }],
})

const built = (restored: (history: readonly unknown[]) => void, rest: Partial<History>) =>
  pipeline('counts', input, (numbers) => numbers.accumulate(counting(restored)).to(output), {
    state,
    history: { topic: output, read: 'whole', partition: 'same', ...rest },
  })

const numbers = (to: number) => Array.from({ length: to }, (_, i) => i + 1)

for (const [what, enough, expected] of [
  ['the newest value that is enough', (value: number) => value % 1_000 === 0, numbers(3_500).slice(2_999)],
  ['the first record where none is enough', () => false, numbers(3_500)],
] as const) {
  test(`reads history back to ${what}`, async () => {
    const seen: (readonly unknown[])[] = []
    const enoughFrom = (value: unknown, rows: readonly { row: string }[]) =>
      rows.some(({ row }) => row === 'count') && enough(value as number)
    const driver = await testDriver([built((history) => seen.push(history), { enoughFrom })])
    await driver.pipe(input, numbers(3_500))
    await driver.stop()
    await driver.start()
    await driver.settle()
    assert.deepEqual(seen, [[], expected])
    await driver.stop()
  })
}

test('tells the witness of what is committed, and asks it at every assignment', async () => {
  const told: unknown[] = []
  const checked: number[] = []
  const witness: Witness = {
    check: async (history) => void checked.push(history.length),
    committed: async (value) => void told.push(value),
  }
  const driver = await testDriver([built(() => {}, { witness })])
  await driver.pipe(input, [1, 2, 3])
  await driver.pipe(input, [4])
  await driver.stop()
  await driver.start()
  await driver.settle()
  assert.deepEqual(
    [checked, told],
    [
      [0, 4],
      [3, 4],
    ],
  )
  await driver.stop()
})

for (const [what, error] of [
  ['differs', new HaltError('another history', 'Look.')],
  ['is behind and stays so', new HistoryBehindError('ends too early', 'Look.')],
] as const) {
  test(`a witness that ${what} halts before anything is restored`, async () => {
    let restored = false
    const witness: Witness = { check: () => Promise.reject(error), committed: async () => {} }
    const driver = await testDriver([built(() => (restored = true), { witness })], { task: { settleMs: 100 } })
    await assert.rejects(driver.settle(), (thrown) => thrown === error)
    assert.equal(restored, false)
  })
}

test('a witness that cannot remember ends the pipeline, after the commit', async () => {
  const error = new HaltError('no room', 'Make room.')
  const witness: Witness = { check: async () => {}, committed: () => Promise.reject(error) }
  const driver = await testDriver([built(() => {}, { witness })])
  await assert.rejects(driver.pipe(input, [1]), (thrown) => thrown === error)
  assert.deepEqual(await driver.read(output), [1])
})
