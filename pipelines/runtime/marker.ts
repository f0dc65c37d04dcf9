import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { LogError, type Transactor } from '../../connectors/contract.ts'
import type { AcceptedBatch } from '../../schemas/accepted-batch.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import { genesis, readRange } from './changelog.ts'
import { changelogRecord, type TaskContext } from './task.ts'

const lookBack = 64n
const pauseMs = 20
const deadlineMs = 30_000

/**
 * Commits a marker to the changelog and waits until a committed read shows it: from then on a read sees everything that
 * older owners committed. Answers the time the log stamped it with. Rejects with `retriable` where it does not appear.
 */
export async function placeMarker(task: TaskContext, producer: Transactor): Promise<EpochMs> {
  const hash = randomBytes(32)
  const marker: AcceptedBatch = {
    kind: 'marker',
    seq: 0,
    prev: genesis,
    hash,
    inFrom: 0n,
    inTo: 0n,
    floor: 0,
    progress: 0,
    tables: [],
  }
  await producer.begin()
  await producer.send([changelogRecord(task, marker)])
  await producer.commit()
  for (let waited = 0; waited <= deadlineMs; waited += pauseMs) {
    const stamp = await findMarker(task, hash)
    if (stamp !== undefined) return stamp
    await pause(pauseMs)
  }
  throw new LogError(
    'retriable',
    `the marker of ${task.pipeline.name}[${task.partition}] was committed but does not appear; it is tried again`,
  )
}

async function findMarker(
  { pipeline, partition, ports, wire }: TaskContext,
  hash: Uint8Array,
): Promise<EpochMs | undefined> {
  const topic = pipeline.options.changelog!
  const { first, end } = await ports.log.bounds(topic.name, partition, 'read_committed')
  const from = end - lookBack > first ? end - lookBack : first
  for (const { value, timestamp } of (await readRange(ports.log, topic.name, partition, from, end)).toReversed()) {
    if (!value) continue
    const record = wire.decode(topic, value) as AcceptedBatch
    if (record.kind === 'marker' && Buffer.compare(record.hash, hash) === 0) return timestamp
  }
  return undefined
}
