import { avroCodec } from './avro.ts'
import type { BoundedWh } from './bounded.ts'
import { type Codec, CodecError, type EpochMs } from './codec.ts'
import type { Channel } from './interval-reading.ts'
import { type Level, levels } from './register-entry.ts'

export const phases = ['preliminary', 'late'] as const
/** A function of the record alone: received before window end + grace, or before the D+1 cut-off. */
export type Phase = (typeof phases)[number]

/** `load.partials` (pseudonymous): what one input batch adds to the open windows, and how far its partition has come. */
export interface LoadPartial {
  readonly sourcePartition: number
  /** Sequence number of the accepted batch it belongs to: dense per source partition. */
  readonly seq: number
  /** All input of the source partition received before this has been processed. */
  readonly progress: EpochMs
  /**
   * Bounds S of a household-day, in Wh, that the values of this batch were bounded to; the widest of all its days, where
   * they differ. Absent in batches from before they were stated.
   */
  readonly clipWh?: Readonly<Record<Level, number>> | undefined
  /** Bounds of each local day that values of the batch could be of, where they differ. */
  readonly clipWhByDate?: readonly DayClip[] | undefined
  readonly cells: readonly PartialCell[]
}

/** Bounds S by level, in Wh, of a local day, `YYYY-MM-DD`. */
export interface DayClip {
  readonly date: string
  readonly clipWh: Readonly<Record<Level, number>>
}

/** What the values of a local day in this batch were bounded to; undefined where it is not stated. */
export function clipOn({ clipWh, clipWhByDate }: LoadPartial, date: string): LoadPartial['clipWh'] {
  return clipWhByDate?.find((each) => each.date === date)?.clipWh ?? clipWh
}

/** One group, window, channel and phase. */
export interface PartialCell {
  readonly level: Level
  readonly group: string
  readonly channel: Channel
  readonly phase: Phase
  /** Start of the window, UTC. */
  readonly window: EpochMs
  readonly windowSeconds: number
  /** Local day of the window, `YYYY-MM-DD`. */
  readonly date: string
  /** Sum of values bounded for this level, in Wh. */
  readonly boundedWh: BoundedWh
  /** Sum of the values as measured, in Wh: for the restricted aggregate only. */
  readonly exactWh: number
  readonly count: number
  /**
   * What the three largest measuring points have in the sum at the most, in Wh, whatever the sign: for the dominance rules
   * of the restricted aggregate only. What any n of them have together is never more than the first n of these together.
   */
  readonly largestWh: number
  readonly secondWh: number
  readonly thirdWh: number
}

interface PartialFields extends Omit<LoadPartial, 'clipWh' | 'clipWhByDate'> {
  readonly clipWh: readonly number[] | null
  readonly clipWhByDate: readonly { readonly date: string; readonly clipWh: readonly number[] }[] | null
}

const fieldsOf = (clip: Readonly<Record<Level, number>>): readonly number[] => levels.map((level) => clip[level])

function clipOf(fields: readonly number[]): Readonly<Record<Level, number>> {
  if (fields.length !== levels.length) throw new CodecError('load-partial', 'it does not hold one bound for each level')
  return Object.fromEntries(levels.map((level, i) => [level, fields[i]!])) as Record<Level, number>
}

/** Codec of `load.partials`; beside `boundContributions`, its decoder is the only maker of `BoundedWh`. */
export const loadPartialCodec: Codec<LoadPartial> = avroCodec<LoadPartial, PartialFields>('load-partial', {
  toFields: ({ clipWh, clipWhByDate, ...value }) => ({
    ...value,
    clipWh: clipWh ? fieldsOf(clipWh) : null,
    clipWhByDate: clipWhByDate?.map(({ date, clipWh: clip }) => ({ date, clipWh: fieldsOf(clip) })) ?? null,
  }),
  fromFields: ({ sourcePartition, seq, progress, clipWh, clipWhByDate, cells }) => ({
    sourcePartition,
    seq,
    progress,
    ...(clipWh === null ? {} : { clipWh: clipOf(clipWh) }),
    ...(clipWhByDate === null
      ? {}
      : { clipWhByDate: clipWhByDate.map(({ date, clipWh: clip }) => ({ date, clipWh: clipOf(clip) })) }),
    cells: cells.map((cell) => ({
      level: cell.level,
      group: cell.group,
      channel: cell.channel,
      phase: cell.phase,
      window: cell.window,
      windowSeconds: cell.windowSeconds,
      date: cell.date,
      boundedWh: cell.boundedWh,
      exactWh: cell.exactWh,
      count: cell.count,
      largestWh: cell.largestWh,
      secondWh: cell.secondWh,
      // Batches from before the third was looked at: it cannot be above the second.
      thirdWh: cell.thirdWh < 0 ? cell.secondWh : cell.thirdWh,
    })),
  }),
})
