import { addBounded } from '../../schemas/bounded.ts'
import type { LoadPartial, PartialCell } from '../../schemas/load-partial.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import type { BoundedReading, BoundedReadings } from '../contract/bounded-readings.ts'
import { type Lowering, lowering, type Spec } from '../contract/operator.ts'

export const partialSumsSpec = { name: 'partialSums', drops: [], rejects: [] } as const satisfies Spec

export interface PartialSumsOptions {
  /** How long after its window's end a value still counts as preliminary, in seconds. Default 1200. */
  readonly graceSeconds?: number
}

/**
 * Adds up what a batch contributes to each (level, group, window, channel, phase).
 *
 * The phase is a function of the record alone: preliminary iff it was received before window end + grace, else late;
 * `boundContributions` has left out what came after the cut-off. So each interval lies in exactly one of the two sums.
 *
 * *Delivery*: exactly one record per batch, also for an empty one, since it carries the progress of the partition.
 * *Order*: a batch gives the same record in any order of its readings but for the order of the cells. *State*: none.
 * *Privacy*: identified to pseudonymous: sums of bounded values per public group, yet exact, and of single households where
 * a batch holds one; `exactWh`, `largestWh` and `secondWh` are for the restricted aggregate only. `count` counts the values
 * that begin their window, so a measuring point counts once, and not at all if it sent only a later part.
 */
export function partialSums(
  options: PartialSumsOptions = {},
): Lowering<BoundedReadings, LoadPartial, 'identified', 'pseudonymous'> {
  const { graceSeconds = 1_200 } = options
  return lowering(
    'identified',
    'pseudonymous',
  )<BoundedReadings, LoadPartial>({
    spec: partialSumsSpec,
    process: (batch, out, { partition, seq, progress, whole }) => {
      const cells: Sum[] = []
      const planes = new Map<number, Plane>()
      let plane: Plane | undefined
      let last = Number.NaN
      for (const { value, origin } of batch) {
        const { groups, readings } = value
        for (const reading of readings) {
          const closes = reading.window + (reading.windowSeconds + graceSeconds) * 1_000
          const late = origin.receivedAt >= closes
          const code = planeCode(reading, late)
          if (code !== last || plane === undefined) {
            plane = planes.get(code) ?? emptyPlane()
            planes.set(code, plane)
            last = code
          }
          for (const level of levels) add(plane[level], level, groups[level], reading, late, cells)
        }
      }
      out.emit(whole, { sourcePartition: partition, seq, progress, cells })
    },
  })
}

type Sum = { -readonly [K in keyof PartialCell]: PartialCell[K] }

/** The sums of one window, channel and phase, by level and group. */
type Plane = Readonly<Record<Level, Map<string, Sum>>>

const emptyPlane = (): Plane => ({
  utility: new Map(),
  region: new Map(),
  substation: new Map(),
  feeder: new Map(),
})

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

function add(
  sums: Map<string, Sum>,
  level: Level,
  group: string,
  reading: BoundedReading,
  late: boolean,
  cells: Sum[],
): void {
  const { exactWh, bounded } = reading
  const counts = reading.start === reading.window ? 1 : 0
  const sum = sums.get(group)
  if (sum === undefined) {
    const first: Sum = {
      level,
      group,
      channel: reading.channel,
      phase: late ? 'late' : 'preliminary',
      window: reading.window,
      windowSeconds: reading.windowSeconds,
      date: reading.date,
      boundedWh: bounded[level],
      exactWh,
      count: counts,
      largestWh: exactWh,
      secondWh: 0,
    }
    sums.set(group, first)
    cells.push(first)
    return
  }
  sum.boundedWh = addBounded(sum.boundedWh, bounded[level])
  sum.exactWh += exactWh
  sum.count += counts
  if (exactWh > sum.largestWh) {
    sum.secondWh = sum.largestWh
    sum.largestWh = exactWh
  } else if (exactWh > sum.secondWh) sum.secondWh = exactWh
}
