import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import { requireDelta, requirePositive } from '../parameters.ts'
import { compare, div, integer, mul, type Rational, sign, zero } from '../rational.ts'
import { zcdpToEpsilon } from '../zcdp.ts'
import { tallyRho } from './composition.ts'
import { addLoss, emptyTally } from './tally.ts'

/** A running bound of what has been lost, true at every moment at once also when losses are chosen from earlier results. */
export interface Odometer<in N extends Neighbours> {
  /** Adds a loss. Throws ParameterError for an approximate one. */
  readonly add: (loss: PrivacyLoss<N>) => void
  /** The rho so far, exactly. */
  readonly rho: () => Rational
  /** The epsilon so far, rounded up: with delta over the whole life of the odometer, no moment's bound is below the loss. */
  readonly epsilon: () => Rational
}

/**
 * Opens an odometer. There is a filter for each of the caps `unit`, 2 `unit`, 4 `unit`, ... of rho, the j-th (from 0) with delta / ((j + 1)(j + 2));
 * these add up to delta, so all filters hold together, and the smallest cap not yet passed is the bound (Feldman and Zrnic, 2021). Choose
 * `unit` about as large as the first losses: the reading grows in steps of a doubling. Throws ParameterError unless unit > 0 and 0 < delta < 1.
 */
export const openOdometer = <N extends Neighbours>(options: {
  readonly neighbours: N
  readonly delta: Rational
  readonly unit: Rational
}): Odometer<N> => {
  const { neighbours, delta, unit } = options
  requireDelta(delta)
  requirePositive(unit, 'the unit of an odometer')
  let tally = emptyTally
  const rho = () => tallyRho(tally)
  return Object.freeze({
    add: (loss: PrivacyLoss<N>) => {
      if (loss.neighbours !== neighbours)
        throw new ParameterError(`this odometer reads losses of ${neighbours} neighbours, not of ${loss.neighbours}`)
      if (loss.kind === 'approximate') throw new ParameterError('an odometer takes no approximate loss')
      tally = addLoss(tally, loss)
    },
    rho,
    epsilon: () => {
      const spent = rho()
      if (sign(spent) === 0) return zero
      let cap = unit
      let position = 0n
      while (compare(cap, spent) < 0) {
        cap = mul(cap, integer(2n))
        position += 1n
      }
      return zcdpToEpsilon(cap, div(delta, integer((position + 1n) * (position + 2n))))
    },
  })
}
