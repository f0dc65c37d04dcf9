import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { OutgoingRecord } from '../../../connectors/contract.ts'
import { memoryLog } from '../../../connectors/memory/index.ts'
import { days, hours, minutes, seconds } from '../../../operators/contract/clock.ts'
import { handClock } from './hand-clock.ts'

const spec = { partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null } as const
const record = (value: string | null, key: string | null = null): OutgoingRecord => ({
  topic: 'a',
  partition: 0,
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
})
const poll = { maxRecords: 100, maxBytes: 1_000_000, waitMs: 0 }

async function logWith(settings: Partial<typeof spec> | { cleanup: 'compact' } | { retentionMs: number } = {}) {
  const clock = handClock()
  const log = memoryLog({ clock })
  await log.createTopics([{ name: 'a', ...spec, ...settings }])
  const read = async () => {
    const { first } = await log.bounds('a', 0, 'read_committed')
    const { records } = await (await log.read('a', 0, first, 'read_committed')).poll(poll)
    return records.map(({ value }) => (value === null ? null : Buffer.from(value).toString()))
  }
  return { clock, log, read }
}

test('records are stamped with the clock of the log at the append', async () => {
  const { clock, log } = await logWith()
  const start = clock.now()
  await log.append([record('a')])
  await clock.advance(minutes(30))
  await log.append([record('b')])
  const { records } = await (await log.read('a', 0, 0n, 'read_committed')).poll(poll)
  assert.deepEqual(
    records.map(({ timestamp }) => timestamp - start),
    [0, minutes(30)],
  )
})

test('a transaction is aborted when its time is over, and a waiting reader moves on', async () => {
  const { clock, log } = await logWith()
  const slow = await log.open('id', { timeoutMs: seconds(15) })
  await slow.begin()
  await clock.advance(seconds(60))
  await slow.send([record('slow')])
  await log.append([record('behind')])
  const reader = await log.read('a', 0, 0n, 'read_committed')
  let fetched: unknown
  const polled = reader.poll({ ...poll, waitMs: hours(1) }).then(({ records }) => {
    fetched = records.map(({ value }) => Buffer.from(value ?? []).toString())
  })
  await clock.advance(seconds(15) - 1)
  assert.equal(fetched, undefined, 'the time runs from the first record, not from begin')
  await clock.advance(1)
  await polled
  assert.deepEqual(fetched, ['behind'])
  await assert.rejects(slow.commit(), { code: 'fenced' })
  assert.equal(clock.sleepers(), 0)
})

test('a transaction whose time is over is aborted on its next call even if the clock jumped', async () => {
  const clock = { ...handClock(), offset: 0 }
  const jumping = { now: () => clock.now() + clock.offset, sleep: clock.sleep }
  const log = memoryLog({ clock: jumping })
  await log.createTopics([{ name: 'a', ...spec }])
  const slow = await log.open('id', { timeoutMs: seconds(15) })
  await slow.begin()
  await slow.send([record('slow')])
  clock.offset = minutes(1)
  await assert.rejects(slow.commit(), { code: 'fenced' })
  assert.deepEqual(await log.bounds('a', 0, 'read_committed'), { first: 0n, end: 2n })
})

test('transactions of many owners end each at its own time', async () => {
  const { clock, log } = await logWith()
  const owners = await Promise.all([30, 10, 20].map((time) => log.open(`id-${time}`, { timeoutMs: seconds(time) })))
  for (const owner of owners) {
    await owner.begin()
    await owner.send([record('x')])
  }
  const alive = async () => {
    const states = owners.map((owner) =>
      owner.sendOffsets('g', 'a', 0, 1n).then(
        () => true,
        () => false,
      ),
    )
    return Promise.all(states)
  }
  await clock.advance(seconds(10))
  assert.deepEqual(await alive(), [true, false, true])
  await clock.advance(seconds(10))
  assert.deepEqual(await alive(), [true, false, false])
  await owners[0]!.commit()
  assert.deepEqual(await log.bounds('a', 0, 'read_committed'), { first: 0n, end: 6n })
})

test('a waiting poll holds one timer and no other work', async () => {
  const { clock, log } = await logWith()
  const reader = await log.read('a', 0, 0n, 'read_committed')
  const polled = reader.poll({ ...poll, waitMs: hours(1) })
  await nextTurn()
  await nextTurn()
  assert.equal(clock.sleepers(), 1)
  await log.append([record('a')])
  assert.equal((await polled).records.length, 1)
  assert.equal(clock.sleepers(), 0)
})

test('a loop over a full log lets other work of the process in', async () => {
  const { log } = await logWith()
  await log.append(Array.from({ length: 50 }, () => record('a')))
  const reader = await log.read('a', 0, 0n, 'read_committed')
  let turns = 0
  // No timer: on a fast machine all of the loop is over within its first millisecond.
  let other = setImmediate(function turn() {
    turns++
    other = setImmediate(turn)
  })
  for (let read = 0; read < 50; ) read += (await reader.poll({ ...poll, maxRecords: 1 })).records.length
  clearImmediate(other)
  assert.ok(turns > 0)
})

test('closing the log ends waiting polls and refuses everything after', async () => {
  const { log } = await logWith()
  const transactor = await log.open('id', { timeoutMs: seconds(15) })
  await transactor.begin()
  const reader = await log.read('a', 0, 0n, 'read_committed')
  const polled = assert.rejects(reader.poll({ ...poll, waitMs: hours(1) }), { code: 'closed' })
  await nextTurn()
  await log.close()
  await polled
  for (const call of [
    () => log.append([record('a')]),
    () => log.open('id', { timeoutMs: 1 }),
    () => log.bounds('a', 0, 'read_committed'),
    () => transactor.send([record('a')]),
    () => transactor.commit(),
    () => reader.poll(poll),
  ]) {
    await assert.rejects(call(), { code: 'closed' })
  }
})

test('truncation forgets what lies below, and a reader standing there is told', async () => {
  const { log, read } = await logWith()
  await log.append(['a', 'b', 'c', 'd'].map((value) => record(value)))
  const behind = await log.read('a', 0, 1n, 'read_committed')
  const ahead = await log.read('a', 0, 3n, 'read_committed')
  await log.truncate('a', 0, 2n)
  assert.deepEqual(await log.bounds('a', 0, 'read_committed'), { first: 2n, end: 4n })
  assert.deepEqual(await read(), ['c', 'd'])
  await assert.rejects(behind.poll(poll), { code: 'offset_out_of_range' })
  assert.equal((await ahead.poll(poll)).records.length, 1)
  await assert.rejects(log.read('a', 0, 1n, 'read_committed'), { code: 'offset_out_of_range' })
})

test('an open transaction cannot be truncated away', async () => {
  const { log } = await logWith()
  const transactor = await log.open('id', { timeoutMs: seconds(15) })
  await transactor.begin()
  await transactor.send([record('open')])
  await assert.rejects(log.truncate('a', 0, 1n), { code: 'offset_out_of_range' })
  await log.close()
})

test('compaction keeps offsets, open transactions and fresh tombstones, and drops the rest', async () => {
  const { clock, log } = await logWith({ cleanup: 'compact' })
  const rows = async () => {
    const reader = await log.read('a', 0, 0n, 'read_uncommitted')
    const { records, next } = await reader.poll(poll)
    return { offsets: records.map(({ offset }) => Number(offset)), next }
  }
  await log.append([record('1', 'x'), record('1', 'y'), record('2', 'x'), record(null, 'y')])
  const dead = await log.open('dead', { timeoutMs: days(9) })
  await dead.begin()
  await dead.send([record('aborted', 'x')])
  await dead.abort()
  await dead.begin()
  await dead.send([record('open', 'x')])
  await log.append([record('3', 'z'), record('4', 'z')])
  await log.compact('a')
  assert.deepEqual(await rows(), { offsets: [2, 3, 6, 7, 8], next: 9n })
  await clock.advance(hours(25))
  await log.compact('a')
  assert.deepEqual(await rows(), { offsets: [2, 6, 7, 8], next: 9n })
  await dead.commit()
  await log.compact('a')
  assert.deepEqual(await rows(), { offsets: [6, 8], next: 10n })
  await log.close()
})

test('a reader under way does not lose its place when the topic is compacted', async () => {
  const { log } = await logWith({ cleanup: 'compact' })
  await log.append(Array.from({ length: 20 }, (_, index) => record(`${index}`, `k${index % 3}`)))
  const reader = await log.read('a', 0, 0n, 'read_committed')
  await reader.poll({ ...poll, maxRecords: 18 })
  await log.compact('a')
  const { records, next } = await reader.poll(poll)
  assert.deepEqual(
    records.map(({ offset }) => Number(offset)),
    [18, 19],
  )
  assert.equal(next, 20n)
})

test('a sweep deletes what is past the retention and compacts', async () => {
  const { clock, log, read } = await logWith({ retentionMs: days(7) })
  await log.append([record('old')])
  await clock.advance(days(5))
  await log.append([record('young')])
  await log.sweep()
  assert.deepEqual(await read(), ['old', 'young'])
  await clock.advance(days(3))
  await log.sweep()
  assert.deepEqual(await read(), ['young'])
  await clock.advance(days(30))
  await log.sweep()
  assert.deepEqual(await read(), [])
  assert.deepEqual(await log.bounds('a', 0, 'read_committed'), { first: 2n, end: 2n })
})

test('a backup holds what was committed at its time, and lives apart', async () => {
  const { log, read } = await logWith()
  const transactor = await log.open('id', { timeoutMs: seconds(15) })
  await transactor.begin()
  await transactor.sendOffsets('g', 'a', 0, 7n)
  await transactor.send([record('committed')])
  await transactor.commit()
  await transactor.begin()
  await transactor.send([record('open')])
  const backup = log.backup()
  await transactor.commit()
  assert.deepEqual(await read(), ['committed', 'open'])
  const { records, next } = await (await backup.read('a', 0, 0n, 'read_committed')).poll(poll)
  assert.deepEqual([records.length, next], [1, 3n])
  assert.equal(await backup.committed('g', 'a', 0), 7n)
  await backup.append([record('apart')])
  assert.deepEqual(await backup.bounds('a', 0, 'read_committed'), { first: 0n, end: 4n })
  for (const each of [log, backup]) await each.close()
})
