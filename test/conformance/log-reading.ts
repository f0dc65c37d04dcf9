import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import {
  bytes,
  committedEnd,
  type LogHarness,
  open,
  patienceMs,
  readAll,
  record,
  rejectsWith,
  steadily,
  text,
  texts,
  topic,
  unique,
} from './log-harness.ts'

const poll = { maxRecords: 1_000, maxBytes: 1_000_000 }

export function readingTests(harness: () => LogHarness): void {
  test('creating a topic twice with the same settings is no error', async () => {
    const { log } = harness()
    const name = await topic(log, { partitions: 3 })
    const spec = { name, partitions: 3, timestamps: 'append', cleanup: 'delete', retentionMs: null } as const
    await steadily(() => log.createTopics([spec]))
    assert.equal(await steadily(() => log.partitions(name)), 3)
  })

  for (const [what, change] of [
    ['partitions', { partitions: 2 }],
    ['timestamps', { timestamps: 'create' }],
    ['cleanup', { cleanup: 'compact' }],
    ['retention', { retentionMs: 3_600_000 }],
  ] as const) {
    test(`a topic that exists with other ${what} is refused`, async () => {
      const { log } = harness()
      const name = await topic(log)
      const spec = { name, partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null } as const
      await rejectsWith('topic_differs', () => log.createTopics([{ ...spec, ...change }]))
    })
  }

  test('a topic that nobody created is unknown', async () => {
    const { log } = harness()
    const name = unique('absent')
    await rejectsWith('topic_unknown', () => log.partitions(name))
    await rejectsWith('topic_unknown', () => log.bounds(name, 0, 'read_committed'))
    await rejectsWith('topic_unknown', () => log.append([record(name, 'x')]))
  })

  test('a record for an unknown partition takes the whole send with it', async () => {
    const { log } = harness()
    const name = await topic(log)
    await rejectsWith('topic_unknown', () => log.append([record(name, 'x'), record(name, 'y', 7)]))
    assert.equal(await committedEnd(log, name), 0n)
  })

  test('an empty partition begins and ends at 0 for both isolations', async () => {
    const { log } = harness()
    const name = await topic(log)
    for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
      assert.deepEqual(await steadily(() => log.bounds(name, 0, isolation)), { first: 0n, end: 0n })
    }
  })

  test('records come back in order with dense offsets, whole and unchanged', async () => {
    const { log } = harness()
    const name = await topic(log)
    const every = Uint8Array.from({ length: 256 }, (_, index) => index)
    const sent = [
      { topic: name, partition: 0, key: null, value: bytes('plain') },
      { topic: name, partition: 0, key: every, value: every, headers: { listener: 'a', 'received-at': '17' } },
      { topic: name, partition: 0, key: bytes('k'), value: null },
      { topic: name, partition: 0, key: new Uint8Array(0), value: new Uint8Array(0) },
    ]
    await steadily(() => log.append(sent))
    const { records, next } = await readAll(log, name)
    assert.equal(next, 4n)
    assert.deepEqual(
      records.map(({ offset, key, value, headers }) => ({
        offset,
        key: key && [...key],
        value: value && [...value],
        headers: { ...headers },
      })),
      sent.map(({ key, value, headers }, index) => ({
        offset: BigInt(index),
        key: key && [...key],
        value: value && [...value],
        headers: { ...headers },
      })),
    )
  })

  test('partitions have offsets of their own', async () => {
    const { log } = harness()
    const name = await topic(log, { partitions: 2 })
    await steadily(() => log.append([record(name, 'a', 0), record(name, 'b', 1), record(name, 'c', 0)]))
    assert.deepEqual(texts((await readAll(log, name, { partition: 0 })).records), ['a', 'c'])
    assert.deepEqual(texts((await readAll(log, name, { partition: 1 })).records), ['b'])
  })

  test('a topic stamped by the log ignores the time of the sender', async () => {
    const { log } = harness()
    const name = await topic(log)
    await steadily(() => log.append([{ ...record(name, 'a'), timestamp: 1_000_000_000_000 }]))
    const [read] = (await readAll(log, name)).records
    assert.ok(Math.abs((read?.timestamp ?? 0) - Date.now()) < patienceMs * 2)
  })

  test('a topic stamped by the sender keeps its time, in transactions too', async () => {
    const { log } = harness()
    const name = await topic(log, { timestamps: 'create' })
    await steadily(() => log.append([{ ...record(name, 'a'), timestamp: 1_700_000_000_000 }]))
    const transactor = await open(log)
    await transactor.begin()
    await transactor.send([{ ...record(name, 'b'), timestamp: 1_600_000_000_123 }])
    await transactor.commit()
    await transactor.close()
    assert.deepEqual(
      (await readAll(log, name)).records.map(({ timestamp }) => timestamp),
      [1_700_000_000_000, 1_600_000_000_123],
    )
  })

  test('a reader starts where it is told, also at the end', async () => {
    const { log } = harness()
    const name = await topic(log)
    await steadily(() => log.append(['a', 'b', 'c'].map((value) => record(name, value))))
    assert.deepEqual(texts((await readAll(log, name, { from: 1n })).records), ['b', 'c'])
    const atEnd = await steadily(() => log.read(name, 0, 3n, 'read_committed'))
    await steadily(() => log.append([record(name, 'd')]))
    const { records } = await steadily(() => atEnd.poll({ ...poll, waitMs: patienceMs }))
    assert.deepEqual(texts(records), ['d'])
    await atEnd.close()
  })

  test('a reader past the end is refused', async () => {
    const { log } = harness()
    const name = await topic(log)
    await steadily(() => log.append([record(name, 'a')]))
    await rejectsWith('offset_out_of_range', async () => {
      const reader = await log.read(name, 0, 5n, 'read_committed')
      try {
        await reader.poll({ ...poll, waitMs: patienceMs })
      } finally {
        await reader.close()
      }
    })
  })

  test('a poll waits for a record and no longer', async () => {
    const { log, other } = harness()
    const name = await topic(log)
    const reader = await steadily(() => log.read(name, 0, 0n, 'read_committed'))
    const polled = steadily(() => reader.poll({ ...poll, waitMs: patienceMs }))
    await pause(100)
    const appendedAt = Date.now()
    await steadily(() => other.append([record(name, 'late')]))
    assert.deepEqual(texts((await polled).records), ['late'])
    assert.ok(Date.now() - appendedAt < patienceMs / 2, 'the append ended the wait')
    await reader.close()
  })

  test('a poll of an idle partition answers with nothing once its wait is over', async () => {
    const { log } = harness()
    const name = await topic(log)
    const reader = await steadily(() => log.read(name, 0, 0n, 'read_committed'))
    assert.deepEqual(await steadily(() => reader.poll({ ...poll, waitMs: 50 })), { records: [], next: 0n })
    await reader.close()
  })

  test('a signal ends a waiting poll', async () => {
    const { log } = harness()
    const name = await topic(log)
    const reader = await steadily(() => log.read(name, 0, 0n, 'read_committed'))
    const stop = new AbortController()
    const began = Date.now()
    const polled = steadily(() => reader.poll({ ...poll, waitMs: patienceMs, signal: stop.signal }))
    await pause(50)
    stop.abort()
    assert.deepEqual((await polled).records, [])
    assert.ok(Date.now() - began < patienceMs / 2)
    await steadily(() => log.append([record(name, 'a')]))
    assert.deepEqual(texts((await steadily(() => reader.poll({ ...poll, waitMs: patienceMs }))).records), ['a'])
    await reader.close()
  })

  test('a poll keeps to its number of records and goes on where it stopped', async () => {
    const { log } = harness()
    const name = await topic(log)
    const values = Array.from({ length: 25 }, (_, index) => `${index}`)
    await steadily(() => log.append(values.map((value) => record(name, value))))
    const reader = await steadily(() => log.read(name, 0, 0n, 'read_committed'))
    const read: (string | null)[] = []
    for (let turn = 0; read.length < 25 && turn < 100; turn++) {
      const { records, next } = await steadily(() => reader.poll({ ...poll, maxRecords: 10, waitMs: 1_000 }))
      assert.ok(records.length <= 10)
      read.push(...texts(records))
      assert.equal(next, BigInt(read.length))
    }
    assert.deepEqual(read, values)
    await reader.close()
  })

  test('a poll keeps to its number of bytes, but gives at least one record', async () => {
    const { log } = harness()
    const name = await topic(log)
    const values = ['a', 'b', 'c'].map((letter) => letter.repeat(50_000))
    await steadily(() => log.append(values.map((value) => record(name, value))))
    const reader = await steadily(() => log.read(name, 0, 0n, 'read_committed'))
    const sizes: number[] = []
    const read: (string | null)[] = []
    for (let turn = 0; read.length < 3 && turn < 100; turn++) {
      const { records } = await steadily(() => reader.poll({ maxRecords: 10, maxBytes: 60_000, waitMs: 1_000 }))
      sizes.push(records.length)
      read.push(...texts(records))
    }
    assert.deepEqual(read, values)
    assert.ok(Math.max(...sizes) === 1)
    await reader.close()
  })

  test('a closed reader refuses to poll', async () => {
    const { log } = harness()
    const name = await topic(log)
    const reader = await steadily(() => log.read(name, 0, 0n, 'read_committed'))
    await reader.close()
    await rejectsWith('closed', () => reader.poll({ ...poll, waitMs: 0 }))
  })

  test('two clients that append at once lose nothing and keep their own order', async () => {
    const { log, other } = harness()
    const name = await topic(log)
    const send = async (client: typeof log, who: string) => {
      for (let index = 0; index < 50; index++) await steadily(() => client.append([record(name, `${who}${index}`)]))
    }
    await Promise.all([send(log, 'a'), send(other, 'b')])
    const read = texts((await readAll(log, name)).records)
    for (const who of ['a', 'b']) {
      const own = read.filter((value) => value?.startsWith(who))
      assert.deepEqual(
        own,
        Array.from({ length: 50 }, (_, index) => `${who}${index}`),
      )
    }
  })

  test('a send larger than one batch of the log goes through whole', async () => {
    const { log } = harness()
    const name = await topic(log)
    await steadily(() => log.append(Array.from({ length: 5_000 }, (_, index) => record(name, `${index}`.padEnd(600)))))
    const { records } = await readAll(log, name)
    assert.equal(records.length, 5_000)
    assert.ok(records.every(({ value }, index) => Number(text(value)?.trim()) === index))
  })

  test('a record over 1 MiB is refused, with all that was sent beside it', async () => {
    const { log } = harness()
    const name = await topic(log)
    await steadily(() => log.append([record(name, 'x'.repeat(900_000))]))
    await rejectsWith('record_too_large', () => log.append([record(name, 'a'), record(name, 'x'.repeat(1_048_577))]))
    assert.equal(await committedEnd(log, name), 1n)
  })

  test('a compacted topic keeps the last value of each key', async () => {
    const { log, compact } = harness()
    const name = await topic(log, { cleanup: 'compact' })
    const rows = [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
      ['c', '1'],
      ['b', null],
    ] as const
    await steadily(() =>
      log.append(
        rows.map(([key, value]) => ({
          ...record(name, value ?? '', 0, key),
          value: value === null ? null : bytes(value),
        })),
      ),
    )
    await compact?.(name)
    const state = new Map<string | null, string>()
    const { records, next } = await readAll(log, name)
    for (const { key, value } of records) {
      if (value === null) state.delete(text(key))
      else state.set(text(key), text(value) ?? '')
    }
    assert.equal(next, 5n)
    assert.deepEqual(Object.fromEntries(state), { a: '2', c: '1' })
  })

  test('a record without a key is refused by a compacted topic', async () => {
    const { log } = harness()
    const name = await topic(log, { cleanup: 'compact' })
    await rejectsWith('record_invalid', () => log.append([record(name, 'x')]))
  })
}
