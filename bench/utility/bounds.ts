import type { Level } from '../../schemas/register-entry.ts'
import type { Households } from './households.ts'

/** What bounds a household-day: S per half hour and level, and the most that counts of a half hour, all in Wh. */
export interface Bounds {
  readonly clip: Readonly<Record<Level, number>>
  readonly cap: number
}

/** Where the whole budget is on one level, its bounds are chosen for it alone. */
export interface SeasonBounds {
  readonly one: Readonly<Record<Level, { readonly clip: number; readonly cap: number }>>
  readonly four: Bounds
}

/** The fuse alone decides. */
const fuse = 1_000_000

/**
 * For the heating season and for the rest of the year: S and C are configuration by epoch. The bounds are tuned to these homes,
 * as the best cap of the naive releases beside them is: least error of noise after smoothing and clip together, in the
 * worse of the two populations. In winter the real set has homes with heating at night, whose evenings a tight bound cuts;
 * what the clip takes no smoothing brings back. On four levels the bounds lie close together, for what a tight clip takes
 * at a feeder would reach the levels above through consistency.
 */
const bounds: Readonly<Record<Households['name'], Readonly<Record<'heating' | 'rest', SeasonBounds>>>> = {
  real: {
    heating: {
      one: {
        utility: { clip: 18_000, cap: fuse },
        region: { clip: 17_000, cap: fuse },
        substation: { clip: 13_500, cap: 4_500 },
        feeder: { clip: 9_000, cap: 3_000 },
      },
      four: { clip: { utility: 18_000, region: 16_000, substation: 15_000, feeder: 14_000 }, cap: fuse },
    },
    rest: {
      one: {
        utility: { clip: 11_000, cap: fuse },
        region: { clip: 10_000, cap: fuse },
        substation: { clip: 7_500, cap: 3_000 },
        feeder: { clip: 5_500, cap: 1_500 },
      },
      four: { clip: { utility: 11_000, region: 10_000, substation: 8_000, feeder: 8_000 }, cap: fuse },
    },
  },
  synthetic: {
    heating: {
      one: {
        utility: { clip: 18_000, cap: fuse },
        region: { clip: 16_000, cap: fuse },
        substation: { clip: 12_000, cap: 4_000 },
        feeder: { clip: 7_000, cap: 2_000 },
      },
      four: { clip: { utility: 18_000, region: 16_000, substation: 13_000, feeder: 13_000 }, cap: fuse },
    },
    rest: {
      one: {
        utility: { clip: 14_500, cap: fuse },
        region: { clip: 12_000, cap: fuse },
        substation: { clip: 8_000, cap: 3_000 },
        feeder: { clip: 5_000, cap: 2_000 },
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
