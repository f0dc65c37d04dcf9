// Messages cut into parts in every way that the decoder joins again, and a line that loses, repeats, exchanges, interleaves and delays the parts.
import type { SimulationRandom } from '../../bench/fleet/random.ts'
import type { DecodeContext } from '../../operators/decode-dlms/types.ts'
import {
  cipheredBody,
  generalGlo,
  hdlc,
  joined,
  keysFor,
  mbus,
  sized,
  testKeys,
  wrapper,
} from '../operators/decode-dlms/make.ts'
import { noise, pick } from './dlms-cases.ts'

/**
 * A way to cut a message. Plain ones are those whose parts say by themselves where they belong: HDLC frames with a number, as long as fewer than eight
 * in a row are lost, and datablocks with the invoke id of their answer. All others are ciphered, since a part of one message can take the place
 * of the same part of another, and only the tag over the whole tells.
 */
export const ways = [
  'numbered HDLC',
  'unnumbered HDLC',
  'M-Bus',
  'block transfer',
  'datablocks',
  'ciphered datablocks',
] as const
export type Way = (typeof ways)[number]

/** What a sender sent, in its parts. */
export interface SentMessage {
  readonly sender: number
  /** The octets that are the value of the message, different for each. */
  readonly octets: Uint8Array
  readonly parts: readonly Uint8Array[]
}

/** A part as it arrives. */
export interface ArrivingPart {
  readonly message: number
  readonly part: number
  readonly unit: Uint8Array
  /** UTC ms. */
  readonly receivedAt: number
}

/** One run of the line. */
export interface Traffic {
  readonly way: Way
  readonly context: DecodeContext
  readonly sent: readonly SentMessage[]
  readonly arriving: readonly ArrivingPart[]
}

const llc = Uint8Array.of(0xe6, 0xe7, 0)
const titleKeys = { ...keysFor(0), systemTitle: testKeys.title }

function pieces(data: Uint8Array, count: number): readonly Uint8Array[] {
  const size = Math.max(1, Math.ceil(data.length / count))
  const all: Uint8Array[] = []
  for (let at = 0; at < data.length; at += size) all.push(data.subarray(at, at + size))
  return all
}

/** Cuts a message. `first` is the number of its first part on the link, `nth` the number of the message. */
function cut(
  way: Way,
  octets: Uint8Array,
  count: number,
  sender: number,
  first: number,
  nth: number,
): readonly Uint8Array[] {
  const value = joined(Uint8Array.of(9), sized(octets))
  const push = joined(Uint8Array.of(0x0f, 0, 0, 0, 1, 0), value)
  const last = (parts: readonly Uint8Array[], k: number): boolean => k === parts.length - 1
  switch (way) {
    case 'numbered HDLC':
    case 'unnumbered HDLC': {
      const numbered = way === 'numbered HDLC'
      const parts = pieces(numbered ? push : generalGlo(push, 0x30, nth), count)
      return parts.map((part, k) =>
        hdlc(k === 0 ? joined(llc, part) : part, {
          segmented: !last(parts, k),
          control: numbered ? (((first + k) & 7) << 1) | 0x10 : 0x13,
          from: sender === 0 ? '0883' : '0a85',
        }),
      )
    }
    case 'M-Bus': {
      const apdu = generalGlo(push, 0x30, nth)
      // One frame holds 250 bytes.
      const parts = pieces(apdu, Math.max(count, Math.ceil(apdu.length / 240)))
      return parts.map((part, k) => mbus(part, (k & 15) | (last(parts, k) ? 0x10 : 0)))
    }
    case 'block transfer': {
      const parts = pieces(generalGlo(push, 0x30, nth), count)
      return parts.map((part, k) => {
        const control = last(parts, k) ? 0xc0 : 0x40
        return wrapper(joined(Uint8Array.of(0xe0, control, 0, k + 1, 0, 0), sized(part)))
      })
    }
    default: {
      const parts = pieces(value, count)
      return parts.map((part, k) => {
        const head = Uint8Array.of(0xc4, 2, 0x40 | (nth & 15), last(parts, k) ? 1 : 0, 0, 0, 0, k + 1, 0)
        const answer = joined(head, sized(part))
        return wrapper(
          way === 'datablocks' ? answer : joined(Uint8Array.of(0xcc), sized(cipheredBody(answer, 0x30, nth * 100 + k))),
        )
      })
    }
  }
}

/** Messages of one or two senders and what the line makes of them. Faults happen with probability `rate` each, per part. */
export function trafficOf(random: SimulationRandom, rate: number, longest: number): Traffic {
  const way = pick(random, ways)
  const plain = way === 'numbered HDLC' || way === 'datablocks'
  const context: DecodeContext = {
    transport: way.endsWith('HDLC') ? 'hdlc' : way === 'M-Bus' ? 'mbus' : 'wrapper',
    keys: () => titleKeys,
    minimumProtection: plain ? 'none' : 'authenticated-encrypted',
  }
  const next = [0, 0]
  const sent = Array.from({ length: 2 + random.below(5) }, (_, nth): SentMessage => {
    const sender = way === 'numbered HDLC' ? random.below(2) : 0
    const octets = joined(
      Uint8Array.of(nth),
      noise(random, random.chance(0.1) ? longest + random.below(200) : 4 + random.below(120)),
    )
    const parts = cut(way, octets, 2 + random.below(6), sender, next[sender] as number, nth)
    next[sender] = (next[sender] as number) + parts.length
    return { sender, octets, parts }
  })
  return { way, context, sent, arriving: line(way, sent, random, rate) }
}

function line(way: Way, sent: readonly SentMessage[], random: SimulationRandom, rate: number): readonly ArrivingPart[] {
  let queue = sent.flatMap(({ parts }, message) => parts.map((unit, part) => ({ message, part, unit })))
  if (random.chance(rate * 4)) queue = interleaved(way, sent, queue, random)
  const arriving: ArrivingPart[] = []
  let receivedAt = 1_700_000_000_000
  const lostInRow = [0, 0]
  const arrive = (one: { message: number; part: number; unit: Uint8Array } | undefined): void => {
    if (one !== undefined) arriving.push({ ...one, receivedAt })
  }
  for (let k = 0; k < queue.length; k++) {
    const one = queue[k] as (typeof queue)[number]
    const { sender } = sent[one.message] as SentMessage
    receivedAt += random.chance(rate / 4) ? 30_000 + random.below(300_000) : random.below(2_000)
    // Numbers of HDLC go to seven only: more losses in a row than that nobody can notice.
    if (random.chance(rate) && (lostInRow[sender] as number) < 5) {
      lostInRow[sender] = (lostInRow[sender] as number) + 1
      continue
    }
    lostInRow[sender] = 0
    if (random.chance(rate / 2) && k + 1 < queue.length) {
      const after = queue[k + 1] as (typeof queue)[number]
      queue[k + 1] = one
      arrive(after)
      continue
    }
    arrive(one)
    if (random.chance(rate)) arrive(one)
    if (random.chance(rate / 4)) arrive(queue[k - random.below(3)])
  }
  return arriving
}

// Two meters on one line speak at once; in HDLC they have addresses and numbers of their own, elsewhere nothing tells their parts apart.
function interleaved<T extends { message: number }>(
  way: Way,
  sent: readonly SentMessage[],
  queue: readonly T[],
  random: SimulationRandom,
): T[] {
  const side = (one: T): number => (way === 'numbered HDLC' ? (sent[one.message]?.sender ?? 0) : one.message & 1)
  const lanes = [queue.filter((one) => side(one) === 0), queue.filter((one) => side(one) === 1)] as const
  const merged: T[] = []
  while (lanes[0].length + lanes[1].length > 0) {
    const one = lanes[random.below(2)]?.shift()
    if (one !== undefined) merged.push(one)
  }
  return merged
}
