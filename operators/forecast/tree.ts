import type { LoadPublic } from '../../schemas/load-public.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'

/** Where a group stands: the name of the group above it, `null` at the top, `undefined` where nothing is known. */
export type ParentOf = (record: LoadPublic) => string | null | undefined

/** A released group of a seal. */
export interface TreeNode {
  /** Position of its record in the seal. */
  readonly record: number
  readonly level: Level
  readonly name: string
  /** The nearest group above with a value, as a position in `nodes`, and the share of it by registered points. */
  readonly whole: number | undefined
  readonly share: number
  /** Known variance of what is forecast: the value, or its difference from its share of the whole. */
  readonly noise: number
}

/** The released groups of a seal, wholes before their parts. */
export interface Tree {
  readonly nodes: readonly TreeNode[]
  /** Parts that together are all of their whole, by registered points. */
  readonly families: readonly Family[]
}

export interface Family {
  readonly whole: number
  readonly parts: readonly number[]
}

export const nodeName = ({ level, group }: Pick<LoadPublic, 'level' | 'group'>): string => `${level}/${group}`

/** An exact fraction as a double: good enough for a filter, which is post-processing. */
export function approximately(text: string): number {
  const [numerator, denominator = '1'] = text.split('/')
  return Number(numerator) / Number(denominator)
}

/** Whether the values of the seal have been made to add up. */
export const isConsistent = (records: readonly LoadPublic[]): boolean =>
  records.every(({ rawWh, consistentWh }) => rawWh === null || consistentWh !== null)

/**
 * The tree of the released groups of one seal. What is known of it stands in the records: the levels, what is withheld, the
 * registered points, and the parents as far as `parentOf` knows them.
 */
export function treeOf(records: readonly LoadPublic[], parentOf: ParentOf): Tree {
  const byName = new Map(records.map((record) => [nodeName(record), record]))
  const above = (record: LoadPublic): LoadPublic | undefined => {
    const parent = parentOf(record)
    const level = levels[levels.indexOf(record.level) - 1]
    if (level === undefined || parent === undefined || parent === null) return undefined
    return byName.get(nodeName({ level, group: parent }))
  }
  const places = new Map<LoadPublic, number>()
  const shown = levels.flatMap((level) =>
    records.flatMap((record, at) => (record.level === level && record.rawWh !== null ? [{ record, at }] : [])),
  )
  shown.forEach(({ record }, place) => void places.set(record, place))
  const wholes = shown.map(({ record }) => {
    let found = above(record)
    while (found && found.rawWh === null) found = above(found)
    return found && places.get(found)
  })
  const families = familiesOf(
    shown.map(({ record }) => record.registered),
    wholes,
  )
  const draws = shown.map(({ record }) => approximately(record.privacy.sigma2))
  const shares = shown.map(({ record }, i) => {
    const whole = wholes[i]
    return whole === undefined ? 0 : record.registered / Math.max(shown[whole]!.record.registered, 1)
  })
  const noise = isConsistent(records)
    ? consistentNoise(draws, wholes, shares, families)
    : draws.map((own, i) => own + (wholes[i] === undefined ? 0 : shares[i]! ** 2 * draws[wholes[i]!]!))
  const nodes = shown.map(({ record, at }, i) => ({
    record: at,
    level: record.level,
    name: nodeName(record),
    whole: wholes[i],
    share: shares[i]!,
    noise: noise[i]!,
  }))
  return { nodes, families }
}

function familiesOf(registered: readonly number[], wholes: readonly (number | undefined)[]): readonly Family[] {
  const parts = new Map<number, number[]>()
  wholes.forEach((whole, i) => {
    if (whole !== undefined) parts.set(whole, [...(parts.get(whole) ?? []), i])
  })
  return [...parts]
    .map(([whole, members]): Family => ({ whole, parts: members }))
    .filter(({ whole, parts: members }) => {
      const sum = members.reduce((count, part) => count + registered[part]!, 0)
      return sum === registered[whole]
    })
}

/**
 * Variance of consistent values, and of their differences from a share of the consistent whole (Hay et al., VLDB 2010): up
 * the tree what a group and its parts say together, down it what the group above adds.
 */
function consistentNoise(
  draws: readonly number[],
  wholes: readonly (number | undefined)[],
  shares: readonly number[],
  families: readonly Family[],
): readonly number[] {
  const upwards = [...draws]
  const spreads = new Map<number, number>()
  for (const { whole, parts } of families.toReversed()) {
    const spread = parts.reduce((sum, part) => sum + upwards[part]!, 0)
    const own = draws[whole]!
    upwards[whole] = own + spread > 0 ? (own * spread) / (own + spread) : 0
    for (const part of parts) spreads.set(part, spread)
  }
  const values = [...upwards]
  const noise = [...upwards]
  for (let i = 0; i < draws.length; i++) {
    const whole = wholes[i]
    if (whole === undefined) continue
    const spread = spreads.get(i)
    const moved = spread ? upwards[i]! / spread : 0
    const apart = upwards[i]! * (1 - moved)
    values[i] = apart + moved ** 2 * values[whole]!
    noise[i] = apart + (moved - shares[i]!) ** 2 * values[whole]!
  }
  return noise
}
