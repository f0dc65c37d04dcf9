import { rational } from 'diffprivlib-ts'
import { type Level, levels } from '../../../schemas/register-entry.ts'
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
 * where all homes are as the synthetic days say. It reads no measured value, so a proposal costs no budget; whether the
 * days are like those of real homes is for whoever made them to say. Levels without homes are left out.
 *
 * *Clip*: the running clip of `boundContributions` over a day with one value per window and channel. *Noise*: S^2 / (2 rho)
 * of the level.
 */
export function proposeClip(
  policy: ReleasePolicy,
  days: SyntheticDays,
  homes: Readonly<Partial<Record<Level, number>>>,
): readonly ClipProposal[] {
  const { levels: terms } = resolvePolicy(policy)
  const windows = days[0]?.length ?? 0
  if (windows === 0 || days.some((day) => day.length !== windows)) {
    throw new RangeError('synthetic days must all have the same number of windows, and at least one')
  }
  const whole = windowMeans(days, Number.POSITIVE_INFINITY)
  const meanWh = whole.reduce((sum, wh) => sum + wh, 0) / windows
  if (!(meanWh > 0)) throw new RangeError('synthetic days must hold energy')
  const effects = new Map<number, readonly number[]>()
  return levels.flatMap((level): ClipProposal[] => {
    const count = homes[level]
    if (count === undefined) return []
    const rho = rational.toNumber(terms[level].rho, 'down')
    const effectOf = (clipWh: number): ClipEffect => {
      const own = clipFor({ ...policy, clipWhPerHalfHour: { ...policy.clipWhPerHalfHour, [level]: clipWh } }, level)
      const kept = effects.get(own) ?? windowMeans(days, own)
      effects.set(own, kept)
      const noise = Math.sqrt(own ** 2 / (2 * rho)) / (count * meanWh)
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
    const best = tried.map(effectOf).reduce((found, each) => (each.error < found.error ? each : found))
    return [{ level, homes: count, present: effectOf(policy.clipWhPerHalfHour[level]), proposed: best }]
  })
}

/** Mean over the days of what of each window is left under a bound of a day, by the running clip. */
function windowMeans(days: SyntheticDays, clipWh: number): readonly number[] {
  const sums = new Float64Array(days[0]?.length ?? 0)
  for (const day of days) {
    let used = 0
    day.forEach((wh, at) => {
      sums[at]! += Math.min(wh, Math.floor(Math.sqrt(Math.max(0, clipWh ** 2 - used))))
      used += wh ** 2
    })
  }
  return Array.from(sums, (sum) => sum / days.length)
}
