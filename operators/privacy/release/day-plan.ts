import { createHash } from 'node:crypto'
import { rational } from 'diffprivlib-ts'
import type { PublicFlag } from '../../../schemas/load-public.ts'
import { type Level, levels } from '../../../schemas/register-entry.ts'
import type { RegisteredGroup } from '../../contract/register.ts'
import { canonical } from '../ledger/canonical.ts'
import { type ReleasePolicy, type ResolvedPolicy, resolvePolicy } from './policy.ts'
import { groupName } from './restricted/group-name.ts'

/** A group of a day, with what the register alone says about its release. */
export interface PlannedGroup {
  readonly level: Level
  readonly group: string
  readonly parent: string | null
  readonly residential: number
  readonly other: number
  readonly registered: number
  /** Why its values are withheld on this day, or `null`. */
  readonly withheld: PublicFlag | null
  /** Its members changed by so few that the difference of two days would tell of them: withheld on the restricted side. */
  readonly unsteady: boolean
}

/** Everything that is frozen for a local day: the policy and the groups, and their digest that the charge carries. */
export interface DayPlan {
  readonly resolved: ResolvedPolicy
  readonly groups: readonly PlannedGroup[]
  readonly families: readonly Family[]
  /** Position in `groups`. */
  readonly indexOf: (level: Level, group: string) => number | undefined
  /** SHA-256 of the policy and the groups. */
  readonly digest: Uint8Array
}

/** The parts of one whole, as positions in the plan: what can be found by subtraction. */
export interface Family {
  /** Undefined where the whole is not one group. */
  readonly whole: number | undefined
  readonly parts: readonly number[]
}

/** A day plan as data that survives JSON. */
export interface DayPlanData {
  readonly policy: ReleasePolicy
  /** `unsteady` stands at the end where it holds. */
  readonly groups: readonly (readonly [Level, string, string | null, number, number, 'unsteady'?])[]
}

/**
 * Freezes policy and groups for a day. Groups keep their order within a level; levels go from the widest down. `unsteady`
 * holds names of groups as `groupName` makes them. Default: none.
 */
export function planDay(
  resolved: ResolvedPolicy,
  groups: readonly RegisteredGroup[],
  unsteady: ReadonlySet<string> = new Set(),
): DayPlan {
  const planned = levels.flatMap((level) =>
    groups
      .filter((group) => group.level === level)
      .map(({ group, parent, residential, other }): PlannedGroup => {
        const counts = { residential, other, registered: residential + other }
        return Object.freeze({
          level,
          group,
          parent,
          ...counts,
          withheld: withheldFlag(resolved, level, counts),
          unsteady: unsteady.has(groupName(level, group)),
        })
      }),
  )
  const positions = new Map(levels.map((level) => [level, new Map<string, number>()]))
  planned.forEach(({ level, group }, i) => {
    positions.get(level)?.set(group, i)
  })
  const indexOf = (level: Level, group: string): number | undefined => positions.get(level)?.get(group)
  return Object.freeze({
    resolved,
    groups: Object.freeze(planned),
    families: familiesOf(planned, indexOf),
    indexOf,
    digest: planDigest(resolved.policy, planned),
  })
}

/** The plan as data, and back; the digest comes out the same. */
export function planData({ resolved, groups }: DayPlan): DayPlanData {
  return {
    policy: resolved.policy,
    groups: groups.map(({ level, group, parent, residential, other, unsteady }) =>
      unsteady ? [level, group, parent, residential, other, 'unsteady'] : [level, group, parent, residential, other],
    ),
  }
}

export function planFromData({ policy, groups }: DayPlanData): DayPlan {
  return planDay(
    resolvePolicy(policy),
    groups.map(([level, group, parent, residential, other]) => ({
      level,
      group,
      parent,
      residential,
      other,
      zone: '',
      timeZone: '',
    })),
    new Set(groups.filter((row) => row[5] === 'unsteady').map(([level, group]) => groupName(level, group))),
  )
}

interface Counts {
  readonly residential: number
  readonly other: number
  readonly registered: number
}

/** Fewest points that a group must hold: that of the strictest class in it. */
export function minimumCount({ policy }: ResolvedPolicy, { residential, other }: Omit<Counts, 'registered'>): number {
  const { rules } = policy
  const of = (present: boolean, minCount: number): number => (present ? minCount : 0)
  const least = Math.max(of(residential > 0, rules.residential.minCount), of(other > 0, rules.other.minCount))
  return least > 0 ? least : rules.residential.minCount
}

/** Why a group may not be published, from register counts and public constants alone. `null` if it may. */
export function withheldFlag(resolved: ResolvedPolicy, level: Level, counts: Counts): PublicFlag | null {
  if (counts.registered < minimumCount(resolved, counts)) return 'withheld_small_group'
  return isUseful(resolved, level, counts.registered) ? null : 'withheld_not_useful'
}

/** The families from the widest level down, so that a whole is settled before its parts are looked at. */
function familiesOf(groups: readonly PlannedGroup[], indexOf: DayPlan['indexOf']): readonly Family[] {
  const only = (level: Level | undefined): number | undefined => {
    const members = groups.filter((group) => group.level === level)
    return members.length === 1 ? groups.indexOf(members[0]!) : undefined
  }
  return levels.flatMap((level, depth) => {
    const above = levels[depth - 1]
    const parts = new Map<string | null, number[]>()
    groups.forEach((group, i) => {
      if (group.level === level) parts.set(group.parent, [...(parts.get(group.parent) ?? []), i])
    })
    return [...parts].map(([parent, members]) => ({
      whole: parent === null || above === undefined ? only(above) : indexOf(above, parent),
      parts: members,
    }))
  })
}

/** sigma <= maxRelativeNoise x registered x mean load per window, compared exactly as squares. */
function isUseful({ policy, levels: terms }: ResolvedPolicy, level: Level, registered: number): boolean {
  const load = rational.ratio(
    BigInt(registered) * BigInt(policy.meanLoadWhPerDay) * BigInt(policy.windowSeconds),
    86_400n,
  )
  const allowed = rational.mul(load, rational.parse(policy.maxRelativeNoise))
  return rational.compare(terms[level].sigma2, rational.mul(allowed, allowed)) <= 0
}

function planDigest(policy: ReleasePolicy, groups: readonly PlannedGroup[]): Uint8Array {
  const writer = canonical('meterveil/day-plan/1')
  writer.integer(policy.windowSeconds).text(policy.capRule).text(policy.rhoPerDay).text(policy.delta)
  for (const level of levels) writer.integer(policy.clipWhPerHalfHour[level]).text(policy.shares[level])
  writer.integer(policy.graceSeconds).integer(policy.cutOffHour)
  writer.integer(policy.publishDelaySeconds).integer(policy.tickSeconds)
  for (const { minCount, maxShare } of [policy.rules.residential, policy.rules.other]) {
    writer.integer(minCount).text(maxShare ?? '')
  }
  writer.text(policy.maxRelativeNoise).integer(policy.meanLoadWhPerDay).integer(groups.length)
  for (const { level, group, parent, residential, other } of groups) {
    writer
      .text(level)
      .text(group)
      .integer(parent === null ? 0 : 1)
      .text(parent ?? '')
    writer.integer(residential).integer(other)
  }
  const { restricted } = policy
  if (restricted)
    writer
      .text('restricted')
      .text(restricted.maxShareOfTwo ?? '')
      .text(restricted.protection ?? '')
  const unsteady = groups.filter((group) => group.unsteady)
  if (unsteady.length > 0) writer.text('unsteady').integer(unsteady.length)
  for (const { level, group } of unsteady) writer.text(groupName(level, group))
  return new Uint8Array(createHash('sha256').update(writer.finish()).digest())
}
