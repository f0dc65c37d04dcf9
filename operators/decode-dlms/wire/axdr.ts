// A-XDR data, read once into a flat tape instead of a tree: three numbers a node, in the order of the wire.
//   word 0: tag in the top byte, offset of the content in the low three
//   word 1: content length in bytes; bits for a bit-string; number of elements for array, structure and compact-array
//   word 2: number of nodes that the node and everything inside it take
// The whole value is checked on the way, so whoever reads the tape later meets no bad length, type or count. Tapes lie one behind the other in
// shared slabs: a message costs no allocation of its own here, and a slab is given up (never reused) once it is full.
import { axdrTag, fixedSize } from './axdr-types.ts'
import { readCompactArray } from './compact-array.ts'
import { byteLength, type Cursor, lengthPrefix } from './cursor.ts'
import { refuse } from './reasons.ts'

/** Numbers per node of a tape. */
export const nodeWords = 3

/** Limits of one value. They bound memory (12 bytes a node) and work: every node and every byte is looked at once. */
export interface AxdrLimits {
  /** Deepest nesting of arrays and structures. */
  readonly depth: number
  /** Most nodes, containers included. */
  readonly elements: number
}

/** Limits that real pushes and profile buffers stay far below: 16 levels, 32,768 nodes (384 KiB of tape). */
export const defaultAxdrLimits: AxdrLimits = { depth: 16, elements: 32_768 }

/** Nodes that a result in a list of results counts for besides those of its value: each is an object of its own, as large as so many nodes. */
export const resultNodes = 8

/** A value that was read: its bytes, and its nodes in `words`. Node `root` is the value itself. */
export interface AxdrValue {
  readonly bytes: Uint8Array
  readonly words: Int32Array
  readonly root: number
}

/** Where nodes are written while a value is read. */
export interface TapeWriter {
  words: Int32Array
  /** First word of the value that is being read. */
  start: number
  /** Word after its last node. */
  used: number
  /** Most nodes of the value. */
  budget: number
}

// 64 KiB: some eighty pushes of usual size.
const slabWords = 16_384
const tape: TapeWriter = { words: new Int32Array(slabWords), start: 0, used: 0, budget: 0 }
const maximumDepth = 64
const openNode = new Int32Array(maximumDepth + 1)
const openLeft = new Int32Array(maximumDepth + 1)

/** Adds one node without contents and returns its place, counted in words from the start of the value. */
export function addNode(to: TapeWriter, tag: number, at: number, size: number): number {
  if (to.used + nodeWords > to.words.length) moveOn(to, at)
  const index = to.used
  const words = to.words
  words[index] = (tag << 24) | at
  words[index + 1] = size
  words[index + 2] = 1
  to.used = index + nodeWords
  if (to.used - to.start > to.budget * nodeWords) refuse('axdr_budget', at)
  return index - to.start
}

/** Says that everything inside the node at `place` has been added. */
export function closeNode(to: TapeWriter, place: number): void {
  const index = to.start + place
  to.words[index + 2] = (to.used - index) / nodeWords
}

/** Sets the number of elements of a container whose elements are counted as they come. */
export function setElements(to: TapeWriter, place: number, elements: number): void {
  to.words[to.start + place + 1] = elements
}

// The slab is full: the value goes on in a fresh one, with the nodes that it has. Sizes are relative, so nodes can move.
function moveOn(to: TapeWriter, at: number): void {
  const kept = to.used - to.start
  if (kept >= to.budget * nodeWords) refuse('axdr_budget', at)
  const words = new Int32Array(Math.max(slabWords, Math.min(kept * 2, to.budget * nodeWords)))
  words.set(to.words.subarray(to.start, to.used))
  to.words = words
  to.start = 0
  to.used = kept
}

/**
 * Reads and checks one value from the cursor. The offsets in it are those of the cursor's bytes, which must not change afterwards.
 * Refuses with `axdr_unknown_type`, `axdr_truncated`, `axdr_too_deep`, `axdr_budget` or `length_invalid`.
 */
export function readValue(c: Cursor, limits: AxdrLimits = defaultAxdrLimits): AxdrValue {
  tape.used = tape.start
  tape.budget = limits.elements
  const deepest = Math.min(limits.depth, maximumDepth)
  const bytes = c.bytes
  const end = c.end
  let at = c.at
  let depth = 0
  for (;;) {
    if (at >= end) refuse('axdr_truncated', at)
    const tag = bytes[at] as number
    const size = fixedSize[tag] as number
    const tagAt = at++
    if (size >= 0) {
      if (size > end - at) refuse('axdr_truncated', at)
      addNode(tape, tag, at, size)
      at += size
    } else if (size === -1) {
      refuse('axdr_unknown_type', tagAt)
    } else {
      c.at = at
      if (tag <= axdrTag.structure) {
        const count = lengthPrefix(c)
        if (count > end - c.at) refuse('axdr_truncated', at)
        at = c.at
        const place = addNode(tape, tag, at, count)
        if (count > 0) {
          if (depth >= deepest) refuse('axdr_too_deep', tagAt)
          depth++
          openNode[depth] = place
          openLeft[depth] = count
          continue
        }
      } else if (tag === axdrTag.compactArray) {
        readCompactArray(c, tape, deepest - depth)
        at = c.at
      } else if (tag === axdrTag.bitString) {
        at = addBits(c, tape)
      } else {
        at = addString(c, tape, tag)
      }
    }
    // A value is complete: so may be the containers around it.
    while (depth > 0) {
      const left = (openLeft[depth] as number) - 1
      if (left > 0) {
        openLeft[depth] = left
        break
      }
      closeNode(tape, openNode[depth] as number)
      depth--
    }
    if (depth === 0) {
      c.at = at
      const value = { bytes, words: tape.words, root: tape.start / nodeWords }
      tape.start = tape.used
      return value
    }
  }
}

/** Adds the bit-string whose length the cursor stands before, and returns where it ends. */
export function addBits(c: Cursor, to: TapeWriter): number {
  const before = c.at
  const bits = lengthPrefix(c)
  const whole = Math.ceil(bits / 8)
  if (whole > c.end - c.at) refuse('axdr_truncated', before)
  addNode(to, axdrTag.bitString, c.at, bits)
  c.at += whole
  return c.at
}

/** Adds the string of bytes whose length the cursor stands before, and returns where it ends. */
export function addString(c: Cursor, to: TapeWriter, tag: number): number {
  const length = byteLength(c)
  addNode(to, tag, c.at, length)
  c.at += length
  return c.at
}

/** Type tag of a node. */
export function tagOf(words: Int32Array, node: number): number {
  return (words[node * nodeWords] as number) >>> 24
}

/** Offset of a node's content. */
export function offsetOf(words: Int32Array, node: number): number {
  return (words[node * nodeWords] as number) & 0xff_ffff
}

/** Content length in bytes; bits of a bit-string; elements of a container. */
export function sizeOf(words: Int32Array, node: number): number {
  return words[node * nodeWords + 1] as number
}

/** The node after `node` and its contents: the next sibling, if there is one. */
export function nextOf(words: Int32Array, node: number): number {
  return node + (words[node * nodeWords + 2] as number)
}

/** Number of nodes of a value, itself included. */
export function nodeCount(value: AxdrValue): number {
  return value.words[value.root * nodeWords + 2] as number
}

/** Whether a node has elements of its own. */
export function isContainer(tag: number): boolean {
  return tag === axdrTag.array || tag === axdrTag.structure || tag === axdrTag.compactArray
}
