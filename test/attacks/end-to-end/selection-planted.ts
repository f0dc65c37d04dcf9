// Bugs of a selection, each planted by putting a part of a test in the place of a real one. Nothing outside the tests can.
import { rational } from 'diffprivlib-ts'
import { minutes } from '../../../operators/contract/clock.ts'
import { type NoiseSource, secureNoise, selectGroups } from '../../../operators/privacy/release/noise.ts'
import { resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import { load } from '../../../pipelines/load.ts'
import type { AuditParts } from '../../../pipelines/simulation/audit-pipelines.ts'
import type { CrashPoint } from '../../../pipelines/simulation/audit-stage.ts'
import { changedSums } from './planted-publishing.ts'
import { drawsAgain } from './selection-again.ts'
import type { ClaimedPart } from './selection-claims.ts'
import { edgeOf, type SelectionWorld, selectionPolicy } from './selection-world.ts'

export interface PlantedSelection {
  readonly bug: string
  readonly world: SelectionWorld
  readonly share?: string
  readonly crash?: CrashPoint
  readonly stepMs?: number
  /** What is claimed of this part is what it breaks. */
  readonly found: ClaimedPart
  /** Runs a world that show it with p < 10^-3 nearly always. */
  readonly runs: number
  readonly parts: () => AuditParts
}

const noiseWith = (changes: Partial<NoiseSource>): AuditParts => ({ noise: { ...secureNoise(), ...changes } })

/** Seven new starts during the day on which the selection shows: one behind each two or three of its windows. */
export const restarts = {
  world: { windows: 20 },
  stepMs: minutes(160),
  crash: { pipeline: 'load', step: 'commit', at: 'after', nth: 22, times: 7 },
} as const

export const plantedSelections: readonly PlantedSelection[] = [
  {
    bug: 'a selection by the true count, without noise',
    world: {},
    found: 'each level',
    runs: 60,
    parts: () =>
      noiseWith({
        select: (_, counts) => {
          const edge = edgeOf(resolvePolicy(selectionPolicy('1/1')))
          return [...counts].flatMap(([name, count]) => (count >= edge ? [name] : []))
        },
      }),
  },
  {
    bug: 'a selection in which every level spends what all four have',
    world: { households: 11 },
    found: 'each level',
    runs: 100,
    parts: () =>
      noiseWith({
        select: ({ epsilon, ...terms }, counts) =>
          selectGroups({ ...terms, epsilon: rational.mul(epsilon, rational.integer(4)) }, counts),
      }),
  },
  {
    bug: 'a household that counts twice where its reading comes late',
    world: { late: true },
    found: 'each level',
    runs: 450,
    parts: () => ({
      sums: changedSums((partial) => ({
        ...partial,
        cells: partial.cells.map((cell) => (cell.phase === 'late' ? { ...cell, count: 2 * cell.count } : cell)),
      })),
    }),
  },
  {
    bug: 'a selection that is drawn again at every start',
    ...restarts,
    found: 'each level',
    runs: 150,
    parts: () => ({ load: (options) => drawsAgain(load(options)) }),
  },
  {
    bug: 'sums that spend the whole cap, with the selection beside it',
    world: { values: true, windows: 0 },
    share: '9/10',
    found: 'sums',
    runs: 400,
    parts: () => {
      const { gaussian } = secureNoise()
      // Of the cap the sums have 9/100.
      return noiseWith({ gaussian: (sigma2) => gaussian(rational.mul(sigma2, rational.ratio(9n, 100n))) })
    },
  },
]
