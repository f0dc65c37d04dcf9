import { hours } from '../../../operators/contract/clock.ts'
import { type ReleasePolicy, resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import type { SeenRecord } from '../../../pipelines/simulation/audit-stage.ts'
import { levels } from '../../../schemas/register-entry.ts'
import { type Attack, attackOn, type Truth } from './figures.ts'
import { edgeOf, type SelectionWorld, shownFigure, shownFrom, shownWith } from './selection-world.ts'

const counts = ['records', 'bytes', 'flags'] as const

/**
 * The attack by what is shown and what is withheld: for each level and day in how many windows its group has a value, and
 * what the day that differs adds to values, if `truth` tells. `whole` is the best of all of it, the sum of the logarithms
 * of how much likelier each is with the household-day than without.
 */
export function selectionAttack(
  world: SelectionWorld,
  policy: ReleasePolicy,
  truth?: { readonly with: Truth; readonly without: Truth },
): Attack {
  const resolved = resolvePolicy(policy)
  const shown = shownWith(resolved)
  const edge = edgeOf(resolved)
  const [likelier, rarer] = [shown(edge), shown(edge - 1)]
  const [whenShown, whenNot] = [Math.log(likelier / rarer), Math.log((1 - likelier) / (1 - rarer))]
  const from = shownFrom(world)
  const windowsOf = (seen: readonly SeenRecord[], day: number): readonly number[] =>
    levels.map((level) => {
      const windows = seen.flatMap(({ record }) => {
        const isOf = record.level === level && record.channel === 'import' && record.phase === 'preliminary'
        const after = record.window - from - day * hours(24)
        return isOf && record.rawWh !== null && after >= 0 && after < hours(24) ? [record.window] : []
      })
      return new Set(windows).size
    })
  const values = truth && attackOn(truth)
  const filter = values?.names.indexOf('filter')
  return {
    names: [
      ...levels.map(shownFigure),
      ...levels.map((level) => `${shownFigure(level)} the day before`),
      'levels shown',
      'whole',
      ...(values?.names ?? counts),
    ],
    figuresOf: (seen) => {
      const [there, before] = [windowsOf(seen, 0), windowsOf(seen, -1)]
      const told = there.reduce((sum, windows) => sum + (windows > 0 ? whenShown : whenNot), 0)
      const others = values?.figuresOf(seen) ?? [
        seen.length,
        seen.reduce((sum, { bytes }) => sum + bytes.length, 0),
        seen.reduce((sum, { record }) => sum + record.flags.length, 0),
      ]
      const levelsShown = there.filter((windows) => windows > 0).length
      return [...there, ...before, levelsShown, told + (filter === undefined ? 0 : others[filter]!), ...others]
    },
  }
}
