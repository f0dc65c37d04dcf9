import { asBuffer, avroCodec } from './avro.ts'
import type { Codec, EpochMs } from './codec.ts'
import { CodecError } from './codec.ts'
import type { Channel } from './interval-reading.ts'
import type { Level } from './register-entry.ts'

export const releasePhases = ['preliminary', 'final'] as const
/** `final` = preliminary + the separately released late increment, D+1. */
export type ReleasePhase = (typeof releasePhases)[number]

export const publicFlags = [
  'withheld_small_group',
  'withheld_not_useful',
  'withheld_remainder',
  'withheld_level',
  'withheld_membership',
  'withheld_unproven',
  'coarser_windows',
  'late_increment_added',
] as const
/** Computed from ledger and register only, never from the day's data. */
export type PublicFlag = (typeof publicFlags)[number]

/** `load.public` (released): noisy load of one group and window with the whole privacy statement. */
export interface LoadPublic {
  readonly level: Level
  readonly group: string
  /**
   * Public name of the group of the level above that this one is a part of, as the plan of the local day has it; `null` at
   * the top, and in older records. Where a group stands is configuration, like its name and `registered`: it is frozen at
   * day-open, before the first reading, and stands in the record of a withheld group too, so it says nothing of any
   * reading. The register's public groups hold nothing more of it.
   */
  readonly parent: string | null
  readonly channel: Channel
  readonly phase: ReleasePhase
  readonly window: EpochMs
  readonly windowSeconds: number
  /** The noisy sum in Wh as drawn; `null` where withheld. May be negative. */
  readonly rawWh: number | null
  /** Levels made to add up; `null` where not computed. */
  readonly consistentWh: number | null
  /** Smoothed with the known noise variance; `null` where not computed. */
  readonly smoothedWh: number | null
  /** Half-widths around rawWh that the noise law gives, in Wh, rounded up; they do not cover clipping. */
  readonly half50Wh: number | null
  readonly half95Wh: number | null
  /** The same at 95 % around consistentWh; `null` where not computed, or not stated in an older record. */
  readonly consistentHalf95Wh: number | null
  /** The same around smoothedWh, as far as the load behaves as the models of the smoothing say. */
  readonly smoothedHalf95Wh: number | null
  /** In preliminary values: what is expected to come late, in Wh, from what was released of earlier days. Else `null`. */
  readonly expectedLateWh: number | null
  readonly flags: readonly PublicFlag[]
  /** Where a value is withheld: the nearest group above whose load holds it and is released, `level/group`; else `null`. */
  readonly mergedInto: string | null
  /** Registered measuring points of the group: public. */
  readonly registered: number
  readonly privacy: PrivacyStatement
  /** Ledger link that sealed it. */
  readonly ledgerSeq: number
  readonly ledgerHash: Uint8Array
}

/** What protects a released value. */
export interface PrivacyStatement {
  readonly unit: 'household-day'
  readonly neighbours: 'add-remove'
  readonly mechanism: string
  /** Exact rational `n/d` charged for this level and kind per household-day. */
  readonly rho: string
  /** Over all levels and kinds, rounded up: of the local day, and of any 7 days that are charged like it. */
  readonly epsilonDay: number
  readonly epsilonWeek: number
  /**
   * The same of any 366 days that are charged like it. It follows from the policy alone and bounds every year; what the
   * year has come to so far is in the checkpoints of release.ledger, and `meterveil ledger show` prints it.
   */
  readonly epsilonYear: number
  readonly delta: number
  /** Most energy of one interval that counts, per hour of fuse: `fuse`; and the household-day L2 bound S, in Wh. */
  readonly capRule: string
  readonly clipWh: number
  /** Noise variance in Wh^2 as an exact rational `n/d`. */
  readonly sigma2: string
}

/** Codec of `load.public`. */
export const loadPublicCodec: Codec<LoadPublic> = avroCodec<LoadPublic, LoadPublic>('load-public', {
  toFields: (value) => ({ ...value, ledgerHash: asBuffer(value.ledgerHash) }),
  fromFields: (fields) => ({
    level: fields.level,
    group: fields.group,
    parent: fields.parent,
    channel: fields.channel,
    phase: fields.phase,
    window: fields.window,
    windowSeconds: fields.windowSeconds,
    rawWh: fields.rawWh,
    consistentWh: fields.consistentWh,
    smoothedWh: fields.smoothedWh,
    half50Wh: fields.half50Wh,
    half95Wh: fields.half95Wh,
    consistentHalf95Wh: fields.consistentHalf95Wh,
    smoothedHalf95Wh: fields.smoothedHalf95Wh,
    expectedLateWh: fields.expectedLateWh,
    flags: fields.flags,
    mergedInto: fields.mergedInto,
    registered: fields.registered,
    privacy: statement(fields.privacy),
    ledgerSeq: fields.ledgerSeq,
    ledgerHash: fields.ledgerHash,
  }),
})

function statement(fields: PrivacyStatement): PrivacyStatement {
  if (fields.unit !== 'household-day' || fields.neighbours !== 'add-remove') {
    throw new CodecError('load-public', 'the privacy statement names an unknown unit or neighbour relation')
  }
  return {
    unit: fields.unit,
    neighbours: fields.neighbours,
    mechanism: fields.mechanism,
    rho: fields.rho,
    epsilonDay: fields.epsilonDay,
    epsilonWeek: fields.epsilonWeek,
    epsilonYear: fields.epsilonYear,
    delta: fields.delta,
    capRule: fields.capRule,
    clipWh: fields.clipWh,
    sigma2: fields.sigma2,
  }
}
