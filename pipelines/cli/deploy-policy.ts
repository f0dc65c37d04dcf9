import { defaultPolicy, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import type { Settings } from '../runtime/settings.ts'
import { defaultRules, ruleSetOf } from './rules-of.ts'

/** The default release policy with what the settings replace. Throws a usage error where they name rules that are none. */
export function policyOf({ policy }: Settings): ReleasePolicy {
  return {
    ...defaultPolicy,
    clipWhPerHalfHour: { ...defaultPolicy.clipWhPerHalfHour, ...policy.clipWhPerHalfHour },
    rhoPerDay: policy.rhoPerDay ?? defaultPolicy.rhoPerDay,
    ruleSet: ruleSetOf(policy.rules ?? defaultRules),
  }
}
