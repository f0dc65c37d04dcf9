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
  /**
   * Rule for C, the most energy of one interval that counts, that the values of this batch were bounded by. Absent where the
   * days differ, and in batches from before it was stated.
   */
  readonly capRule?: string | undefined
  /** Bounds of each local day that values of the batch could be of, where they or their rules differ. */
  readonly clipWhByDate?: readonly DayClip[] | undefined
  readonly cells: readonly PartialCell[]
}

/** Bounds S by level, in Wh, of a local day, `YYYY-MM-DD`, and its rule for C where it is stated. */
export interface DayClip {
  readonly date: string
  readonly clipWh: Readonly<Record<Level, number>>
  readonly capRule?: string
}

/** What the values of a local day in this batch were bounded to; undefined where it is not stated. */
export function clipOn({ clipWh, clipWhByDate }: LoadPartial, date: string): LoadPartial['clipWh'] {
  return clipWhByDate?.find((each) => each.date === date)?.clipWh ?? clipWh
}

/** The rule for C that the values of a local day in this batch were bounded by; undefined where it is not stated. */
export function capRuleOn({ capRule, clipWhByDate }: LoadPartial, date: string): string | undefined {
  return clipWhByDate?.find((each) => each.date === date)?.capRule ?? capRule
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
  /** Measuring points that begin the window in the sum. */
  readonly count: number
  /** By how much the homes that they are of, at least, are fewer: a multiple of 2^-29, 0 where each has a home of its own. */
  readonly shared: number
  /**
   * What the homes of the three largest measuring points have in the sum at the most, in Wh, whatever the sign: for the dominance rules
   * of the restricted aggregate only. What any n of them have together is never more than the first n of these together.
   */
  readonly largestWh: number
  readonly secondWh: number
  readonly thirdWh: number
}

interface DayFields {
  readonly date: string
  readonly clipWh: readonly number[]
  readonly capRule: string | null
}

interface PartialFields extends Omit<LoadPartial, 'clipWh' | 'clipWhByDate' | 'capRule'> {
  readonly clipWh: readonly number[] | null
  readonly clipWhByDate: readonly DayFields[] | null
  readonly capRule: string | null
}

const fieldsOf = (clip: Readonly<Record<Level, number>>): readonly number[] => levels.map((level) => clip[level])

function clipOf(fields: readonly number[]): Readonly<Record<Level, number>> {
  if (fields.length !== levels.length) throw new CodecError('load-partial', 'it does not hold one bound for each level')
  return Object.fromEntries(levels.map((level, i) => [level, fields[i]!])) as Record<Level, number>
}

const dayFieldsOf = ({ date, clipWh, capRule }: DayClip): DayFields => ({
  date,
  clipWh: fieldsOf(clipWh),
  capRule: capRule ?? null,
})

const dayOf = ({ date, clipWh, capRule }: DayFields): DayClip => ({
  date,
  clipWh: clipOf(clipWh),
  ...(capRule === null ? {} : { capRule }),
})

/** Codec of `load.partials`; beside `boundContributions`, its decoder is the only maker of `BoundedWh`. */
export const loadPartialCodec: Codec<LoadPartial> = avroCodec<LoadPartial, PartialFields>('load-partial', {
  toFields: ({ clipWh, clipWhByDate, capRule, ...value }) => ({
    ...value,
    clipWh: clipWh ? fieldsOf(clipWh) : null,
    clipWhByDate: clipWhByDate?.map(dayFieldsOf) ?? null,
    capRule: capRule ?? null,
  }),
  fromFields: ({ sourcePartition, seq, progress, clipWh, clipWhByDate, capRule, cells }) => ({
    sourcePartition,
    seq,
    progress,
    ...(clipWh === null ? {} : { clipWh: clipOf(clipWh) }),
    ...(clipWhByDate === null ? {} : { clipWhByDate: clipWhByDate.map(dayOf) }),
    ...(capRule === null ? {} : { capRule }),
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
      shared: cell.shared,
      largestWh: cell.largestWh,
      secondWh: cell.secondWh,
      // Batches from before the third was looked at: it cannot be above the second.
      thirdWh: cell.thirdWh < 0 ? cell.secondWh : cell.thirdWh,
    })),
  }),
})
