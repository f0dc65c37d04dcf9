import { rational } from 'diffprivlib-ts'
import { hours } from '../../../operators/contract/clock.ts'
import type { SeenRecord } from '../../../pipelines/simulation/audit-stage.ts'
import { type Change, changeAt, hoursOfDay } from './members-world.ts'

/** One hour of a group and direction on both days, by what an attacker knows. */
interface Pair {
  readonly name: string
  /** What the member would add to the sum of its day. */
  readonly adds: number
  /** What the sum of the member's day would be without it. */
  readonly rest: number
  readonly variance: number
}

/** The attacks on a member of one day, each as a figure that is normal with variance 1: about 0 without it, `shift` with it. */
export interface MembersAttack {
  readonly names: readonly string[]
  /** How far the member's day moves each of the first two figures. */
  readonly shifts: readonly number[]
  readonly figuresOf: (seen: readonly SeenRecord[]) => readonly number[]
}

const nameOf = ({ level, group, channel }: SeenRecord['record'], of: number): string =>
  `${level}/${group}/${channel}/${of}`

/** Preliminary values of each day by group, direction and hour. */
function daysOf(seen: readonly SeenRecord[]): readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>] {
  const days = [new Map<string, number>(), new Map<string, number>()] as const
  for (const { record } of seen) {
    const { window, phase, rawWh } = record
    const isSecond = window >= changeAt
    const of = (window - changeAt) / hours(1) + (isSecond ? 0 : 24)
    if (phase === 'preliminary' && of < hoursOfDay && rawWh !== null)
      days[isSecond ? 1 : 0].set(nameOf(record, of), rawWh)
  }
  return days
}

/**
 * What tells best whether a member of one day used anything. `difference` takes each hour of the day with it less the same
 * hour of the day without: no other home need be known, as long as all do on both days alike, and the noise of two draws
 * stays. `values` knows what all others used, and needs the one day alone. Both weigh each hour by what the member would add,
 * over the variance of the noise: nothing tells better (Neyman and Pearson 1933). Beside them how often both days have the
 * same noise, and how many records and bytes there are.
 */
export function membersAttack(
  change: Change,
  truth: { readonly with: readonly SeenRecord[]; readonly without: readonly SeenRecord[] },
): MembersAttack {
  const own = change === 'joins' ? 1 : 0
  const [withMember, without] = [daysOf(truth.with), daysOf(truth.without)]
  const variances = new Map<string, number>()
  for (const { record } of truth.with) {
    if (record.phase !== 'preliminary') continue
    variances.set(record.level, rational.toNumber(rational.parse(record.privacy.sigma2), 'up'))
  }
  const pairs = [...without[own]].map(([name, rest]): Pair => {
    const variance = variances.get(name.slice(0, name.indexOf('/')))!
    return { name, rest, adds: withMember[own].get(name)! - rest, variance }
  })
  const square = pairs.reduce((sum, { adds, variance }) => sum + adds ** 2 / variance, 0)
  const filter = (of: (pair: Pair) => number, draws: number): number =>
    pairs.reduce((sum, pair) => sum + (pair.adds * of(pair)) / pair.variance, 0) / Math.sqrt(draws * square)
  return {
    names: ['difference', 'values', 'same noise', 'records', 'bytes'],
    shifts: [Math.sqrt(square / 2), Math.sqrt(square)],
    figuresOf: (seen) => {
      const days = daysOf(seen)
      const differs = ({ name }: Pair) => days[own].get(name)! - days[1 - own]!.get(name)!
      return [
        filter(differs, 2),
        filter(({ name, rest }) => days[own].get(name)! - rest, 1),
        pairs.filter((pair) => [0, pair.adds].includes(differs(pair))).length,
        seen.length,
        seen.reduce((sum, { bytes }) => sum + bytes.length, 0),
      ]
    },
  }
}
