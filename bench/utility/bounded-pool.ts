import type { BoundedReading, BoundedReadings } from '../../operators/contract/bounded-readings.ts'
import type { MeterReadings } from '../../operators/contract/meter-readings.ts'
import type { CellKey, Envelope } from '../../operators/contract/operator.ts'
import { boundContributions, type ClipUse } from '../../operators/privacy/bound-contributions.ts'
import { clipFor, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import { cutOff, localDay } from '../../operators/window/local-day.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import type { IntervalReading } from '../../schemas/interval-reading.ts'
import { byLevel, type Level, levels, type RegisterEntry } from '../../schemas/register-entry.ts'
import type { Bounds, SeasonBounds } from './bounds.ts'
import type { Households } from './households.ts'

/** One household of a population: a home, its dates shifted by whole weeks, its load scaled. */
export interface Member {
  readonly home: number
  readonly weeks: number
  readonly scale: number
}

/** What a member's import is and what of it counts at each level, in whole Wh per window. */
export interface BoundedSeries {
  readonly exact: Int32Array
  readonly bounded: Readonly<Record<Level, Int32Array>>
  /** The same under the bounds of a level that has the whole budget. */
  readonly ownBounded: Readonly<Record<Level, Int32Array>>
}

/** The members under the bounds of four levels, and under those that each level has on its own. */
export function boundPool(
  households: Households,
  members: readonly Member[],
  policy: ReleasePolicy,
  { one, four }: SeasonBounds,
): readonly BoundedSeries[] {
  const all = counterOf(households, policy, four, levels)
  // Where an interval takes half of what is left, q depends on S: each level has its own.
  const own = byLevel((level) => {
    const { clip, cap } = one[level]
    return counterOf(households, policy, { clip: byLevel(() => clip), cap }, [level])
  })
  return members.map((member, index) => {
    const { exact, frames } = inOrder(households, member, index)
    const bounded = all(frames)
    return { exact, bounded, ownBounded: byLevel((level) => own[level](frames)[level]) }
  })
}

/** Counts the readings of one member: what enters the sums per window, for the levels asked for. */
export type Counter = (frames: readonly Frame[]) => Readonly<Record<Level, Int32Array>>

export type Frame = Envelope<MeterReadings>

const empty = new Int32Array(0)

/**
 * `boundContributions` over the frames of one member at a time; import alone is counted, and only frames that `counts`
 * picks, although all use up the bound. Readings that come after the cut-off of their day are left out.
 */
export function counterOf(
  households: Households,
  policy: ReleasePolicy,
  { clip: clipWhPerHalfHour, cap }: Bounds,
  wanted: readonly Level[],
  counts: (reading: BoundedReading, receivedAt: EpochMs) => boolean = () => true,
): Counter {
  const { windowSeconds, cutOffHour } = policy
  const clip = byLevel((level) => clipFor({ ...policy, clipWhPerHalfHour }, level))
  const step = boundContributions({ clip, cap: () => cap, windowSeconds, cutOffHour })
  const cells = new Map<number, ClipUse>()
  const held = {
    get: ({ day }: CellKey) => cells.get(day),
    set: ({ day }: CellKey, use: ClipUse) => void cells.set(day, use),
  }
  const context = { partition: 0, seq: 0, progress: 0, floor: 0, keptFrom: 0 }
  return (frames) => {
    const bounded = byLevel((level) => (wanted.includes(level) ? new Int32Array(households.windows) : empty))
    cells.clear()
    step.process(
      frames,
      held,
      {
        emit: ({ origin }, { readings }: BoundedReadings) => {
          for (const reading of readings) {
            if (reading.channel !== 'import' || !counts(reading, origin.receivedAt)) continue
            const at = (reading.window - households.start) / (windowSeconds * 1_000)
            for (const level of wanted) bounded[level][at]! += reading.bounded[level]
          }
        },
        drop: ({ value, origin }, reason) => {
          const last = (value as MeterReadings).readings.at(-1)!.start
          const { day } = localDay(households.timeZone, last)
          if (origin.receivedAt < cutOff(households.timeZone, day, cutOffHour)) fail(reason)
        },
        reject: (_, reason) => fail(reason),
      },
      { ...context, whole: frames[0] as unknown as Envelope<null> },
    )
    return bounded
  }
}

/** What a member uses, and its frames: one for each window, as it ends. */
export function inOrder(
  households: Households,
  member: Member,
  index: number,
): { readonly exact: Int32Array; readonly frames: readonly Frame[] } {
  const { exact, readingsAt, entry } = useOf(households, member, index)
  const stepMs = households.intervalSeconds * 1_000
  const frames = Array.from(exact, (_, i) =>
    envelope(entry, readingsAt(i, i + 1), households.start + (i + 1) * stepMs + 5_000),
  )
  return { exact, frames }
}

/** What a member uses, its readings of windows [from, to), and its place in the register. */
export function useOf(
  households: Households,
  member: Member,
  index: number,
): {
  readonly exact: Int32Array
  readonly readingsAt: (from: number, to: number) => readonly IntervalReading[]
  readonly entry: RegisterEntry
} {
  const { imported, exported } = households.series(member.home, member.weeks)
  const { start: first, intervalSeconds } = households
  const scaled = (wh: number): number => Math.round(wh * member.scale)
  const exact = imported.map(scaled)
  const readingsAt = (from: number, to: number): readonly IntervalReading[] => {
    const readings: IntervalReading[] = []
    for (let i = from; i < to; i++) {
      const start = first + i * intervalSeconds * 1_000
      readings.push(reading('import', start, intervalSeconds, exact[i]!))
      if (exported[i]! > 0) readings.push(reading('export', start, intervalSeconds, scaled(exported[i]!)))
    }
    return readings
  }
  return { exact, readingsAt, entry: entryOf(index, households, member) }
}

function fail(reason: unknown): never {
  throw new Error(`a reading of the bench was left out: ${String(reason)}`)
}

function reading(
  channel: IntervalReading['channel'],
  start: number,
  durationSeconds: number,
  energyWh: number,
): IntervalReading {
  return { channel, start, durationSeconds, energyWh, quality: 0 }
}

/** Readings of one measuring point as they arrive. */
export function envelope(entry: RegisterEntry, readings: readonly IntervalReading[], receivedAt: EpochMs): Frame {
  const trust = { protection: 'authenticated-encrypted', tagVerified: true, counter: 1 } as const
  return { value: { entry, readings, trust }, origin: { topic: 'bench', partition: 0, offset: 0n, receivedAt } }
}

function entryOf(index: number, households: Households, { home }: Member): RegisterEntry {
  return {
    point: `point-${index}`,
    connection: `connection-${index}`,
    systemTitle: '4d56520000000001',
    validFrom: 0,
    validTo: null,
    direction: 'both',
    partition: 0,
    index,
    groups: { utility: 'utility', region: 'region', substation: 'substation', feeder: 'feeder' },
    customerClass: 'residential',
    area: 'area',
    tariff: 'flat',
    heating: 'gas',
    dwelling: 'flat',
    timeZone: households.timeZone,
    zone: 'gb',
    profile: 'interval',
    protection: 'authenticated-encrypted',
    keyRef: 'key',
    fuseWhPerHour: households.fuseWhPerHour(home),
    pointsAtConnection: 1,
  }
}
