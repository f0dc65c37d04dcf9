import { unpackRecords } from '../../operators/privacy/ledger/packed-records.ts'
import { verifyLedger } from '../../operators/privacy/ledger/verify.ts'
import type { GroupSelector } from '../../operators/privacy/release/noise.ts'
import { type ReleasePolicy, resolvePolicy } from '../../operators/privacy/release/policy.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../schemas/load-partial.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { type DrivenLog, type DriveOptions, drive } from './release-driver.ts'
import {
  cell,
  countingNoise,
  partial,
  policyWith,
  publicCodec,
  publicKey,
  releaseOperator,
} from './release-fixtures.ts'

const each = '1187/5000'
/** What a selection spends in these tests. */
export const selection = { share: '1/20', delta: '1/100000000000', preThreshold: 100, pointsAtConnection: 1 }
/** The default policy with a selection of groups, and shares that leave room for it. */
export const selecting = (changes: Partial<ReleasePolicy> = {}): ReleasePolicy =>
  policyWith({ shares: { utility: each, region: each, substation: each, feeder: each }, selection, ...changes })

const days = ['2026-01-15', '2026-01-16', '2026-01-17', '2026-01-18'] as const

/** Values of the first day. */
export interface Reported {
  /** Window as `HH:MM`, values that begin it, and when they come in. */
  readonly window?: string
  readonly count: number
  readonly group?: string
  readonly channel?: 'import' | 'export'
  readonly late?: boolean
}

/** Four days over which some values of the first come in. */
export function partials(reported: readonly Reported[]): readonly LoadPartial[] {
  const [first] = days
  const cellsOf = (window: string, late: boolean) =>
    reported
      .filter((value) => (value.window ?? '12:00') === window && (value.late ?? false) === late)
      .map(({ count, group = 'feeder-1', channel = 'import' }) =>
        cell(`${first}T${window}`, 0, { count, group, channel, phase: late ? 'late' : 'preliminary' }),
      )
  const windows = [...new Set(reported.map(({ window = '12:00' }) => window))].sort()
  const steps: (readonly [string, LoadPartial['cells']])[] = [
    [`${first}T00:10`, []],
    ...windows.map((window) => [`${first}T${window.slice(0, 3)}40`, cellsOf(window, false)] as const),
    ['2026-01-16T05:50', windows.flatMap((window) => cellsOf(window, true))],
    ...days.slice(1).flatMap((day) => [[`${day}T07:00`, []] as const, [`${day}T12:55`, []] as const]),
  ]
  return steps.flatMap(([at, cells], n) => [partial(0, n + 1, at, cells), partial(1, n + 1, at)])
}

/** Keeps whoever reaches the threshold, and says what it was asked. */
export function recordingSelector() {
  const asked: { readonly preThreshold: number; readonly counts: ReadonlyMap<string, number> }[] = []
  const select: GroupSelector = ({ preThreshold }, counts) => {
    asked.push({ preThreshold, counts })
    return [...counts].filter(([, count]) => count >= preThreshold).map(([name]) => name)
  }
  const told = (name: string) => asked.flatMap(({ counts }) => counts.get(name) ?? [])
  return { select, asked, told }
}

/** Drives the operator with a selection over the four days. */
export const run = (reported: readonly Reported[], select: GroupSelector, rest: Partial<DriveOptions> = {}) =>
  drive({
    operator: releaseOperator({ policy: selecting(), noise: { ...countingNoise(), select } }),
    partials: partials(reported),
    ...rest,
  })

/** Names of the groups that have a value in any record of each day. */
export function shownOn({ ledger }: Pick<DrivenLog, 'ledger'>): ReadonlyMap<string, readonly string[]> {
  const shown = new Map<string, Set<string>>()
  for (const [date, records] of recordsOf(ledger)) {
    const names = shown.get(date) ?? new Set()
    for (const { group, rawWh } of records) if (rawWh !== null) names.add(group)
    shown.set(date, names)
  }
  return new Map([...shown].map(([date, names]) => [date, [...names].sort()]))
}

/** The public records of each seal, with its local day. */
export const recordsOf = (ledger: readonly LedgerRecord[]): readonly (readonly [string, readonly LoadPublic[]])[] =>
  ledger.flatMap((link) =>
    link.kind === 'seal'
      ? [
          [
            link.date,
            unpackRecords(link.records, link.hash, link.count).map(({ bytes }) => publicCodec.decode(bytes)),
          ] as const,
        ]
      : [],
  )

/** What the check of a ledger finds in it. */
export const faultsOf = (ledger: readonly LedgerRecord[]): readonly string[] => {
  const faults: string[] = []
  const { cap } = resolvePolicy(selecting())
  const verifier = verifyLedger({
    published: { key: publicKey, decode: (bytes) => publicCodec.decode(bytes) },
    cap,
    found: ({ fault }) => faults.push(fault),
  })
  for (const link of ledger) verifier.follow(link)
  verifier.finish()
  return [...new Set(faults)]
}
