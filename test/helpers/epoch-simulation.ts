import { rational } from 'diffprivlib-ts'
import type { BoundedReadings } from '../../operators/contract/bounded-readings.ts'
import type { Envelope } from '../../operators/contract/operator.ts'
import { boundContributions } from '../../operators/privacy/bound-contributions.ts'
import { unpackRecords } from '../../operators/privacy/ledger/packed-records.ts'
import { partialSums } from '../../operators/privacy/partial-sums.ts'
import { dayNamed } from '../../operators/privacy/release/day-grid.ts'
import { type DatedPolicy, policyEpochs } from '../../operators/privacy/release/policy-epochs.ts'
import type { LedgerRecord } from '../../schemas/ledger-record.ts'
import type { LoadPartial } from '../../schemas/load-partial.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { type Level, levels } from '../../schemas/register-entry.ts'
import { topics } from '../../schemas/topics.ts'
import {
  type CellStore,
  contextOf,
  emitted,
  entryOf,
  halfHour,
  readingOf,
  readingsOf,
  runBatch,
} from '../operators/harness.ts'
import { group, publicCodec, registerOf, domain as twoSources } from './release-fixtures.ts'

export const domain = { ...twoSources, partitions: 1 }
export type Clip = Readonly<Record<Level, number>>
type ClipOn = (date: string) => Clip

/** One home is all that reports in this tree, so that every released sum is what it contributed. */
const names = { utility: 'utility-1', region: 'region-1', substation: 'substation-1', feeder: 'feeder-1' } as const
const home = entryOf(1, { timeZone: domain.timeZone, groups: names })
export const register = registerOf(
  levels.map((level, i) => group(level, names[level], i === 0 ? null : names[levels[i - 1]!], 20_000)),
)

/** A value of the home: when its half hour began, when it came in. */
export interface Reported {
  readonly start: number
  readonly receivedAt: number
  readonly wh: number
}

/** Every half hour of some local days, with more load than any bound allows; every fourth value comes five hours late. */
export function heavyDays(first: string, last: string): readonly Reported[] {
  const [from, to] = [dayNamed(domain.timeZone, first).start, dayNamed(domain.timeZone, last).end]
  const step = halfHour * 1_000
  return Array.from({ length: (to - from) / step }, (_, n): Reported => {
    const start = from + n * step
    const delay = n % 4 === 3 ? 5 * 3_600_000 : 5_000
    return { start, receivedAt: start + step + delay, wh: 3_000 + ((n * 797) % 3_000) }
  })
}

/** What [readings] does with a batch: the bounds that it takes, and those that it says it took. */
export interface Bounding {
  readonly takes: ClipOn
  readonly says: ClipOn
  /** The rule for C that it says it took. */
  readonly capRule?: (date: string) => string
}

/** The bounds of a policy, as [readings] takes and states them. */
export function boundingOf(policy: DatedPolicy): Bounding {
  const { clipOn, capRuleOn } = policyEpochs(policy)
  return { takes: clipOn, says: clipOn, capRule: capRuleOn }
}

/** One batch of [readings] for every half hour of arrival; `by` may differ from batch to batch, as it does over a restart. */
export function partialsOf(reported: readonly Reported[], by: (at: number) => Bounding): readonly LoadPartial[] {
  const store: CellStore = new Map()
  const slot = halfHour * 1_000
  const slots = new Map<number, Reported[]>()
  for (const each of reported) {
    const at = Math.floor(each.receivedAt / slot) * slot
    slots.set(at, [...(slots.get(at) ?? []), each])
  }
  const [first, last] = [Math.min(...slots.keys()), Math.max(...slots.keys())]
  // Seven hours of silence at the end make the late values of the last day fall due.
  const count = (last - first) / slot + 1 + 14
  return Array.from({ length: count }, (_, n): LoadPartial => {
    const at = first + n * slot
    const { takes, says, capRule } = by(at)
    const frames = (slots.get(at) ?? [])
      .toSorted((a, b) => a.receivedAt - b.receivedAt)
      .map(({ start, receivedAt, wh }) => readingsOf(home, [readingOf(start, { energyWh: wh })], { receivedAt }))
    const bounded = runBatch(boundContributions({ clip: takes, windowSeconds: halfHour }), frames, { store })
    const kept = bounded.flatMap((outcome): Envelope<BoundedReadings>[] =>
      outcome.kind === 'emit' ? [{ value: outcome.value as BoundedReadings, origin: outcome.from.origin }] : [],
    )
    const keptFrom = Math.floor(at / 86_400_000) - 1
    const context = contextOf({ seq: n + 1, progress: at + slot, keptFrom })
    const stating = partialSums({ clip: says, ...(capRule ? { capRule } : {}) })
    const [sums] = emitted<LoadPartial>(runBatch(stating, kept, { context }))
    const { codec } = topics.loadPartials
    return codec.decode(codec.encode(sums!))
  })
}

/** All public records that a ledger seals, in its order. */
export const recordsOf = (ledger: readonly LedgerRecord[]): readonly (LoadPublic & { readonly date: string })[] =>
  ledger.flatMap((link) =>
    link.kind === 'seal'
      ? unpackRecords(link.records, link.hash, link.count).map(({ bytes }) => ({
          ...publicCodec.decode(bytes),
          date: link.date,
        }))
      : [],
  )

/**
 * What is wrong with the release of `heavyDays` under bounds that are said here day by day: nothing if every window is
 * shown and states the S and the noise of its day, and the home's two vectors of each day have a norm of at most that S,
 * and nearly that.
 */
export function faultsOf(ledger: readonly LedgerRecord[], clips: ReadonlyMap<string, Clip>): readonly string[] {
  const faults = new Set<string>()
  const squares = new Map<string, number>()
  const early = new Map<string, number>()
  for (const record of recordsOf(ledger)) {
    const { date, level, channel, window, phase, rawWh, privacy } = record
    const clip = clips.get(date)
    if (clip === undefined) continue
    const day = `${date} ${level}`
    if (rawWh === null) faults.add(`${day}: withheld`)
    if (privacy.clipWh !== clip[level]) faults.add(`${day}: states S = ${privacy.clipWh}`)
    const one = rational.mul(rational.integer(2), rational.parse(privacy.rho))
    const sigma2 = rational.div(rational.integer(BigInt(clip[level]) ** 2n), one)
    const draws = rational.integer(phase === 'final' ? 2 : 1)
    if (rational.format(rational.mul(draws, sigma2)) !== privacy.sigma2) faults.add(`${day}: states another noise`)
    const name = `${day} ${channel} ${window}`
    const before = phase === 'final' ? (early.get(name) ?? 0) : 0
    if (phase === 'preliminary') early.set(name, rawWh ?? 0)
    squares.set(day, (squares.get(day) ?? 0) + ((rawWh ?? before) - before) ** 2)
  }
  for (const [date, clip] of clips) {
    for (const level of levels) {
      const used = (squares.get(`${date} ${level}`) ?? 0) / clip[level] ** 2
      if (used > 1) faults.add(`${date} ${level}: beyond its bound`)
      if (used < 0.9) faults.add(`${date} ${level}: far below its bound`)
    }
  }
  return [...faults].sort()
}
