import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'

declare const limited: unique symbol

/** In how many groups one privacy unit can be counted, once in each. Made by `limitGroups` alone. */
export interface GroupLimit<out N extends Neighbours> {
  readonly neighbours: N
  readonly most: number
  /** What limits it, in one sentence, for the published facts. */
  readonly because: string
  readonly [limited]: true
}

/**
 * The bounding step of a selection of groups: `limit` keeps the first `most` distinct groups of one unit, in the order given, which may
 * depend on that unit's data and nothing else. Throws ParameterError unless `most` is an integer from 1 to 1,000,000.
 */
export const limitGroups = <N extends Neighbours>(options: {
  readonly neighbours: N
  readonly most: number
}): { readonly limit: (groups: Iterable<string>) => readonly string[]; readonly groups: GroupLimit<N> } => {
  const { neighbours, most } = options
  if (neighbours !== 'add-remove' && neighbours !== 'replace-one')
    throw new ParameterError(`neighbours must be "add-remove" or "replace-one", got ${JSON.stringify(neighbours)}`)
  if (!Number.isInteger(most) || most < 1 || most > 1_000_000)
    throw new ParameterError(`the groups of a unit are limited to an integer from 1 to 1,000,000, got ${most}`)
  return Object.freeze({
    limit: (groups: Iterable<string>) => [...new Set(groups)].slice(0, most),
    groups: Object.freeze({
      neighbours,
      most,
      because: `each unit is counted once in at most ${most} ${most === 1 ? 'group' : 'groups'}`,
    }) as GroupLimit<N>,
  })
}

/** How many groups can change their count by one between neighbours: replacing a unit leaves its old groups and enters its new ones. */
export const changedGroups = (limit: GroupLimit<Neighbours>): number =>
  limit.neighbours === 'replace-one' ? 2 * limit.most : limit.most

/** Refuses counts that are not integers from 0, or safe; the message must not hold the count: it is the secret. */
export const requireCounts = (counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] => {
  for (const count of counts.values())
    if (!Number.isSafeInteger(count) || count < 0)
      throw new ParameterError('the count of a group is a safe integer of at least 0')
  // By name: the order in which units brought the groups up would tell about them.
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}
