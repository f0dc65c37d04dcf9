import type { TopicSpec } from '../contract.ts'

/** A file of a partition and how much of it must be there. */
export type SegmentFact = readonly [number: number, length: number]

/**
 * What the control file says. One frame holds the facts of one group of changes, so they count together or not at all;
 * a transaction is committed when, and only when, its fact is in a sound frame.
 */
export type Fact =
  /** Starts a control file. */
  | { readonly is: 'format'; readonly version: number }
  | { readonly is: 'topic'; readonly spec: TopicSpec }
  /** These files, in order, are the partition; any other is a leftover. */
  | { readonly is: 'segments'; readonly at: Place; readonly segments: readonly SegmentFact[] }
  /** The file holds at least so many bytes. */
  | { readonly is: 'written'; readonly at: Place; readonly segment: SegmentFact }
  | { readonly is: 'bounds'; readonly at: Place; readonly first: number; readonly end: number }
  | {
      readonly is: 'end'
      readonly transaction: number
      readonly committed: boolean
      readonly markers: readonly (readonly [Place, number])[]
      readonly offsets: readonly (readonly [string, number])[]
    }
  /** Of the transactions up to `through`, all are committed but these. */
  | { readonly is: 'transactions'; readonly through: number; readonly unsettled: readonly number[] }
  | { readonly is: 'offsets'; readonly offsets: readonly (readonly [string, number])[] }

/** The version of the files' format that this code reads and writes. */
export const formatVersion = 1

export type Place = readonly [topic: string, partition: number]

/** Facts, and how much of the control file was surely on disk when they were written. */
export interface ControlFrame {
  readonly sure: number
  readonly facts: readonly Fact[]
}

export function encodeControl(frame: ControlFrame): Uint8Array {
  return Buffer.from(JSON.stringify(frame))
}

/** Undefined if the payload is none of ours. */
export function decodeControl(payload: Uint8Array): ControlFrame | undefined {
  try {
    const frame: unknown = JSON.parse(Buffer.from(payload).toString())
    return isControlFrame(frame) ? frame : undefined
  } catch {
    return undefined
  }
}

function isControlFrame(frame: unknown): frame is ControlFrame {
  return (
    typeof frame === 'object' &&
    frame !== null &&
    'sure' in frame &&
    typeof frame.sure === 'number' &&
    'facts' in frame &&
    Array.isArray(frame.facts)
  )
}

export interface PartitionFacts {
  first: number
  end: number
  segments: Map<number, number>
}

/** What all facts together say. */
export interface ControlState {
  readonly topics: Map<string, { readonly spec: TopicSpec; readonly partitions: readonly PartitionFacts[] }>
  readonly offsets: Map<string, number>
  readonly isCommitted: (transaction: number) => boolean
  /** The highest transaction number any fact names. */
  readonly lastTransaction: number
}

export function foldControl(frames: readonly ControlFrame[]): ControlState {
  const topics: ControlState['topics'] = new Map()
  const offsets = new Map<string, number>()
  const committed = new Set<number>()
  let unsettled = new Set<number>()
  let through = 0
  let lastTransaction = 0
  const place = ([topic, index]: Place): PartitionFacts => {
    const found = topics.get(topic)?.partitions[index]
    if (found === undefined) throw new RangeError('a fact names a partition that no fact made')
    return found
  }
  for (const fact of frames.flatMap(({ facts }) => facts)) {
    switch (fact.is) {
      case 'format':
        break
      case 'topic':
        if (topics.has(fact.spec.name)) break
        topics.set(fact.spec.name, {
          spec: fact.spec,
          partitions: Array.from({ length: fact.spec.partitions }, () => ({ first: 0, end: 0, segments: new Map() })),
        })
        break
      case 'segments':
        place(fact.at).segments = new Map(fact.segments)
        break
      case 'written':
        place(fact.at).segments.set(...fact.segment)
        break
      case 'bounds': {
        const partition = place(fact.at)
        partition.first = fact.first
        partition.end = Math.max(partition.end, fact.end)
        break
      }
      case 'end':
        lastTransaction = Math.max(lastTransaction, fact.transaction)
        if (fact.committed) {
          committed.add(fact.transaction)
          unsettled.delete(fact.transaction)
        }
        for (const [at, marker] of fact.markers) {
          const partition = place(at)
          partition.end = Math.max(partition.end, marker + 1)
        }
        for (const [key, next] of fact.offsets) offsets.set(key, next)
        break
      case 'transactions':
        through = fact.through
        lastTransaction = Math.max(lastTransaction, fact.through)
        unsettled = new Set(fact.unsettled)
        break
      case 'offsets':
        for (const [key, next] of fact.offsets) offsets.set(key, next)
        break
    }
  }
  return {
    topics,
    offsets,
    isCommitted: (transaction) =>
      transaction === 0 || (transaction <= through ? !unsettled.has(transaction) : committed.has(transaction)),
    lastTransaction,
  }
}
