import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../../../connectors/contract.ts'
import { memoryLog, memorySchemaRegistry } from '../../../connectors/memory/index.ts'
import { virtualClock } from '../../../operators/contract/clock.ts'
import { noProbe } from '../../../pipelines/runtime/index.ts'
import { readState, stateRecords } from '../../../pipelines/runtime/state-topic.ts'
import { defaultTaskOptions, type TaskContext } from '../../../pipelines/runtime/task.ts'
import { openWire } from '../../../pipelines/runtime/wire.ts'
import { topics } from '../../../schemas/topics.ts'

const topic = topics.loadState

/** A log whose reads from the first record on give a few records at a time, each fetch in the same memory as the last. */
function frugal(log: Log): Log & { readonly polls: () => number } {
  let polls = 0
  return {
    ...log,
    polls: () => polls,
    read: async (name, partition, from, isolation) => {
      const reader = await log.read(name, partition, from, isolation)
      if (from !== 0n) return reader
      let before: readonly Uint8Array[] = []
      return {
        ...reader,
        poll: async (options) => {
          polls++
          for (const bytes of before) bytes.fill(0xff)
          const { records, next } = await reader.poll({ ...options, maxRecords: 7 })
          const copies = records.map((one) => ({
            ...one,
            key: one.key && Buffer.from(one.key),
            value: one.value && Buffer.from(one.value),
          }))
          before = copies.flatMap(({ key, value }) => [key, value]).filter((bytes) => bytes !== null)
          return { records: copies, next }
        },
      }
    },
  }
}

test('state that no broker has compacted is read a fetch at a time, and of each row only the newest is held', async () => {
  const log = memoryLog({ clock: virtualClock(1_700_000_000_000) })
  await log.createTopics([
    { name: topic.name, partitions: 1, timestamps: 'append', cleanup: 'compact', retentionMs: null },
  ])
  const reading = frugal(log)
  const wire = await openWire(memorySchemaRegistry(), [topic])
  const task = {
    pipeline: { name: 'load', source: topics.loadPartials },
    partition: 0,
    ports: { log: reading },
    wire,
    probe: noProbe,
    options: defaultTaskOptions,
    signal: new AbortController().signal,
  } as unknown as TaskContext
  const body = (text: string) => Buffer.from(text)
  for (let round = 0; round < 40; round++) {
    const rows = [
      { row: 'a', body: body(`a${round}`) },
      { row: 'b', body: body(`b${round}`) },
      { row: `once ${round}`, body: body(`${round}`) },
      { row: `once ${round - 1}`, body: undefined },
    ]
    await log.append(stateRecords(task, topic, rows, BigInt(round)))
  }
  const producer = await log.open('load-0', { timeoutMs: 1_000 })
  const { rows, position } = await readState(task, topic, producer)
  assert.ok(reading.polls() > 25)
  assert.equal(position, 39n)
  assert.deepEqual(
    rows.map((one) => [one.row, `${one.body}`]),
    [
      ['a', 'a39'],
      ['b', 'b39'],
      ['once 39', '39'],
    ],
  )
  await log.close()
})
