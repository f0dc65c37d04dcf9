import { CodecError } from '../../schemas/codec.ts'
import type { StateTable } from '../contract/operator.ts'

/** What `validate` remembers of one channel of a measuring point: exactly what its cell can hold. */
export interface ChannelHistory {
  /** End of the newest interval seen, in whole seconds since 1970, UTC. */
  readonly end: number
  /** Its energy in Wh, modulo 2^24: enough to tell whether the next one is the same. */
  readonly lastWh: number
  /** How many consecutive intervals had just this energy, up to 255; 0 while the energy is 0. */
  readonly run: number
  /** Recent peak of the mean power in W, decaying; rounded down to 11 significant bits. */
  readonly peakW: number
  /** Register total at `end` in Wh, as read or as the intervals since the last reading add up; -1 if unknown. */
  readonly registerWh: number
}

/** By channel: import, export. */
export type History = readonly [ChannelHistory | undefined, ChannelHistory | undefined]

export const lastModulus = 2 ** 24
export const maxRun = 255
/** Peaks above 2 GW count as 2 GW. */
const maxPeak = 2 ** 31 - 1
const maxEnd = 2 ** 32 - 1
const unknownRegister = 2 ** 40 - 1
const mantissaBits = 11

/** Rounds a power down to what the cell holds. */
export function storedPeak(powerW: number): number {
  const capped = Math.min(maxPeak, Math.max(0, Math.floor(powerW)))
  const shift = exponentOf(capped)
  return (capped >> shift) << shift
}

/** A register total as the cell holds it: -1 where it is unknown or beyond 1 TWh. */
export function storedRegister(registerWh: number | undefined): number {
  return registerWh !== undefined && registerWh >= 0 && registerWh < unknownRegister ? registerWh : -1
}

/** An interval end as the cell holds it. */
export function storedEnd(endMs: number): number {
  return Math.min(maxEnd, Math.max(0, Math.floor(endMs / 1_000)))
}

function exponentOf(power: number): number {
  return Math.max(0, 32 - Math.clz32(power) - mantissaBits)
}

// Cell: one byte with the version in the high and the channels present in the low half; per channel 15 bytes, big-endian:
// end u32, last u24, peak u16 (5 bits exponent, 11 bits mantissa), run u8, register u40. At most 31 bytes.
const version = 1
const channelBytes = 15
// Cells are read from here: a view of each cell's own bytes would cost more than copying them.
const scratch = Buffer.alloc(1 + 2 * channelBytes)

/** The table of `validate`: one cell per measuring point, which does not age. */
export const historyTable: StateTable<History> = {
  name: 'vee',
  aged: false,
  codec: {
    encode: (history) => {
      const present = history.filter((channel) => channel !== undefined).length
      const bytes = Buffer.allocUnsafe(1 + present * channelBytes)
      let flags = 0
      let at = 1
      history.forEach((channel, i) => {
        if (channel === undefined) return
        flags |= 1 << i
        const shift = exponentOf(channel.peakW)
        bytes.writeUInt32BE(channel.end, at)
        bytes.writeUIntBE(channel.lastWh, at + 4, 3)
        bytes.writeUInt16BE((shift << mantissaBits) | (channel.peakW >> shift), at + 7)
        bytes[at + 9] = channel.run
        bytes.writeUIntBE(channel.registerWh < 0 ? unknownRegister : channel.registerWh, at + 10, 5)
        at += channelBytes
      })
      bytes[0] = (version << 4) | flags
      return bytes
    },
    decode: (cell) => {
      const bytes = scratch
      const head = cell[0] ?? 0
      const present = (head & 1) + ((head >> 1) & 1)
      if (head >> 4 !== version || (head & 12) !== 0 || cell.length !== 1 + present * channelBytes) {
        throw new CodecError('vee cell', 'unknown version or length')
      }
      bytes.set(cell)
      const read = (at: number): ChannelHistory => {
        const peak = bytes.readUInt16BE(at + 7)
        const register = bytes.readUIntBE(at + 10, 5)
        return {
          end: bytes.readUInt32BE(at),
          lastWh: bytes.readUIntBE(at + 4, 3),
          peakW: (peak & (2 ** mantissaBits - 1)) * 2 ** (peak >> mantissaBits),
          run: bytes[at + 9] as number,
          registerWh: register === unknownRegister ? -1 : register,
        }
      }
      return [
        (head & 1) !== 0 ? read(1) : undefined,
        (head & 2) !== 0 ? read(1 + (head & 1) * channelBytes) : undefined,
      ]
    },
  },
}
