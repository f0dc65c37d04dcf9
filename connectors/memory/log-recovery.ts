import { join } from 'node:path'
import { LogError } from '../contract.ts'
import { decodeBatch, type StoredBatch } from './log-batches.ts'
import type { BrokerState } from './log-broker.ts'
import { type ControlState, foldControl, type PartitionFacts } from './log-control.ts'
import { corrupt, readControl } from './log-control-file.ts'
import type { LogFiles } from './log-files.ts'
import { readFrames } from './log-frames.ts'
import { errorCode } from './log-lock.ts'
import { emptyPartition, type Partition, type Transaction } from './log-partition.ts'
import { type Segment, type SegmentStore, segmentName, storeOf } from './log-segments.ts'

export interface Recovered {
  readonly state: BrokerState
  readonly stores: Map<Partition, SegmentStore>
  /** Transactions with records in the files that are not committed; nobody can commit them any more. */
  readonly unsettled: Set<number>
  readonly generation: number
}

/**
 * Reads a folder. What was acknowledged must be there and sound, else `corrupt`; what follows it may end in a torn write,
 * which is cut off. Transactions without a commit count as aborted. Files that no fact names are removed.
 */
export async function recover(folder: string, files: LogFiles): Promise<Recovered> {
  const found = await readControl(folder, files)
  const control = foldOrRefuse(folder, found?.frames ?? [])
  const topics = new Map<string, readonly Partition[]>()
  const stores = new Map<Partition, SegmentStore>()
  const unsettled = new Set<number>()
  let lastTransaction = control.lastTransaction
  const aborted = new Map<number, Transaction>()

  for (const { spec, partitions } of control.topics.values()) {
    const read: Partition[] = []
    for (const [index, facts] of partitions.entries()) {
      const partition = emptyPartition(spec, index)
      const store = storeOf(folder, partition)
      partition.first = facts.first
      for (const [number, claimed] of facts.segments) {
        const { segment, batches } = await readSegment(folder, files, store, number, claimed)
        store.segments.push(segment)
        for (const batch of batches) {
          lastTransaction = Math.max(lastTransaction, batch.transaction)
          addBatch(partition, batch, ownerOf(batch.transaction, control, aborted))
        }
      }
      const last = partition.records.at(-1)
      partition.end = Math.max(facts.end, partition.first, last === undefined ? 0 : Number(last.offset) + 1)
      partition.reserved = partition.end
      await removeLeftovers(files, store, facts)
      stores.set(partition, store)
      read.push(partition)
    }
    topics.set(spec.name, read)
  }
  for (const partitions of topics.values()) {
    for (const { owners } of partitions) for (const owner of owners) if (owner !== null) unsettled.add(owner.id)
  }
  return {
    state: { topics, committed: control.offsets, lastTransaction, begun: new Set() },
    stores,
    unsettled,
    generation: found?.generation ?? 0,
  }
}

function foldOrRefuse(folder: string, frames: Parameters<typeof foldControl>[0]): ControlState {
  try {
    return foldControl(frames)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw corrupt(folder, 'the control file', 0)
  }
}

async function readSegment(
  folder: string,
  files: LogFiles,
  store: SegmentStore,
  number: number,
  claimed: number,
): Promise<{ readonly segment: Segment; readonly batches: readonly StoredBatch[] }> {
  const path = join(store.folder, segmentName(number))
  const bytes = await files.read(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return Buffer.alloc(0)
    throw error
  })
  const name = `topics/${store.place.join('/')}/${segmentName(number)}`
  const { payloads, end } = readFrames(bytes, 0)
  if (end < claimed) throw corrupt(folder, name, end)
  if (end < bytes.length) {
    const file = await files.open(path)
    await file.truncate(end)
    await file.sync()
    await file.close()
  }
  const batches = payloads.map((payload) => {
    try {
      return decodeBatch(payload)
    } catch (error) {
      if (error instanceof RangeError) throw corrupt(folder, name, 0)
      throw error
    }
  })
  const base = batches[0]?.records[0]?.offset
  const segment: Segment = {
    number,
    base: base === undefined ? undefined : Number(base),
    length: end,
    claimed,
    announced: true,
    // What lies behind the claim may never have been synced.
    dirty: end > claimed,
    file: undefined,
  }
  return { segment, batches }
}

function addBatch(partition: Partition, { records }: StoredBatch, owner: Transaction | null): void {
  for (const record of records) {
    const offset = Number(record.offset)
    const before = partition.records.at(-1)
    if (before !== undefined && before.offset >= record.offset) {
      throw new LogError('corrupt', `offsets of ${partition.topic.name}[${partition.index}] go back at ${offset}`)
    }
    if (offset < partition.first) continue
    partition.records.push(record)
    partition.owners.push(owner)
  }
}

function ownerOf(id: number, control: ControlState, aborted: Map<number, Transaction>): Transaction | null {
  if (control.isCommitted(id)) return null
  const owner = aborted.get(id) ?? {
    id,
    transactionalId: '',
    state: 'aborted',
    deadline: 0,
    partitions: new Set<Partition>(),
    offsets: new Map<string, number>(),
  }
  aborted.set(id, owner)
  return owner
}

async function removeLeftovers(files: LogFiles, store: SegmentStore, facts: PartitionFacts): Promise<void> {
  const known = new Set([...facts.segments.keys()].map(segmentName))
  for (const name of await files.list(store.folder)) {
    if (name.endsWith('.seg') && !known.has(name)) await files.remove(join(store.folder, name))
  }
}
