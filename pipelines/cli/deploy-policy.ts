import type { SelectionPolicy } from '../../operators/contract/selection-policy.ts'
import { defaultPolicy } from '../../operators/privacy/release/policy.ts'
import type { DatedPolicy } from '../../operators/privacy/release/policy-epochs.ts'
import { sharesBeside } from '../../operators/privacy/release/selection-terms.ts'
import type { Settings } from '../runtime/settings.ts'
import { defaultRules, ruleSetOf } from './rules-of.ts'

/** The default release policy with what the settings replace. Throws a usage error where they name rules that are none. */
export function policyOf({ policy }: Settings): DatedPolicy {
  return {
    ...defaultPolicy,
    clipWhPerHalfHour: { ...defaultPolicy.clipWhPerHalfHour, ...policy.clipWhPerHalfHour },
    rhoPerDay: policy.rhoPerDay ?? defaultPolicy.rhoPerDay,
    ...(policy.epochs.length > 0 ? { epochs: policy.epochs } : {}),
    ...(policy.selection ? sharedWith(policy.selection) : {}),
    ruleSet: ruleSetOf(policy.rules ?? defaultRules),
  }
}

const sharedWith = (selection: SelectionPolicy): Pick<DatedPolicy, 'selection' | 'shares'> => ({
  selection,
  shares: sharesBeside(defaultPolicy.shares, selection),
})
