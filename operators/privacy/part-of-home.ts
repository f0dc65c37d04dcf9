import type { RegisterEntry } from '../../schemas/register-entry.ts'

/**
 * How much of a home one of its n measuring points counts, where homes are counted: the power of two at or below 1/n. The register does
 * not say which points are one home; so counted, any set of points is at least so many homes, and n points of one home are
 * never more than one. As powers of two they add up exactly in a double, in any order: below 2^-29 they would not over 2^24
 * points, which with so many to a home are less than one home at 2^-29 too.
 */
export function partOfHome({ pointsAtConnection }: Pick<RegisterEntry, 'pointsAtConnection'>): number {
  // The bits that n - 1 has are log2 of n, rounded up.
  return 2 ** (Math.clz32(Math.min(pointsAtConnection, 2 ** 29) - 1) - 32)
}
