import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import {
  commitAll,
  committedEnd,
  eventually,
  type LogHarness,
  open,
  patienceMs,
  readAll,
  record,
  rejectsWith,
  steadily,
  texts,
  topic,
  unique,
} from './log-harness.ts'

const bothIsolations = ['read_committed', 'read_uncommitted'] as const

export function transactionTests(harness: () => LogHarness): void {
  test('a commit shows records of every partition, an abort none', async () => {
    const { log } = harness()
    const name = await topic(log, { partitions: 2 })
    const transactor = await open(log)
    await transactor.begin()
    await transactor.send([record(name, 'a', 0), record(name, 'b', 1)])
    await transactor.abort()
    await commitAll(transactor, [record(name, 'c', 0), record(name, 'd', 1)])
    await transactor.close()
    assert.deepEqual(texts((await readAll(log, name, { partition: 0 })).records), ['c'])
    assert.deepEqual(texts((await readAll(log, name, { partition: 1 })).records), ['d'])
  })

  test('aborted records stay readable to read_uncommitted', async () => {
    const { log } = harness()
    const name = await topic(log)
    const transactor = await open(log)
    await transactor.begin()
    await transactor.send([record(name, 'aborted')])
    await transactor.abort()
    await commitAll(transactor, [record(name, 'committed')])
    await transactor.close()
    assert.deepEqual(texts((await readAll(log, name, { isolation: 'read_uncommitted' })).records), [
      'aborted',
      'committed',
    ])
    assert.deepEqual(texts((await readAll(log, name)).records), ['committed'])
  })

  test('records of an open transaction are seen by read_uncommitted only', async () => {
    const { log } = harness()
    const name = await topic(log)
    const transactor = await open(log)
    await transactor.begin()
    await transactor.send([record(name, 'open')])
    assert.deepEqual(texts((await readAll(log, name, { isolation: 'read_uncommitted' })).records), ['open'])
    assert.equal(await committedEnd(log, name), 0n)
    const reader = await steadily(() => log.read(name, 0, 0n, 'read_committed'))
    assert.deepEqual(await steadily(() => reader.poll({ maxRecords: 10, maxBytes: 1_000_000, waitMs: 200 })), {
      records: [],
      next: 0n,
    })
    await reader.close()
    await transactor.abort()
    await transactor.close()
  })

  test('read_committed stops at the oldest open transaction, whatever was appended after it', async () => {
    const { log } = harness()
    const name = await topic(log)
    await steadily(() => log.append([record(name, 'before')]))
    const slow = await open(log)
    const quick = await open(log)
    await slow.begin()
    await slow.send([record(name, 'slow')])
    await commitAll(quick, [record(name, 'quick')])
    await steadily(() => log.append([record(name, 'plain')]))
    await eventually('the end shows all appends', async () => {
      const { end } = await steadily(() => log.bounds(name, 0, 'read_uncommitted'))
      return end === 5n
    })
    assert.equal(await committedEnd(log, name), 1n)
    assert.deepEqual(texts((await readAll(log, name)).records), ['before'])
    const reader = await steadily(() => log.read(name, 0, 1n, 'read_committed'))
    const polled = steadily(() => reader.poll({ maxRecords: 10, maxBytes: 1_000_000, waitMs: patienceMs }))
    await slow.commit()
    assert.equal((await polled).records.length > 0, true)
    await reader.close()
    await eventually('the last stable offset reaches the end', async () => (await committedEnd(log, name)) === 6n)
    assert.deepEqual(texts((await readAll(log, name)).records), ['before', 'slow', 'quick', 'plain'])
    for (const each of [slow, quick]) await each.close()
  })

  test('each marker takes an offset, and readers of both isolations get past the last one', async () => {
    const { log } = harness()
    const name = await topic(log)
    const transactor = await open(log)
    for (const outcome of ['commit', 'abort', 'commit'] as const) {
      await transactor.begin()
      await transactor.send(['x', 'y', 'z'].map((value) => record(name, value)))
      await transactor[outcome]()
    }
    await transactor.close()
    for (const isolation of bothIsolations) {
      await eventually(`${isolation} ends after the markers`, async () => {
        const { end } = await steadily(() => log.bounds(name, 0, isolation))
        return end === 12n
      })
      const { records, next } = await readAll(log, name, { isolation })
      assert.equal(next, 12n)
      assert.deepEqual(
        records.map(({ offset }) => Number(offset)),
        isolation === 'read_committed' ? [0, 1, 2, 8, 9, 10] : [0, 1, 2, 4, 5, 6, 8, 9, 10],
      )
    }
  })

  test('a reader whose position lies in an aborted range goes on behind it', async () => {
    const { log } = harness()
    const name = await topic(log)
    const transactor = await open(log)
    await transactor.begin()
    await transactor.send(['a', 'b', 'c'].map((value) => record(name, value)))
    await transactor.abort()
    await commitAll(transactor, [record(name, 'd')])
    await transactor.close()
    assert.deepEqual(texts((await readAll(log, name, { from: 1n, until: 6n })).records), ['d'])
  })

  test('several sends of one transaction are one unit', async () => {
    const { log } = harness()
    const name = await topic(log)
    const transactor = await open(log)
    await transactor.begin()
    await transactor.send([record(name, 'a')])
    await steadily(() => log.append([record(name, 'between')]))
    await transactor.send([record(name, 'b')])
    assert.deepEqual(texts((await readAll(log, name)).records), [])
    await transactor.commit()
    await transactor.close()
    await eventually('the commit shows', async () => (await committedEnd(log, name)) === 4n)
    assert.deepEqual(texts((await readAll(log, name)).records), ['a', 'between', 'b'])
  })

  test('a transaction without records commits and aborts', async () => {
    const { log } = harness()
    const name = await topic(log)
    const transactor = await open(log)
    await transactor.begin()
    await transactor.commit()
    await transactor.begin()
    await transactor.abort()
    await commitAll(transactor, [record(name, 'a')])
    await transactor.close()
    assert.deepEqual(texts((await readAll(log, name)).records), ['a'])
  })

  test('offsets count from the commit on, and an abort forgets them', async () => {
    const { log } = harness()
    const name = await topic(log, { partitions: 2 })
    const group = unique('group')
    const read = (partition: number) => steadily(() => log.committed(group, name, partition))
    const transactor = await open(log)
    assert.equal(await read(0), undefined)
    await transactor.begin()
    await transactor.sendOffsets(group, name, 0, 3n)
    await transactor.abort()
    const afterAbort = await open(log, transactor.id)
    assert.equal(await read(0), undefined)
    await afterAbort.begin()
    await afterAbort.sendOffsets(group, name, 0, 5n)
    await afterAbort.sendOffsets(group, name, 1, 7n)
    await afterAbort.send([record(name, 'x')])
    await afterAbort.commit()
    assert.deepEqual([await read(0), await read(1)], [5n, 7n])
    assert.equal(await steadily(() => log.committed(unique('group'), name, 0)), undefined)
    for (const each of [transactor, afterAbort]) await each.close()
  })

  for (const outcome of ['commit', 'abort'] as const) {
    test(`an offset is not answered while a transaction that holds another is undecided, until its ${outcome}`, async () => {
      const { log, other } = harness()
      const name = await topic(log, { partitions: 2 })
      const group = unique('group')
      const transactor = await open(log)
      await transactor.begin()
      await transactor.sendOffsets(group, name, 0, 3n)
      await transactor.commit()
      await transactor.begin()
      await transactor.sendOffsets(group, name, 0, 5n)
      const answers: unknown[] = []
      const asked = [log, other].map(async (client) => {
        answers.push(await steadily(() => client.committed(group, name, 0)))
      })
      assert.equal(await steadily(() => other.committed(group, name, 1)), undefined, 'other partitions are answered')
      await pause(200)
      assert.deepEqual(answers, [])
      await transactor[outcome]()
      await Promise.all(asked)
      const expected = outcome === 'commit' ? 5n : 3n
      assert.deepEqual(answers, [expected, expected])
      await transactor.close()
    })
  }

  test('an offset that is asked for right after its commit is the new one', async () => {
    const { log, other } = harness()
    const name = await topic(log)
    const group = unique('group')
    const transactor = await open(log)
    for (let next = 1n; next <= 40n; next++) {
      await transactor.begin()
      await transactor.sendOffsets(group, name, 0, next)
      await transactor.commit()
      assert.equal(await steadily(() => other.committed(group, name, 0)), next)
    }
    await transactor.close()
  })

  test('a committed offset may go back', async () => {
    const { log } = harness()
    const name = await topic(log)
    const group = unique('group')
    const last = await open(log)
    for (const next of [9n, 4n]) {
      await last.begin()
      await last.sendOffsets(group, name, 0, next)
      await last.commit()
      assert.equal(await steadily(() => log.committed(group, name, 0)), next)
    }
    await last.close()
  })

  test('calls out of order are refused and change nothing', async () => {
    const { log } = harness()
    const name = await topic(log)
    const transactor = await open(log)
    await rejectsWith('transaction_state', () => transactor.commit())
    await rejectsWith('transaction_state', () => transactor.abort())
    await rejectsWith('transaction_state', () => transactor.send([record(name, 'x')]))
    await rejectsWith('transaction_state', () => transactor.sendOffsets(unique('group'), name, 0, 1n))
    await transactor.begin()
    await rejectsWith('transaction_state', () => transactor.begin())
    await transactor.send([record(name, 'a')])
    await transactor.commit()
    await rejectsWith('transaction_state', () => transactor.commit())
    await transactor.close()
    assert.deepEqual(texts((await readAll(log, name)).records), ['a'])
  })

  test('a record over 1 MiB is refused in a transaction, which can be aborted', async () => {
    const { log } = harness()
    const name = await topic(log)
    const transactor = await open(log)
    await transactor.begin()
    await rejectsWith('record_too_large', () => transactor.send([record(name, 'x'.repeat(1_048_577))]))
    await transactor.abort()
    await commitAll(transactor, [record(name, 'a')])
    await transactor.close()
    assert.deepEqual(texts((await readAll(log, name)).records), ['a'])
  })

  test('a closed transactor refuses every call', async () => {
    const { log } = harness()
    const name = await topic(log)
    const transactor = await open(log)
    await transactor.close()
    for (const call of [
      () => transactor.begin(),
      () => transactor.send([record(name, 'x')]),
      () => transactor.sendOffsets(unique('group'), name, 0, 1n),
      () => transactor.commit(),
      () => transactor.abort(),
    ]) {
      await rejectsWith('closed', call)
    }
  })

  test('transactions of many owners in one partition keep apart', async () => {
    const { log } = harness()
    const name = await topic(log)
    const owners = await Promise.all(Array.from({ length: 4 }, () => open(log)))
    const expected: string[] = []
    await Promise.all(
      owners.map(async (owner, who) => {
        for (let turn = 0; turn < 10; turn++) {
          const values = [0, 1, 2].map((index) => `${who}/${turn}/${index}`)
          await owner.begin()
          for (const value of values) await owner.send([record(name, value)])
          if ((who + turn) % 3 === 0) await owner.abort()
          else {
            await owner.commit()
            expected.push(...values)
          }
        }
        await owner.close()
      }),
    )
    await eventually('nothing is open', async () => {
      const { end } = await steadily(() => log.bounds(name, 0, 'read_uncommitted'))
      return end === 160n && (await committedEnd(log, name)) === end
    })
    assert.deepEqual(texts((await readAll(log, name)).records).sort(), expected.sort())
  })
}
