import { BudgetExceededError, DuplicateChargeError, openAccount, rational } from 'diffprivlib-ts'
import type { LedgerRecord } from '../../../schemas/ledger-record.ts'
import { levels } from '../../../schemas/register-entry.ts'
import type { HaltError } from '../../contract/halt.ts'
import { appendLink, headOf, type LedgerEntry } from '../ledger/chain.ts'
import { releaseHalt } from '../ledger/halts.ts'
import type { HaltReason } from '../ledger/reasons.ts'
import type { ReleaseDomain } from './domain.ts'
import { intervalSums } from './policy.ts'
import { headRow, type OpenDay, type ReleaseState } from './state.ts'

/**
 * Charges a local day for every level, both channels and both phases together, and for the selection that will be made
 * from it, and says so in the ledger with the digest of what is frozen for the day; then states what the year has cost so
 * far. The day may be sealed only after these links are committed. Throws HaltError where the day was charged before or the cap does not allow it.
 */
export function chargeDay(state: ReleaseState, day: OpenDay, domain: ReleaseDomain): readonly LedgerRecord[] {
  const { date } = day.grid
  const unit = `${domain.name}/${domain.zone}/${date}`
  if (day.charge !== 'none') throw refuse('charged_before', `${unit} was charged before`)
  const { cap, levels: terms, selection } = day.plan.resolved
  const account = openAccount(cap)
  const due = levels.map((level) => ({ release: intervalSums, level, cost: terms[level].rho }))
  if (selection) due.push(...levels.map((level) => ({ release: selection.kind, level, cost: selection.rho })))
  const charges = due.map(({ release, level, cost }) => {
    try {
      account.charge(unit, `${release}/${level}`, cost)
    } catch (error) {
      if (error instanceof BudgetExceededError) throw refuse('budget_exhausted', error.message)
      if (error instanceof DuplicateChargeError) throw refuse('charged_before', error.message)
      throw error
    }
    return { release, level, rho: rational.format(cost) }
  })
  const year = date.slice(0, 4)
  const before = state.account.year === year ? state.account : { rho: rational.zero, days: 0 }
  state.account = { year, rho: rational.add(before.rho, account.spent(unit)), days: before.days + 1 }
  day.charge = 'pending'
  state.dirty.add(headRow)
  return [
    append(state, { kind: 'charge', domain: domain.name, zone: domain.zone, date, charges, policy: day.plan.digest }),
    append(state, {
      kind: 'checkpoint',
      domain: domain.name,
      date,
      rhoYear: rational.format(state.account.rho),
      days: state.account.days,
      seals: state.seals,
    }),
  ]
}

function append(state: ReleaseState, entry: LedgerEntry): LedgerRecord {
  const link = appendLink(state.head, entry)
  state.head = headOf(link)
  return link
}

function refuse(reason: HaltReason, sentence: string): HaltError {
  const action = 'Nothing was released; look at the policy and at release.ledger before going on.'
  return releaseHalt(reason, sentence, action)
}
