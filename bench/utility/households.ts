import { localDay } from '../../operators/window/local-day.ts'
import type { EpochMs } from '../../schemas/codec.ts'
import { slotsOf } from '../fleet/calendar.ts'
import { fuseWhPerHour, homeTraits } from '../fleet/homes.ts'
import { loadModel } from '../fleet/load-model.ts'
import type { Profiles } from '../fleet/profiles.ts'

/** Household load to draw populations from. */
export interface Households {
  readonly name: 'real' | 'synthetic'
  readonly intervalSeconds: number
  readonly timeZone: string
  /** Local midnight of a Monday at which the series of the bench begin, and their number of windows. */
  readonly start: EpochMs
  readonly windows: number
  readonly count: number
  /** Public cap of a connection, Wh in an hour. */
  readonly fuseWhPerHour: (home: number) => number
  /** Whole Wh per window, import and export; `weeks` shifts the dates by whole weeks, -4 to 4. */
  readonly series: (home: number, weeks: number) => { readonly imported: Int32Array; readonly exported: Int32Array }
}

/** Most weeks by which a household's dates are shifted. */
export const mostWeeks = 4

const timeZone = 'Europe/London'
const weekMs = 7 * 86_400_000
/** Connections of the real set: 60 A at 230 V, which no reading of it exceeds. */
const realFuse = 13_800

/**
 * Real homes: `days` local days from the first Monday at or after `from`. Where a reading is missing the same time of another
 * week stands in; dates outside the file repeat it in whole weeks.
 */
export function realHouseholds(profiles: Profiles, from: EpochMs, days: number): Households {
  const stepMs = profiles.intervalSeconds * 1_000
  const start = firstMonday(from)
  const end = laterMidnight(start, days)
  const windows = (end - start) / stepMs
  const perWeek = weekMs / stepMs
  const weeks = Math.floor(profiles.homes[0]!.length / perWeek)
  const span = weeks * perWeek
  const offset = Math.round((start - profiles.start) / stepMs)
  return {
    name: 'real',
    intervalSeconds: profiles.intervalSeconds,
    timeZone,
    start,
    windows,
    count: profiles.homes.length,
    fuseWhPerHour: () => realFuse,
    series: (home, shift) => {
      const readings = profiles.homes[home]!
      const imported = new Int32Array(windows)
      for (let i = 0; i < windows; i++) {
        let value = -1
        for (let week = 0; week < weeks && value < 0; week++) {
          const at = offset + i + (shift + week) * perWeek
          value = readings[((at % span) + span) % span]!
        }
        imported[i] = Math.max(value, 0)
      }
      return { imported, exported: new Int32Array(windows) }
    },
  }
}

/** Homes of the fleet's load model, at any interval. */
export function syntheticHouseholds(
  seed: number,
  count: number,
  intervalSeconds: number,
  from: EpochMs,
  days: number,
): Households {
  const start = firstMonday(from)
  const stepMs = intervalSeconds * 1_000
  const first = laterMidnight(start, -7 * mostWeeks)
  // A day more: shifted over the start of summer time, as many windows reach an hour further.
  const slots = slotsOf({ start: first, days: days + 14 * mostWeeks + 1, intervalSeconds, timeZone })
  const model = loadModel(seed, slots)
  const windows = (laterMidnight(start, days) - start) / stepMs
  const made = new Map<number, { readonly imported: Int32Array; readonly exported: Int32Array }>()
  const whole = (home: number) => {
    const known = made.get(home)
    if (known) return known
    const series = { imported: new Int32Array(slots.count), exported: new Int32Array(slots.count) }
    const traits = homeTraits(seed, home)
    for (const day of slots.days) model.fillDay(traits, day, series.imported, series.exported, day.firstSlot)
    made.set(home, series)
    return series
  }
  return {
    name: 'synthetic',
    intervalSeconds,
    timeZone,
    start,
    windows,
    count,
    fuseWhPerHour: (home) => fuseWhPerHour(homeTraits(seed, home)),
    series: (home, shift) => {
      const { imported, exported } = whole(home)
      const at = (laterMidnight(start, 7 * shift) - first) / stepMs
      return { imported: imported.subarray(at, at + windows), exported: exported.subarray(at, at + windows) }
    },
  }
}

function firstMonday(from: EpochMs): EpochMs {
  const { day } = localDay(timeZone, from)
  // 1970-01-01 was a Thursday.
  return laterMidnight(from, (11 - (day % 7)) % 7)
}

/** The local midnight `days` days after the local day that holds `at`. */
function laterMidnight(at: EpochMs, days: number): EpochMs {
  const { day } = localDay(timeZone, at)
  // Noon UTC lies on the local date in London.
  return localDay(timeZone, (day + days) * 86_400_000 + 43_200_000).start
}
