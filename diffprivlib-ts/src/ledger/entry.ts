import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'
import { format, parse } from '../rational.ts'

/** A loss as plain data: fractions as `"num/den"`. */
export interface LossRecord {
  readonly kind: PrivacyLoss['kind']
  readonly epsilon?: string
  readonly delta?: string
  readonly rho?: string
  readonly muSquared?: string
  readonly steps?: string
}

/** One entry of a ledger, as plain data that survives JSON. */
export type LedgerEntry =
  /** An account with its terms: the first entry of its name. */
  | {
      readonly kind: 'account'
      readonly account: string
      readonly neighbours: Neighbours
      readonly terms: Readonly<Record<string, string>>
    }
  /** What a release will cost. It stands before any noise is drawn. */
  | {
      readonly kind: 'charge'
      readonly account: string
      readonly unit: string
      readonly label: string
      readonly loss: LossRecord
      /** Why parts are disjoint, where the loss is their largest. */
      readonly because?: string
    }
  /** That the release of a charge was made. There is one at most. */
  | {
      readonly kind: 'result'
      readonly account: string
      readonly unit: string
      readonly label: string
      /** Of what was released, for example a SHA-256; may be empty. */
      readonly digest: string
    }

/** A loss as plain data. */
export const lossRecord = (loss: PrivacyLoss): LossRecord => {
  switch (loss.kind) {
    case 'pure':
      return { kind: 'pure', epsilon: format(loss.epsilon) }
    case 'approximate':
      return { kind: 'approximate', epsilon: format(loss.epsilon), delta: format(loss.delta) }
    case 'zcdp':
      return { kind: 'zcdp', rho: format(loss.rho) }
    case 'gaussian':
      return { kind: 'gaussian', muSquared: format(loss.muSquared) }
    case 'laplace':
      return loss.steps === undefined
        ? { kind: 'laplace', epsilon: format(loss.epsilon) }
        : { kind: 'laplace', epsilon: format(loss.epsilon), steps: `${loss.steps}` }
  }
}

/** The loss of a record. Throws ParameterError for a kind or a figure that is not one. */
export const lossOf = <N extends Neighbours>(record: LossRecord, neighbours: N): PrivacyLoss<N> => {
  const read = (name: 'epsilon' | 'delta' | 'rho' | 'muSquared') => parse(String(record[name]))
  switch (record.kind) {
    case 'pure':
      return { kind: 'pure', neighbours, epsilon: read('epsilon') }
    case 'approximate':
      return { kind: 'approximate', neighbours, epsilon: read('epsilon'), delta: read('delta') }
    case 'zcdp':
      return { kind: 'zcdp', neighbours, rho: read('rho') }
    case 'gaussian':
      return { kind: 'gaussian', neighbours, muSquared: read('muSquared') }
    case 'laplace': {
      const { steps } = record
      const loss = { kind: 'laplace', neighbours, epsilon: read('epsilon') } as const
      return steps === undefined ? loss : { ...loss, steps: parse(steps).num }
    }
    default:
      throw new ParameterError(`a ledger holds no loss of kind ${JSON.stringify(record.kind)}`)
  }
}
