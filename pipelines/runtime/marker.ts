import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { LogError, type OutgoingRecord, type Transactor } from '../../connectors/contract.ts'
import type { AcceptedBatch } from '../../schemas/accepted-batch.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import { findValue, genesis, readRange } from './changelog.ts'
import { changelogRecord, type TaskContext } from './task.ts'

const lookBack = 64n
const pauseMs = 20

/** A marker that a committed read has shown: its own value, and the time the log stamped it with. */
export interface Marker {
  readonly value: Uint8Array
  readonly stampedAt: EpochMs
}

/**
 * Commits a marker to the changelog and waits until a committed read shows it: from then on a read sees everything that
 * older owners committed. Rejects with `retriable` where it does not appear.
 */
export function placeMarker(task: TaskContext, producer: Transactor): Promise<Marker> {
  const marker: AcceptedBatch = {
    kind: 'marker',
    seq: 0,
    prev: genesis,
    hash: randomBytes(32),
    inFrom: 0n,
    inTo: 0n,
    floor: 0,
    progress: 0,
    tables: [],
  }
  return commitAndAwait(
    task,
    producer,
    changelogRecord(task, task.wire.encode(task.pipeline.options.changelog!, marker)),
  )
}

/** Commits one record that no other equals, and waits until a committed read shows it. */
export async function commitAndAwait(task: TaskContext, producer: Transactor, record: OutgoingRecord): Promise<Marker> {
  const value = record.value!
  await producer.begin()
  await producer.send([record])
  await producer.commit()
  const found = await within(task, async () => {
    const { topic, partition } = record
    const { first, end } = await task.ports.log.bounds(topic, partition, 'read_committed')
    const from = end - lookBack > first ? end - lookBack : first
    return findValue(await readRange(task.ports.log, topic, partition, from, end), value)
  })
  if (found) return { value, stampedAt: found.timestamp }
  throw unseen(task)
}

/** Asks again and again until there is an answer, or for as long as a committed read may lag. */
export async function within<T>({ options, signal }: TaskContext, ask: () => Promise<T | undefined>) {
  const deadline = performance.now() + options.settleMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined || signal.aborted || performance.now() > deadline) return answer
    await pause(pauseMs)
  }
}

export const unseen = ({ pipeline, partition }: TaskContext): LogError =>
  new LogError(
    'retriable',
    `the marker of ${pipeline.name}[${partition}] was committed but a read does not show it; it is tried again`,
  )
