import { addBounded, type BoundedWh, noBoundedWh } from '../../schemas/bounded.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { DayClip, LoadPartial, PartialCell } from '../../schemas/load-partial.ts'
import { byLevel, type Level, levels } from '../../schemas/register-entry.ts'
import type { BoundedReading, BoundedReadings } from '../contract/bounded-readings.ts'
import { type BatchContext, type Lowering, lowering, type Spec } from '../contract/operator.ts'
import { groupBook } from './group-book.ts'
import { rankAmong } from './largest.ts'
import { partOfHome } from './part-of-home.ts'

const dayMs = 86_400_000

export const partialSumsSpec = { name: 'partialSums', drops: [], rejects: [] } as const satisfies Spec

export interface PartialSumsOptions {
  /** How long after its window's end a value still counts as preliminary, in seconds. Default 1200. */
  readonly graceSeconds?: number
  /**
   * Bounds S by level, in Wh, that the readings of a local date, `YYYY-MM-DD`, were bounded to: stated with every batch, and
   * day by day where its days differ. Default: not stated.
   */
  readonly clip?: (date: string) => Readonly<Record<Level, number>>
  /** The rule for C by which they were bounded, stated beside `clip`. Default: not stated. */
  readonly capRule?: (date: string) => string
}

/**
 * Adds up what a batch contributes to each (level, group, window, channel, phase).
 *
 * The phase is a function of the record alone: preliminary iff it was received before window end + grace, else late;
 * `boundContributions` has left out what came after the cut-off. So each interval lies in exactly one of the two sums.
 *
 * *Delivery*: exactly one record per batch, also for an empty one, since it carries the progress of the partition.
 * *Order*: a batch gives the same record in any order of its readings but for the order of the cells. *State*: none; the
 * names of groups keep their numbers from batch to batch, which shows in nothing.
 * *Privacy*: identified to pseudonymous: sums of bounded values per public group, yet exact, and of single households where
 * a batch holds one; `exactWh` and the three largest are for the restricted aggregate only. `count` counts the values that
 * begin their window, so a measuring point counts once, and not at all if it sent only a later part.
 *
 * *The largest*: a measuring point may fill a window in several parts, and these may come in several batches, where nothing
 * tells that they are of one point. A frame that holds c of the p parts of a window leaves at most p - c for other frames,
 * so the point has come in at most p - c + 1 pieces, and has at most p - c + 1 times the largest of them. Each piece counts
 * as that much: exact where a window comes whole, never too little otherwise. A home of n points has at most n times what
 * the largest of them has, and each counts as that much for the same reason. A value below zero counts by its size: it hides
 * others in the sum as well as one above.
 */
export function partialSums(
  options: PartialSumsOptions = {},
): Lowering<BoundedReadings, LoadPartial, 'identified', 'pseudonymous'> {
  const { graceSeconds = 1_200, clip } = options
  const book = groupBook()
  const spare: Int32Array[] = []
  return lowering(
    'identified',
    'pseudonymous',
  )<BoundedReadings, LoadPartial>({
    spec: partialSumsSpec,
    process: (batch, out, context) => {
      const { partition, seq, progress, whole } = context
      book.begin()
      const cells: Sum[] = []
      const planes = new Map<number, Plane>()
      let plane: Plane | undefined
      let last = Number.NaN
      for (const { value, origin } of batch) {
        const { groups, pointsAtConnection, readings } = value
        const path = book.pathOf(groups)
        const sharedByOne = 1 - partOfHome(value)
        const pieces = piecesOf(readings)
        for (const reading of readings) {
          const { exactWh, bounded, start, window } = reading
          const atMostWh = Math.abs(pieces === undefined ? exactWh : pieces(reading)) * pointsAtConnection
          const late = origin.receivedAt >= window + (reading.windowSeconds + graceSeconds) * 1_000
          const code = planeCode(reading, late)
          if (code !== last || plane === undefined) {
            plane = planes.get(code)
            if (plane === undefined) {
              plane = planeOf(reading, late, spare)
              planes.set(code, plane)
            }
            last = code
          }
          if (plane.positions.length < book.size()) widen(plane, book.size())
          const begins = start === window ? 1 : 0
          const shared = begins * sharedByOne
          const utility = sumAt(plane, path.utility, 'utility', groups.utility, cells)
          add(utility, bounded.utility, exactWh, begins, shared, atMostWh)
          const region = sumAt(plane, path.region, 'region', groups.region, cells)
          add(region, bounded.region, exactWh, begins, shared, atMostWh)
          const substation = sumAt(plane, path.substation, 'substation', groups.substation, cells)
          add(substation, bounded.substation, exactWh, begins, shared, atMostWh)
          const feeder = sumAt(plane, path.feeder, 'feeder', groups.feeder, cells)
          add(feeder, bounded.feeder, exactWh, begins, shared, atMostWh)
        }
      }
      const dates = [...planes.values()].map(({ date }) => date)
      for (const { positions } of planes.values()) if (spare.length < mostSpare) spare.push(positions.fill(0))
      out.emit(whole, {
        sourcePartition: partition,
        seq,
        progress,
        ...(clip ? stated({ ...options, clip }, dates, context) : {}),
        cells,
      })
    },
  })
}

/**
 * What stands in a batch does not depend on whose values are in it: every day that values could be of is stated, in an
 * empty batch too. That is from the first day that still counts, which is far back where the partition comes from far behind,
 * to the day after the progress, zones considered.
 */
function stated(
  { clip, capRule }: Pick<PartialSumsOptions, 'capRule'> & Required<Pick<PartialSumsOptions, 'clip'>>,
  ofCells: readonly string[],
  { progress, keptFrom, floor }: Pick<BatchContext, 'progress' | 'keptFrom' | 'floor'>,
): Pick<LoadPartial, 'clipWh' | 'clipWhByDate' | 'capRule'> {
  const today = dayNumber(progress)
  const from = Math.min(today - 2, Math.max(keptFrom, dayNumber(floor) - 1))
  const near = Array.from({ length: today + 2 - from }, (_, n) => dateOf(from + n))
  const dates = [...new Set([...near, ...ofCells])].sort()
  const days = dates.map((date): DayClip => ({ date, clipWh: clip(date), ...(capRule && { capRule: capRule(date) }) }))
  const [{ clipWh: own, capRule: rule }] = days as [DayClip]
  const isOneRule = days.every((day) => day.capRule === rule)
  const ruleOfAll = isOneRule && rule !== undefined ? { capRule: rule } : {}
  if (isOneRule && days.every(({ clipWh }) => levels.every((level) => clipWh[level] === own[level]))) {
    return { clipWh: own, ...ruleOfAll }
  }
  // Whoever looks at this alone sees the day that needs most noise, and withholds too much rather than too little.
  const widest = byLevel((level) => Math.max(...days.map(({ clipWh }) => clipWh[level])))
  return { clipWh: widest, clipWhByDate: days, ...ruleOfAll }
}

const dayNumber = (at: EpochMs): number => Math.floor(at / dayMs)
const dateOf = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10)

const isPart = ({ durationSeconds, windowSeconds }: BoundedReading): boolean => durationSeconds !== windowSeconds

/**
 * What the measuring point of a frame has in a window at the most, told with the last of its readings there and 0 before.
 * Undefined where every reading fills its window, as most do.
 */
function piecesOf(readings: readonly BoundedReading[]): ((reading: BoundedReading) => number) | undefined {
  if (!readings.some(isPart)) return undefined
  const pieces = new Map<string, { wh: number; here: number; left: number }>()
  const nameOf = ({ window, channel }: BoundedReading): string => `${window} ${channel}`
  for (const reading of readings) {
    const piece = pieces.get(nameOf(reading)) ?? { wh: 0, here: 0, left: 0 }
    piece.wh += reading.exactWh
    piece.here += 1
    piece.left += 1
    pieces.set(nameOf(reading), piece)
  }
  return (reading) => {
    const piece = pieces.get(nameOf(reading))!
    piece.left -= 1
    if (piece.left > 0) return 0
    const parts = Math.ceil(reading.windowSeconds / reading.durationSeconds)
    return piece.wh * Math.max(1, parts - piece.here + 1)
  }
}

type Sum = { -readonly [K in keyof PartialCell]: PartialCell[K] }

/** The sums of one window, channel and phase. */
interface Plane extends Pick<PartialCell, 'channel' | 'phase' | 'window' | 'windowSeconds' | 'date'> {
  /** Where the sum of a group lies in the cells of the batch, from 1, by the number of the group; 0 where it has none. */
  positions: Int32Array
}

/** Emptied positions are kept for the planes of later batches: nearly all batches have two or three. */
const mostSpare = 16

function planeOf({ channel, window, windowSeconds, date }: BoundedReading, late: boolean, spare: Int32Array[]): Plane {
  const phase = late ? 'late' : 'preliminary'
  return { channel, phase, window, windowSeconds, date, positions: spare.pop() ?? new Int32Array(0) }
}

function widen(plane: Plane, size: number): void {
  const wider = new Int32Array(Math.max(size, 2 * plane.positions.length))
  wider.set(plane.positions)
  plane.positions = wider
}

const daySeconds = 86_400

/**
 * One number per window, local day, channel and phase. A window's start lies on its local day, or the UTC day before or
 * after, so the difference of the two days is -1, 0 or 1.
 */
function planeCode({ window, day, channel }: BoundedReading, late: boolean): number {
  const seconds = Math.floor(window / 1_000)
  const shift = day - Math.floor(seconds / daySeconds) + 1
  return ((seconds * 3 + shift) * 2 + (channel === 'import' ? 0 : 1)) * 2 + (late ? 1 : 0)
}

function sumAt(plane: Plane, number: number, level: Level, group: string, cells: Sum[]): Sum {
  const position = plane.positions[number]!
  if (position > 0) return cells[position - 1]!
  const { channel, phase, window, windowSeconds, date } = plane
  const sum: Sum = {
    level,
    group,
    channel,
    phase,
    window,
    windowSeconds,
    date,
    boundedWh: noBoundedWh,
    exactWh: 0,
    count: 0,
    shared: 0,
    largestWh: 0,
    secondWh: 0,
    thirdWh: 0,
  }
  plane.positions[number] = cells.push(sum)
  return sum
}

function add(sum: Sum, bounded: BoundedWh, exactWh: number, count: number, shared: number, atMostWh: number): void {
  sum.boundedWh = addBounded(sum.boundedWh, bounded)
  sum.exactWh += exactWh
  sum.count += count
  sum.shared += shared
  rankAmong(sum, atMostWh)
}
