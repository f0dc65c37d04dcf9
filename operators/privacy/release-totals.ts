import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../schemas/load-partial.ts'
import { type Accumulating, accumulatingLowering, type Spec } from '../contract/operator.ts'
import { type LocalDay, localDay } from '../window/local-day.ts'
import { absorb, openDay } from './release/absorb.ts'
import { chargeDay } from './release/charge.ts'
import { dayAfter, dayNamed, type GridSeal } from './release/day-grid.ts'
import type { ReleaseDomain, ReleaseOutput, ReleaseTools } from './release/domain.ts'
import { defaultPolicy } from './release/policy.ts'
import { type DatedPolicy, policyEpochs } from './release/policy-epochs.ts'
import { closeReporting, noteReporting, withSelection } from './release/reporting.ts'
import { restoreState } from './release/restore.ts'
import { sealWindow } from './release/seal.ts'
import { gainSource } from './release/smooth-model.ts'
import { changedRows, headRow, noisyRow, type OpenDay, planRow, type ReleaseState, sumsRow } from './release/state.ts'

export type { ReleaseDomain, ReleaseOutput } from './release/domain.ts'

export const releaseTotalsSpec = { name: 'releaseTotals', drops: [], rejects: [] } as const satisfies Spec

export interface ReleaseTotalsOptions extends Omit<ReleaseTools, 'policyOn'> {
  /** The domain whose ledger this is. Required. */
  readonly domain: ReleaseDomain
  /** What is released and what it costs; takes effect on days that are not in sight yet. Default `defaultPolicy`. */
  readonly policy?: DatedPolicy
  /** The local day through which an operator declared the ledger lost; asked at every restore. Default: none. */
  readonly unproven?: (() => string | undefined) | undefined
  /** Most windows sealed in one transaction, which bounds its size. Default 8. */
  readonly sealsPerStep?: number
}

/**
 * Adds up bounded values per group and window and releases each window once per phase, with exact discrete Gaussian
 * noise: the preliminary sum at window end + grace, and the late increment at the next day's cut-off.
 *
 * *Order*: a local day is charged as soon as it comes into sight, in a transaction of its own; its windows are sealed only
 * after that is committed (`process` answers `more`). Windows fall due by the least progress of all source partitions, in
 * the order of the grid, every group every window, also empty ones.
 * *State*: what is sealed is decided by each value's own phase, so neither batch borders nor restarts change a sum. Rows
 * that `changed` answers must be written in the transaction of what was emitted with them.
 * *Privacy*: noise is drawn once, in `process`; the bytes to publish lie in the ledger link. Days before the first charge
 * are not released. Pure but for the injected noise source.
 *
 * Throws HaltError where a promise is broken (see `absorb`, `chargeDay`, `restoreState`), PolicyError at construction.
 */
export function releaseTotals(options: ReleaseTotalsOptions) {
  const { domain, policy = defaultPolicy, sealsPerStep = 8 } = options
  const tools: ReleaseTools = { ...options, policyOn: policyEpochs(policy).on }
  const gains = gainSource()
  const step: Accumulating<LoadPartial, ReleaseOutput, ReleaseState> = {
    spec: releaseTotalsSpec,
    // With gains of its own a restart would work out anew what the calendar alone decides.
    restore: (rows, history) =>
      restoreState(rows, history as readonly LedgerRecord[], domain, options.unproven?.(), gains),
    process: (batch, state, out, { whole }) => {
      // A call after the one that emitted a charge means that the charge is committed.
      for (const day of state.days.values()) if (day.charge === 'pending') day.charge = 'open'
      for (const { value } of batch) {
        absorb(state, value, tools)
        if (state.first === null) begin(state, domain)
      }
      const progress = domainProgress(state, domain)
      if (progress === undefined) return 'done'
      const charges = chargeDays(state, tools)
      for (const record of charges) out.emit(whole, { to: 'ledger', record })
      if (charges.length > 0) return 'more'
      for (let sealed = 0; sealed < sealsPerStep; sealed++) {
        const next = nextDue(state, progress)
        if (!next) return 'done'
        // The selection is committed with the first seal that follows it.
        const day = withSelection(state, next.day, tools)
        noteReporting(state, day, next.seal, tools)
        for (const output of sealWindow(state, day, next.seal, tools)) out.emit(whole, output)
        if (day.sealed.late === day.seals.late.length) closeDay(state, day)
      }
      return nextDue(state, progress) ? 'more' : 'done'
    },
    changed: changedRows,
  }
  return accumulatingLowering('pseudonymous', 'aggregate')(step)
}

/** Least progress of all source partitions; undefined until each has been heard of. */
function domainProgress({ sources }: ReleaseState, { partitions }: ReleaseDomain): number | undefined {
  if (sources.size < partitions) return undefined
  const least = Math.min(...[...sources.values()].map(({ progress }) => progress))
  return least > 0 ? least : undefined
}

/**
 * Fixes the first day that may be released, as soon as the domain's progress is known, and forgets what came in for days
 * before it.
 */
function begin(state: ReleaseState, domain: ReleaseDomain): void {
  const progress = domainProgress(state, domain)
  if (progress === undefined) return
  const first = localDay(domain.timeZone, progress).date
  state.first = first
  state.dirty.add(headRow)
  for (const early of [...state.days.keys()].filter((date) => date < first)) {
    state.days.delete(early)
    state.dirty.add(planRow(early))
    for (const [row, open] of state.windows) {
      if (open.date !== early) continue
      state.windows.delete(row)
      state.dirty.add(row)
    }
  }
}

/** Charges every day up to the newest that any source partition has reached, without a gap. */
function chargeDays(state: ReleaseState, tools: ReleaseTools): readonly LedgerRecord[] {
  const { timeZone } = tools.domain
  const furthest = Math.max(...[...state.sources.values()].map(({ progress }) => progress))
  const through = localDay(timeZone, furthest).date
  if (through === state.openedThrough) return []
  const links: LedgerRecord[] = []
  let day: LocalDay =
    state.openedThrough === null
      ? dayNamed(timeZone, state.first!)
      : dayAfter(timeZone, dayNamed(timeZone, state.openedThrough))
  for (; day.date <= through; day = dayAfter(timeZone, day)) {
    links.push(...chargeDay(state, state.days.get(day.date) ?? openDay(state, day, tools), tools.domain))
    state.openedThrough = day.date
  }
  return links
}

/** The seal that fell due first among those not made yet. */
function nextDue(state: ReleaseState, progress: number): { day: OpenDay; seal: GridSeal } | undefined {
  let found: { day: OpenDay; seal: GridSeal } | undefined
  for (const day of state.days.values()) {
    if (day.charge !== 'open') continue
    // Late values add to preliminary ones, so a day's late seals wait for all of its preliminary ones.
    const seal = day.seals.preliminary[day.sealed.preliminary] ?? day.seals.late[day.sealed.late]
    if (seal && seal.due <= progress && (!found || seal.due < found.seal.due)) found = { day, seal }
  }
  return found
}

/** Both phases of every window are sealed: nothing of the day is needed any more. */
function closeDay(state: ReleaseState, { grid, seals }: OpenDay): void {
  state.days.delete(grid.date)
  state.closedThrough = grid.date
  state.dirty.add(headRow).add(planRow(grid.date))
  closeReporting(state, grid.date)
  for (const { window, channel, phase, coarserSeconds } of seals.late) {
    state.windows.delete(sumsRow(window, channel, phase, coarserSeconds))
    state.noisy.delete(noisyRow(window, channel, coarserSeconds))
  }
}
