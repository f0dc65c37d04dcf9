import { membersOf } from '../../../bench/utility/groups.ts'
import { syntheticHouseholds } from '../../../bench/utility/households.ts'
import { defaultPolicy, type ReleasePolicy } from '../../../operators/privacy/release/policy.ts'

/** Hours, so that a test has few of them, and groups that are never too small. */
export const policy: ReleasePolicy = {
  ...defaultPolicy,
  windowSeconds: 3_600,
  maxRelativeNoise: '1/1',
  meanLoadWhPerDay: 1_000_000,
}
/** Four households over a fortnight. */
export const households = syntheticHouseholds(3, 4, 3_600, Date.UTC(2013, 2, 18), 14)
export const members = membersOf(4)
/** A fuse that cuts nothing. */
export const fuse = { whPerHour: 2_000_000, half: false }
