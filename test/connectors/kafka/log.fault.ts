import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Log, LogError } from '../../../connectors/contract.ts'
import { type KafkaLogOptions, kafkaLog } from '../../../connectors/kafka/index.ts'
import {
  commitAll,
  eventually,
  open,
  readAll,
  record,
  steadily,
  text,
  texts,
  topic,
  unique,
} from '../../conformance/log-harness.ts'
import { type OwnServices, ownServices } from '../../helpers/services.ts'

const own: OwnServices = await ownServices({ kafka: true })
after(() => own.stop())

const isLost = (error: unknown): boolean =>
  error instanceof LogError && ['unknown_outcome', 'fenced', 'retriable'].includes(error.code)

describe('the log over Kafka under faults', { skip: own.skip }, () => {
  const logs: Log[] = []
  const connect = (options: Partial<KafkaLogOptions> = {}): Log => {
    const log = kafkaLog({ brokers: own.address('kafka').split(','), ...options })
    logs.push(log)
    return log
  }
  let log: Log
  before(() => {
    log = connect()
  })
  after(async () => {
    await Promise.all(logs.map((each) => each.close()))
  })

  test('the transaction of a killed process is settled when the next owner has the id', async () => {
    const name = await topic(log)
    const id = unique('id')
    const group = unique('group')
    const script = new URL('open-transaction.ts', import.meta.url).pathname
    for (let turn = 0; turn < 3; turn++) {
      const child = spawn(process.execPath, [script, own.address('kafka'), id, name, group], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const gone = once(child, 'exit')
      await once(child.stdout, 'data')
      child.kill('SIGKILL')
      await gone
      const owner = await open(log, id)
      assert.equal(await steadily(() => log.committed(group, name, 0)), undefined)
      await commitAll(owner, [record(name, `owner ${turn}`)])
      await owner.close()
    }
    assert.deepEqual(texts((await readAll(log, name)).records), ['owner 0', 'owner 1', 'owner 2'])
    assert.equal((await readAll(log, name, { isolation: 'read_uncommitted' })).records.length, 3_003)
  })

  test('back-to-back transactions wait out the markers, with and without offsets', async () => {
    const name = await topic(log)
    const transactor = await log.open(unique('id'), { timeoutMs: 15_000 })
    for (let turn = 0; turn < 60; turn++) {
      await transactor.begin()
      if (turn % 2 === 0) await transactor.sendOffsets(name, name, 0, BigInt(turn))
      await transactor.send([record(name, `${turn}`)])
      await transactor.commit()
    }
    await transactor.close()
    await eventually('all are visible', async () => (await readAll(log, name)).records.length === 60)
  })

  test('a transaction larger than one batch goes through in order', async () => {
    const name = await topic(log, { partitions: 2 })
    const transactor = await open(log)
    const records = Array.from({ length: 9_000 }, (_, index) => record(name, `${index}`.padEnd(300), index % 2))
    await commitAll(transactor, records)
    await transactor.close()
    for (const partition of [0, 1]) {
      const read = (await readAll(log, name, { partition })).records.map(({ value }) => Number(text(value)?.trim()))
      assert.deepEqual(
        read,
        Array.from({ length: 4_500 }, (_, index) => index * 2 + partition),
      )
    }
  })

  test('lag reaches 0 although markers take offsets', async () => {
    const name = await topic(log)
    const output = await topic(log)
    const group = unique('group')
    const producer = await open(log)
    for (const value of ['a', 'b']) await commitAll(producer, [record(name, value)])
    const { next } = await readAll(log, name)
    const transactor = await open(log)
    await transactor.begin()
    await transactor.sendOffsets(group, name, 0, next)
    await transactor.send([record(output, 'x')])
    await transactor.commit()
    await (await open(log, transactor.id)).close()
    const { end } = await steadily(() => log.bounds(name, 0, 'read_uncommitted'))
    assert.equal(await steadily(() => log.committed(group, name, 0)), end)
    for (const each of [producer, transactor]) await each.close()
  })

  for (const call of ['send', 'sendOffsets', 'commit', 'abort'] as const) {
    test(`a ${call} that stays unanswered ends the transactor, and the next owner decides`, async () => {
      const hasty = connect({ deadlineMs: 1_000, requestTimeoutMs: 20_000 })
      const name = await topic(log)
      const id = unique('id')
      const transactor = await steadily(() => hasty.open(id, { timeoutMs: 60_000 }))
      await transactor.begin()
      await transactor.sendOffsets(name, name, 0, 1n)
      await transactor.send([record(name, 'maybe')])
      await own.kill('kafka', 'SIGSTOP')
      const ask = () =>
        call === 'send'
          ? transactor.send([record(name, 'more')])
          : call === 'sendOffsets'
            ? transactor.sendOffsets(name, name, 0, 2n)
            : transactor[call]()
      try {
        await assert.rejects(ask(), { code: 'unknown_outcome' })
        for (const again of ['commit', 'abort'] as const) {
          await assert.rejects(transactor[again](), { code: 'unknown_outcome' }, 'never asked again')
        }
      } finally {
        await own.kill('kafka', 'SIGCONT')
      }
      const owner = await open(log, id)
      const offset = await steadily(() => log.committed(name, name, 0))
      await commitAll(owner, [record(name, 'owner')])
      const read = texts((await readAll(log, name)).records)
      assert.deepEqual(read, offset === undefined ? ['owner'] : ['maybe', 'owner'], 'records and offset go together')
      if (call !== 'commit') assert.equal(offset, undefined)
      for (const each of [transactor, owner]) await each.close()
    })
  }

  test('after a kill the offset of a group is the last one or refused, never an older one, and right with the next commit', async (context) => {
    const name = await topic(log)
    const group = unique('group')
    const id = unique('id')
    const hasty = connect({ deadlineMs: 3_000 })
    let last = 0n
    let refused = 0
    for (let kill = 0; kill < 6; kill++) {
      const owner = await steadily(() => log.open(id, { timeoutMs: 10_000 }))
      const killing = pause(200 + kill * 53).then(() => own.kill('kafka'))
      try {
        for (let next = last + 1n; ; next++) {
          await owner.begin()
          await owner.sendOffsets(group, name, 0, next)
          await owner.send([record(name, `${next}`)])
          await owner.commit()
        }
      } catch (error) {
        if (!isLost(error)) throw error
      }
      await killing
      await own.start('kafka')
      const heir = await open(log, id)
      const answer = await hasty.committed(group, name, 0).catch((error: unknown) => {
        if (isLost(error)) return 'refused'
        throw error
      })
      const marker = `marker ${kill}`
      await commitAll(heir, [record(name, marker)])
      let written: (string | null)[] = []
      while (!written.includes(marker)) written = texts((await readAll(log, name)).records)
      last = BigInt(written.filter((value) => !value?.startsWith('marker')).at(-1) ?? 0)
      if (answer === 'refused') refused += 1
      else assert.equal(answer ?? 0n, last, 'what the offset says is what the records of its transaction say')
      last += 1n
      await heir.begin()
      await heir.sendOffsets(group, name, 0, last)
      await heir.send([record(name, `${last}`)])
      await heir.commit()
      assert.equal(await steadily(() => log.committed(group, name, 0)), last)
      for (const each of [owner, heir]) await each.close()
    }
    context.diagnostic(`after ${refused} of 6 kills the offset was refused until the next commit`)
  })

  test('calls outside transactions end in time where no broker is, and say so', async () => {
    const lost = connect({ brokers: ['127.0.0.1:1'], deadlineMs: 500 })
    for (const call of [
      () => lost.partitions('t'),
      () => lost.bounds('t', 0, 'read_committed'),
      () => lost.open('id', { timeoutMs: 1_000 }),
      () => lost.append([record('t', 'x')]),
      () =>
        lost.createTopics([{ name: 't', partitions: 1, timestamps: 'append', cleanup: 'delete', retentionMs: null }]),
    ]) {
      await assert.rejects(call, { code: 'retriable' })
    }
  })

  test('a loop copies its input exactly once while the broker is killed, and readers and appends go on', async () => {
    const input = await topic(log)
    const output = await topic(log)
    const group = unique('group')
    const id = unique('id')
    const count = 400
    const isCopy = (text: string | null) => !text?.startsWith('marker')
    const kills = 3
    let lost = 0
    let copied = 0
    const appending = (async () => {
      for (let index = 0; index < count; index++) {
        await log.append([record(input, `${index}`)])
        await pause(5)
      }
    })()
    const copying = (async () => {
      for (let position = 0n; position < BigInt(count); ) {
        try {
          const owner = await log.open(id, { timeoutMs: 10_000 })
          // Neither the group's offset nor the end of a topic can be trusted right after a broker came back: both were seen
          // from before the last commit. A marker of one's own that has appeared shows that all before it has.
          const marker = `marker ${lost}`
          await owner.begin()
          await owner.send([record(output, marker)])
          await owner.commit()
          let written: (string | null)[] = []
          while (!written.includes(marker)) written = texts((await readAll(log, output)).records)
          position = BigInt(written.filter(isCopy).length)
          const reader = await log.read(input, 0, position, 'read_committed')
          while (position < BigInt(count)) {
            const { records, next } = await reader.poll({ maxRecords: 9, maxBytes: 1_000_000, waitMs: 200 })
            if (records.length === 0) continue
            await owner.begin()
            await owner.sendOffsets(group, input, 0, next)
            await owner.send(records.map(({ value }) => record(output, text(value) ?? '')))
            await owner.commit()
            position = next
            copied = Number(next)
          }
          await owner.close()
          await reader.close()
        } catch (error) {
          if (!isLost(error)) throw error
          lost += 1
        }
      }
    })()
    for (let kill = 1; kill <= kills; kill++) {
      await eventually('the loop has gone on', () => copied >= (count * kill) / (kills + 2))
      await own.kill('kafka')
      await own.start('kafka')
    }
    await Promise.all([appending, copying])
    await (await open(log, id)).close()
    assert.ok(lost > 0, 'the kills hit the loop')
    assert.deepEqual(
      texts((await readAll(log, input)).records),
      Array.from({ length: count }, (_, index) => `${index}`),
    )
    assert.deepEqual(
      texts((await readAll(log, output)).records).filter(isCopy),
      Array.from({ length: count }, (_, index) => `${index}`),
    )
  })
})
