import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { minutes } from '../../operators/contract/clock.ts'
import { dayNamed, gridSeals } from '../../operators/privacy/release/day-grid.ts'
import { planDay } from '../../operators/privacy/release/day-plan.ts'
import { type ReleasePolicy, resolvePolicy } from '../../operators/privacy/release/policy.ts'
import { sealedDigest } from '../../operators/privacy/release/seal.ts'
import type { ReleaseTotalsOptions } from '../../operators/privacy/release-totals.ts'
import type { BoundedWh } from '../../schemas/bounded.ts'
import type { Channel } from '../../schemas/interval-reading.ts'
import type { LoadPartial, PartialCell, Phase } from '../../schemas/load-partial.ts'
import { sealName } from './release-checker.ts'
import {
  domain,
  groups,
  partial,
  policyWith,
  type ReleaseOperator,
  registerOf,
  releaseOperator,
  testKeyring,
} from './release-fixtures.ts'

/** One bounded value as it truly was: where and when it was received, and what it adds. */
export interface JournalEntry {
  readonly source: number
  /** Hour of the day, 0 to 23. */
  readonly hour: number
  /** Minutes from the end of the hour to the receipt. */
  readonly delay: number
  readonly channel: Channel
  readonly feeder: 'feeder-1' | 'feeder-2'
  readonly wh: number
}

export const journalDate = '2026-01-15'
const day = dayNamed(domain.timeZone, journalDate)
const following = dayNamed(domain.timeZone, '2026-01-16')

/** Hourly windows and few groups keep a day short. */
export const journalPolicy = policyWith({ windowSeconds: 3_600 })
export const journalGroups = groups.filter(({ level, group }) => level === 'utility' || /feeder-[12]/.test(group))

export const journalOperator = (options: Partial<ReleaseTotalsOptions> = {}): ReleaseOperator =>
  releaseOperator({ policy: journalPolicy, register: registerOf(journalGroups), ...options })

/** Up to thirty values of one day, received at once, within the grace, late, or too late. */
export const journals: fc.Arbitrary<readonly JournalEntry[]> = fc.array(
  fc.record({
    source: fc.integer({ min: 0, max: 1 }),
    hour: fc.integer({ min: 0, max: 23 }),
    delay: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(19, 20, 21), fc.integer({ min: 0, max: 2_000 })),
    channel: fc.constantFrom('import' as const, 'export' as const),
    feeder: fc.constantFrom('feeder-1' as const, 'feeder-2' as const),
    wh: fc.integer({ min: 0, max: 5_000 }),
  }),
  { maxLength: 30 },
)

const windowOf = ({ hour }: JournalEntry): number => day.start + hour * minutes(60)
const receivedAt = (entry: JournalEntry): number => windowOf(entry) + minutes(60 + entry.delay)

/** The rule of the phase, told once more: by the value alone. */
export function phaseOf(entry: JournalEntry): Phase | undefined {
  if (entry.delay < 20) return 'preliminary'
  return receivedAt(entry) < Date.parse('2026-01-16T06:00+01:00') ? 'late' : undefined
}

export type PhaseRule = (entry: JournalEntry, progressBefore: number) => Phase | undefined

/**
 * What [readings] writes for a journal: per source partition the values in order of receipt, cut into batches of the
 * given sizes, with a batch before the first value and one far behind the last.
 */
export function partialsOf(
  journal: readonly JournalEntry[],
  sizes: readonly number[],
  rule: PhaseRule = phaseOf,
): readonly (readonly LoadPartial[])[] {
  return [0, 1].map((source) => {
    const entries = journal.filter((entry) => entry.source === source).sort((a, b) => receivedAt(a) - receivedAt(b))
    const partials = [partial(source, 1, day.start + 1_000)]
    for (let at = 0, n = 0; at < entries.length; n++) {
      const batch = entries.slice(at, at + sizes[n % sizes.length]!)
      at += batch.length
      const before = partials.at(-1)!.progress
      const cells = batch.flatMap((entry) => cellsOf(entry, rule(entry, before)))
      partials.push(partial(source, partials.length + 1, Math.max(before, receivedAt(batch.at(-1)!)), cells))
    }
    const end = Math.max(partials.at(-1)!.progress, following.start + minutes(6 * 60))
    return [...partials, partial(source, partials.length + 1, end)]
  })
}

/** Merges the two streams: `turns` says whose batch comes next; the first batch of both leads. */
export function interleave(streams: readonly (readonly LoadPartial[])[], turns: readonly number[]): LoadPartial[] {
  const [a, b] = [[...streams[0]!], [...streams[1]!]]
  const merged = [a.shift()!, b.shift()!]
  for (let n = 0; a.length > 0 || b.length > 0; n++) {
    const first = turns[n % turns.length] === 0 ? a : b
    merged.push((first.length > 0 ? first : first === a ? b : a).shift()!)
  }
  return merged
}

function cellsOf(entry: JournalEntry, phase: Phase | undefined): PartialCell[] {
  if (!phase) return []
  const { channel, wh, feeder } = entry
  return (['utility', 'feeder'] as const).map((level) => ({
    level,
    group: level === 'utility' ? 'utility-1' : feeder,
    channel,
    phase,
    window: windowOf(entry),
    windowSeconds: 3_600,
    date: journalDate,
    boundedWh: wh as BoundedWh,
    exactWh: wh,
    count: 1,
    shared: 0,
    largestWh: wh,
    secondWh: 0,
    thirdWh: 0,
  }))
}

/** The digest of every window and phase of the journal's day, worked out from the journal and the policy alone. */
export function trueDigests(
  journal: readonly JournalEntry[],
  policy: ReleasePolicy = journalPolicy,
): ReadonlyMap<string, Uint8Array> {
  const plan = planDay(resolvePolicy(policy), journalGroups)
  const digests = new Map<string, Uint8Array>()
  for (const phase of ['preliminary', 'late'] as const) {
    for (const seal of gridSeals(domain.timeZone, day, policy, phase)) {
      const inside = journal.filter(
        (entry) => phaseOf(entry) === phase && windowOf(entry) === seal.window && entry.channel === seal.channel,
      )
      const sums = plan.groups.map(({ level, group }, i) => {
        const values = inside
          .filter(({ feeder }) => level === 'utility' || feeder === group)
          .map(({ wh }) => wh)
          .sort((a, b) => b - a)
        const total = values.reduce((sum, wh) => sum + wh, 0)
        const [largestWh = 0, secondWh = 0, thirdWh = 0] = values
        const largest = { largestWh, secondWh, thirdWh }
        return [i, { boundedWh: total, exactWh: total, count: values.length, shared: 0, ...largest }] as const
      })
      const key = testKeyring.derived('ledger_digest', journalDate) ?? createSecretKey(Buffer.alloc(32))
      const open = {
        grid: day,
        plan,
        seals: { preliminary: [], late: [] },
        charge: 'open' as const,
        sealed: { preliminary: 0, late: 0 },
      }
      digests.set(sealName(seal), sealedDigest(key, open, seal, new Map(sums), { domain }))
    }
  }
  return digests
}
