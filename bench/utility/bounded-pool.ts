import type { BoundedReadings } from '../../operators/contract/bounded-readings.ts'
import type { MeterReadings } from '../../operators/contract/meter-readings.ts'
import type { CellKey, Envelope } from '../../operators/contract/operator.ts'
import { boundContributions, type ClipUse } from '../../operators/privacy/bound-contributions.ts'
import { clipFor, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
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
  const pool = boundMembers(households, members, policy, four)
  // Where an interval takes half of what is left, q depends on S: each level has its own.
  const runs = byLevel((level) => {
    const { clip, cap } = one[level]
    return boundMembers(households, members, policy, { clip: byLevel(() => clip), cap })
  })
  return pool.map((series, i) => ({ ...series, ownBounded: byLevel((level) => runs[level][i]!.bounded[level]) }))
}

/** Runs the readings of every member through `boundContributions`, each window as it ends. */
export function boundMembers(
  households: Households,
  members: readonly Member[],
  policy: ReleasePolicy,
  { clip: clipWhPerHalfHour, cap }: Bounds,
): readonly Omit<BoundedSeries, 'ownBounded'>[] {
  const { windowSeconds, cutOffHour } = policy
  const clip = byLevel((level) => clipFor({ ...policy, clipWhPerHalfHour }, level))
  const step = boundContributions({ clip, cap: () => cap, windowSeconds, cutOffHour })
  const cells = new Map<string, ClipUse>()
  const name = ({ index, day }: CellKey): string => `${index}/${day}`
  const held = {
    get: (key: CellKey) => cells.get(name(key)),
    set: (key: CellKey, use: ClipUse) => void cells.set(name(key), use),
  }
  return members.map((member, index) => {
    const { imported, exported } = households.series(member.home, member.weeks)
    const scaled = (wh: number): number => Math.round(wh * member.scale)
    const exact = imported.map(scaled)
    const bounded = byLevel(() => new Int32Array(exact.length))
    const entry = entryOf(index, households, member)
    const frames: Envelope<MeterReadings>[] = Array.from(exact, (energyWh, i) => {
      const start = households.start + i * households.intervalSeconds * 1_000
      const readings = [reading('import', start, households.intervalSeconds, energyWh)]
      if (exported[i]! > 0) readings.push(reading('export', start, households.intervalSeconds, scaled(exported[i]!)))
      return envelope(entry, readings, start + households.intervalSeconds * 1_000 + 5_000)
    })
    step.process(
      frames,
      held,
      {
        emit: (_, { readings }: BoundedReadings) => {
          for (const { channel, window, bounded: values } of readings) {
            if (channel !== 'import') continue
            const at = (window - households.start) / (policy.windowSeconds * 1_000)
            for (const level of levels) bounded[level][at]! += values[level]
          }
        },
        drop: (_, reason) => fail(reason),
        reject: fail,
      },
      {
        ...{ partition: 0, seq: 0, progress: 0, floor: 0, keptFrom: 0 },
        whole: envelope(entry, [], 0) as unknown as Envelope<null>,
      },
    )
    cells.clear()
    return { exact, bounded }
  })
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

function envelope(
  entry: RegisterEntry,
  readings: readonly IntervalReading[],
  receivedAt: number,
): Envelope<MeterReadings> {
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
