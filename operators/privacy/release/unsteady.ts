import type { LocalDay } from '../../window/local-day.ts'
import { dayNamed } from './day-grid.ts'
import type { ReleaseTools } from './domain.ts'
import type { MembershipOf } from './restricted/membership.ts'
import type { ReleaseState } from './state.ts'

/** Names of the groups whose membership changed by too few to be shown on a day, by the register that is in force. */
export function unsteadyOn(
  { first }: Pick<ReleaseState, 'first'>,
  local: LocalDay,
  { domain, membership }: Pick<ReleaseTools, 'domain' | 'membership'>,
  of: MembershipOf,
): ReadonlySet<string> | undefined {
  return membership?.(first === null || first > local.date ? local : dayNamed(domain.timeZone, first), local, of)
}
