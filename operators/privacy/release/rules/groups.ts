import type { EpochMs } from '../../../../schemas/codec.ts'
import { type Level, levels, type RegisterEntry } from '../../../../schemas/register-entry.ts'
import type { RegisteredGroup } from '../../../contract/register.ts'
import type { LocalDay } from '../../../window/local-day.ts'
import { partOfHome } from '../../part-of-home.ts'
import { addCounts, twoClasses } from './count-rules.ts'
import { type ClassCounts, type RuleClass, type RuleSet, RuleSetError, ruleClasses } from './rule-set.ts'

/** A public group with its points by class, where rules tell more of them apart than homes and others. */
export interface CountedGroup extends RegisteredGroup {
  readonly classes?: ClassCounts
}

/** The groups of a level with the points that are registered when a local day begins. */
export type GroupsOfDay = (level: Level, day: LocalDay) => readonly CountedGroup[]

/** The class by which rules look at a point. */
export function classOf({ customerClass, fuseWhPerHour }: RegisterEntry, ruleSet: RuleSet | undefined): RuleClass {
  return ruleSet && fuseWhPerHour > ruleSet.largeAboveWhPerHour ? 'large' : customerClass
}

/**
 * Entries with large users apart: whoever may draw more by contract than the rules' constant is in no group with others,
 * but in groups of its own under its utility, named after it. Without a rule set all stay where they are. Throws
 * RuleSetError where a point may draw more than the largest that the rules know, or where others are in such a group.
 */
export function placeLargeUsers<T extends RegisterEntry>(
  entries: readonly T[],
  ruleSet: RuleSet | undefined,
): readonly T[] {
  if (!ruleSet) return entries
  const apart = (utility: string): string => `${utility}-large-users`
  const tooLarge = entries.filter(({ fuseWhPerHour }) => fuseWhPerHour > ruleSet.largestWhPerHour).length
  if (tooLarge > 0) {
    throw new RuleSetError([
      `largestWhPerHour is ${ruleSet.largestWhPerHour}, but ${tooLarge} entries of the register may draw more by contract`,
    ])
  }
  const utilities = new Set<string>()
  const placed = entries.map((entry): T => {
    if (classOf(entry, ruleSet) !== 'large') return entry
    const { utility } = entry.groups
    utilities.add(utility)
    const own = apart(utility)
    return { ...entry, groups: { utility, region: own, substation: own, feeder: own } }
  })
  for (const utility of utilities) {
    const own = apart(utility)
    const taken = entries.some(
      (entry) =>
        classOf(entry, ruleSet) !== 'large' &&
        levels.some((level) => level !== 'utility' && entry.groups[level] === own),
    )
    if (taken)
      throw new RuleSetError([`the register has a group ${own}, which is the name of the group of large users`])
  }
  return placed
}

/**
 * Counts the points of each group anew for each local day, so that a day's plan follows from the register and the day
 * alone, whenever the process was started. Groups that any entry ever names are there on every day, also where nobody is
 * registered. Every point lies in one group of each level; groups are those of `placeLargeUsers`.
 */
export function groupsOfDay(entries: Iterable<RegisterEntry>, ruleSet: RuleSet | undefined): GroupsOfDay {
  const feeders = new Map<string, Feeder>()
  for (const entry of entries) {
    const { validFrom, validTo, groups, zone, timeZone } = entry
    const feeder: Feeder = feeders.get(groups.feeder) ?? { groups, zone, timeZone, stays: [], lasting: new Map() }
    feeders.set(groups.feeder, feeder)
    const name = classOf(entry, ruleSet)
    // Most points have come long ago and stay: they are counted, not kept.
    const counts = pointOf(name, 1 - partOfHome(entry))
    if (validTo !== null) feeder.stays.push({ validFrom, validTo, counts })
    else feeder.lasting.set(validFrom, addCounts(feeder.lasting.get(validFrom) ?? noone, counts))
  }
  let known: { readonly start: EpochMs; readonly groups: ReadonlyMap<Level, readonly CountedGroup[]> } | undefined
  return (level, day) => {
    if (known?.start !== day.start) known = { start: day.start, groups: countAt([...feeders.values()], day.start) }
    return known.groups.get(level)!
  }
}

interface Feeder extends Pick<RegisterEntry, 'groups' | 'zone' | 'timeZone'> {
  readonly stays: { readonly validFrom: EpochMs; readonly validTo: EpochMs; readonly counts: ClassCounts }[]
  /** Points that have not left, by when they came. */
  readonly lasting: Map<EpochMs, ClassCounts>
}

const noone = twoClasses(0, 0)
const one = Object.fromEntries(ruleClasses.map((each) => [each, { ...noone, [each]: 1 }])) as Record<
  RuleClass,
  ClassCounts
>
const pointOf = (name: RuleClass, shared: number): ClassCounts => (shared > 0 ? { ...one[name], shared } : one[name])

function countAt(feeders: readonly Feeder[], at: EpochMs): ReadonlyMap<Level, readonly CountedGroup[]> {
  const counts = feeders.map(({ stays, lasting }) => {
    const here = [...lasting].filter(([validFrom]) => validFrom <= at).map(([, points]) => points)
    const passing = stays.filter(({ validFrom, validTo }) => validFrom <= at && at < validTo)
    return [...here, ...passing.map(({ counts: each }) => each)].reduce(addCounts, noone)
  })
  return new Map(
    levels.map((level, depth) => {
      const above = levels[depth - 1]
      const groups = new Map<string, CountedGroup>()
      feeders.forEach(({ groups: path, zone, timeZone }, i) => {
        const group = path[level]
        const classes = addCounts(groups.get(group)?.classes ?? noone, counts[i]!)
        const parent = above === undefined ? null : path[above]
        const { residential } = classes
        const other = classes.commercial + classes.industrial + classes.agricultural + classes.large
        groups.set(group, { level, group, parent, zone, timeZone, residential, other, classes })
      })
      return [level, [...groups.values()].sort((a, b) => (a.group < b.group ? -1 : 1))]
    }),
  )
}
