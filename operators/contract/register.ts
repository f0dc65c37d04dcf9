import type { EpochMs } from '../../schemas/codec.ts'
import type { Level, RegisterEntry } from '../../schemas/register-entry.ts'

/** A read view of `meter.register`, resolved by validity at event time. */
export interface Register {
  /** The entry of a connection point that is valid at `at`. */
  readonly byConnection: (connection: string, at: EpochMs) => RegisterEntry | undefined
  readonly byTitle: (systemTitle: string, at: EpochMs) => RegisterEntry | undefined
  /** Public groups of a level, in a fixed order, with their registered measuring points and classes. */
  readonly groups: (level: Level) => readonly RegisteredGroup[]
}

export interface RegisteredGroup {
  readonly group: string
  readonly level: Level
  /** The group above that this one is a part of; `null` at the top. */
  readonly parent: string | null
  readonly zone: string
  readonly timeZone: string
  /** Registered measuring points per customer class. */
  readonly residential: number
  readonly other: number
}
