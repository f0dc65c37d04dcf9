import { ParameterError } from '../errors.ts'
import { requireDeltaOrZero, requireNotNegative } from '../parameters.ts'
import { add, compare, div, integer, mul, type Rational, sign } from '../rational.ts'
import { zcdpToDelta, zcdpToEpsilon } from '../zcdp.ts'
import { advancedEpsilon, basicEpsilon, kairouzOhViswanathEpsilon } from './approximate.ts'
import { gaussianToDelta, gaussianToEpsilon } from './gaussian.ts'
import { pldToDelta, pldToEpsilon } from './pld.ts'
import { tallyRenyiDelta, tallyRenyiEpsilon } from './renyi.ts'
import { deltaLeft, deltaWith, type LossTally, sumOver } from './tally.ts'

/**
 * A theorem by which losses are added up: the sum (`basic`), advanced composition that holds also for losses chosen on the way (`advanced`),
 * Kairouz, Oh and Viswanath's, zero-concentrated, Rényi, exact Gaussian, or loss distributions (`pld`).
 */
export type CompositionName = 'basic' | 'advanced' | 'kairouz-oh-viswanath' | 'zcdp' | 'renyi' | 'gaussian' | 'pld'

const names: readonly CompositionName[] = [
  'basic',
  'advanced',
  'kairouz-oh-viswanath',
  'zcdp',
  'renyi',
  'gaussian',
  'pld',
]

/** The rho of a tally: rho, mu^2 / 2 and epsilon^2 / 2, exactly. Outright failures are not in it. */
export const tallyRho = (tally: LossTally): Rational => {
  const halves = add(
    tally.muSquared,
    sumOver(tally, ({ epsilon }) => mul(epsilon, epsilon)),
  )
  return add(tally.rho, div(halves, integer(2n)))
}

const gaussianOnly = (tally: LossTally): Rational => {
  if (tally.laplaces.size > 0 || sign(tally.rho) > 0)
    throw new ParameterError('exact Gaussian composition takes Gaussian losses only: compose mixtures with "pld"')
  return tally.muSquared
}

const isEmpty = (tally: LossTally): boolean =>
  tally.laplaces.size === 0 && sign(tally.muSquared) === 0 && sign(tally.rho) === 0

/** What is left of delta to the theorem itself. Throws ParameterError when the losses' own deltas use it up. */
const slackOf = (tally: LossTally, delta: Rational): Rational => {
  const left = deltaLeft(tally, delta)
  if (!left) throw new ParameterError('the deltas of the losses add up to more than this delta')
  return left
}

const needed = (slack: Rational, name: string): Rational => {
  if (sign(slack) === 0) throw new ParameterError(`${name} composition needs a delta above those of the losses`)
  return slack
}

const epsilonOf: Readonly<Record<CompositionName, (tally: LossTally, slack: Rational, delta: Rational) => Rational>> = {
  basic: (tally) => basicEpsilon(tally),
  advanced: advancedEpsilon,
  'kairouz-oh-viswanath': kairouzOhViswanathEpsilon,
  zcdp: (tally, slack) => zcdpToEpsilon(tallyRho(tally), needed(slack, 'zCDP')),
  renyi: (tally, _, delta) => tallyRenyiEpsilon(tally, delta),
  gaussian: (tally, slack) => gaussianToEpsilon(gaussianOnly(tally), needed(slack, 'Gaussian')),
  pld: (tally, _, delta) => pldToEpsilon(tally, delta),
}

const deltaOf: Readonly<Partial<Record<CompositionName, (tally: LossTally, epsilon: Rational) => Rational>>> = {
  zcdp: (tally, epsilon) => deltaWith(tally, zcdpToDelta(tallyRho(tally), epsilon)),
  renyi: tallyRenyiDelta,
  gaussian: (tally, epsilon) => deltaWith(tally, gaussianToDelta(gaussianOnly(tally), epsilon)),
  pld: pldToDelta,
}

/**
 * The epsilon of a tally at `delta` by one theorem, rounded up: what it takes of delta besides the losses' own is whatever they leave. Throws
 * ParameterError for losses that the theorem does not take, or a delta outside [0, 1) or below theirs.
 */
export const epsilonBy = (composition: CompositionName, tally: LossTally, delta: Rational): Rational => {
  requireDeltaOrZero(delta)
  const slack = slackOf(tally, delta)
  if (isEmpty(tally)) return integer(0n)
  return epsilonOf[composition](tally, slack, delta)
}

/**
 * The delta of a tally at `epsilon` by one theorem that has such a form, rounded up. Throws ParameterError for losses that the theorem does not
 * take or a negative epsilon.
 */
export const deltaBy = (
  composition: 'zcdp' | 'renyi' | 'gaussian' | 'pld',
  tally: LossTally,
  epsilon: Rational,
): Rational => {
  requireNotNegative(epsilon, 'epsilon')
  if (isEmpty(tally)) return tally.failure
  return deltaOf[composition]!(tally, epsilon)
}

/** An epsilon and the theorem that gave it. */
export interface TightestEpsilon {
  readonly epsilon: Rational
  readonly composition: CompositionName
}

/**
 * The least epsilon at `delta` over all theorems that take these losses, rounded up: each is proved of the same losses, so the least is too. It
 * assumes that the losses were fixed beforehand. Throws ParameterError when none applies.
 */
export const tightestEpsilon = (tally: LossTally, delta: Rational): TightestEpsilon => {
  let best: TightestEpsilon | undefined
  let reason: unknown
  for (const composition of names) {
    try {
      const epsilon = epsilonBy(composition, tally, delta)
      if (!best || compare(epsilon, best.epsilon) < 0) best = { epsilon, composition }
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error
      reason = error
    }
  }
  if (!best) throw reason
  return best
}
