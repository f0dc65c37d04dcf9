import { levels } from '../../../../schemas/register-entry.ts'
import type { RegisteredGroup } from '../../../contract/register.ts'
import type { DayPlan, Family } from '../day-plan.ts'

/** The groups of a day as trees; positions are those of the plan, where a whole stands before its parts. */
export interface GroupTree {
  /** Position of the whole that a group is a part of; -1 for none. */
  readonly whole: Int32Array
  readonly parts: readonly (readonly number[])[]
}

const known = new WeakMap<DayPlan, GroupTree>()

/** The trees of a plan; the same object for the same plan. */
export function treeOf(plan: DayPlan): GroupTree {
  const tree = known.get(plan) ?? treeFrom(plan.families, plan.groups.length)
  known.set(plan, tree)
  return tree
}

/** Trees of so many groups from their families. */
export function treeFrom(families: readonly Family[], groups: number): GroupTree {
  const whole = new Int32Array(groups).fill(-1)
  const parts: number[][] = Array.from({ length: groups }, () => [])
  for (const family of families) {
    if (family.whole === undefined) continue
    for (const part of family.parts) whole[part] = family.whole
    parts[family.whole]!.push(...family.parts)
  }
  return { whole, parts }
}

/**
 * Why groups are no tree, in a sentence; undefined if they are one. Two groupings that cross can be told apart by their
 * difference, so only such are released of which one contains the other or both are apart.
 */
export function crossing(groups: readonly RegisteredGroup[]): string | undefined {
  const byLevel = new Map(levels.map((level) => [level, new Map<string, RegisteredGroup>()]))
  for (const group of groups) {
    const names = byLevel.get(group.level)!
    const twin = names.get(group.group)
    if (twin) return `the ${group.level} ${group.group} stands in the register twice, ${places(twin, group)}`
    names.set(group.group, group)
  }
  for (const [depth, level] of levels.entries()) {
    const above = levels[depth - 1]
    const wholes = above === undefined ? undefined : byLevel.get(above)!
    if (!wholes || wholes.size === 0) continue
    const sums = new Map<string, number>()
    for (const { group, parent, residential, other } of byLevel.get(level)!.values()) {
      const name = parent ?? (wholes.size === 1 ? [...wholes.keys()][0]! : undefined)
      if (name === undefined || !wholes.has(name)) return `the ${level} ${group} is part of no ${above} that exists`
      sums.set(name, (sums.get(name) ?? 0) + residential + other)
    }
    for (const [name, sum] of sums) {
      const { residential, other } = wholes.get(name)!
      const sentence = `the parts of the ${above} ${name} hold ${sum} points, more than its own ${residential + other}`
      if (sum > residential + other) return sentence
    }
  }
  return undefined
}

const places = (a: RegisteredGroup, b: RegisteredGroup): string =>
  a.parent === b.parent ? 'under one group' : `under ${a.parent} and under ${b.parent}`
