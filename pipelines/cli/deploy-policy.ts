import { defaultPolicy } from '../../operators/privacy/release/policy.ts'
import type { DatedPolicy } from '../../operators/privacy/release/policy-epochs.ts'
import type { Settings } from '../runtime/settings.ts'
import { defaultRules, ruleSetOf } from './rules-of.ts'

/** The default release policy with what the settings replace. Throws a usage error where they name rules that are none. */
export function policyOf({ policy }: Settings): DatedPolicy {
  return {
    ...defaultPolicy,
    clipWhPerHalfHour: { ...defaultPolicy.clipWhPerHalfHour, ...policy.clipWhPerHalfHour },
    rhoPerDay: policy.rhoPerDay ?? defaultPolicy.rhoPerDay,
    ...(policy.epochs.length > 0 ? { epochs: policy.epochs } : {}),
    ruleSet: ruleSetOf(policy.rules ?? defaultRules),
  }
}
