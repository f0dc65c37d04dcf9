import { type Rational, rational } from 'diffprivlib-ts'
import type { Channel } from '../../../schemas/interval-reading.ts'
import type { LedgerCharge, LedgerCheckpoint, LedgerRecord, LedgerSeal } from '../../../schemas/ledger-record.ts'
import { phases } from '../../../schemas/load-partial.ts'
import type { StateRow } from '../../contract/operator.ts'
import { type ChainHead, emptyHead, headOf, sameBytes, verifyChain } from '../ledger/chain.ts'
import { behindHalt, releaseHalt } from '../ledger/halts.ts'
import type { HaltReason } from '../ledger/reasons.ts'
import { dayOf } from './absorb.ts'
import { dayNamed } from './day-grid.ts'
import { planFromData } from './day-plan.ts'
import type { ReleaseDomain } from './domain.ts'
import { tellsWhoReported } from './reporting.ts'
import { type ReportingBody, reportingFrom } from './reporting-row.ts'
import { type GainSource, gainSource } from './smooth-model.ts'
import { emptySmoothing, type PastWindow, restoreSmoothing } from './smooth-rows.ts'
import {
  emptyState,
  type HeadBody,
  headRow,
  type NoisyBody,
  noisyRow,
  type OpenDay,
  type PlanBody,
  planRow,
  type ReleaseState,
  type SumsBody,
} from './state.ts'
import { sumTable } from './sums.ts'
import { provenPlan } from './unproven.ts'

/**
 * Rebuilds the state of a domain from the rows of load.state and the links of release.ledger. The two must agree: on the
 * head, on what is charged and with which frozen plan, and on every seal of the days still open. The ledger may begin
 * later than its first link, but not after the charge of the oldest open day; where it begins at a checkpoint, the totals
 * go on from there and are held to as well. Throws HaltError where anything is missing, altered or behind: a lost ledger or
 * state is never begun anew. HistoryBehindError where the ledger alone ends too early. Days up to `unprovenThrough`, for
 * which an operator declared the ledger lost, stay withheld from here on. `gains` may have served states before.
 */
export function restoreState(
  rows: readonly StateRow[],
  history: readonly LedgerRecord[],
  domain: ReleaseDomain,
  unprovenThrough?: string,
  gains: GainSource = gainSource(),
): ReleaseState {
  const head = checkedHead(history, domain)
  const bodies = new Map(rows.flatMap(({ row, body }) => (body === undefined ? [] : [[row, body] as const])))
  const state = emptyState()
  state.smoothing = emptySmoothing(gains)
  const said = read<HeadBody>(bodies.get(headRow))
  state.unprovenThrough =
    [said?.unprovenThrough, unprovenThrough]
      .filter((day) => day !== undefined)
      .sort()
      .at(-1) ?? null
  if (!said) {
    if (bodies.size > 0 || history.length > 0) halt('load.state is gone or has no head, but the ledger is not empty')
    return state
  }
  if (said.seq > head.seq) {
    throw behindHalt(
      'state_behind',
      `load.state stands at ledger link ${said.seq}, but release.ledger ends at ${head.seq}`,
      remedy,
    )
  }
  if (said.seq !== head.seq || said.hash !== Buffer.from(head.hash).toString('hex')) {
    halt(`load.state stands at ledger link ${said.seq}, release.ledger ends at ${head.seq}, or their hashes differ`)
  }
  state.head = head
  for (const [partition, seq, progress] of said.sources) state.sources.set(partition, { seq, progress })
  state.first = said.first
  state.openedThrough = said.openedThrough
  state.closedThrough = said.closedThrough
  state.account = { year: said.year[0], rho: rational.parse(said.year[1]), days: said.year[2] }
  for (const [date, charged, preliminary, late] of said.days) {
    const plan = read<PlanBody>(bodies.get(planRow(date)))
    if (!plan) halt(`load.state lost the frozen plan of ${date}`)
    const day = dayOf(domain.timeZone, dayNamed(domain.timeZone, date), provenPlan(state, date, planFromData(plan)))
    day.charge = charged ? 'open' : 'none'
    day.sealed.preliminary = preliminary
    day.sealed.late = late
    state.days.set(date, day)
  }
  for (const [row, body] of bodies) restoreRow(state, row, body)
  state.smoothing = restoreSmoothing(bodies, pastWindows(state), domain.timeZone, gains)
  const links = byDate(history)
  for (const day of state.days.values()) {
    checkDay(day, links.get(day.grid.date))
    checkSelection(day, state)
  }
  checkTotals(state, said, history)
  return state
}

/**
 * Whether a restore from `rows` may begin to read the ledger at `link`: a checkpoint that counts seals, from before the
 * oldest day that is still open, so that every charge and seal of the open days lies behind it.
 */
export function mayBeginAt(link: LedgerRecord, rows: readonly StateRow[]): boolean {
  if (link.kind !== 'checkpoint' || link.seals === null) return false
  const said = read<HeadBody>(rows.find(({ row }) => row === headRow)?.body)
  const oldest = said?.days.map(([date]) => date).sort()[0] ?? said?.openedThrough
  return oldest !== undefined && oldest !== null && link.date < oldest
}

function checkedHead(history: readonly LedgerRecord[], domain: ReleaseDomain): ChainHead {
  const first = history[0]
  const before = first && first.seq > 1 ? { seq: first.seq - 1, hash: first.prev } : emptyHead
  const verdict = verifyChain(history, before, domain.name)
  if (!verdict.ok) halt(`release.ledger is broken at link ${verdict.seq}: ${verdict.fault}`, 'ledger_broken')
  const last = history.at(-1)
  return last ? headOf(last) : emptyHead
}

function restoreRow(state: ReleaseState, row: string, body: Uint8Array): void {
  if (row.startsWith('sums ')) {
    const { date, sums } = read<SumsBody>(body)!
    const entries = sums.map(
      ([at, boundedWh, exactWh, count, largestWh, secondWh, thirdWh = secondWh, shared = 0]) =>
        [at, { boundedWh, exactWh, count, shared, largestWh, secondWh, thirdWh }] as const,
    )
    state.windows.set(row, { date, sums: sumTable(entries) })
  } else if (row.startsWith('noisy ')) state.noisy.set(row, read<NoisyBody>(body)!)
  else if (row.startsWith('reporting ')) {
    state.reporting.set(row.slice('reporting '.length), reportingFrom(read<ReportingBody>(body)!))
  }
}

/** The preliminary windows whose values are still kept, oldest first. */
function pastWindows({ days, noisy }: ReleaseState): Readonly<Record<Channel, readonly PastWindow[]>> {
  const of = (channel: Channel): PastWindow[] =>
    [...days.values()]
      .flatMap(({ plan, seals }) =>
        seals.preliminary.flatMap((seal): PastWindow[] => {
          const isOwn = seal.channel === channel && seal.coarserSeconds === null
          const kept = isOwn ? noisy.get(noisyRow(seal.window, channel)) : undefined
          if (!kept) return []
          const smoothed = kept.smoothed ?? kept.values.map(() => null)
          return [{ window: seal.window, plan, values: kept.values, smoothed }]
        }),
      )
      .sort((a, b) => a.window - b.window)
  return { import: of('import'), export: of('export') }
}

interface DayLinks {
  readonly charges: LedgerCharge[]
  readonly seals: LedgerSeal[]
}

function byDate(history: readonly LedgerRecord[]): ReadonlyMap<string, DayLinks> {
  const days = new Map<string, DayLinks>()
  for (const link of history) {
    if (link.kind === 'checkpoint') continue
    const day = days.get(link.date) ?? { charges: [], seals: [] }
    if (link.kind === 'charge') day.charges.push(link)
    else day.seals.push(link)
    days.set(link.date, day)
  }
  return days
}

function checkDay(day: OpenDay, links: DayLinks = { charges: [], seals: [] }): void {
  const { date } = day.grid
  const charged = links.charges.length
  if (charged !== (day.charge === 'open' ? 1 : 0)) {
    halt(`release.ledger holds ${charged} charges of ${date}, load.state says ${day.charge}`)
  }
  if (links.charges[0] && !sameBytes(links.charges[0].policy, day.plan.digest)) {
    halt(`${date} was charged with another policy or other groups than load.state holds`)
  }
  for (const phase of phases) {
    const seals = links.seals.filter((seal) => seal.phase === phase)
    const expected = day.seals[phase].slice(0, day.sealed[phase])
    const agrees =
      seals.length === expected.length &&
      seals.every(({ window, windowSeconds, channel }, i) => {
        const due = expected[i]!
        return window === due.window && windowSeconds === due.windowSeconds && channel === due.channel
      })
    if (!agrees) halt(`release.ledger and load.state differ in which ${phase} windows of ${date} are sealed`)
  }
}

/** What was drawn once must not be drawn anew: a day with seals knows its selection, and who reported once it is past midday. */
function checkSelection(day: OpenDay, { reporting }: ReleaseState): void {
  const { plan, seals, sealed, grid } = day
  if (!plan.resolved.selection) return
  if (!plan.selected && sealed.preliminary + sealed.late > 0) {
    halt(`load.state lost which groups of ${grid.date} were selected`)
  }
  const told = phases.some((phase) => seals[phase].slice(0, sealed[phase]).some((seal) => tellsWhoReported(day, seal)))
  if (told && !reporting.has(grid.date)) halt(`load.state lost who reported on ${grid.date}`)
}

/** The cost of the year and the number of seals must come out of the ledger, from its first link or a checkpoint on. */
function checkTotals(state: ReleaseState, said: HeadBody, history: readonly LedgerRecord[]): void {
  const { year } = state.account
  const from = totalsFrom(year, history)
  if (from) {
    const behind = history.slice(from.at)
    const charges = behind.filter(
      (link): link is LedgerCharge => link.kind === 'charge' && link.date.startsWith(`${year}-`),
    )
    const spent = charges
      .flatMap((link) => link.charges.map(({ rho }) => rational.parse(rho)))
      .reduce(rational.add, from.rho)
    if (rational.compare(spent, state.account.rho) !== 0 || charges.length + from.days !== state.account.days) {
      halt(`the charges of ${year} in release.ledger are not those that load.state counts`)
    }
    state.seals = from.seals === null ? null : from.seals + behind.filter(({ kind }) => kind === 'seal').length
  } else state.seals = null
  if (said.seals === undefined || said.seals === null) return
  if (state.seals !== null && state.seals !== said.seals) {
    halt(`release.ledger holds ${state.seals} seals, load.state counts ${said.seals}`)
  }
  state.seals = said.seals
}

interface Totals {
  readonly at: number
  readonly rho: Rational
  readonly days: number
  readonly seals: number | null
}

/** Nothing before the first link; what a checkpoint states behind it; unknown in a ledger that was cut and has none. */
function totalsFrom(year: string, history: readonly LedgerRecord[]): Totals | undefined {
  if (history.length === 0 || history[0]!.seq === 1) return { at: 0, rho: rational.zero, days: 0, seals: 0 }
  const at = history.findIndex(({ kind }) => kind === 'checkpoint')
  if (at < 0) return undefined
  const { date, rhoYear, days, seals } = history[at] as LedgerCheckpoint
  const sameYear = date.startsWith(`${year}-`)
  return { at: at + 1, rho: sameYear ? rational.parse(rhoYear) : rational.zero, days: sameYear ? days : 0, seals }
}

function read<T>(body: Uint8Array | undefined): T | undefined {
  return body === undefined ? undefined : (JSON.parse(Buffer.from(body).toString('utf8')) as T)
}

const remedy = 'Restore load.state and release.ledger together from one point in time; delete neither.'

function halt(sentence: string, reason: HaltReason = 'state_behind'): never {
  throw releaseHalt(reason, sentence, remedy)
}
