import type { MeterFrame } from '../../schemas/meter-frame.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'

/** A frame with the register entry of its connection at the time of receipt. Identified. */
export interface LocatedFrame {
  readonly entry: RegisterEntry
  readonly frame: MeterFrame
  /** Whether another partition owns its measuring point: to be passed on there, not to be decoded here. */
  readonly misplaced: boolean
}
