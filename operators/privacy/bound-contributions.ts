import type { BoundedWh } from '../../schemas/bounded.ts'
import { CodecError } from '../../schemas/codec.ts'
import type { IntervalReading } from '../../schemas/interval-reading.ts'
import { type Level, levels, type RegisterEntry } from '../../schemas/register-entry.ts'
import type { BoundedReading, BoundedReadings } from '../contract/bounded-readings.ts'
import type { MeterReadings } from '../contract/meter-readings.ts'
import type { Keyed, Spec, StateTable } from '../contract/operator.ts'
import type { IntervalCap } from '../contract/policy-epoch.ts'
import { dayKeys } from '../window/day-keys.ts'
import { cutOff, localDay } from '../window/local-day.ts'

export const boundContributionsSpec = {
  name: 'boundContributions',
  drops: ['not_for_load'],
  rejects: [],
} as const satisfies Spec

export interface BoundContributionsOptions {
  /**
   * Per level: the most that one household-day may move the sums, S, as an L2 norm over all windows and both channels, in
   * whole Wh, at most 2^26. Smaller needs less noise, but cuts evening peaks. A function gives those of a local date,
   * `YYYY-MM-DD`, and must give the same ones whenever it is asked. Required.
   */
  readonly clip: ClipByLevel | ((date: string) => ClipByLevel)
  /** What C is on a local date beside what the fuse lets through. Default: the fuse alone decides. */
  readonly cap?: (date: string) => IntervalCap
  /** Length of the release windows in seconds; they divide the local day from its start. Required. */
  readonly windowSeconds: number
  /** Hour of the next day, local time, from which a value has no public use. Default 6. */
  readonly cutOffHour?: number
  /** Residency zone of the release domain: readings of others have no place in its sums. Default: those of all zones count. */
  readonly zone?: string | undefined
}

type ClipByLevel = Readonly<Record<Level, number>>

const fuseAlone: IntervalCap = { whPerHour: Number.POSITIVE_INFINITY, half: false }

/** What one measuring point has used up of one local day. */
export interface ClipUse {
  /** Sum of k * min(x, C)^2 in Wh^2 over all intervals so far, at most S^2 of the widest level. */
  readonly q: number
  /** Length of the day's intervals in seconds. */
  readonly durationSeconds: number
}

/** 2^26 Wh: squares stay at or below 2^52, so that sums of two of them are exact. */
const maxClip = 2 ** 26

/**
 * Bounds what one household-day can contribute to any release: the clip of design §4, without which no noise is enough.
 *
 * Of each interval counts x = min(energy, C), never below zero, where C is what the fuse lets through. A level with bound S
 * takes at most a = floor(sqrt((S^2 - min(q, S^2)) / k)) of it; then q grows by k x^2. Here k is the number of intervals of
 * this length in a release window: values of one window add up, and (b1 + ... + bk)^2 <= k (b1^2 + ... + bk^2).
 * So after each interval, sum of k b^2 <= min(q, S^2): it holds at q = 0, and a step adds k b^2 <= S^2 - min(q, S^2) as
 * well as k b^2 <= k x^2. Hence the vector of window sums has a norm of at most S in any order of arrival, and one running
 * number serves all levels.
 *
 * Where C is at most half of what is left (`IntervalCap.half`), a = floor(sqrt((S^2 - min(q, S^2)) / 4k)), and q grows by k b^2
 * with the b of the widest level, which is that of all levels or more: both halves of the argument hold as they stand, on
 * days of either rule and of both. A home above S then loses something of many intervals instead of all of the evening; but
 * a narrow level pays for what a much wider one takes.
 *
 * Of n measuring points at a connection each gets S / n: their norms add up to S at most.
 *
 * *Delivery*: readings without a place in the release are left out, and a frame without any other is dropped as
 * `not_for_load`: of another residency zone than that of the release, received at or after the cut-off of the local day, not
 * begun when received, longer than a window, off the grid of the local day, or of another length than the day's first (two
 * grids could fill one window twice); and what a log with stamps that went back by most of a day brings once q of its local
 * day is forgotten.
 * Emits at most one record per frame, never more energy than it received. *Order*: kept.
 * Bounds may differ from one local date to the next: each reading is bounded by those of its own date, whenever it comes.
 * *State*: q per (measuring point, local day), 12 bytes, until noon of the next day. *Privacy*: keeps the label; only
 * `partialSums` lowers it.
 */
export function boundContributions(options: BoundContributionsOptions): Keyed<MeterReadings, BoundedReadings, ClipUse> {
  const { clip, windowSeconds, cutOffHour = 6, cap: capOn = () => fuseAlone, zone } = options
  if (!Number.isInteger(windowSeconds) || windowSeconds < 1) {
    throw new RangeError('windowSeconds must be a whole number from 1')
  }
  if (typeof clip !== 'function') checkClip(clip)
  let day: DayBounds | undefined
  // Readings of one day lie together, so that most of them find its bounds at hand.
  const boundsOn = (date: string): DayBounds => {
    if (day?.date === date) return day
    const own = typeof clip === 'function' ? clip(date) : clip
    checkClip(own)
    const norms = levels.map((level) => own[level])
    const widest = Math.max(...norms)
    day = {
      date,
      clip: own,
      narrowest: Math.min(...norms),
      widest,
      mostUsed: widest ** 2,
      cap: capOn(date),
    }
    return day
  }

  const bound = (
    entry: RegisterEntry,
    reading: IntervalReading,
    { clip: own, narrowest, widest, mostUsed, cap: most }: DayBounds,
    q: number,
  ): { readonly bounded: Readonly<Record<Level, BoundedWh>>; readonly q: number } => {
    const { durationSeconds, energyWh } = reading
    const parts = windowSeconds / durationSeconds
    const cap = Math.floor((Math.min(entry.fuseWhPerHour, most.whPerHour) * durationSeconds) / 3_600)
    const x = Math.max(0, Math.min(energyWh, cap))
    const ofLeft = most.half ? 4 * parts : parts
    const allow = (clip: number): BoundedWh => {
      const norm = Math.floor(clip / entry.pointsAtConnection)
      const left = norm * norm - Math.min(q, norm * norm)
      return Math.min(x, wholeRoot(Math.floor(left / ofLeft))) as BoundedWh
    }
    // What the narrowest bound lets through whole, every bound does: that is nearly everything.
    const least = allow(narrowest)
    const whole = least === x
    const bounded = {
      utility: whole ? least : allow(own.utility),
      region: whole ? least : allow(own.region),
      substation: whole ? least : allow(own.substation),
      feeder: whole ? least : allow(own.feeder),
    }
    const counted = most.half && !whole ? allow(widest) : x
    return {
      bounded,
      // Exact below 2^53, and rounding above it cannot fall below mostUsed <= 2^52. What wider bounds have used stays used
      // under narrower ones: else it would be there again once the wider ones come back.
      q: Math.max(q, Math.min(mostUsed, q + parts * counted * counted)),
    }
  }

  return {
    spec: boundContributionsSpec,
    state: clipTable,
    keys: dayKeys,
    process: (batch, cells, out, { keptFrom }) => {
      for (const record of batch) {
        const { entry, readings } = record.value
        if (zone !== undefined && entry.zone !== zone) {
          out.drop(record, 'not_for_load')
          continue
        }
        const { receivedAt } = record.origin
        const kept: BoundedReading[] = []
        for (const reading of readings) {
          const { channel, start, durationSeconds, energyWh } = reading
          const { date, day, start: dayStart } = localDay(entry.timeZone, start)
          if (receivedAt >= cutOff(entry.timeZone, day, cutOffHour) || start >= receivedAt) continue
          // An empty cell here is one that may have been dropped: its q would begin anew.
          if (day < keptFrom) continue
          const elapsed = start - dayStart
          if (windowSeconds % durationSeconds !== 0 || elapsed % (durationSeconds * 1_000) !== 0) continue
          const key = { index: entry.index, day }
          const used = cells.get(key)
          if (used !== undefined && used.durationSeconds !== durationSeconds) continue
          const { bounded, q } = bound(entry, reading, boundsOn(date), used?.q ?? 0)
          if (used === undefined || q !== used.q) cells.set(key, { q, durationSeconds })
          const window = start - (elapsed % (windowSeconds * 1_000))
          kept.push({
            channel,
            start,
            durationSeconds,
            window,
            windowSeconds,
            date,
            day,
            exactWh: energyWh,
            bounded,
          })
        }
        if (kept.length === 0) out.drop(record, 'not_for_load')
        else {
          const { groups, pointsAtConnection } = entry
          out.emit(record, { groups, pointsAtConnection, readings: kept })
        }
      }
    },
  }
}

interface DayBounds {
  readonly date: string
  readonly clip: ClipByLevel
  readonly narrowest: number
  readonly widest: number
  /** The square of the widest bound: what q is at most. */
  readonly mostUsed: number
  readonly cap: IntervalCap
}

function checkClip(clip: ClipByLevel): void {
  for (const level of levels) {
    if (!Number.isInteger(clip[level]) || clip[level] < 1 || clip[level] > maxClip) {
      throw new RangeError(`the clip of level ${level} must be a whole number of Wh from 1 to ${maxClip}`)
    }
  }
}

/**
 * The largest whole number whose square is at most `n`, for whole n from 0 to 2^52. The square root is correctly rounded,
 * so its floor is that number or one too many; the check is exact, since the square is below 2^53.
 */
export function wholeRoot(n: number): number {
  const root = Math.floor(Math.sqrt(n))
  return root * root > n ? root - 1 : root
}

// Cell: version u8, length of the intervals u24, q as a double (exact: a whole number up to 2^52), big-endian.
const version = 1
const cellBytes = 12
// A view of each cell's own bytes would cost more than copying them.
const scratch = new Uint8Array(cellBytes)
const scratchView = new DataView(scratch.buffer)

const clipTable: StateTable<ClipUse> = {
  name: 'clip',
  aged: 'nextNoon',
  codec: {
    encode: ({ q, durationSeconds }) => {
      const bytes = Buffer.allocUnsafe(cellBytes)
      bytes[0] = version
      bytes.writeUIntBE(durationSeconds, 1, 3)
      bytes.writeDoubleBE(q, 4)
      return bytes
    },
    decode: (cell) => {
      if (cell.length !== cellBytes || cell[0] !== version)
        throw new CodecError('clip cell', 'unknown version or length')
      scratch.set(cell)
      const durationSeconds = ((cell[1] as number) << 16) | ((cell[2] as number) << 8) | (cell[3] as number)
      return { q: scratchView.getFloat64(4), durationSeconds }
    },
  },
}
