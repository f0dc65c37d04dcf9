import type { Neighbours } from '../bounding.ts'
import { ParameterError } from '../errors.ts'
import type { PrivacyLoss } from '../loss.ts'

/**
 * An account that is charged before noise exists. `charge` throws when the budget does not allow the loss, and then nothing may be released; when
 * it returns, the charge is durable. It must not return a promise: a charge that is still on its way is no charge.
 */
export interface ChargeFirst<in N extends Neighbours> {
  readonly charge: (label: string, loss: PrivacyLoss<N>) => unknown
}

/** Charges, and refuses an account that has not finished when it returns. Throws what the account throws. */
export const chargeFirst = <N extends Neighbours>(
  account: ChargeFirst<N>,
  label: string,
  loss: PrivacyLoss<N>,
): void => {
  const outcome = account.charge(label, loss)
  if (typeof (outcome as { then?: unknown } | undefined | null)?.then === 'function')
    throw new ParameterError('the account charges later: a tool needs a charge that is durable when it returns')
}
