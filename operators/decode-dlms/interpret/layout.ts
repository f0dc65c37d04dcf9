// How the values of a message are arranged. The arrangement decides what a null means and which value belongs to which OBIS code,
// so it is recognised by its exact shape, and whatever has no such shape is positional: raw values without labels.
import { type AxdrValue, nextOf, offsetOf, sizeOf, tagOf } from '../wire/axdr.ts'
import { axdrTag } from '../wire/axdr-types.ts'
import { uint16At } from '../wire/cursor.ts'
import { obisLength } from '../wire/obis.ts'

/** Names of the arrangements. */
export type Layout =
  | 'scalar'
  | 'push-object-list'
  | 'struct{obis,value[,scaler-unit]}'
  | 'flat'
  | 'positional'
  | 'array{untagged class/obis/attribute, value}'

/**
 * Told once for each value of a list, in the order of the wire.
 * @param node the value. @param obisAt offset of its OBIS code, -1 if none. @param index its place, -1 if it has an OBIS code.
 * @param object node of its line in a push object list, -1 elsewhere. @param scalerUnit node of its scaler-unit, -1 if none.
 */
export type Visit = (node: number, obisAt: number, index: number, object: number, scalerUnit: number) => void

/** Recognises the arrangement of a value and visits its entries; allocates nothing. */
export function walk(value: AxdrValue, visit: Visit): Layout {
  const { words, root } = value
  const tag = tagOf(words, root)
  if (tag !== axdrTag.array && tag !== axdrTag.structure) {
    visit(root, -1, -1, -1, -1)
    return 'scalar'
  }
  if (isPushObjectList(value)) {
    walkPushList(value, visit)
    return 'push-object-list'
  }
  const end = nextOf(words, root)
  if (isDescribed(value)) {
    for (let node = root + 1; node < end; node = nextOf(words, node)) visitDescribed(words, node, visit)
    return 'struct{obis,value[,scaler-unit]}'
  }
  if (isFlat(value)) {
    walkFlat(value, visit)
    return 'flat'
  }
  for (let node = root + 1, index = 0; node < end; node = nextOf(words, node), index++) visit(node, -1, index, -1, -1)
  return 'positional'
}

/** Class id of a line (class, OBIS, attribute, data index) of a push object list or of capture objects. */
export function objectClass(bytes: Uint8Array, words: Int32Array, object: number): number {
  return uint16At(bytes, offsetOf(words, object + 1))
}

/** Attribute of such a line. */
export function objectAttribute(bytes: Uint8Array, words: Int32Array, object: number): number {
  return ((bytes[offsetOf(words, object + 3)] as number) << 24) >> 24
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

// structure { array of (class, OBIS, attribute, data index), one value per object }. Meters whose list names itself first count it as one
// of the values; the others send one value more than the list has lines.
function isPushObjectList(value: AxdrValue): boolean {
  const { words, root } = value
  if (tagOf(words, root) !== axdrTag.structure || sizeOf(words, root) === 0 || tagOf(words, root + 1) !== axdrTag.array)
    return false
  const lines = sizeOf(words, root + 1)
  if (lines === 0 || (lines !== sizeOf(words, root) && lines !== sizeOf(words, root) - 1)) return false
  return isObjectList(words, root + 1)
}

/** Whether every element of an array is structure { long-unsigned, 6 bytes, integer, long-unsigned }. */
export function isObjectList(words: Int32Array, array: number): boolean {
  for (let node = array + 1; node < nextOf(words, array); node = nextOf(words, node)) {
    const whole = tagOf(words, node) === axdrTag.structure && sizeOf(words, node) === 4
    if (!whole || tagOf(words, node + 1) !== axdrTag.longUnsigned || tagOf(words, node + 2) !== axdrTag.octetString)
      return false
    if (sizeOf(words, node + 2) !== obisLength || tagOf(words, node + 3) !== axdrTag.integer) return false
    if (tagOf(words, node + 4) !== axdrTag.longUnsigned) return false
  }
  return true
}

function walkPushList(value: AxdrValue, visit: Visit): void {
  const { words, root } = value
  let object = sizeOf(words, root + 1) === sizeOf(words, root) ? nextOf(words, root + 2) : root + 2
  for (let node = nextOf(words, root + 1); node < nextOf(words, root); node = nextOf(words, node)) {
    visit(node, offsetOf(words, object + 2), -1, object, -1)
    object = nextOf(words, object)
  }
}

function isDescribedItem(value: AxdrValue, node: number): boolean {
  const { words } = value
  if (tagOf(words, node) !== axdrTag.structure) return false
  const size = sizeOf(words, node)
  if ((size !== 2 && size !== 3) || !isObis(value, node + 1)) return false
  return size === 2 || isScalerUnit(words, nextOf(words, node + 2))
}

function isDescribed(value: AxdrValue): boolean {
  const { words, root } = value
  if (sizeOf(words, root) === 0) return false
  for (let node = root + 1; node < nextOf(words, root); node = nextOf(words, node))
    if (!isDescribedItem(value, node)) return false
  return true
}

function visitDescribed(words: Int32Array, node: number, visit: Visit): void {
  const inner = node + 2
  visit(inner, offsetOf(words, node + 1), -1, -1, sizeOf(words, node) === 3 ? nextOf(words, inner) : -1)
}

function isFlat(value: AxdrValue): boolean {
  const { words, root } = value
  const end = nextOf(words, root)
  for (let node = root + 1; node < end; node = nextOf(words, node)) {
    if ((isObis(value, node) && nextOf(words, node) < end) || isDescribedItem(value, node)) return true
  }
  return false
}

// OBIS, value[, scaler-unit], OBIS, value ... in one row, with loose elements (a clock, a list name, a meter number) and described
// items in between. Nulls are padding for phases that a meter does not have. Without any OBIS code the list is positional.
function walkFlat(value: AxdrValue, visit: Visit): void {
  const { words, root } = value
  const end = nextOf(words, root)
  let index = 0
  for (let node = root + 1; node < end; ) {
    const next = nextOf(words, node)
    if (isObis(value, node) && next < end) {
      const after = nextOf(words, next)
      const scaled = after < end && isScalerUnit(words, after)
      if (tagOf(words, next) !== axdrTag.nullData) visit(next, offsetOf(words, node), -1, -1, scaled ? after : -1)
      index += scaled ? 3 : 2
      node = scaled ? nextOf(words, after) : after
      continue
    }
    if (isDescribedItem(value, node)) visitDescribed(words, node, visit)
    else if (tagOf(words, node) !== axdrTag.nullData) visit(node, -1, index, -1, -1)
    index++
    node = next
  }
}
