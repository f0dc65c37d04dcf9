import { CodecError } from '../../schemas/codec.ts'
import type { StateTable } from '../contract/operator.ts'

/**
 * The interval starts seen of one measuring point on one local day: an exact set of (channel, second of the day). Starts on
 * a grid of `unit` seconds are bits; the few off the grid are listed. A finer interval refines the grid.
 */
export interface SeenDay {
  /** Grid in seconds; 0 while nothing was seen. */
  readonly unit: number
  /** By channel (import, export): bit i stands for second i * unit. */
  readonly slots: readonly [Uint8Array, Uint8Array]
  /** Starts off the grid, as 2 * second + channel. */
  readonly odd: readonly number[]
}

export type ChannelIndex = 0 | 1

const none = new Uint8Array(0)
export const nothingSeen: SeenDay = { unit: 0, slots: [none, none], odd: [] }

/** From here on the grid is refined until it holds them: bits at one second are 11 kB per channel and day at most. */
const maxOdd = 256

export function hasSeen({ unit, slots, odd }: SeenDay, channel: ChannelIndex, second: number): boolean {
  if (unit > 0 && second % unit === 0) {
    const slot = second / unit
    return (((slots[channel][slot >> 3] ?? 0) >> (slot & 7)) & 1) === 1
  }
  return odd.length > 0 && odd.includes(second * 2 + channel)
}

/** The set with one more start, of an interval of `durationSeconds`. Leaves `seen` as it is. */
export function withSeen(seen: SeenDay, channel: ChannelIndex, second: number, durationSeconds: number): SeenDay {
  const unit = seen.unit === 0 ? durationSeconds : seen.unit
  if (second % unit === 0) return withBit(seen.unit === 0 ? { ...seen, unit } : seen, channel, second)
  const finer = commonDivisor(unit, durationSeconds)
  if (second % finer === 0) return withBit(refined(seen, finer), channel, second)
  if (seen.odd.length < maxOdd) return { unit, slots: seen.slots, odd: [...seen.odd, second * 2 + channel] }
  const fine = seen.odd.reduce((divisor, code) => commonDivisor(divisor, code >> 1), commonDivisor(unit, second))
  return withBit(refined(seen, fine), channel, second)
}

function withBit({ unit, slots, odd }: SeenDay, channel: ChannelIndex, second: number): SeenDay {
  const slot = second / unit
  const old = slots[channel]
  const bits = new Uint8Array(Math.max(old.length, (slot >> 3) + 1))
  bits.set(old)
  bits[slot >> 3] = (bits[slot >> 3] as number) | (1 << (slot & 7))
  return { unit, slots: channel === 0 ? [bits, slots[1]] : [slots[0], bits], odd }
}

function refined(seen: SeenDay, unit: number): SeenDay {
  let next: SeenDay = { unit, slots: [none, none], odd: seen.odd.filter((code) => (code >> 1) % unit !== 0) }
  for (const channel of [0, 1] as const) {
    const bits = seen.slots[channel]
    for (let slot = 0; slot < bits.length * 8; slot += 1) {
      const second = slot * seen.unit
      if (hasSeen(seen, channel, second)) next = withBit(next, channel, second)
    }
  }
  for (const code of seen.odd) {
    if ((code >> 1) % unit === 0) next = withBit(next, (code & 1) as ChannelIndex, code >> 1)
  }
  return next
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}

// Cell: version; then as LEB128 numbers the unit, the bytes of import bits, those of export bits, and the count of odd
// starts; then the bits, and the odd starts as LEB128 numbers. A half-hourly import meter takes 12 bytes. Version 2 is for
// content tags, by which a corrected value is told from a repeated one.
const version = 1

/** The table of `dedupe`: one cell per measuring point and local day. */
export const seenTable: StateTable<SeenDay> = {
  name: 'seen',
  aged: 'horizon',
  codec: {
    encode: ({ unit, slots, odd }) => {
      const head: number[] = [version]
      for (const value of [unit, slots[0].length, slots[1].length, odd.length]) pushNumber(head, value)
      const tail: number[] = []
      for (const code of odd) pushNumber(tail, code)
      const bytes = Buffer.allocUnsafe(head.length + slots[0].length + slots[1].length + tail.length)
      bytes.set(head, 0)
      bytes.set(slots[0], head.length)
      bytes.set(slots[1], head.length + slots[0].length)
      bytes.set(tail, bytes.length - tail.length)
      return bytes
    },
    decode: (bytes) => {
      if (bytes[0] !== version) refuse('unknown version')
      let at = 1
      const number = (): number => {
        let value = 0
        for (let scale = 1; scale < 2 ** 28; scale *= 128) {
          const byte = bytes[at]
          if (byte === undefined) refuse('it ends inside a number')
          at += 1
          value += ((byte as number) & 0x7f) * scale
          if ((byte as number) < 0x80) return value
        }
        return refuse('a number is too long')
      }
      const take = (length: number): Uint8Array => {
        if (length > bytes.length - at) refuse('it ends inside its bits')
        at += length
        return length === 0 ? none : bytes.slice(at - length, at)
      }
      const unit = number()
      const [importBytes, exportBytes, count] = [number(), number(), number()]
      const slots = [take(importBytes), take(exportBytes)] as const
      if (count > bytes.length - at) refuse('it ends inside its list')
      const odd = Array.from({ length: count }, number)
      if (at !== bytes.length) refuse('bytes follow')
      return { unit, slots, odd }
    },
  },
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
}

function refuse(detail: string): never {
  throw new CodecError('seen cell', detail)
}
