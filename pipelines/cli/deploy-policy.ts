import { defaultPolicy, type ReleasePolicy } from '../../operators/privacy/release/policy.ts'
import type { Settings } from '../runtime/settings.ts'

/** The default release policy with what the settings replace. */
export function policyOf({ policy }: Settings): ReleasePolicy {
  return {
    ...defaultPolicy,
    clipWhPerHalfHour: { ...defaultPolicy.clipWhPerHalfHour, ...policy.clipWhPerHalfHour },
    rhoPerDay: policy.rhoPerDay ?? defaultPolicy.rhoPerDay,
  }
}
