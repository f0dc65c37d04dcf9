import type { EpochMs } from './codec.ts'

export const channels = ['import', 'export'] as const
/** Direction of active energy as seen from the site. */
export type Channel = (typeof channels)[number]

/** Quality bits of a reading; 0 is a clean actual value. Flags inform, nothing is invented or repaired. */
export const qualityBits = {
  clockInvalid: 1 << 0,
  clockDoubtful: 1 << 1,
  clockDriftWarning: 1 << 2,
  clockDrift: 1 << 3,
  powerFail: 1 << 4,
  spike: 1 << 5,
  frozen: 1 << 6,
  sumMismatch: 1 << 7,
  aboveFuse: 1 << 8,
  negativeWithoutExport: 1 << 9,
  unauthenticated: 1 << 10,
  meterStatus: 1 << 11,
  deviationUnspecified: 1 << 12,
} as const

/** Energy of one channel in one interval [start, start + durationSeconds). */
export interface IntervalReading {
  readonly channel: Channel
  /** UTC. */
  readonly start: EpochMs
  readonly durationSeconds: number
  /** Whole watt-hours in the interval. */
  readonly energyWh: number
  /** Register total at the interval's end, in Wh, where the frame carries it. */
  readonly registerWh?: number
  /** Sum of `qualityBits`. */
  readonly quality: number
}
