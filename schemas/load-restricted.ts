import { avroCodec } from './avro.ts'
import type { Codec, EpochMs } from './codec.ts'
import type { Channel } from './interval-reading.ts'
import type { Phase } from './load-partial.ts'
import type { Level } from './register-entry.ts'

/** `load.restricted` (aggregate): one group and window, exact, with the k and dominance rules applied. */
export interface LoadRestricted {
  readonly level: Level
  readonly group: string
  readonly channel: Channel
  readonly phase: Phase
  readonly window: EpochMs
  readonly windowSeconds: number
  /** `null` where suppressed. */
  readonly energyWh: number | null
  readonly count: number | null
  /** Why it is suppressed: `below_k`, `dominance`, `p_percent`, `membership`, `complementary`, `unproven`; `null` if it is not. */
  readonly suppressed: string | null
}

/** Codec of `load.restricted`. */
export const loadRestrictedCodec: Codec<LoadRestricted> = avroCodec<LoadRestricted, LoadRestricted>('load-restricted', {
  toFields: (value) => value,
  fromFields: ({ level, group, channel, phase, window, windowSeconds, energyWh, count, suppressed }) => ({
    level,
    group,
    channel,
    phase,
    window,
    windowSeconds,
    energyWh,
    count,
    suppressed,
  }),
})
