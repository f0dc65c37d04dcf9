import {
  discreteGaussian,
  type IntegerSampler,
  limitGroups,
  partitionSelection,
  type Rational,
  rational,
} from 'diffprivlib-ts'

/** Where the noise of a release comes from: the one impure thing a release uses. */
export interface NoiseSource {
  /** One fresh draw of the discrete Gaussian with mean 0 and this variance in Wh^2. */
  readonly gaussian: (sigma2: Rational) => bigint
  /** One fresh selection among groups by how many measuring points each has. Default `selectGroups`. */
  readonly select?: GroupSelector
}

/**
 * Names of the groups that are selected, from the number of measuring points of each, of which a point may change one by one.
 * What a household of several points may change is in the terms (`pointTerms`).
 */
export type GroupSelector = (
  terms: { readonly epsilon: Rational; readonly delta: Rational; readonly preThreshold: number },
  counts: ReadonlyMap<string, number>,
) => readonly string[]

/** Optimal partition selection (Desfontaines et al. 2022) with the operating system's randomness. */
export const selectGroups: GroupSelector = (terms, counts) => {
  const { groups } = limitGroups({ neighbours: 'add-remove', most: 1 })
  return partitionSelection({ neighbours: 'add-remove', groups, ...terms }).select(counts)
}

/** Exact draws from the operating system's randomness. There is no other source outside the tests. */
export function secureNoise(): NoiseSource {
  const samplers = new Map<string, IntegerSampler>()
  // The variances of a day are the same objects for every window.
  const known = new WeakMap<Rational, IntegerSampler>()
  const samplerOf = (sigma2: Rational): IntegerSampler => {
    const name = rational.format(sigma2)
    const sampler = samplers.get(name) ?? discreteGaussian(sigma2)
    samplers.set(name, sampler)
    known.set(sigma2, sampler)
    return sampler
  }
  return { gaussian: (sigma2) => (known.get(sigma2) ?? samplerOf(sigma2)).next() }
}
