import { rational } from 'diffprivlib-ts'
import { type Level, levels } from '../../../schemas/register-entry.ts'
import type { IntervalCap } from '../../contract/policy-epoch.ts'
import { clipFor, type ReleasePolicy, resolvePolicy } from './policy.ts'

/** Household-days that belong to nobody, in Wh per window of the policy: synthetic, or made of released values. */
export type SyntheticDays = readonly (readonly number[])[]

/** What a bound would do to the released load of a group: parts of its mean load. */
export interface ClipEffect {
  /** S for half-hour windows, in Wh. */
  readonly clipWh: number
  /** Standard deviation of the noise. */
  readonly noise: number
  /** What the clip takes from the load: on average, and in the window where it takes most. */
  readonly bias: number
  readonly worstBias: number
  /** Root mean square of both together. */
  readonly error: number
}

export interface ClipProposal {
  readonly level: Level
  readonly homes: number
  readonly present: ClipEffect
  readonly proposed: ClipEffect
}

/** Bounds that are tried, in Wh for half-hour windows. */
const tried = Array.from({ length: 80 }, (_, i) => 500 * (i + 1))

/**
 * Proposes S for each level: the bound with the least root mean square of noise and clip bias for a group of so many homes,
 * where all homes are as the synthetic days say and C is as the policy has it. It reads no measured value, so a proposal
 * costs no budget; whether the days are like those of real homes is for whoever made them to say. Levels without homes are
 * left out.
 *
 * *Clip*: the running clip of `boundContributions` over a day with one value per window and channel. *Noise*: S^2 / (2 rho)
 * of the level. Where C is half of what is left, q grows by what the widest level takes: its S is the widest that a level
 * would choose for itself, and the others are chosen beside it.
 */
export function proposeClip(
  policy: ReleasePolicy,
  days: SyntheticDays,
  homes: Readonly<Partial<Record<Level, number>>>,
): readonly ClipProposal[] {
  const { levels: terms, interval: cap } = resolvePolicy(policy)
  const windows = days[0]?.length ?? 0
  if (windows === 0 || days.some((day) => day.length !== windows)) {
    throw new RangeError('synthetic days must all have the same number of windows, and at least one')
  }
  const whole = windowMeans(days, unbounded)
  const meanWh = whole.reduce((sum, wh) => sum + wh, 0) / windows
  if (!(meanWh > 0)) throw new RangeError('synthetic days must hold energy')
  const forWindows = (clipWh: number, level: Level): number =>
    clipFor({ ...policy, clipWhPerHalfHour: { ...policy.clipWhPerHalfHour, [level]: clipWh } }, level)
  const ofInterval = { mostWh: (cap.whPerHour * policy.windowSeconds) / 3_600, half: cap.half }
  const effects = new Map<string, readonly number[]>()
  const effectOf = (level: Level, clipWh: number, widestWh: number): ClipEffect => {
    const own = forWindows(clipWh, level)
    const widest = cap.half ? forWindows(widestWh, level) : own
    const name = `${own} ${widest}`
    const kept = effects.get(name) ?? windowMeans(days, { own, widest, ...ofInterval })
    effects.set(name, kept)
    const rho = rational.toNumber(terms[level].rho, 'down')
    const noise = Math.sqrt(own ** 2 / (2 * rho)) / (homes[level]! * meanWh)
    const taken = kept.map((wh, at) => (whole[at]! - wh) / meanWh)
    const squares = taken.reduce((sum, part) => sum + part ** 2, 0) / windows
    return {
      clipWh,
      noise,
      bias: taken.reduce((sum, part) => sum + part, 0) / windows,
      worstBias: Math.max(...taken),
      error: Math.sqrt(squares + noise ** 2),
    }
  }
  const asked = levels.filter((level) => homes[level] !== undefined)
  const bestOf = (effects: readonly ClipEffect[]): ClipEffect =>
    effects.reduce((found, each) => (each.error < found.error ? each : found))
  const alone = asked.map((level) => bestOf(tried.map((clipWh) => effectOf(level, clipWh, clipWh))).clipWh)
  const present = policy.clipWhPerHalfHour
  const others = levels.filter((level) => homes[level] === undefined).map((level) => present[level])
  const widest = Math.max(...alone, ...others)
  return asked.map((level) => ({
    level,
    homes: homes[level]!,
    present: effectOf(level, present[level], Math.max(...levels.map((each) => present[each]))),
    proposed: bestOf(tried.filter((clipWh) => clipWh <= widest).map((clipWh) => effectOf(level, clipWh, widest))),
  }))
}

/** How a day is bounded: S of a level and of the widest one, and C; in Wh. */
interface DayClip extends Pick<IntervalCap, 'half'> {
  readonly own: number
  readonly widest: number
  readonly mostWh: number
}

const unbounded: DayClip = {
  own: Number.POSITIVE_INFINITY,
  widest: Number.POSITIVE_INFINITY,
  mostWh: Number.POSITIVE_INFINITY,
  half: false,
}

/** Mean over the days of what of each window is left. */
function windowMeans(days: SyntheticDays, { own, widest, mostWh, half }: DayClip): readonly number[] {
  const sums = new Float64Array(days[0]?.length ?? 0)
  for (const day of days) {
    let used = 0
    const allowed = (clip: number): number => Math.floor(Math.sqrt(Math.max(0, clip ** 2 - used) / (half ? 4 : 1)))
    day.forEach((wh, at) => {
      const x = Math.min(wh, mostWh)
      sums[at]! += Math.min(x, allowed(own))
      used += (half ? Math.min(x, allowed(widest)) : x) ** 2
    })
  }
  return Array.from(sums, (sum) => sum / days.length)
}
