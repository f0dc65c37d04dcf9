import type { Neighbours } from './bounding.ts'
import type { Rational } from './rational.ts'

/**
 * What one release can tell about one privacy unit: the strongest statement that is proved of it, from which every account
 * computes a figure of its own. All numbers are exact.
 */
export type PrivacyLoss<N extends Neighbours = Neighbours> = {
  /** The relation that the statement is about: an account takes no loss of the other one. */
  readonly neighbours: N
} & (
  | { readonly kind: 'pure'; readonly epsilon: Rational }
  | { readonly kind: 'approximate'; readonly epsilon: Rational; readonly delta: Rational }
  /** Zero-concentrated (Bun and Steinke, 2016), as of the discrete Gaussian. */
  | { readonly kind: 'zcdp'; readonly rho: Rational }
  /** A Gaussian on the reals or on a grid fine against sigma: mu^2 = squared sensitivity / sigma^2 (Dong, Roth and Su, 2019). */
  | { readonly kind: 'gaussian'; readonly muSquared: Rational }
  /**
   * Discrete Laplace noise of scale = sensitivity / epsilon on integers or on a grid. `steps` is the sensitivity in steps of the grid, rounded
   * down: the more there are, the less a composition costs; with one step, or without `steps`, it is randomised response, which costs as
   * much as any pure epsilon. The Laplace law on the reals is the limit of many steps and must not be claimed for few.
   */
  | { readonly kind: 'laplace'; readonly epsilon: Rational; readonly steps?: bigint }
)
