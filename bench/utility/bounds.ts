import type { IntervalCap } from '../../operators/contract/policy-epoch.ts'
import type { Level } from '../../schemas/register-entry.ts'
import type { Households } from './households.ts'

/** What bounds a household-day: S for half hours by level, in Wh, and what C is beside the fuse. */
export interface Bounds {
  readonly clip: Readonly<Record<Level, number>>
  readonly cap: IntervalCap
}

/** Where the whole budget is on one level, its bounds are chosen for it alone. */
export interface SeasonBounds {
  readonly one: Readonly<Record<Level, { readonly clip: number; readonly cap: IntervalCap }>>
  readonly four: Bounds
}

/** The fuse alone decides. */
const fuse: IntervalCap = { whPerHour: Number.POSITIVE_INFINITY, half: false }
/** An interval takes at most half of what is left of its day. */
const half: IntervalCap = { whPerHour: Number.POSITIVE_INFINITY, half: true }

/**
 * For the heating season and for the rest of the year: S and C are configuration by epoch. The bounds are tuned to these homes,
 * as the best cap of the naive releases beside them is: least error of noise after smoothing and clip together, in the
 * worse of the two populations. In winter the real set has homes with heating at night, whose evenings a tight bound cuts;
 * what the clip takes no smoothing brings back. Where one level has a tight bound, C is half of what is left. On four levels
 * the bounds lie close together, for what a tight clip takes at a feeder would reach the levels above through consistency.
 */
const bounds: Readonly<Record<Households['name'], Readonly<Record<'heating' | 'rest', SeasonBounds>>>> = {
  real: {
    heating: {
      one: {
        utility: { clip: 17_500, cap: fuse },
        region: { clip: 16_500, cap: half },
        substation: { clip: 13_750, cap: half },
        feeder: { clip: 8_000, cap: half },
      },
      four: { clip: { utility: 18_000, region: 16_000, substation: 15_000, feeder: 14_000 }, cap: fuse },
    },
    rest: {
      one: {
        utility: { clip: 11_250, cap: fuse },
        region: { clip: 9_250, cap: half },
        substation: { clip: 7_500, cap: half },
        feeder: { clip: 5_250, cap: half },
      },
      four: { clip: { utility: 11_000, region: 10_000, substation: 8_000, feeder: 8_000 }, cap: fuse },
    },
  },
  synthetic: {
    heating: {
      one: {
        utility: { clip: 17_750, cap: fuse },
        region: { clip: 15_750, cap: half },
        substation: { clip: 12_000, cap: half },
        feeder: { clip: 7_000, cap: half },
      },
      four: { clip: { utility: 18_000, region: 16_000, substation: 13_000, feeder: 13_000 }, cap: fuse },
    },
    rest: {
      one: {
        utility: { clip: 14_250, cap: fuse },
        region: { clip: 10_750, cap: half },
        substation: { clip: 7_500, cap: half },
        feeder: { clip: 4_750, cap: half },
      },
      four: { clip: { utility: 14_500, region: 12_000, substation: 9_000, feeder: 8_000 }, cap: fuse },
    },
  },
}

/** The bounds for a set from that day on; the heating season is November to March. */
export function boundsFor(set: Households['name'], season: string): SeasonBounds {
  const month = Number(season.slice(5, 7))
  return bounds[set][month >= 11 || month <= 3 ? 'heating' : 'rest']
}
