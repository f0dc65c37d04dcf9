import { join } from 'node:path'
import type { Place, SegmentFact } from './log-control.ts'
import type { LogFile, LogFiles } from './log-files.ts'
import type { Partition } from './log-partition.ts'

/** One file of a partition. */
export interface Segment {
  readonly number: number
  /** Offset of the first record; undefined while there is none. */
  base: number | undefined
  /** Bytes written. */
  length: number
  /** Bytes that the control file says must be there. */
  claimed: number
  /** Whether the control file knows the file. */
  announced: boolean
  /** Whether bytes were written since the last sync. */
  dirty: boolean
  file: LogFile | undefined
}

/** The files of one partition; the last one is written to. */
export interface SegmentStore {
  readonly folder: string
  readonly place: Place
  segments: Segment[]
}

export const segmentName = (number: number): string => `${String(number).padStart(10, '0')}.seg`

export function storeOf(folder: string, partition: Partition): SegmentStore {
  const { topic, index } = partition
  return { folder: join(folder, 'topics', topic.name, String(index)), place: [topic.name, index], segments: [] }
}

/** Adds a new, empty file at the end. */
export async function addSegment(files: LogFiles, store: SegmentStore, durable: boolean): Promise<Segment> {
  await files.makeFolder(store.folder)
  const number = (store.segments.at(-1)?.number ?? 0) + 1
  const file = await files.open(join(store.folder, segmentName(number)))
  // A leftover of a write that failed may lie there.
  await file.truncate(0)
  if (durable) for (const above of ['.', '..', '../..']) await files.syncFolder(join(store.folder, above))
  const segment: Segment = { number, base: undefined, length: 0, claimed: 0, announced: false, dirty: false, file }
  store.segments.push(segment)
  return segment
}

export async function fileOf(files: LogFiles, store: SegmentStore, segment: Segment): Promise<LogFile> {
  segment.file ??= await files.open(join(store.folder, segmentName(segment.number)))
  return segment.file
}

export function segmentFacts(segments: readonly Segment[]): readonly SegmentFact[] {
  return segments.map(({ number, claimed }) => [number, claimed])
}

/** Closes and removes files that no longer belong to the partition. What cannot go now goes at the next opening. */
export async function removeSegments(
  files: LogFiles,
  store: SegmentStore,
  segments: readonly Segment[],
): Promise<void> {
  for (const { file, number } of segments) {
    await file?.close()
    await files.remove(join(store.folder, segmentName(number))).catch(() => {})
  }
}
