import { createHash } from 'node:crypto'
import { damagedView } from './errors.ts'

/** Slot tags: 0 says that there is no cell, 1 to 253 name a base, the last two are for values that no base fits. */
const mostBases = 253
export const rawTag = 254
export const longTag = 255
/** Longer remainders are kept one by one, so that one of them cannot blow up its bucket. */
const longestInline = 200

/** What many values of one length begin with. Only what follows is stored per cell. */
interface Base {
  readonly length: number
  readonly prefix: Uint8Array
}

interface Table {
  readonly bases: readonly Base[]
  /** Whether a value was ever too long for a slot. */
  readonly long: boolean
}

/**
 * How the values of a generation are stored: per table the beginnings that its values share (a version, a grid, an
 * exponent), found by looking at them. A value is stored as the tag of a base of its length and the bytes behind the
 * base's prefix. Only ever added to; the token names the exact state, so that two clients cannot mean different things.
 */
export interface CellBases {
  /** Digest of `text`; empty for the empty set. */
  readonly token: string
  /** What Redis keeps. */
  readonly text: string
  readonly tables: ReadonlyMap<string, Table>
}

export const noBases: CellBases = { token: '', text: '', tables: new Map() }

/** Reads what `text` says. Throws `LogError` `corrupt` if it is damaged. */
export function readBases(text: string): CellBases {
  if (text === '') return noBases
  let entries: unknown
  try {
    entries = JSON.parse(text)
  } catch {
    throw damagedView()
  }
  if (!Array.isArray(entries)) throw damagedView()
  const tables = new Map<string, Table>()
  for (const [name, long, bases] of entries as readonly [string, boolean, readonly [number, string][]][]) {
    tables.set(name, {
      long,
      bases: bases.map(([length, prefix]) => ({ length, prefix: Buffer.from(prefix, 'base64') })),
    })
  }
  return { token: tokenOf(text), text, tables }
}

const tokenOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** A value as a slot holds it: the tag, then `bytes` from `from` on (for `rawTag` after their length). */
export interface Stored {
  readonly tag: number
  readonly from: number
}

/** Finds or adds bases for values. What it is made from stays as it is. */
export interface BaseFinder {
  readonly store: (table: string, value: Uint8Array) => Stored
  readonly done: () => CellBases
}

interface Candidate {
  readonly tag: number
  readonly prefix: Uint8Array
}

interface Draft {
  bases: readonly Base[]
  long: boolean
  /** Per length, longest prefix first. */
  readonly byLength: Map<number, Candidate[]>
}

export function findBases(known: CellBases): BaseFinder {
  const drafts = new Map<string, Draft>()
  let changed = false
  const draftOf = (name: string): Draft => {
    const present = drafts.get(name)
    if (present !== undefined) return present
    const table = known.tables.get(name)
    const draft: Draft = { bases: table?.bases ?? [], long: table?.long ?? false, byLength: new Map() }
    for (const [at, base] of draft.bases.entries()) addCandidate(draft, base, at + 1)
    drafts.set(name, draft)
    return draft
  }
  let lastName: string | undefined
  let last: Draft | undefined
  return {
    store: (name, value) => {
      const draft = name === lastName && last !== undefined ? last : draftOf(name)
      lastName = name
      last = draft
      const candidates = draft.byLength.get(value.length)
      for (const { tag, prefix } of candidates ?? []) {
        if (startsWith(value, prefix)) {
          if (value.length - prefix.length > longestInline) break
          return { tag, from: prefix.length }
        }
      }
      // A new base has what the value shares with those of its length: it fits this value, and each is shorter than the
      // last, so there is an end to it.
      const shared = candidates ? Math.max(...candidates.map(({ prefix }) => common(value, prefix))) : value.length
      const inline = value.length - shared <= longestInline
      if (inline && shared <= longestInline && draft.bases.length < mostBases) {
        const base = { length: value.length, prefix: Uint8Array.from(value.subarray(0, shared)) }
        draft.bases = [...draft.bases, base]
        addCandidate(draft, base, draft.bases.length)
        changed = true
        return { tag: draft.bases.length, from: shared }
      }
      if (value.length <= longestInline) return { tag: rawTag, from: 0 }
      changed ||= !draft.long
      draft.long = true
      return { tag: longTag, from: value.length }
    },
    done: () => {
      if (!changed) return known
      const tables = new Map<string, Table>(known.tables)
      for (const [name, { bases, long }] of drafts) tables.set(name, { bases, long })
      const text = JSON.stringify(
        [...tables].map(([name, { long, bases }]) => [
          name,
          long,
          bases.map(({ length, prefix }) => [length, Buffer.from(prefix).toString('base64')]),
        ]),
      )
      return { token: tokenOf(text), text, tables }
    },
  }
}

/** Bytes that a slot needs for a value, its tag included. */
export function slotBytes({ tag, from }: Stored, value: Uint8Array): number {
  return 1 + value.length - from + (tag === rawTag ? 1 : 0)
}

// Slots are tens of bytes: a loop over them costs less than the views that a bulk copy needs.

/** Writes a value into the slot at `bytes[at]`, which is zeroed. */
export function writeSlot(bytes: Uint8Array, at: number, { tag, from }: Stored, value: Uint8Array): void {
  let to = at
  bytes[to++] = tag
  if (tag === rawTag) bytes[to++] = value.length
  for (let i = from; i < value.length; i++) bytes[to++] = value[i] as number
}

/** The value in the slot `bytes[at..end)`, as a copy; undefined if there is none or it is kept elsewhere (`longTag`). */
export function readSlot(
  bases: CellBases,
  table: string,
  bytes: Uint8Array,
  at: number,
  end: number,
): Uint8Array | undefined {
  const tag = at < end ? (bytes[at] as number) : 0
  if (tag === 0 || tag === longTag) return undefined
  if (tag === rawTag) return new Uint8Array(bytes.subarray(at + 2, Math.min(end, at + 2 + (bytes[at + 1] ?? 0))))
  const base = bases.tables.get(table)?.bases[tag - 1]
  if (base === undefined) throw damagedView()
  const { length, prefix } = base
  if (at + 1 + length - prefix.length > end) throw damagedView()
  const value = new Uint8Array(length)
  for (let i = 0; i < prefix.length; i++) value[i] = prefix[i] as number
  for (let i = prefix.length, from = at + 1; i < length; i++) value[i] = bytes[from++] as number
  return value
}

function addCandidate(draft: Draft, { length, prefix }: Base, tag: number): void {
  const candidates = draft.byLength.get(length) ?? []
  candidates.push({ tag, prefix })
  candidates.sort((a, b) => b.prefix.length - a.prefix.length)
  draft.byLength.set(length, candidates)
}

function startsWith(value: Uint8Array, prefix: Uint8Array): boolean {
  for (let at = 0; at < prefix.length; at++) if (value[at] !== prefix[at]) return false
  return true
}

function common(a: Uint8Array, b: Uint8Array): number {
  let at = 0
  while (at < a.length && at < b.length && a[at] === b[at]) at++
  return at
}
