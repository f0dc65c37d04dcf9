// A-XDR data, read once into a flat tape instead of a tree: three numbers a node, in the order of the wire.
//   word 0: tag in the top byte, offset of the content in the low three
//   word 1: content length in bytes; bits for a bit-string; number of elements for array, structure and compact-array
//   word 2: index of the node after this one and everything inside it
// The whole value is checked on the way, so whoever reads the tape later meets no bad length, type or count.
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

/** Where nodes are written while a value is read; kept between calls and grown on demand, never past the limits. */
export interface TapeWriter {
  words: Int32Array
  used: number
  capacity: number
}

const scratch: TapeWriter = { words: new Int32Array(512 * nodeWords), used: 0, capacity: 512 * nodeWords }
const maximumDepth = 64
const openNode = new Int32Array(maximumDepth + 1)
const openLeft = new Int32Array(maximumDepth + 1)

/** Adds one node whose end is the next node, and returns the index of its first word. */
export function addNode(tape: TapeWriter, tag: number, at: number, size: number, limits: AxdrLimits): number {
  const index = tape.used
  if (index + nodeWords > tape.capacity) grow(tape, at, limits)
  const words = tape.words
  words[index] = (tag << 24) | at
  words[index + 1] = size
  words[index + 2] = index / nodeWords + 1
  tape.used = index + nodeWords
  return index
}

function grow(tape: TapeWriter, at: number, limits: AxdrLimits): void {
  const most = limits.elements * nodeWords
  if (tape.used + nodeWords > most) refuse('axdr_budget', at)
  const words = new Int32Array(Math.min(Math.max(tape.words.length * 2, 3 * nodeWords), most))
  words.set(tape.words.subarray(0, Math.min(tape.used, words.length)))
  tape.words = words
  tape.capacity = words.length
}

/**
 * Reads one value from the cursor onto the shared tape and returns that tape, valid until the next call; `copyTape` keeps it.
 * The offsets on it are those of the cursor's bytes. Refuses with `axdr_unknown_type`, `axdr_truncated`, `axdr_too_deep`, `axdr_budget` or `length_invalid`.
 */
export function readData(c: Cursor, limits: AxdrLimits = defaultAxdrLimits): TapeWriter {
  const tape = scratch
  tape.used = 0
  tape.capacity = Math.min(tape.words.length, limits.elements * nodeWords)
  const deepest = Math.min(limits.depth, maximumDepth)
  const bytes = c.bytes
  const end = c.end
  let depth = 0
  for (;;) {
    const tagAt = c.at
    if (tagAt >= end) refuse('axdr_truncated', tagAt)
    const tag = bytes[tagAt] as number
    const size = fixedSize[tag] as number
    const at = tagAt + 1
    if (size >= 0) {
      if (size > end - at) refuse('axdr_truncated', at)
      c.at = at + size
      addNode(tape, tag, at, size, limits)
    } else if (size === -1) {
      refuse('axdr_unknown_type', tagAt)
    } else {
      c.at = at
      if (tag <= axdrTag.structure) {
        const count = lengthPrefix(c)
        if (count > end - c.at) refuse('axdr_truncated', at)
        const index = addNode(tape, tag, c.at, count, limits)
        if (count > 0) {
          if (depth >= deepest) refuse('axdr_too_deep', tagAt)
          depth++
          openNode[depth] = index
          openLeft[depth] = count
          continue
        }
      } else if (tag === axdrTag.compactArray) {
        readCompactArray(c, tape, limits, deepest - depth)
      } else if (tag === axdrTag.bitString) {
        const bits = lengthPrefix(c)
        const whole = Math.ceil(bits / 8)
        if (whole > end - c.at) refuse('axdr_truncated', at)
        addNode(tape, tag, c.at, bits, limits)
        c.at += whole
      } else {
        const length = byteLength(c)
        addNode(tape, tag, c.at, length, limits)
        c.at += length
      }
    }
    // A value is complete: so may be the containers around it.
    while (depth > 0) {
      const left = (openLeft[depth] as number) - 1
      if (left > 0) {
        openLeft[depth] = left
        break
      }
      tape.words[(openNode[depth] as number) + 2] = tape.used / nodeWords
      depth--
    }
    if (depth === 0) return tape
  }
}

/** A value that was read: its bytes and its tape. Node 0 is the value itself. */
export interface AxdrValue {
  readonly bytes: Uint8Array
  readonly words: Int32Array
}

/** Keeps the nodes of the shared tape beside the bytes that they point into. */
export function copyTape(bytes: Uint8Array, tape: TapeWriter): AxdrValue {
  return { bytes, words: tape.words.slice(0, tape.used) }
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
  return words[node * nodeWords + 2] as number
}

/** Number of nodes on a tape. */
export function nodeCount(value: AxdrValue): number {
  return value.words.length / nodeWords
}

/** Whether a node has elements of its own. */
export function isContainer(tag: number): boolean {
  return tag === axdrTag.array || tag === axdrTag.structure || tag === axdrTag.compactArray
}
