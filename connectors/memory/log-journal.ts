import { LogError } from '../contract.ts'
import { batchesOf, encodeBatch } from './log-batches.ts'
import type { BrokerState, Journal } from './log-broker.ts'
import type { Fact, Place } from './log-control.ts'
import { type ControlWriter, openControl } from './log-control-file.ts'
import { diskError, type LogFiles } from './log-files.ts'
import { frame } from './log-frames.ts'
import type { Content, Partition } from './log-partition.ts'
import {
  addSegment,
  fileOf,
  removeSegments,
  type Segment,
  type SegmentStore,
  segmentFacts,
  storeOf,
} from './log-segments.ts'
import type { Change } from './log-steps.ts'

/**
 * When bytes are forced to the disk. `commit`: before a commit, or an append outside transactions, is acknowledged; it
 * survives a power cut. `none`: left to the system. What was acknowledged survives the end of the process, but a power
 * cut may lose the last of it, or so much that the log refuses to open; it never shows half a transaction.
 */
export type FsyncPolicy = 'commit' | 'none'

export interface JournalStart {
  readonly folder: string
  readonly files: LogFiles
  readonly fsync: FsyncPolicy
  readonly state: BrokerState
  readonly stores: ReadonlyMap<Partition, SegmentStore>
  /** Transactions with records in the files that are not committed. */
  readonly unsettled: Iterable<number>
  readonly generation: number
  /** A segment file that has reached this size is closed and another one begun. */
  readonly segmentBytes: number
  /** A control file that has reached this size is written anew, with only what still holds. */
  readonly controlBytes: number
}

interface Written {
  readonly store: SegmentStore
  readonly segment: Segment
  readonly lengthBefore: number
}

const isCommit = (fact: Fact): boolean => fact.is === 'end' && fact.committed

const placeOf = ({ topic, index }: Partition): Place => [topic.name, index]

/** Writes the log's changes to a folder. Starts with a fresh control file that holds all of `state`. */
export async function openJournal(start: JournalStart): Promise<Journal> {
  const { folder, files, fsync, state, segmentBytes, controlBytes } = start
  const stores = new Map(start.stores)
  const unsettled = new Set(start.unsettled)
  const durable = fsync === 'commit'
  let broken: LogError | undefined

  const store = (partition: Partition): SegmentStore => {
    const found = stores.get(partition) ?? storeOf(folder, partition)
    stores.set(partition, found)
    return found
  }
  /** Runs what must not fail: afterwards nobody knows what the disk holds. */
  const orBreak = async (act: () => Promise<void>) => {
    try {
      await act()
    } catch (error) {
      const { code, message } = diskError(error, folder)
      broken = new LogError('closed', `${message}; the log takes no more writes until it is opened again`)
      throw new LogError(code === 'disk_full' ? code : 'unknown_outcome', broken.message)
    }
  }
  const everything = (): Fact[] => [
    { is: 'transactions', through: state.lastTransaction, unsettled: [...new Set([...unsettled, ...state.begun])] },
    { is: 'offsets', offsets: [...state.committed] },
    ...[...state.topics.values()].flatMap((partitions): Fact[] => [
      { is: 'topic', spec: partitions[0]!.topic },
      ...partitions.flatMap((partition): Fact[] => [
        { is: 'bounds', at: placeOf(partition), first: partition.first, end: partition.end },
        { is: 'segments', at: placeOf(partition), segments: segmentFacts(store(partition).segments) },
      ]),
    ]),
  ]
  const control: ControlWriter = await openControl({
    folder,
    files,
    durable,
    generation: start.generation,
    everything,
    orBreak,
  })

  const writeRecords = async (changes: readonly Change[], written: Written[]) => {
    const frames = new Map<Partition, Uint8Array[]>()
    const bases = new Map<Partition, number>()
    for (const change of changes) {
      if (change.is !== 'records') continue
      for (const [partition, records] of change.records) {
        if (!bases.has(partition)) bases.set(partition, Number(records[0]!.offset))
        const list = frames.get(partition) ?? []
        list.push(frame(encodeBatch({ transaction: change.transaction?.id ?? 0, records })))
        frames.set(partition, list)
      }
    }
    for (const [partition, list] of frames) {
      const into = store(partition)
      let segment = into.segments.at(-1)
      if (segment === undefined || segment.length >= segmentBytes) segment = await addSegment(files, into, durable)
      written.push({ store: into, segment, lengthBefore: segment.length })
      const bytes = list.length === 1 ? list[0]! : Buffer.concat(list)
      const file = await fileOf(files, into, segment)
      segment.dirty = true
      segment.base ??= bases.get(partition)
      await file.write(bytes, segment.length)
      segment.length += bytes.length
    }
  }

  /** Partitions whose bytes must be there for the group to count. */
  const settling = (changes: readonly Change[]): Set<Partition> => {
    const partitions = new Set<Partition>()
    for (const change of changes) {
      if (change.is === 'records' && change.transaction === null) {
        for (const partition of change.records.keys()) partitions.add(partition)
      }
      if (change.is === 'end' && change.outcome === 'committed') {
        for (const partition of change.transaction.partitions) partitions.add(partition)
      }
    }
    return partitions
  }

  const write = async (changes: readonly Change[], written: Written[]) => {
    await writeRecords(changes, written)
    const facts: Fact[] = []
    const announcing = written.filter(({ segment }) => !segment.announced)
    const claims: { readonly segment: Segment; readonly length: number }[] = []
    for (const change of changes) if (change.is === 'topic') facts.push(change)
    for (const { store: into } of announcing)
      facts.push({ is: 'segments', at: into.place, segments: segmentFacts(into.segments) })
    for (const partition of settling(changes)) {
      for (const segment of store(partition).segments) {
        if (segment.claimed === segment.length && !segment.dirty) continue
        if (durable && segment.dirty) await orBreak(async () => (await fileOf(files, store(partition), segment)).sync())
        claims.push({ segment, length: segment.length })
        facts.push({ is: 'written', at: placeOf(partition), segment: [segment.number, segment.length] })
      }
    }
    for (const change of changes) {
      if (change.is !== 'end') continue
      facts.push({
        is: 'end',
        transaction: change.transaction.id,
        committed: change.outcome === 'committed',
        markers: [...change.markers].map(([partition, marker]) => [placeOf(partition), marker]),
        offsets: change.outcome === 'committed' ? [...change.transaction.offsets] : [],
      })
    }
    if (facts.length > 0) {
      const mustLast = announcing.length > 0 || facts.some((fact) => fact.is === 'topic' || isCommit(fact))
      await control.append(facts, mustLast)
    }
    for (const { segment, length } of claims) {
      segment.claimed = length
      segment.dirty = false
    }
    for (const { segment } of announcing) segment.announced = true
    for (const change of changes) {
      if (change.is === 'records' && change.transaction !== null) unsettled.add(change.transaction.id)
      if (change.is === 'end' && change.outcome === 'committed') unsettled.delete(change.transaction.id)
    }
  }

  /** A failed renewal costs nothing but room: the present file goes on. */
  let renewAt = controlBytes
  const renew = async () => {
    try {
      await control.renew()
      renewAt = Math.max(controlBytes, control.length() * 2)
    } catch (error) {
      if (broken !== undefined) throw error
      renewAt = control.length() * 2
    }
  }

  const guarded = async (act: () => Promise<void>) => {
    if (broken !== undefined) throw broken
    try {
      await act()
    } catch (error) {
      throw diskError(error, folder)
    }
  }

  /** New files for what the partition holds, then the fact that switches to them, then the old ones go. */
  const rewrite = async (partition: Partition, content: Content) => {
    const into = store(partition)
    const old = into.segments
    try {
      into.segments = old.slice(-1)
      const first = await addSegment(files, into, durable)
      into.segments = [first]
      const file = await fileOf(files, into, first)
      for (const batch of batchesOf(content)) {
        const bytes = frame(encodeBatch(batch))
        await file.write(bytes, first.length)
        first.length += bytes.length
        first.base ??= Number(batch.records[0]!.offset)
      }
      if (durable) await file.sync()
      first.claimed = first.length
      await control.append(
        [
          { is: 'segments', at: into.place, segments: segmentFacts(into.segments) },
          { is: 'bounds', at: into.place, first: partition.first, end: partition.end },
        ],
        true,
      )
      first.announced = true
    } catch (error) {
      const failed = into.segments.filter((segment) => !old.includes(segment))
      into.segments = old
      for (const segment of failed) await segment.file?.close().catch(() => {})
      throw error
    }
    await removeSegments(files, into, old)
  }

  return {
    write: (changes) =>
      guarded(async () => {
        // Now, and not after the write: what memory holds is what the control file says, no more and no less.
        if (control.length() > renewAt) await renew()
        const written: Written[] = []
        try {
          await write(changes, written)
        } catch (error) {
          if (broken === undefined) {
            await orBreak(async () => {
              for (const { segment, lengthBefore } of written.toReversed()) {
                segment.length = lengthBefore
                await segment.file?.truncate(lengthBefore)
                // Else a power cut might bring back what the caller was told is not there.
                if (durable) await segment.file?.sync()
              }
            })
          }
          throw error
        }
      }),
    rewrite: (partition, content) => guarded(() => rewrite(partition, content)),
    truncate: (partition, first) =>
      guarded(async () => {
        const into = store(partition)
        // A file may go once the next one begins at or before the first offset kept.
        const dropped = into.segments.filter((_, index) => {
          const next = into.segments[index + 1]?.base
          return next !== undefined && next <= first
        })
        const kept = into.segments.filter((segment) => !dropped.includes(segment))
        await control.append(
          [
            { is: 'segments', at: into.place, segments: segmentFacts(kept) },
            { is: 'bounds', at: into.place, first, end: partition.end },
          ],
          true,
        )
        into.segments = kept
        await removeSegments(files, into, dropped)
      }),
    close: async () => {
      await control.close()
      for (const { segments } of stores.values()) for (const { file } of segments) await file?.close()
    },
  }
}
