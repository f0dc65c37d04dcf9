import { type Rational, rational } from 'diffprivlib-ts'
import type { EpochMs } from '../../../schemas/codec.ts'
import type { Channel } from '../../../schemas/interval-reading.ts'
import type { Phase } from '../../../schemas/load-partial.ts'
import type { StateRow } from '../../contract/operator.ts'
import type { LocalDay } from '../../window/local-day.ts'
import { type ChainHead, emptyHead } from '../ledger/chain.ts'
import type { GridSeal } from './day-grid.ts'
import { type DayPlan, type DayPlanData, planData } from './day-plan.ts'
import { type Reporting, reportingBody } from './reporting-row.ts'
import { emptySmoothing, type Smoothing, smoothingBody } from './smooth-rows.ts'
import type { SumTable } from './sums.ts'

/** How far one source partition has come. */
export interface SourcePosition {
  readonly seq: number
  readonly progress: EpochMs
}

/** A local day from the first sight of it until its late values are sealed. */
export interface OpenDay {
  readonly grid: LocalDay
  readonly plan: DayPlan
  readonly seals: Readonly<Record<Phase, readonly GridSeal[]>>
  /** `open`: written and committed; `pending`: emitted, its commit not yet known. */
  charge: 'none' | 'pending' | 'open'
  /** How many of `seals` are in the ledger. */
  readonly sealed: Record<Phase, number>
}

/** Charged over the calendar year so far. */
export interface YearAccount {
  readonly year: string
  readonly rho: Rational
  readonly days: number
}

/**
 * All that a release domain remembers. `dirty` names the rows that changed since they were last written; everything else
 * can be rebuilt from rows and ledger.
 */
export interface ReleaseState {
  head: ChainHead
  readonly sources: Map<number, SourcePosition>
  /** The first local day that may be released: that of the domain's progress when it was first known. */
  first: string | null
  /** The last day that has been opened, and the last one that is done. */
  openedThrough: string | null
  closedThrough: string | null
  account: YearAccount
  /** Seals in the whole ledger; `null` where the ledger was cut before they were counted. */
  seals: number | null
  /**
   * Through this local day an operator declared the ledger lost: its windows cannot be proven unreleased, and all stay
   * withheld.
   */
  unprovenThrough: string | null
  readonly days: Map<string, OpenDay>
  readonly windows: Map<string, { readonly date: string; readonly sums: SumTable }>
  /** Released preliminary values, by row, kept until the late seal. */
  readonly noisy: Map<string, NoisyBody>
  /** Who reported on days whose selection was not made yet, by date. */
  readonly reporting: Map<string, Reporting>
  smoothing: Smoothing
  readonly dirty: Set<string>
}

export function emptyState(): ReleaseState {
  return {
    head: emptyHead,
    sources: new Map(),
    first: null,
    openedThrough: null,
    closedThrough: null,
    account: { year: '', rho: rational.zero, days: 0 },
    seals: 0,
    unprovenThrough: null,
    days: new Map(),
    windows: new Map(),
    noisy: new Map(),
    reporting: new Map(),
    smoothing: emptySmoothing(),
    dirty: new Set(),
  }
}

export const headRow = 'head'
export const planRow = (date: string): string => `plan ${date}`
export const reportingRow = (date: string): string => `reporting ${date}`
const lengthIn = (coarserSeconds: number | null): string => (coarserSeconds === null ? '' : ` ${coarserSeconds}`)
/** Row of a window's sums, named by the window's start (ISO 8601), channel and phase, and the step where it is a coarser one. */
export const sumsRow = (
  window: EpochMs,
  channel: Channel,
  phase: Phase,
  coarserSeconds: number | null = null,
): string => `sums ${new Date(window).toISOString()} ${channel} ${phase}${lengthIn(coarserSeconds)}`
export const noisyRow = (window: EpochMs, channel: Channel, coarserSeconds: number | null = null): string =>
  `noisy ${new Date(window).toISOString()} ${channel}${lengthIn(coarserSeconds)}`

/** JSON bodies of the rows. Sums and noisy values are small arrays: position first, Wh and counts after it. */
export interface HeadBody {
  readonly seq: number
  readonly hash: string
  readonly sources: readonly (readonly [partition: number, seq: number, progress: EpochMs])[]
  readonly first: string | null
  readonly openedThrough: string | null
  readonly closedThrough: string | null
  readonly year: readonly [year: string, rho: string, days: number]
  /** Absent in rows from before seals were counted. */
  readonly seals?: number | null
  /** Absent where no ledger was ever declared lost. */
  readonly unprovenThrough?: string
  readonly days: readonly (readonly [date: string, charged: boolean, preliminary: number, late: number])[]
}
export type PlanBody = DayPlanData
export interface SumsBody {
  readonly date: string
  /** The third largest is absent in rows from before it was looked at. */
  readonly sums: readonly (readonly [
    at: number,
    bounded: number,
    exact: number,
    count: number,
    largest: number,
    second: number,
    third?: number,
  ])[]
}
/** Noisy and smoothed values of a window in the plan's order; `null` where withheld. */
export interface NoisyBody {
  readonly date: string
  readonly values: readonly (number | null)[]
  /** Absent in rows from before values were smoothed. */
  readonly smoothed?: readonly (number | null)[]
  /** Standard deviation of each smoothed value in whole Wh, rounded up. Absent in rows from before it was stated. */
  readonly spread?: readonly (number | null)[]
}

/** The rows that changed since the last call; a row whose content is gone is closed. */
export function changedRows(state: ReleaseState): readonly StateRow[] {
  const rows = [...state.dirty].sort().map((row) => ({ row, body: encode(bodyOf(state, row)) }))
  state.dirty.clear()
  return rows
}

function bodyOf(state: ReleaseState, row: string): object | undefined {
  if (row === headRow) return headBody(state)
  const day = row.startsWith('plan ') ? state.days.get(row.slice('plan '.length)) : undefined
  if (day) return planData(day.plan)
  const open = state.windows.get(row)
  if (open) {
    return {
      date: open.date,
      sums: [...open.sums].map(([at, s]) => {
        const row = [at, s.boundedWh, s.exactWh, s.count, s.largestWh, s.secondWh, s.thirdWh] as const
        return s.shared > 0 ? [...row, s.shared] : row
      }),
    }
  }
  const reporting = row.startsWith('reporting ') ? state.reporting.get(row.slice('reporting '.length)) : undefined
  if (reporting) return reportingBody(reporting)
  return state.noisy.get(row) ?? smoothingBody(state.smoothing, row)
}

function headBody(state: ReleaseState): HeadBody {
  return {
    seq: state.head.seq,
    hash: Buffer.from(state.head.hash).toString('hex'),
    sources: [...state.sources].sort(([a], [b]) => a - b).map(([p, { seq, progress }]) => [p, seq, progress] as const),
    first: state.first,
    openedThrough: state.openedThrough,
    closedThrough: state.closedThrough,
    year: [state.account.year, rational.format(state.account.rho), state.account.days],
    seals: state.seals,
    ...(state.unprovenThrough === null ? {} : { unprovenThrough: state.unprovenThrough }),
    days: [...state.days.values()].map(
      ({ grid, charge, sealed }) => [grid.date, charge !== 'none', sealed.preliminary, sealed.late] as const,
    ),
  }
}

function encode(body: object | undefined): Uint8Array | undefined {
  return body === undefined ? undefined : Buffer.from(JSON.stringify(body), 'utf8')
}
