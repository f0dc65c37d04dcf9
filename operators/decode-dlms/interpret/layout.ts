// How the values of a message are arranged. The arrangement decides what a null means and which value belongs to which OBIS code,
// so it is recognised by its exact shape, and whatever has no such shape is positional: raw values without labels.
import { type AxdrValue, isContainer, nextOf, offsetOf, sizeOf, tagOf } from '../wire/axdr.ts'
import { axdrTag } from '../wire/axdr-types.ts'
import { obisLength } from '../wire/obis.ts'

/** Names of the arrangements. */
export type Layout =
  | 'scalar'
  | 'push-object-list'
  | 'struct{obis,value[,scaler-unit]}'
  | 'flat'
  | 'positional'
  | 'array{untagged class/obis/attribute, value}'

/** One value in a list. Offsets are into the bytes of the value. */
export interface Entry {
  /** Node of the value. */
  readonly node: number
  /** Offset of the six OBIS bytes; -1 if the layout gives none. */
  readonly obisAt: number
  /** Place in the list; -1 where an OBIS code says more. */
  readonly index: number
  readonly classId: number | undefined
  readonly attribute: number | undefined
  /** Node of the scaler-unit structure; -1 if the push carries none. */
  readonly scalerUnit: number
}

/** A recognised arrangement and its entries in the order of the wire. */
export interface Arranged {
  readonly layout: Layout
  readonly entries: readonly Entry[]
}

/** Recognises the arrangement of a value. */
export function arrange(value: AxdrValue): Arranged {
  const { words } = value
  const tag = tagOf(words, 0)
  if (tag !== axdrTag.array && tag !== axdrTag.structure) return { layout: 'scalar', entries: [plain(0, -1)] }
  if (isPushObjectList(value)) return { layout: 'push-object-list', entries: pushEntries(value) }
  if (isDescribed(value)) return { layout: 'struct{obis,value[,scaler-unit]}', entries: describedEntries(value) }
  const flat = flatEntries(value)
  if (flat !== undefined) return { layout: 'flat', entries: flat }
  const entries: Entry[] = []
  for (let node = 1, index = 0; node < nextOf(words, 0); node = nextOf(words, node), index++)
    entries.push(plain(node, index))
  return { layout: 'positional', entries }
}

function plain(node: number, index: number): Entry {
  return { node, obisAt: -1, index, classId: undefined, attribute: undefined, scalerUnit: -1 }
}

/** Whether a node is a 6-byte octet-string that can be an OBIS code: group A is at most 15, which no printable text begins with. */
export function isObis(value: AxdrValue, node: number): boolean {
  const { bytes, words } = value
  return (
    tagOf(words, node) === axdrTag.octetString &&
    sizeOf(words, node) === obisLength &&
    (bytes[offsetOf(words, node)] as number) <= 15
  )
}

/** Whether a node is structure { integer, enum }. */
export function isScalerUnit(words: Int32Array, node: number): boolean {
  return (
    tagOf(words, node) === axdrTag.structure &&
    sizeOf(words, node) === 2 &&
    tagOf(words, node + 1) === axdrTag.integer &&
    tagOf(words, node + 2) === axdrTag.enum
  )
}

// structure { array of (class, OBIS, attribute, data index), one value per object }: the list is the first value, being an attribute itself.
function isPushObjectList(value: AxdrValue): boolean {
  const { words } = value
  if (tagOf(words, 0) !== axdrTag.structure || sizeOf(words, 0) === 0) return false
  if (tagOf(words, 1) !== axdrTag.array || sizeOf(words, 1) !== sizeOf(words, 0)) return false
  for (let node = 2; node < nextOf(words, 1); node = nextOf(words, node)) {
    const whole = tagOf(words, node) === axdrTag.structure && sizeOf(words, node) === 4
    if (!whole || tagOf(words, node + 1) !== axdrTag.longUnsigned || tagOf(words, node + 2) !== axdrTag.octetString)
      return false
    if (sizeOf(words, node + 2) !== obisLength || tagOf(words, node + 3) !== axdrTag.integer) return false
    if (tagOf(words, node + 4) !== axdrTag.longUnsigned) return false
  }
  return true
}

function pushEntries(value: AxdrValue): readonly Entry[] {
  const { bytes, words } = value
  const entries: Entry[] = []
  let object = nextOf(words, 2)
  for (let node = nextOf(words, 1); node < nextOf(words, 0); node = nextOf(words, node)) {
    const classAt = offsetOf(words, object + 1)
    entries.push({
      node,
      obisAt: offsetOf(words, object + 2),
      index: -1,
      classId: ((bytes[classAt] as number) << 8) | (bytes[classAt + 1] as number),
      attribute: ((bytes[offsetOf(words, object + 3)] as number) << 24) >> 24,
      scalerUnit: -1,
    })
    object = nextOf(words, object)
  }
  return entries
}

function isDescribedItem(value: AxdrValue, node: number): boolean {
  const { words } = value
  if (tagOf(words, node) !== axdrTag.structure) return false
  const size = sizeOf(words, node)
  if ((size !== 2 && size !== 3) || !isObis(value, node + 1)) return false
  return size === 2 || isScalerUnit(words, nextOf(words, nextOf(words, node + 1)))
}

function isDescribed(value: AxdrValue): boolean {
  const { words } = value
  if (sizeOf(words, 0) === 0) return false
  for (let node = 1; node < nextOf(words, 0); node = nextOf(words, node))
    if (!isDescribedItem(value, node)) return false
  return true
}

function describedEntries(value: AxdrValue): readonly Entry[] {
  const { words } = value
  const entries: Entry[] = []
  for (let node = 1; node < nextOf(words, 0); node = nextOf(words, node)) entries.push(describedEntry(words, node))
  return entries
}

function describedEntry(words: Int32Array, node: number): Entry {
  const inner = nextOf(words, node + 1)
  const scalerUnit = sizeOf(words, node) === 3 ? nextOf(words, inner) : -1
  return {
    node: inner,
    obisAt: offsetOf(words, node + 1),
    index: -1,
    classId: undefined,
    attribute: undefined,
    scalerUnit,
  }
}

// OBIS, value[, scaler-unit], OBIS, value ... in one row, with loose elements (a clock, a list name, a meter number) and described
// items in between. Nulls are padding for phases that a meter does not have. Without any OBIS code the list is positional.
function flatEntries(value: AxdrValue): readonly Entry[] | undefined {
  const { words } = value
  const end = nextOf(words, 0)
  const entries: Entry[] = []
  let coded = false
  let index = 0
  for (let node = 1; node < end; ) {
    const next = nextOf(words, node)
    if (isObis(value, node) && next < end) {
      coded = true
      let after = nextOf(words, next)
      const scaled = after < end && isScalerUnit(words, after)
      if (tagOf(words, next) !== axdrTag.nullData) {
        const scalerUnit = scaled ? after : -1
        entries.push({
          node: next,
          obisAt: offsetOf(words, node),
          index: -1,
          classId: undefined,
          attribute: undefined,
          scalerUnit,
        })
      }
      index += 2
      if (scaled) {
        after = nextOf(words, after)
        index++
      }
      node = after
      continue
    }
    if (isDescribedItem(value, node)) {
      coded = true
      entries.push(describedEntry(words, node))
    } else if (tagOf(words, node) !== axdrTag.nullData) {
      entries.push(plain(node, index))
    }
    index++
    node = next
  }
  return coded ? entries : undefined
}

/** Number of elements of a container node; 0 for a single value. */
export function elementCount(value: AxdrValue, node: number): number {
  return isContainer(tagOf(value.words, node)) ? sizeOf(value.words, node) : 0
}
