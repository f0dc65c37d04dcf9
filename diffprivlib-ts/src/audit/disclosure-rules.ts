import { ParameterError } from '../errors.ts'

/** What the rules of statistical disclosure control read of one cell of a table: its largest contributions suffice. */
export interface Cell {
  /** How many units contribute. */
  readonly count: number
  readonly total: number
  /** The largest contributions in falling order, at least as many as a rule reads. */
  readonly largest: readonly number[]
}

/** A rule of primary suppression, as data. */
export type DisclosureRule =
  /** Sensitive when the total without the two largest is below p % of the largest: the second could estimate the first that closely. */
  | { readonly kind: 'p-percent'; readonly p: number }
  /** The same where intruders knew all contributions to q % before: p / q. */
  | { readonly kind: 'pq'; readonly p: number; readonly q: number }
  /** Sensitive when the n largest exceed k % of the total. */
  | { readonly kind: 'dominance'; readonly n: number; readonly k: number }
  /** Sensitive when fewer units than this contribute. */
  | { readonly kind: 'min-count'; readonly count: number }
  /** Sensitive when fewer units contribute or one of them exceeds this percentage of the total, e.g. 15/15. */
  | { readonly kind: 'count-and-share'; readonly count: number; readonly share: number }

/** The cell of contributions that are all known. */
export const cellOf = (contributions: readonly number[]): Cell => ({
  count: contributions.length,
  total: contributions.reduce((sum, value) => sum + value, 0),
  largest: [...contributions].sort((a, b) => b - a),
})

const largestOf = ({ largest, count }: Cell, wanted: number): number => {
  if (largest.length < Math.min(wanted, count))
    throw new ParameterError(`this rule reads the ${wanted} largest contributions, got ${largest.length}`)
  return largest.slice(0, wanted).reduce((sum, value) => sum + value, 0)
}

/**
 * Whether a rule calls a cell sensitive (Hundepool and others, Statistical Disclosure Control, 2012, chapter 4). A true total that such a rule
 * lets through is not private: the rules are for tables under access control. Throws ParameterError when the cell holds too few of its
 * largest contributions.
 */
export const isSensitive = (cell: Cell, rule: DisclosureRule): boolean => {
  switch (rule.kind) {
    case 'p-percent':
      return 100 * (cell.total - largestOf(cell, 2)) < rule.p * largestOf(cell, 1)
    case 'pq':
      return rule.q * (cell.total - largestOf(cell, 2)) < rule.p * largestOf(cell, 1)
    case 'dominance':
      return 100 * largestOf(cell, rule.n) > rule.k * cell.total
    case 'min-count':
      return cell.count < rule.count
    case 'count-and-share':
      return cell.count < rule.count || 100 * largestOf(cell, 1) > rule.share * cell.total
  }
}

/** The risk of being told apart in classes of records that look alike: their smallest size k, and one over the size, on average and at worst. */
export const anonymity = (
  sizes: readonly number[],
): { readonly k: number; readonly averageRisk: number; readonly highestRisk: number } => {
  if (sizes.length === 0 || !sizes.every((size) => Number.isInteger(size) && size > 0))
    throw new ParameterError('the sizes of classes are positive integers, at least one')
  const k = Math.min(...sizes)
  return { k, averageRisk: sizes.length / sizes.reduce((sum, size) => sum + size, 0), highestRisk: 1 / k }
}
