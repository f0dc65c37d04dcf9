import { type ConsistencyTree, consistencyTree, type MeasuredNode } from 'diffprivlib-ts'
import { levels } from '../../../schemas/register-entry.ts'
import type { DayPlan } from './day-plan.ts'

/** Makes the noisy values of one window add up over the levels; made once per day plan. */
export interface Consistency {
  /**
   * Consistent values from noisy ones, both in the plan's order, whole Wh; `null` stays `null`. A whole is exactly the sum
   * of its parts wherever every part has a value of its own or is itself such a whole.
   */
  readonly estimate: (values: readonly (number | null)[]) => readonly (number | null)[]
  /** Variance of each consistent value that holds one draw per group, in Wh^2: at most that of the draw. NaN where withheld. */
  readonly variances: readonly number[]
}

const made = new WeakMap<DayPlan, Consistency>()

/** The consistency of a day's plan: worked out at its first use. */
export function consistencyOf(plan: DayPlan): Consistency {
  const known = made.get(plan) ?? build(plan)
  made.set(plan, known)
  return known
}

/**
 * Weighted least squares over the plan's tree (`consistencyTree`), from released values and public variances alone, so it
 * costs nothing. Withheld groups have no value. Where a withheld part leaves open what a whole holds beside its other
 * parts, whole and parts say nothing about each other, and the tree is cut there.
 *
 * A withheld group gets no consistent value either, although the others may determine it: a rule that withholds a group
 * says that no figure is given for it. What anybody can add up or subtract is theirs to do; it is protected by the noise.
 */
function build(plan: DayPlan): Consistency {
  const { groups, resolved } = plan
  const parents = joinedParents(plan)
  const joined = groups.map(({ withheld }, i) => withheld === null || parents.wholes.has(i))
  const nodes = groups.flatMap(({ level, withheld }, i): MeasuredNode[] => {
    if (!joined[i]) return []
    const parent = parents.of[i]
    return [
      {
        id: String(i),
        ...(parent === undefined ? {} : { parent: String(parent) }),
        ...(withheld === null ? { variance: resolved.levels[level].sigma2 } : {}),
      },
    ]
  })
  const tree: ConsistencyTree | undefined = nodes.length > 0 ? consistencyTree(nodes) : undefined
  const shown = (i: number): boolean => groups[i]!.withheld === null
  return {
    estimate: (values) => {
      const given = new Map<string, bigint>()
      values.forEach((value, i) => {
        if (value !== null) given.set(String(i), BigInt(value))
      })
      const estimates = tree?.estimate(given)
      return groups.map((_, i) => (shown(i) ? Number(estimates!.get(String(i))!) : null))
    },
    variances: groups.map((_, i) => (shown(i) ? tree!.variances.get(String(i))! : Number.NaN)),
  }
}

/** For each group the whole that it is tied to by its sum, and the wholes that have such parts. */
interface Joined {
  readonly of: readonly (number | undefined)[]
  readonly wholes: ReadonlySet<number>
}

/** Families whose whole is one group and whose parts all have a value or are such wholes, from the narrowest level up. */
function joinedParents({ groups, families }: DayPlan): Joined {
  const of = new Array<number | undefined>(groups.length).fill(undefined)
  const wholes = new Set<number>()
  const depth = (parts: readonly number[]): number => levels.indexOf(groups[parts[0]!]!.level)
  // A whole may be that of two families: parts that name it, and parts without a parent where it is the only one.
  const byWhole = new Map<number, number[]>()
  for (const { whole, parts } of families) {
    if (whole !== undefined) byWhole.set(whole, [...(byWhole.get(whole) ?? []), ...parts])
  }
  const upwards = [...byWhole].sort(([, a], [, b]) => depth(b) - depth(a))
  for (const [whole, parts] of upwards) {
    // A part without a single point adds nothing to the sum of the others.
    const members = parts.filter((part) => groups[part]!.registered > 0)
    if (members.length === 0 || !members.every((part) => groups[part]!.withheld === null || wholes.has(part))) continue
    for (const part of members) of[part] = whole
    wholes.add(whole)
  }
  return { of, wholes }
}
