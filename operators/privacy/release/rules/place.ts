import type { PublicFlag } from '../../../../schemas/load-public.ts'
import type { Level } from '../../../../schemas/register-entry.ts'
import type { ResolvedPolicy } from '../policy.ts'
import { hideCells } from '../restricted/hide.ts'
import { nobody } from '../restricted/rules.ts'
import type { GroupTree } from '../restricted/tree.ts'
import { rulesInForce, type StepRules, stepRules, totalOf } from './count-rules.ts'
import type { ClassCounts } from './rule-set.ts'

/** What the register says of a group. */
export interface Countable {
  readonly level: Level
  readonly classes: ClassCounts
  readonly unsteady: boolean
}

/** How a group is released. */
export interface Placement {
  /** Why its values are withheld in the policy's windows, or `null`. */
  readonly withheld: PublicFlag | null
  /** Length of the longer windows in which it is released instead, or `null`. */
  readonly coarserSeconds: number | null
  /** Position of the nearest group above that is released in the policy's windows, where this one is not. */
  readonly mergedInto: number | null
}

/**
 * Which groups of a day are released, in which windows, and which are merged upward: a function of register, rules and
 * policy alone, so that anybody who has them comes to the same.
 *
 * A group is released where the rules of its classes hold, its noise is small enough and its level is on the merge path.
 * Where it is not, its load is told as part of the next group above. As if there were no noise, nothing that the rules do
 * not allow follows from what is released, by subtraction: see `hideCells`. What is released in short windows can be added
 * up to longer ones, so the longer ones are decided with those groups as shown; their rules ask for no more, so what may
 * be left in short windows may be left in longer ones. Short windows never follow from longer ones: a sum over several
 * windows says nothing of one of them that the groups shown in it do not.
 *
 * `isSelected` holds back more groups, by position. Default: none.
 */
export function placeGroups(
  resolved: ResolvedPolicy,
  groups: readonly Countable[],
  tree: GroupTree,
  isSelected: (at: number) => boolean = () => true,
): readonly Placement[] {
  const [own, ...coarser] = stepRules(resolved) as [StepRules, ...StepRules[]]
  const first = reasonsIn(resolved, own, groups, { tree, isSelected })
  const seconds = new Array<number | null>(groups.length).fill(null)
  const shown = first.map((reason) => reason === null)
  for (const step of coarser) {
    const reasons = reasonsIn(resolved, step, groups, { tree, isSelected, fixed: [...shown] })
    reasons.forEach((reason, i) => {
      if (reason !== null || shown[i]) return
      shown[i] = true
      seconds[i] = step.seconds
    })
  }
  return groups.map((_, i): Placement => {
    const withheld = first[i]!
    let above = tree.whole[i]!
    while (above >= 0 && first[above] !== null) above = tree.whole[above]!
    return { withheld, coarserSeconds: seconds[i]!, mergedInto: withheld === null || above < 0 ? null : above }
  })
}

/** Why each group is withheld in windows of one length, given what is shown in shorter ones. */
function reasonsIn(
  resolved: ResolvedPolicy,
  step: StepRules,
  groups: readonly Countable[],
  {
    tree,
    isSelected,
    fixed,
  }: {
    readonly tree: GroupTree
    readonly isSelected: (at: number) => boolean
    readonly fixed?: readonly boolean[]
  },
): readonly (PublicFlag | null)[] {
  const { mergePath, membership } = rulesInForce(resolved.policy)
  const reasonOf = ({ level, classes, unsteady }: Countable, at: number): PublicFlag | null => {
    if (!step.keeps(classes) || !isSelected(at)) return 'withheld_small_group'
    if (membership === 'batched' && unsteady) return 'withheld_membership'
    if (!mergePath.includes(level)) return 'withheld_level'
    return step.isUseful(level, totalOf(classes)) ? null : 'withheld_not_useful'
  }
  const result = groups.map((group, i) => (fixed?.[i] ? null : reasonOf(group, i)))
  hideCells<PublicFlag>({
    tree,
    // Only how many there are is looked at; whoever is registered counts as load.
    own: groups.map(({ classes }) => {
      const registered = totalOf(classes)
      return { ...nobody, exactWh: registered, count: registered, classes, groups: 1 }
    }),
    empty: groups.map(({ classes }) => totalOf(classes) === 0),
    keeps: ({ classes }) => step.keeps(classes),
    result,
    complementary: 'withheld_remainder',
    pinned: 'withheld_membership',
    ...(fixed ? { fixed } : {}),
  })
  return result
}
