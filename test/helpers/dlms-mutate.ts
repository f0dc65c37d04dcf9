// Damage to frames, and the checks of the link layer made right again, so that what is broken inside is reached.
import { checkSequence } from '../../bench/fleet/encode/link.ts'
import type { SimulationRandom } from '../../bench/fleet/random.ts'
import type { Transport } from '../../operators/decode-dlms/wire/link.ts'
import { noise, pick } from './dlms-cases.ts'

/** Bytes that mean something to a decoder: marks, type tags, length forms, counts, control bytes. */
const telling = Uint8Array.of(0, 1, 2, 4, 5, 6, 9, 0x0c, 0x0f, 0x10, 0x13, 0x16, 0x1e, 0x20, 0x21, 0x30, 0x31, 0x32)
const marks = Uint8Array.of(0x68, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0xc4, 0xda, 0xdb, 0xe0, 0xe6, 0xfe, 0xff)
const lies: readonly Uint8Array[] = [
  Uint8Array.of(0x7f),
  Uint8Array.of(0x80),
  Uint8Array.of(0x81, 0x00),
  Uint8Array.of(0x82, 0x00, 0x01),
  Uint8Array.of(0x82, 0xff, 0xff),
  Uint8Array.of(0x84, 0x00, 0x00, 0x10, 0x00),
  Uint8Array.of(0x84, 0xff, 0xff, 0xff, 0xff),
]

/** One to eight edits at random places: flipped bits, other bytes, bytes put in, taken out, exchanged or repeated, lengths that lie. */
export function mutated(bytes: Uint8Array, random: SimulationRandom): Uint8Array {
  let result = Uint8Array.from(bytes)
  for (let edits = 1 + random.below(8); edits > 0; edits--) result = edited(result, random)
  return result
}

function edited(bytes: Uint8Array, random: SimulationRandom): Uint8Array<ArrayBuffer> {
  const at = random.below(bytes.length)
  const other = random.below(bytes.length)
  const some = 1 + random.below(4)
  switch (random.below(8)) {
    case 0:
      return changed(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8)))
    case 1:
      return changed(bytes, at, random.below(256))
    case 2:
      return changed(bytes, at, pick(random, [...telling, ...marks]))
    case 3:
      return spliced(bytes, at, 0, noise(random, some))
    case 4:
      return spliced(bytes, at, some, new Uint8Array(0))
    case 5:
      return changed(changed(bytes, at, bytes[other] ?? 0), other, bytes[at] ?? 0)
    case 6:
      return spliced(bytes, at, 0, bytes.slice(other, other + 1 + random.below(32)))
    default:
      return spliced(bytes, at, random.below(2), pick(random, lies))
  }
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes)
  if (at < copy.length) copy[at] = value
  return copy
}

/** Takes `removed` bytes out at a place and puts others there. */
export function spliced(bytes: Uint8Array, at: number, removed: number, put: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(Math.min(bytes.length, at + removed))
  const result = new Uint8Array(at + put.length + rest.length)
  result.set(bytes.subarray(0, at))
  result.set(put, at)
  result.set(rest, at + put.length)
  return result
}

/** The same unit with lengths, checks and marks of its link layer made to fit what it holds; one too short for that comes back as it is. */
export function repaired(unit: Uint8Array, transport: Transport): Uint8Array {
  if (transport === 'hdlc') return repairedHdlc(unit)
  if (transport === 'mbus') return repairedMbus(unit)
  if (transport !== 'wrapper' || unit.length < 8) return unit
  const length = Math.min(unit.length - 8, 0xffff)
  const copy = unit.slice(0, 8 + length)
  copy.set([0, 1])
  copy.set([length >>> 8, length & 0xff], 6)
  return copy
}

function repairedHdlc(unit: Uint8Array): Uint8Array {
  const frame = unit.slice(0, 2049)
  const length = frame.length - 2
  if (length < 9) return unit
  frame[0] = 0x7e
  frame[length + 1] = 0x7e
  frame[1] = 0xa0 | ((frame[1] as number) & 0x08) | (length >>> 8)
  frame[2] = length
  const source = addressEnd(frame, 3)
  const control = source < 0 ? -1 : addressEnd(frame, source)
  if (control < 0 || control + 5 > length) return unit
  const header = checkSequence(frame, 1, control + 1)
  if (control + 3 < length - 1) frame.set([header & 0xff, header >>> 8], control + 1)
  const check = checkSequence(frame, 1, length - 1)
  frame.set([check & 0xff, check >>> 8], length - 1)
  return frame
}

// One, two or four bytes, the last of which is odd.
function addressEnd(frame: Uint8Array, at: number): number {
  for (const size of [1, 2, 4]) if ((frame[at + size - 1] ?? 0) & 1) return at + size
  return -1
}

function repairedMbus(unit: Uint8Array): Uint8Array {
  if (unit.length < 11) return unit
  const frame = unit.slice(0, 266)
  const length = frame.length - 6
  frame.set([0x68, length & 0xff, length & 0xff, 0x68])
  let sum = 0
  for (let at = 4; at < 4 + length; at++) sum += frame[at] as number
  frame.set([sum & 0xff, 0x16], 4 + length)
  return frame
}

/** Whether two byte arrays hold the same. */
export function same(first: Uint8Array, second: Uint8Array): boolean {
  return Buffer.compare(first, second) === 0
}
