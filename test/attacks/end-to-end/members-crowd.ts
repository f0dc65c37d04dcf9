import { rational } from 'diffprivlib-ts'
import { type NoiseSource, secureNoise } from '../../../operators/privacy/release/noise.ts'
import { auditPolicy, openAuditStage } from '../../../pipelines/simulation/audit-stage.ts'
import { zeroNoise } from '../../helpers/release-fixtures.ts'
import { type Crowd, crowd } from './crowd.ts'
import { type MembersAttack, membersAttack } from './members-figures.ts'
import { type Change, memberRegistered, membersWorld } from './members-world.ts'

/** What may be wrong with the noise of both days. */
export type MembersBug = 'noise that the hour of the day decides' | 'half of sigma'

/** Runs of both worlds with a member of one day, as figures. */
export interface MembersTask {
  readonly bug?: MembersBug | undefined
  readonly change: Change
  readonly rhoPerDay: string
  /** Runs a world. */
  readonly runs: number
}

/** Runs the pipelines so many times over each world, in threads. */
export const membersCrowd = (task: MembersTask): Promise<Crowd> =>
  crowd(task, new URL('./members-thread.ts', import.meta.url))

/** Opens one of the worlds; each call of what it answers is a run, with noise of its own. */
export async function openMembers({ bug, change, rhoPerDay }: MembersTask, present: boolean, isQuiet = false) {
  const world = membersWorld(change, present)
  const { noise, reset } = isQuiet ? { noise: zeroNoise, reset: () => {} } : sourceOf(bug)
  const parts = { noise, ...memberRegistered(change) }
  const stage = await openAuditStage({ world, policy: auditPolicy(rhoPerDay), parts })
  return async () => {
    reset()
    return (await stage.run()).seen
  }
}

/** The attack by somebody who knows what would be published without noise. */
export async function attackOnMembers(task: MembersTask): Promise<MembersAttack> {
  const [there, not] = [await openMembers(task, true, true), await openMembers(task, false, true)]
  return membersAttack(task.change, { with: await there(), without: await not() })
}

interface Source {
  readonly noise: NoiseSource
  /** To be called before each run. */
  readonly reset: () => void
}

function sourceOf(bug: MembersBug | undefined): Source {
  const real = secureNoise()
  const quarter = rational.ratio(1n, 4n)
  if (bug === 'half of sigma') {
    return { noise: { gaussian: (sigma2) => real.gaussian(rational.mul(sigma2, quarter)) }, reset: () => {} }
  }
  return bug ? ofTheHour(real) : { noise: real, reset: () => {} }
}

// In the order of its draws a level has those of the first day, of five windows of the second, of the first day's late
// values, which are due at six, and of the rest of the second; two directions in each window.
const [day, early] = [2 * 24, 2 * 5]

/** Each preliminary draw of the second day is the one of the same hour of the first. */
function ofTheHour(real: NoiseSource): Source {
  const drawn = new Map<string, bigint[]>()
  return {
    noise: {
      gaussian: (sigma2) => {
        const name = rational.format(sigma2)
        const level = drawn.get(name) ?? []
        drawn.set(name, level)
        const nth = level.length
        const before = nth < day + early ? nth - day : nth < 2 * day + early ? -1 : nth - 2 * day
        const value = level[before] ?? real.gaussian(sigma2)
        level.push(value)
        return value
      },
    },
    reset: () => drawn.clear(),
  }
}
