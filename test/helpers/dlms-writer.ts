// A second writer of A-XDR data (IEC 62056-6-2, 4.1.5), made from the standard's table of types and sharing nothing with the decoder but the shape
// of its trees. Trees are made at random together with the type description that a compact-array needs.
import type { SimulationRandom } from '../../bench/fleet/random.ts'
import type { DataTree } from '../../operators/decode-dlms/wire/axdr-read.ts'
import { noise, pick } from './dlms-cases.ts'

type Type = DataTree['type']
type OctetType = 'octet-string' | 'visible-string' | 'utf8-string' | 'date-time' | 'date' | 'time'

const tags: Readonly<Record<Type, number>> = {
  'null-data': 0x00,
  array: 0x01,
  structure: 0x02,
  boolean: 0x03,
  'bit-string': 0x04,
  'double-long': 0x05,
  'double-long-unsigned': 0x06,
  'octet-string': 0x09,
  'visible-string': 0x0a,
  'utf8-string': 0x0c,
  bcd: 0x0d,
  integer: 0x0f,
  long: 0x10,
  unsigned: 0x11,
  'long-unsigned': 0x12,
  'compact-array': 0x13,
  long64: 0x14,
  'long64-unsigned': 0x15,
  enum: 0x16,
  float32: 0x17,
  float64: 0x18,
  'date-time': 0x19,
  date: 0x1a,
  time: 0x1b,
  'delta-integer': 0x1c,
  'delta-long': 0x1d,
  'delta-double-long': 0x1e,
  'delta-unsigned': 0x1f,
  'delta-long-unsigned': 0x20,
  'delta-double-long-unsigned': 0x21,
}

/** Bytes of an integer type, negative where it is signed. */
const widths: Readonly<Partial<Record<Type, number>>> = {
  'double-long': -4,
  'double-long-unsigned': 4,
  integer: -1,
  long: -2,
  unsigned: 1,
  'long-unsigned': 2,
  long64: -8,
  'long64-unsigned': 8,
  'delta-integer': -1,
  'delta-long': -2,
  'delta-double-long': -4,
  'delta-unsigned': 1,
  'delta-long-unsigned': 2,
  'delta-double-long-unsigned': 4,
  bcd: 1,
  enum: 1,
}

const fixedOctets: Readonly<Partial<Record<Type, number>>> = { 'date-time': 12, date: 5, time: 4 }
const leaves = (Object.keys(tags) as Type[]).filter((type) => !['array', 'structure', 'compact-array'].includes(type))

/** What elements of a compact-array look like: a leaf type, a structure of fields, or an array of `count` equal ones. */
export interface Shape {
  readonly type: Type
  readonly count: number
  readonly inner: readonly Shape[]
}

/** A value and what is needed to write it: the shapes of its compact-arrays, in the order in which they come. */
export interface MadeData {
  readonly tree: DataTree
  readonly shapes: readonly Shape[]
}

/** A random value with about `size` nodes at most, of all types. */
export function madeData(random: SimulationRandom, size = 24): MadeData {
  const shapes: Shape[] = []
  const budget = { left: size }
  const tree = treeOf(random, budget, 0, shapes)
  return { tree, shapes }
}

function treeOf(random: SimulationRandom, budget: { left: number }, depth: number, shapes: Shape[]): DataTree {
  budget.left--
  const deep = depth < 6 && budget.left > 0
  if (!deep || random.chance(depth === 0 ? 0.1 : 0.6)) return leafOf(pick(random, leaves), random)
  if (random.chance(0.2)) {
    const shape = shapeOf(random, depth)
    shapes.push(shape)
    const elements = Array.from({ length: random.below(5) }, () => shaped(shape, random))
    budget.left -= elements.length
    return { type: 'compact-array', elements }
  }
  const elements: DataTree[] = []
  for (let left = random.below(8); left > 0 && budget.left > 0; left--)
    elements.push(treeOf(random, budget, depth + 1, shapes))
  return { type: random.chance(0.5) ? 'array' : 'structure', elements }
}

// Elements without any byte cannot be told apart, so a shape holds at least one value that has some.
function shapeOf(random: SimulationRandom, depth: number): Shape {
  const leaf: Shape = { type: pick(random, leaves.slice(1)), count: 0, inner: [] }
  const roll = random.below(4)
  if (depth > 3 || roll < 2) return leaf
  if (roll === 2) return { type: 'array', count: 1 + random.below(3), inner: [shapeOf(random, depth + 1)] }
  const others = Array.from({ length: random.below(3) }, (): Shape => {
    return random.chance(0.3) ? { type: 'null-data', count: 0, inner: [] } : shapeOf(random, depth + 1)
  })
  return { type: 'structure', count: others.length + 1, inner: [...others, leaf] }
}

function shaped({ type, count, inner }: Shape, random: SimulationRandom): DataTree {
  if (type !== 'array' && type !== 'structure') return leafOf(type, random)
  const elements = Array.from({ length: count }, (_, k) => shaped(inner[type === 'array' ? 0 : k] as Shape, random))
  return { type, elements }
}

function leafOf(type: Type, random: SimulationRandom): DataTree {
  const width = widths[type]
  if (width !== undefined) return { type, value: integerOf(Math.abs(width), width < 0, random) } as DataTree
  switch (type) {
    case 'null-data':
      return { type }
    case 'boolean':
      return { type, value: random.chance(0.5) }
    case 'bit-string':
      return { type, value: Array.from({ length: random.below(40) }, () => random.below(2)).join('') }
    case 'float32':
      return { type, value: Math.fround(random.normal() * 10 ** random.below(20)) }
    case 'float64':
      return { type, value: pick(random, [random.normal(), 1e300, -0, Number.POSITIVE_INFINITY, Number.NaN]) }
    default: {
      const length = fixedOctets[type] ?? (random.chance(0.02) ? 100 + random.below(300) : random.below(14))
      return { type: type as OctetType, value: noise(random, length) }
    }
  }
}

// Edges of the range are as likely as what lies between them.
function integerOf(bytes: number, signed: boolean, random: SimulationRandom): number | bigint {
  const bits = BigInt(bytes * 8)
  const low = signed ? -(1n << (bits - 1n)) : 0n
  const high = low + (1n << bits) - 1n
  const word = (BigInt(random.u32()) << 32n) | BigInt(random.u32())
  const value = pick(random, [low, high, low + 1n, high - 1n, 0n, low + (word & ((1n << bits) - 1n))])
  const narrow = Number(value)
  return Number.isSafeInteger(narrow) ? narrow : value
}

/** Writes a value. Given `random`, lengths now and then take more bytes than they need, as the standard allows. */
export function writeData({ tree, shapes }: MadeData, random?: SimulationRandom): Uint8Array<ArrayBuffer> {
  const out: number[] = []
  const rest = [...shapes]
  writeTagged(out, tree, rest, random)
  return Uint8Array.from(out)
}

function writeTagged(out: number[], tree: DataTree, shapes: Shape[], random: SimulationRandom | undefined): void {
  out.push(tags[tree.type])
  if (tree.type === 'compact-array') {
    const shape = shapes.shift() as Shape
    writeShape(out, shape)
    const contents: number[] = []
    for (const element of tree.elements) writeContents(contents, element, random)
    writeLength(out, contents.length, random)
    for (const byte of contents) out.push(byte)
  } else if (tree.type === 'array' || tree.type === 'structure') {
    writeLength(out, tree.elements.length, random)
    for (const element of tree.elements) writeTagged(out, element, shapes, random)
  } else writeContents(out, tree, random)
}

function writeShape(out: number[], { type, count, inner }: Shape): void {
  out.push(tags[type])
  if (type === 'array') out.push(count >>> 8, count & 0xff)
  if (type === 'structure') out.push(count)
  for (const part of inner) writeShape(out, part)
}

// A value without its tag; in a compact-array also without the counts, which the description has.
function writeContents(out: number[], tree: DataTree, random: SimulationRandom | undefined): void {
  if ('elements' in tree) {
    for (const element of tree.elements) writeContents(out, element, random)
    return
  }
  const width = Math.abs(widths[tree.type] ?? 0)
  if (width > 0 && 'value' in tree) {
    const value = BigInt.asUintN(width * 8, BigInt(tree.value as number | bigint))
    for (let shift = width - 1; shift >= 0; shift--) out.push(Number((value >> BigInt(shift * 8)) & 0xffn))
    return
  }
  switch (tree.type) {
    case 'null-data':
      return
    case 'boolean':
      out.push(tree.value ? (random?.chance(0.5) ? 0xff : 1) : 0)
      return
    case 'bit-string':
      writeLength(out, tree.value.length, random)
      for (let at = 0; at < tree.value.length; at += 8)
        out.push(Number.parseInt(tree.value.slice(at, at + 8).padEnd(8, '0'), 2))
      return
    case 'float32':
    case 'float64': {
      const wide = tree.type === 'float64'
      const buffer = Buffer.alloc(wide ? 8 : 4)
      if (wide) buffer.writeDoubleBE(tree.value)
      else buffer.writeFloatBE(tree.value)
      out.push(...buffer)
      return
    }
    default: {
      const octets = tree.value as Uint8Array
      if (fixedOctets[tree.type] === undefined) writeLength(out, octets.length, random)
      for (const byte of octets) out.push(byte)
    }
  }
}

function writeLength(out: number[], length: number, random: SimulationRandom | undefined): void {
  const least = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3
  const bytes = random?.chance(0.1) === true ? Math.min(4, least + 1 + random.below(2)) : least
  if (bytes > 0) out.push(0x80 + bytes)
  for (let k = Math.max(1, bytes) - 1; k >= 0; k--) out.push(Math.floor(length / 256 ** k) & 0xff)
}
