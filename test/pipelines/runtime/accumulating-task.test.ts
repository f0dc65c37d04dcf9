import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TopicSpec } from '../../../connectors/contract.ts'
import { minutes } from '../../../operators/contract/clock.ts'
import { HistoryBehindError } from '../../../operators/contract/halt.ts'
import type { Accumulating, StateRow } from '../../../operators/contract/operator.ts'
import type { Published } from '../../../operators/contract/published.ts'
import { Killed, pipeline, run, silentObserver, steps } from '../../../pipelines/runtime/index.ts'
import { testDriver } from '../../../pipelines/testing/driver.ts'
import { topic } from '../../../schemas/codec.ts'
import type { LoadState } from '../../../schemas/load-state.ts'
import { eventually } from '../../conformance/log-harness.ts'
import { laggingLog } from '../../helpers/lagging-log.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

const input = toyTopic<number, 'aggregate'>('numbers', 'aggregate')
const output = toyTopic<string, 'aggregate'>('totals', 'aggregate')
const state = toyTopic<LoadState, 'aggregate'>('sums', 'aggregate', ({ row }) => row)

const plain = (name: string, timestamps: TopicSpec['timestamps'] = 'append'): TopicSpec => ({
  name,
  partitions: 1,
  timestamps,
  cleanup: 'delete',
  retentionMs: null,
})

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

for (const step of steps.filter((one) => !['hold', 'lookup', 'apply'].includes(one))) {
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
      assert.ok(bit > 0 || ['fence', 'marker', 'replay'].includes(step), 'the fault never bit')
    })
  }
}

for (const asked of [{ lag: 1 }, { lag: 5 }, { right: 1, lag: 1 }, { right: 1, lag: 5 }]) {
  test(`adds nothing up twice where reads show less than was committed: ${JSON.stringify(asked)}`, async () => {
    const late = laggingLog(asked)
    const driver = await testDriver([totals], { log: late.wrap })
    await driver.pipe(input, numbers(1, 25))
    await driver.stop()
    await late.freeze(state, 8n)
    await driver.start()
    await driver.pipe(input, numbers(26, 40))
    await eventually('every total', async () => (await driver.read(output)).length >= expected(40).length)
    assert.deepEqual((await driver.read(output)).sort(), expected(40).sort())
    await driver.stop()
  })
}

/** Emits the running sum; keeps no rows, since its source says it all. */
const running: Accumulating<number, string, { sum: number }> = {
  spec: { name: 'running', drops: [], rejects: [] },
  restore: () => ({ sum: 0 }),
  process: (batch, held, out) => {
    for (const from of batch) {
      held.sum += from.value
      out.emit(from, `sum ${held.sum}`)
    }
    return 'done'
  },
  changed: () => [],
}

for (const maxRecords of [1, 4, 100]) {
  test(`rebuilds from its source and repeats nothing, ${maxRecords} records a batch`, async () => {
    const sums = pipeline('sums', input, (all) => all.accumulate(running).to(output), { state, replay: true })
    const observed = new Map<string, number>()
    const observer = {
      ...silentObserver,
      batch: (name: string, _: number, { records }: { readonly records: number }) =>
        void observed.set(name, (observed.get(name) ?? 0) + records),
    }
    const driver = await testDriver([sums], { task: { maxRecords }, observer })
    for (let round = 0; round < 4; round++) {
      await driver.pipe(input, numbers(round * 10 + 1, round * 10 + 10))
      await driver.stop()
      await driver.start()
      await driver.advance(minutes(1))
    }
    const all = numbers(1, 40).map((n) => `sum ${(n * (n + 1)) / 2}`)
    assert.deepEqual(await driver.read(output), all)
    assert.equal(observed.get('sums'), 40, 'what is read again is counted once')
    await driver.stop()
  })
}

test('reads history again that ends too early, and halts where it stays so', async () => {
  const ledger = toyTopic<string, 'aggregate'>('ledger', 'aggregate')
  const other = toyTopic<LoadState, 'aggregate'>('other', 'aggregate', ({ row }) => row)
  const needs: typeof running = {
    ...running,
    restore: (_, history) => {
      if (history.length < 2) throw new HistoryBehindError('the ledger ends too early', 'Restore it.')
      return { sum: history.length }
    },
  }
  const sums = pipeline('sums', input, (all) => all.accumulate(needs).to(output), {
    state,
    history: { topic: ledger, read: 'whole', partition: 'same' },
  })
  const task = { settleMs: 200 }
  const short = await testDriver([sums], { task })
  await assert.rejects(short.settle(), /the ledger ends too early/)

  const late = laggingLog({ lag: 3 })
  const driver = await testDriver(
    [pipeline('fill', input, (all) => all.accumulate(running).to(ledger), { state: other })],
    {
      log: late.wrap,
      topics: [plain('totals'), plain('sums')],
    },
  )
  await driver.pipe(input, numbers(1, 2))
  await driver.stop()
  await late.freeze(ledger, 1n)
  const again = await run(sums, driver.ports, { partitions: [0], task: { ...task, settleMs: 5_000 } })
  await eventually('both sums', async () => (await driver.records(output)).length === 2)
  await again.stop()
})

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
    state,
    notBefore: (seal) => seal.tick,
  })
  const topics = [plain('load', 'create')]
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
