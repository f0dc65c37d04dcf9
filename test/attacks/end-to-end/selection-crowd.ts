import type { CrashPoint } from '../../../pipelines/simulation/audit-stage.ts'
import { type Crowd, crowd } from './crowd.ts'
import type { SelectionWorld } from './selection-world.ts'

/** Runs of both worlds of a selection, as figures for the auditor. */
export interface SelectionTask {
  /** A planted bug by its name; none: the real parts. */
  readonly bug?: string | undefined
  readonly world: SelectionWorld
  readonly rhoPerDay: string
  /** Part of the cap that the selection spends, an exact fraction. Default 1/2. */
  readonly share?: string | undefined
  /** Runs a world. */
  readonly runs: number
  readonly crash?: CrashPoint | undefined
  /** Time passes in steps of this length, ms. */
  readonly stepMs?: number | undefined
}

/** Runs the pipelines so many times over each world, in threads. */
export const selectionCrowd = (task: SelectionTask): Promise<Crowd> =>
  crowd(task, new URL('./selection-thread.ts', import.meta.url))
