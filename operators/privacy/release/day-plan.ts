import { createHash } from 'node:crypto'
import { type Level, levels } from '../../../schemas/register-entry.ts'
import { canonical } from '../ledger/canonical.ts'
import { type ReleasePolicy, type ResolvedPolicy, resolvePolicy } from './policy.ts'
import { groupName } from './restricted/group-name.ts'
import { treeFrom } from './restricted/tree.ts'
import { stepRules, totalOf, twoClasses } from './rules/count-rules.ts'
import type { CountedGroup } from './rules/groups.ts'
import { type Placement, placeGroups } from './rules/place.ts'
import { type ClassCounts, ruleClasses } from './rules/rule-set.ts'

/** A group of a day, with what the register alone says about its release. */
export interface PlannedGroup extends Placement {
  readonly level: Level
  readonly group: string
  readonly parent: string | null
  readonly residential: number
  readonly other: number
  readonly registered: number
  readonly classes: ClassCounts
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
  /** Names of the selected groups, as `groupName` makes them; undefined until the selection is made, and without one. */
  readonly selected: ReadonlySet<string> | undefined
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
  /**
   * At the end stands `unsteady` where it holds, then the counts of other classes than homes where they are told apart, then by
   * how much the homes are fewer than the points, where they are.
   */
  readonly groups: readonly (readonly [
    Level,
    string,
    string | null,
    number,
    number,
    ('unsteady' | 'steady')?,
    (readonly [commercial: number, industrial: number, large: number, agricultural?: number])?,
    number?,
  ])[]
  /** Absent until the selection is made, and without one. */
  readonly selected?: readonly string[]
}

/**
 * Freezes policy and groups for a day. Groups keep their order within a level; levels go from the widest down. `unsteady`
 * holds names of groups as `groupName` makes them. Default: none. Where the policy selects groups, none is released
 * until `selected` says which. The same groups in a row under the same policy give the same plan.
 */
export function planDay(
  resolved: ResolvedPolicy,
  groups: readonly CountedGroup[],
  unsteady: ReadonlySet<string> = new Set(),
  selected?: ReadonlySet<string>,
): DayPlan {
  const counted = levels.flatMap((level) =>
    groups
      .filter((group) => group.level === level)
      .map(({ group, parent, residential, other, classes = twoClasses(residential, other) }) => {
        const isUnsteady = unsteady.has(groupName(level, group))
        return {
          level,
          group,
          parent,
          residential,
          other,
          registered: residential + other,
          classes,
          unsteady: isUnsteady,
        }
      }),
  )
  const before = selected === undefined ? newest.get(resolved) : undefined
  if (before && sameGroups(before.groups, counted)) return before
  const positions = new Map(levels.map((level) => [level, new Map<string, number>()]))
  counted.forEach(({ level, group, registered, classes }, i) => {
    if (totalOf(classes) !== registered) throw new RangeError(`the counts by class of a ${level} are not its points`)
    positions.get(level)?.set(group, i)
  })
  const indexOf = (level: Level, group: string): number | undefined => positions.get(level)?.get(group)
  const families = familiesOf(counted, indexOf)
  const isSelected = (at: number): boolean => {
    const { level, group } = counted[at]!
    return resolved.selection === null || selected?.has(groupName(level, group)) === true
  }
  const placements = placeGroups(resolved, counted, treeFrom(families, counted.length), isSelected)
  const planned = counted.map((group, i): PlannedGroup => Object.freeze({ ...group, ...placements[i]! }))
  const plan: DayPlan = Object.freeze({
    resolved,
    groups: Object.freeze(planned),
    families,
    indexOf,
    selected,
    digest: planDigest(resolved.policy, planned),
  })
  if (selected === undefined) newest.set(resolved, plan)
  return plan
}

/**
 * The newest plan under a policy without a selection. Most days have the groups of the day before: they share its plan, and
 * whatever follows from it (consistency, rules, trees) is not worked out again.
 */
const newest = new WeakMap<ResolvedPolicy, DayPlan>()

function sameGroups(known: readonly PlannedGroup[], counted: readonly Counted[]): boolean {
  return (
    known.length === counted.length &&
    counted.every(({ level, group, parent, residential, other, classes, unsteady }, i) => {
      const one = known[i]!
      const isSame = one.level === level && one.group === group && one.parent === parent && one.unsteady === unsteady
      if (!isSame || one.residential !== residential || one.other !== other) return false
      if (one.classes.shared !== classes.shared) return false
      return ruleClasses.every((each) => one.classes[each] === classes[each])
    })
  )
}

/** The plan as data, and back; the digest comes out the same. */
export function planData({ resolved, groups, selected }: DayPlan): DayPlanData {
  return {
    policy: resolved.policy,
    ...(selected ? { selected: [...selected].sort() } : {}),
    groups: groups.map(({ level, group, parent, residential, other, unsteady, classes }) => {
      const row = [level, group, parent, residential, other] as const
      const { commercial, industrial, agricultural, large, shared } = classes
      if (commercial !== other || shared !== undefined) {
        const told = [commercial, industrial, large] as const
        const state = unsteady ? 'unsteady' : 'steady'
        const counts = agricultural > 0 ? ([...told, agricultural] as const) : told
        return shared === undefined ? [...row, state, counts] : [...row, state, counts, shared]
      }
      return unsteady ? [...row, 'unsteady'] : row
    }),
  }
}

export function planFromData({ policy, groups, selected }: DayPlanData): DayPlan {
  return planDay(
    resolvePolicy(policy),
    groups.map(([level, group, parent, residential, other, _, classes, shared]): CountedGroup => {
      const counts = { residential, other }
      if (!classes) return { level, group, parent, ...counts, zone: '', timeZone: '' }
      const [commercial, industrial, large, agricultural = 0] = classes
      const ofHomes = shared === undefined ? {} : { shared }
      const told = { residential, commercial, industrial, agricultural, large, ...ofHomes }
      return { level, group, parent, ...counts, classes: told, zone: '', timeZone: '' }
    }),
    new Set(groups.filter((row) => row[5] === 'unsteady').map(([level, group]) => groupName(level, group))),
    selected && new Set(selected),
  )
}

/** The plan with the groups that were selected: once, before anything of the day is sealed. The digest stays. */
export function planSelected(plan: DayPlan, selected: ReadonlySet<string>): DayPlan {
  if (plan.selected) throw new RangeError('the groups of the day were selected before')
  const unsteady = plan.groups.filter((group) => group.unsteady).map(({ level, group }) => groupName(level, group))
  const groups = plan.groups.map((group) => ({ ...group, zone: '', timeZone: '' }))
  return planDay(plan.resolved, groups, new Set(unsteady), selected)
}

/** The lengths of longer windows in which groups of the day are released, shortest first. */
export function coarserSteps({ groups }: Pick<DayPlan, 'groups'>): readonly number[] {
  const known = steps.get(groups) ?? sortedSteps(groups)
  steps.set(groups, known)
  return known
}

const steps = new WeakMap<DayPlan['groups'], readonly number[]>()
const sortedSteps = (groups: DayPlan['groups']): readonly number[] =>
  [...new Set(groups.flatMap(({ coarserSeconds }) => coarserSeconds ?? []))].sort((a, b) => a - b)

/** Fewest points that a group must hold in the policy's windows: that of the strictest class in it. */
export function minimumCount(resolved: ResolvedPolicy, { classes }: Pick<PlannedGroup, 'classes'>): number {
  return stepRules(resolved)[0]!.minimum(classes)
}

type Counted = Omit<PlannedGroup, keyof Placement>

/** The families from the widest level down, so that a whole is settled before its parts are looked at. */
function familiesOf(groups: readonly Counted[], indexOf: DayPlan['indexOf']): readonly Family[] {
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
  const { restricted, smoothedClipWhPerHalfHour: smoothed } = policy
  if (smoothed) writer.text('smoothed')
  for (const level of smoothed ? levels : []) writer.integer(smoothed![level])
  if (restricted)
    writer
      .text('restricted')
      .text(restricted.maxShareOfTwo ?? '')
      .text(restricted.protection ?? '')
  if (restricted?.maxShareOfThree) writer.text('three').text(restricted.maxShareOfThree)
  const unsteady = groups.filter((group) => group.unsteady)
  if (unsteady.length > 0) writer.text('unsteady').integer(unsteady.length)
  for (const { level, group } of unsteady) writer.text(groupName(level, group))
  if (policy.ruleSet) writer.text('rules').text(JSON.stringify(policy.ruleSet))
  const { selection } = policy
  if (selection) {
    writer.text('selection').text(selection.share).text(selection.delta)
    writer.integer(selection.preThreshold).integer(selection.pointsAtConnection)
  }
  const told = groups.filter(({ other, classes }) => classes.commercial !== other)
  if (told.length > 0) writer.text('classes').integer(told.length)
  for (const { level, group, classes } of told) {
    writer.text(groupName(level, group)).integer(classes.commercial).integer(classes.industrial).integer(classes.large)
  }
  const farms = told.filter(({ classes }) => classes.agricultural > 0)
  if (farms.length > 0) writer.text('agricultural').integer(farms.length)
  for (const { level, group, classes } of farms) writer.text(groupName(level, group)).integer(classes.agricultural)
  const several = groups.filter(({ classes }) => classes.shared !== undefined)
  if (several.length > 0) writer.text('shared').integer(several.length)
  // A multiple of 2^-29, and the same text wherever it is worked out.
  for (const { level, group, classes } of several) writer.text(groupName(level, group)).text(String(classes.shared))
  return new Uint8Array(createHash('sha256').update(writer.finish()).digest())
}
