import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes } from '../../../operators/contract/clock.ts'
import type { Accumulating, StateRow } from '../../../operators/contract/operator.ts'
import type { Published } from '../../../operators/contract/published.ts'
import { Killed, pipeline, steps } from '../../../pipelines/runtime/index.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import { topic } from '../../../schemas/codec.ts'
import type { LoadState } from '../../../schemas/load-state.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const input = toyTopic<number, 'aggregate'>('numbers', 'aggregate')
const output = toyTopic<string, 'aggregate'>('totals', 'aggregate')
const state = toyTopic<LoadState, 'aggregate'>('sums', 'aggregate', ({ row }) => row)

interface Sum {
  sum: number
  owed: string[]
}

/** Emits `open n` at every multiple of ten of the count of numbers, and only after its commit `sum n s`. */
const total: Accumulating<number, string, Sum & { count: number }> = {
  spec: { name: 'total', drops: [], rejects: [] },
  restore: (rows) => {
    const row = rows.find((one) => one.row === 'sum')
    return row?.body ? JSON.parse(Buffer.from(row.body).toString()) : { sum: 0, count: 0, owed: [] }
  },
  process: (batch, held, out, context) => {
    if (held.owed.length > 0) for (const line of held.owed.splice(0)) out.emit(context.whole, line)
    let opened = false
    for (const { value } of batch) {
      held.sum += value
      if (++held.count % 10 > 0) continue
      opened = true
      out.emit(context.whole, `open ${held.count}`)
      held.owed.push(`sum ${held.count} ${held.sum}`)
    }
    return opened ? 'more' : 'done'
  },
  changed: (held): StateRow[] => [{ row: 'sum', body: Buffer.from(JSON.stringify(held)) }],
}

const totals = pipeline('totals', input, (numbers) => numbers.accumulate(total).to(output), { state })

const expected = (count: number): string[] =>
  Array.from({ length: Math.floor(count / 10) }, (_, i) => (i + 1) * 10).flatMap((n) => [
    `open ${n}`,
    `sum ${n} ${(n * (n + 1)) / 2}`,
  ])

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

test('calls again after the commit of what other work waits for', async () => {
  const driver = await testDriver([totals])
  await driver.pipe(input, numbers(1, 9))
  assert.deepEqual(await driver.read(output), [])
  await driver.pipe(input, numbers(10, 10))
  assert.deepEqual(await driver.read(output), expected(10))
  await driver.stop()
})

test('restores its rows together with the offset they stand for', async () => {
  const driver = await testDriver([totals])
  await driver.pipe(input, numbers(1, 15))
  await driver.advance(minutes(1))
  await driver.stop()
  await driver.start()
  await driver.pipe(input, numbers(16, 20))
  assert.deepEqual(await driver.read(output), expected(20))
  await driver.stop()
})

for (const step of steps.filter((one) => !['hold', 'lookup', 'apply', 'marker'].includes(one))) {
  for (const at of ['before', 'after'] as const) {
    test(`adds nothing up twice and forgets nothing when killed ${at} ${step}`, async () => {
      let hits = 0
      let arm = 1
      const driver = await testDriver([totals], {
        probe: (moment) => {
          if (moment.step === step && moment.at === at && arm > 0 && ++hits >= arm) {
            hits = 0
            arm = 0
            throw new Killed(`${at} ${step}`)
          }
        },
      })
      let bit = 0
      for (let round = 0; round < 8; round++) {
        try {
          await driver.pipe(input, numbers(round * 7 + 1, round * 7 + 7))
          await driver.advance(minutes(1))
        } catch (error) {
          assert.ok(error instanceof Killed)
          bit++
          await driver.start()
        }
        await driver.settle()
        arm = (round % 3) + 1
      }
      arm = 0
      await driver.settle()
      assert.deepEqual(await driver.read(output), expected(56))
      assert.ok(bit > 0 || ['fence', 'replay'].includes(step), 'the fault never bit')
    })
  }
}

test('holds records until their tick and copies published bytes verbatim', async () => {
  const seals = toyTopic<{ tick: number }, 'aggregate'>('seals', 'aggregate')
  const load = toyTopic<string, 'released'>('load', 'released')
  const tick = 1_700_000_060_000
  const step: Accumulating<{ tick: number }, Published<string>, null> = {
    spec: { name: 'copy', drops: [], rejects: [] },
    restore: () => null,
    process: (batch, _, out) => {
      for (const record of batch)
        out.emit(record, { key: 'a', bytes: new Uint8Array([1, 2]), timestamp: record.value.tick })
      return 'done'
    },
    changed: () => [],
  }
  const released = topic({ ...load, label: 'aggregate' as const })
  const publish = pipeline('copies', seals, (all) => all.accumulate(step).to(released), {
    notBefore: (seal) => seal.tick,
  })
  const topics = [{ name: 'load', partitions: 1, timestamps: 'create', cleanup: 'delete', retentionMs: null }] as const
  const driver = await testDriver([publish], { topics })
  await driver.pipe(seals, [{ tick }])
  assert.equal((await driver.records(released)).length, 0)
  await driver.advance(minutes(1))
  const [record] = await driver.records(released)
  assert.deepEqual([...(record?.value ?? [])], [1, 2])
  assert.equal(record?.timestamp, tick)
  assert.equal(Buffer.from(record?.key ?? []).toString(), 'a')
  await driver.stop()
})
