import { isDeepStrictEqual } from 'node:util'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { type Log, LogError } from '../contract.ts'
import { RegisterError } from './check-register.ts'
import { shareNames } from './share-names.ts'

/** A topic that holds the register, compacted by row, and how its values are read. */
export interface RegisterTopic {
  readonly name: string
  readonly decode: (value: Uint8Array) => RegisterEntry
}

/** Longest silence of a log that is being read to its end. */
const silenceMs = 10_000

/**
 * The rows of the register, by key, the newest of each. Reads to the end that the topic had when this was called: whoever
 * must see all that others wrote opens the writer's transactional id first. Rejects with `LogError`: `retriable` where the
 * log falls silent before its end, and never with a part.
 */
export async function readRegisterRows(
  log: Log,
  { name, decode }: RegisterTopic,
): Promise<ReadonlyMap<string, RegisterEntry>> {
  const rows = new Map<string, RegisterEntry>()
  const shared = shareNames()
  const partition = 0
  const { first, end } = await log.bounds(name, partition, 'read_committed')
  const reader = await log.read(name, partition, first, 'read_committed')
  let heardAt = performance.now()
  try {
    for (let next = first; next < end; ) {
      const fetched = await reader.poll({ maxRecords: 10_000, maxBytes: 8_000_000, waitMs: 500 })
      for (const { offset, key, value } of fetched.records) {
        if (offset >= end) break
        if (key === null)
          throw new LogError('corrupt', `${name} holds a record without a key, which no register writes`)
        const row = Buffer.from(key).toString('utf8')
        if (value === null) rows.delete(row)
        else rows.set(row, shared(decode(value)))
      }
      if (fetched.next > next) heardAt = performance.now()
      else if (performance.now() - heardAt > silenceMs) {
        throw new LogError('retriable', `${name} could not be read to its end: look after its brokers, and start again`)
      }
      next = fetched.next
    }
    return rows
  } finally {
    await reader.close()
  }
}

/** What a new register changes in one that is there. */
export interface RegisterChanges {
  readonly added: readonly RegisterEntry[]
  readonly changed: readonly RegisterEntry[]
  /** Of the changed ones, those whose meter was taken down. */
  readonly ended: number
  readonly unchanged: number
  /** Rows that the new register does not hold, with their keys. */
  readonly removed: readonly (readonly [key: string, RegisterEntry])[]
}

/**
 * Compares a register, free of faults in itself, with the rows that are there. Throws `RegisterError` where it gives a place
 * to another measuring point than the one that has it, or a point another place: what was accepted is known by place alone.
 */
export function compareRegister(
  present: ReadonlyMap<string, RegisterEntry>,
  next: readonly RegisterEntry[],
  keyOf: (entry: RegisterEntry) => string,
): RegisterChanges {
  const holders = new Map<string, string>()
  const places = new Map<string, string>()
  for (const entry of present.values()) {
    holders.set(placeOf(entry), entry.point)
    places.set(entry.point, placeOf(entry))
  }
  const added: RegisterEntry[] = []
  const changed: RegisterEntry[] = []
  const keys = new Set<string>()
  let ended = 0
  next.forEach((entry, at) => {
    const place = placeOf(entry)
    const holder = holders.get(place)
    if (holder !== undefined && holder !== entry.point) {
      throw new RegisterError(
        at + 1,
        'has the partition and index of another measuring point in the topic: assign a new index',
      )
    }
    if ((places.get(entry.point) ?? place) !== place) {
      throw new RegisterError(
        at + 1,
        'has another partition or index than its measuring point has in the topic: keep that',
      )
    }
    const key = keyOf(entry)
    keys.add(key)
    const before = present.get(key)
    if (before === undefined) added.push(entry)
    else if (!isDeepStrictEqual(before, entry)) {
      changed.push(entry)
      if (before.validTo === null && entry.validTo !== null) ended += 1
    }
  })
  const removed = [...present].filter(([key]) => !keys.has(key))
  return { added, changed, ended, unchanged: next.length - added.length - changed.length, removed }
}

const placeOf = ({ partition, index }: RegisterEntry): string => `${partition}/${index}`
