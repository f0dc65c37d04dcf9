import { type LossTally, tallyOf } from '../../src/accounting/tally.ts'
import type { Rational } from '../../src/rational.ts'

const neighbours = 'add-remove'

/** Laplace noise on a grid so fine that it is that of the reals for any figure here. */
export const laplaces = (epsilon: Rational, count: bigint, steps = 1n << 40n): LossTally =>
  tallyOf([[{ kind: 'laplace', neighbours, epsilon, steps }, count]])

export const pures = (epsilon: Rational, count: bigint): LossTally =>
  tallyOf([[{ kind: 'pure', neighbours, epsilon }, count]])

export const gaussians = (muSquared: Rational, count: bigint): LossTally =>
  tallyOf([[{ kind: 'gaussian', neighbours, muSquared }, count]])
