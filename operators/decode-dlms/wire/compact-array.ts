// compact-array: type description | length of the contents in bytes | contents without tags, until they are used up.
//   type description: a tag; for an array (tag 1) a 16-bit element count and one description; for a structure (tag 2) a count and so many descriptions.
import { addBits, addNode, addString, closeNode, setElements, type TapeWriter } from './axdr.ts'
import { axdrTag, fixedSize } from './axdr-types.ts'
import { byteLength, type Cursor, u8, u16 } from './cursor.ts'
import { refuse } from './reasons.ts'

interface Description {
  readonly tag: number
  readonly count: number
  readonly inner: readonly Description[]
}

// A description is part of the value's budget: without this a few bytes could announce an unbounded tree of descriptions.
const mostDescriptions = 256

/** Reads a compact-array whose tag is already consumed, as a node with one child per element. */
export function readCompactArray(c: Cursor, tape: TapeWriter, depthLeft: number): void {
  const budget = { left: mostDescriptions }
  if (depthLeft < 1) refuse('axdr_too_deep', c.at)
  const description = readDescription(c, budget, depthLeft)
  const length = byteLength(c)
  const outer: Cursor = { bytes: c.bytes, at: c.at, end: c.at + length }
  const place = addNode(tape, axdrTag.compactArray, c.at, 0)
  let elements = 0
  while (outer.at < outer.end) {
    const before = outer.at
    readUntagged(outer, description, tape)
    // Elements of nulls take no bytes, so they would never use up the contents.
    if (outer.at === before) refuse('axdr_budget', before)
    elements++
  }
  setElements(tape, place, elements)
  closeNode(tape, place)
  c.at = outer.end
}

function readDescription(c: Cursor, budget: { left: number }, depthLeft: number): Description {
  const at = c.at
  if (depthLeft < 1) refuse('axdr_too_deep', at)
  if (--budget.left < 0) refuse('axdr_budget', at)
  const tag = u8(c)
  if (fixedSize[tag] === -1 || tag === axdrTag.compactArray) refuse('axdr_unknown_type', at)
  if (tag === axdrTag.array) {
    const count = u16(c)
    return { tag, count, inner: [readDescription(c, budget, depthLeft - 1)] }
  }
  if (tag !== axdrTag.structure) return { tag, count: 0, inner: [] }
  const count = u8(c)
  const inner: Description[] = []
  for (let k = 0; k < count; k++) inner.push(readDescription(c, budget, depthLeft - 1))
  return { tag, count, inner }
}

function readUntagged(c: Cursor, description: Description, tape: TapeWriter): void {
  const { tag } = description
  const at = c.at
  if (tag === axdrTag.array || tag === axdrTag.structure) {
    const place = addNode(tape, tag, at, description.count)
    for (let k = 0; k < description.count; k++) {
      readUntagged(c, (tag === axdrTag.array ? description.inner[0] : description.inner[k]) as Description, tape)
    }
    closeNode(tape, place)
    return
  }
  const size = fixedSize[tag] as number
  if (size >= 0) {
    if (size > c.end - at) refuse('axdr_truncated', at)
    addNode(tape, tag, at, size)
    c.at = at + size
  } else if (tag === axdrTag.bitString) addBits(c, tape)
  else addString(c, tape, tag)
}
