import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Isolation, type Log, LogError, type OutgoingRecord } from '../../../connectors/contract.ts'
import { type MemoryLog, openDurableLog } from '../../../connectors/memory/index.ts'
import { frame, readFrames } from '../../../connectors/memory/log-frames.ts'
import { type SimulatedDisk, simulatedDisk } from './simulated-disk.ts'

const spec = { timestamps: 'create', retentionMs: null } as const
const record = (topic: string, partition: number, value: string): OutgoingRecord => ({
  topic,
  partition,
  key: Buffer.from(`k${value.length}`),
  value: Buffer.from(value),
  headers: { name: value },
  timestamp: 1_700_000_000_000 + value.length,
})

const opened = (disk: SimulatedDisk): Promise<MemoryLog> =>
  openDurableLog({ folder: '/log', fsync: 'commit', files: disk.files })

async function values(log: Log, topic: string, partition: number, isolation: Isolation): Promise<string[]> {
  const { first, end } = await log.bounds(topic, partition, isolation)
  const reader = await log.read(topic, partition, first, isolation)
  const read: string[] = []
  for (let next = first; next < end; ) {
    const fetched = await reader.poll({ maxRecords: 100, maxBytes: 1_000_000, waitMs: 0 })
    for (const { key, value, headers, timestamp } of fetched.records) {
      const text = Buffer.from(value ?? []).toString()
      assert.deepEqual({ ...headers }, { name: text })
      assert.equal(Buffer.from(key ?? []).toString(), `k${text.length}`)
      assert.equal(timestamp, 1_700_000_000_000 + text.length)
      read.push(text)
    }
    next = fetched.next
  }
  return read
}

/** Two partitions, an append, commits over both, an abort between, and a transaction left open. */
async function written(disk: SimulatedDisk, commits = 3): Promise<MemoryLog> {
  const log = await opened(disk)
  await log.createTopics([{ name: 'a', partitions: 2, cleanup: 'delete', ...spec }])
  await log.append([record('a', 0, 'plain')])
  const transactor = await log.open('id', { timeoutMs: 60_000 })
  for (let turn = 0; turn < commits; turn++) {
    await transactor.begin()
    await transactor.sendOffsets('group', 'a', 0, BigInt(turn + 1))
    await transactor.send([record('a', 0, `left ${turn}`), record('a', 1, `right ${turn}`)])
    await transactor.commit()
  }
  await transactor.begin()
  await transactor.send([record('a', 1, 'aborted')])
  await transactor.abort()
  await transactor.begin()
  await transactor.send([record('a', 0, 'open'), record('a', 1, 'open')])
  return log
}

const committed = { 0: ['plain', 'left 0', 'left 1', 'left 2'], 1: ['right 0', 'right 1', 'right 2'] } as const

test('everything is there again after closing and opening, aborted records and offsets included', async () => {
  const disk = simulatedDisk()
  const log = await written(disk)
  const ends = await Promise.all([0, 1].map((partition) => log.bounds('a', partition, 'read_uncommitted')))
  await log.close()
  const again = await opened(disk)
  for (const partition of [0, 1] as const) {
    assert.deepEqual(await values(again, 'a', partition, 'read_committed'), committed[partition])
    assert.deepEqual(await again.bounds('a', partition, 'read_uncommitted'), ends[partition])
  }
  assert.deepEqual(await values(again, 'a', 1, 'read_uncommitted'), [...committed[1], 'aborted', 'open'])
  assert.equal(await again.committed('group', 'a', 0), 3n)
  assert.deepEqual(again.topics(), [{ name: 'a', partitions: 2, cleanup: 'delete', ...spec }])
  await again.close()
})

test('a transaction that was open when the process ended stays aborted for good', async () => {
  const disk = simulatedDisk()
  const log = await written(disk)
  let left = disk.afterKill()
  await log.close()
  for (let opening = 0; opening < 3; opening++) {
    const again = await opened(left)
    assert.deepEqual(await values(again, 'a', 0, 'read_committed'), committed[0])
    const transactor = await again.open('other', { timeoutMs: 60_000 })
    await transactor.begin()
    await transactor.commit()
    left = left.afterKill()
    await again.close()
  }
})

/** Every file, with every change of it that `damage` makes, opened. */
async function eachDamaged(
  damage: (bytes: Uint8Array) => Iterable<Uint8Array>,
  check: (path: string, log: MemoryLog | LogError, which: number) => Promise<void>,
): Promise<number> {
  const disk = simulatedDisk()
  const log = await written(disk, 2)
  const left = disk.afterKill()
  await log.close()
  let count = 0
  for (const path of left.paths()) {
    for (const [which, bytes] of [...damage(left.content(path))].entries()) {
      const damaged = left.afterKill()
      damaged.replace(path, bytes)
      let result: MemoryLog | LogError
      try {
        result = await opened(damaged)
      } catch (error) {
        assert.ok(error instanceof LogError, `${path}: ${String(error)}`)
        result = error
      }
      await check(path, result, which)
      if (!(result instanceof LogError)) await result.close()
      count += 1
    }
  }
  return count
}

/** The log holds the work of the first `n` commits, for some n: never half of one, never another value. */
async function holdsWholeCommits(log: MemoryLog): Promise<number> {
  const exists = log.topics().length > 0
  const left = exists ? await values(log, 'a', 0, 'read_committed') : []
  const right = exists ? await values(log, 'a', 1, 'read_committed') : []
  const commits = right.length
  assert.deepEqual(
    right,
    Array.from({ length: commits }, (_, turn) => `right ${turn}`),
  )
  assert.deepEqual(
    left.filter((value) => value !== 'plain'),
    Array.from({ length: commits }, (_, turn) => `left ${turn}`),
  )
  const offset = exists ? await log.committed('group', 'a', 0) : undefined
  assert.equal(offset, commits === 0 ? undefined : BigInt(commits))
  return commits
}

test('a file cut at any byte gives whole commits or is refused, and is never misread', async () => {
  const outcomes = { opened: 0, refused: 0 }
  let last = { path: '', commits: 0 }
  const cuts = function* (bytes: Uint8Array) {
    for (let length = 0; length < bytes.length; length++) yield bytes.slice(0, length)
  }
  await eachDamaged(cuts, async (path, log) => {
    if (log instanceof LogError) {
      assert.equal(log.code, 'corrupt')
      outcomes.refused += 1
      return
    }
    const commits = await holdsWholeCommits(log)
    if (path === last.path) assert.ok(commits >= last.commits, 'a longer file holds no less')
    last = { path, commits }
    outcomes.opened += 1
  })
  assert.ok(outcomes.opened > 100 && outcomes.refused > 100, JSON.stringify(outcomes))
})

test('a byte flipped anywhere gives whole commits or is refused, and is never misread', async () => {
  const outcomes = { opened: 0, refused: 0 }
  const flips = function* (bytes: Uint8Array) {
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice()
      flipped[at]! ^= 1 << (at % 8)
      yield flipped
    }
  }
  await eachDamaged(flips, async (_, log) => {
    if (log instanceof LogError) {
      assert.equal(log.code, 'corrupt')
      outcomes.refused += 1
      return
    }
    await holdsWholeCommits(log)
    outcomes.opened += 1
  })
  assert.ok(outcomes.opened > 100 && outcomes.refused > 100, JSON.stringify(outcomes))
})

test('a control file that is damaged before its last entry is refused, not cut', async () => {
  const disk = simulatedDisk()
  const log = await written(disk)
  const left = disk.afterKill()
  await log.close()
  const path = '/log/control-1'
  const bytes = left.content(path)
  const { payloads } = readFrames(bytes, 0)
  assert.ok(payloads.length > 5)
  for (const payload of payloads.slice(0, -1)) {
    const damaged = left.afterKill()
    const flipped = Uint8Array.from(bytes)
    flipped[payload.byteOffset - bytes.byteOffset]! ^= 1
    damaged.replace(path, flipped)
    await assert.rejects(opened(damaged), { code: 'corrupt' })
  }
})

test('zeros, noise and half a frame behind the end are cut off', async () => {
  const tails = [
    new Uint8Array(64),
    Uint8Array.of(255, 255, 255, 127, 1, 2, 3),
    Uint8Array.of(9, 0, 0, 0, 1, 1, 1, 1, 5),
  ]
  const dirty = function* (bytes: Uint8Array) {
    for (const tail of tails) yield Uint8Array.from([...bytes, ...tail])
  }
  const count = await eachDamaged(dirty, async (path, log) => {
    assert.ok(!(log instanceof LogError), `${path}: ${String(log)}`)
    assert.equal(await holdsWholeCommits(log), 2)
  })
  assert.equal(count, 9)
})

test('a cut tail is gone from the file too', async () => {
  const disk = simulatedDisk()
  await (await written(disk)).close()
  const path = disk.paths().find((each) => each.includes('/a/0/'))!
  const sound = disk.content(path)
  disk.replace(path, Uint8Array.from([...sound, 1, 2, 3]))
  await (await opened(disk)).close()
  assert.equal(disk.content(path).length, sound.length)
})

test('records of a write that failed do not come back, even where the next ones take their place exactly', async () => {
  const disk = simulatedDisk()
  const log = await opened(disk)
  await log.createTopics([{ name: 'a', partitions: 1, cleanup: 'delete', ...spec }])
  await log.append([record('a', 0, 'first')])
  disk.strike(disk.operations() + 1, 'after', false)
  const failed = await Promise.allSettled(['one', 'two'].map((value) => log.append([record('a', 0, value)])))
  assert.deepEqual(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await log.append([record('a', 0, 'six')])
  const again = await opened(disk.afterKill())
  assert.deepEqual(await values(again, 'a', 0, 'read_uncommitted'), ['first', 'six'])
  await again.close()
  await log.close()
})

test('a full disk refuses the whole commit, keeps what was there, and goes on once there is room', async () => {
  for (let room = 0; room < 700; room += 7) {
    const disk = simulatedDisk()
    const log = await written(disk)
    const transactor = await log.open('id', { timeoutMs: 60_000 })
    disk.room = room
    let failure: unknown
    try {
      await transactor.begin()
      await transactor.sendOffsets('group', 'a', 0, 99n)
      await transactor.send([record('a', 0, 'big'.repeat(40)), record('a', 1, 'big'.repeat(40))])
      await transactor.commit()
    } catch (error) {
      failure = error
    }
    const whole = failure === undefined
    if (!whole) {
      assert.ok(failure instanceof LogError && failure.code === 'disk_full', String(failure))
      assert.deepEqual(await values(log, 'a', 0, 'read_committed'), committed[0])
    }
    disk.room = Number.POSITIVE_INFINITY
    const next = await log.open('id', { timeoutMs: 60_000 })
    assert.equal(await log.committed('group', 'a', 0), whole ? 99n : 3n)
    await next.begin()
    await next.send([record('a', 0, 'after'), record('a', 1, 'after')])
    await next.commit()
    const expected = [...committed[0], ...(whole ? ['big'.repeat(40)] : []), 'after']
    assert.deepEqual(await values(log, 'a', 0, 'read_committed'), expected)
    const again = await opened(disk.afterKill())
    assert.deepEqual(await values(again, 'a', 0, 'read_committed'), expected)
    assert.equal((await values(again, 'a', 1, 'read_committed')).length, expected.length - 1)
    assert.equal(await again.committed('group', 'a', 0), whole ? 99n : 3n)
    await again.close()
    await log.close()
  }
})

test('a sync that fails leaves the outcome unknown, and the log takes nothing more', async () => {
  const disk = simulatedDisk()
  const log = await written(disk)
  disk.failSyncs(true)
  await assert.rejects(log.append([record('a', 0, 'x')]), { code: 'unknown_outcome' })
  disk.failSyncs(false)
  await assert.rejects(log.append([record('a', 0, 'y')]), { code: 'closed', message: /opened again/ })
  assert.deepEqual(await values(log, 'a', 0, 'read_committed'), committed[0])
  await log.close()
})

test('truncated and compacted away is gone from the files, in whole files', async () => {
  const disk = simulatedDisk()
  const log = await openDurableLog({ folder: '/log', fsync: 'commit', files: disk.files, segmentBytes: 300 })
  await log.createTopics([
    { name: 'a', partitions: 1, cleanup: 'delete', ...spec },
    { name: 's', partitions: 1, cleanup: 'compact', ...spec },
  ])
  for (let index = 0; index < 30; index++) {
    await log.append([record('a', 0, `value ${index}`)])
    await log.append([{ ...record('s', 0, `row ${index}`), key: Buffer.from(`k${`row ${index}`.length}`) }])
  }
  const size = (topic: string) =>
    disk
      .paths()
      .filter((path) => path.includes(`/topics/${topic}/`))
      .reduce((sum, path) => sum + disk.content(path).length, 0)
  const before = { a: size('a'), s: size('s') }
  await log.truncate('a', 0, 20n)
  await log.compact('s')
  assert.ok(size('a') < before.a / 2 && size('s') < before.s / 4)
  const again = await opened(disk.afterKill())
  assert.deepEqual(await again.bounds('a', 0, 'read_committed'), { first: 20n, end: 30n })
  assert.equal((await values(again, 'a', 0, 'read_committed'))[0], 'value 20')
  assert.deepEqual(await values(again, 's', 0, 'read_committed'), ['row 9', 'row 29'])
  assert.deepEqual(await again.bounds('s', 0, 'read_committed'), { first: 0n, end: 30n })
  await again.close()
  await log.close()
})

test('a compacted topic is compacted when the log is opened', async () => {
  const disk = simulatedDisk()
  const log = await opened(disk)
  await log.createTopics([{ name: 's', partitions: 1, cleanup: 'compact', ...spec }])
  for (let index = 0; index < 9; index++) await log.append([record('s', 0, `row ${index}`)])
  await log.close()
  const again = await opened(disk)
  assert.deepEqual(await values(again, 's', 0, 'read_committed'), ['row 8'])
  await again.close()
})

test('a folder of another format is refused', async () => {
  const disk = simulatedDisk()
  await (await opened(disk)).close()
  const facts = [{ is: 'format', version: 99 }]
  disk.replace('/log/control-7', frame(Buffer.from(JSON.stringify({ sure: 0, facts }))))
  await assert.rejects(opened(disk), { code: 'corrupt', message: /format 99/ })
})
