import { createHmac, type KeyObject } from 'node:crypto'
import type { LoadPublic, PublicFlag } from '../../../schemas/load-public.ts'
import { canonical } from '../ledger/canonical.ts'
import { appendLink, headOf, type LedgerEntry } from '../ledger/chain.ts'
import { releaseHalt } from '../ledger/halts.ts'
import { packRecords, unlinkedHash } from '../ledger/packed-records.ts'
import { consistencyOf } from './consistent.ts'
import type { GridSeal } from './day-grid.ts'
import type { PlannedGroup } from './day-plan.ts'
import type { ReleaseOutput, ReleaseTools } from './domain.ts'
import { termsOver } from './policy.ts'
import { groupName } from './restricted/group-name.ts'
import { restrictedRecords } from './restricted.ts'
import { smoothWithSpread } from './smooth.ts'
import { expectedLate, smoothLate } from './smooth-late.ts'
import { filtersRow, lateSharesRow } from './smooth-rows.ts'
import { headRow, noisyRow, type OpenDay, type ReleaseState, sumsRow } from './state.ts'
import { emptySum, type GroupSum } from './sums.ts'
import { isUnproven } from './unproven.ts'
import { unsteadyOn } from './unsteady.ts'

/** The sums of the window that is sealed, by position of the group in the day's plan. Empty groups have none. */
type WindowSums = ReadonlyMap<number, GroupSum>

/**
 * Seals the next window of a phase: draws the noise, once, and makes the ledger link that holds the bytes to publish and
 * a keyed digest of what was sealed. From here on nothing can be added to the window in this phase. Answers the link and
 * the restricted aggregates.
 */
export function sealWindow(
  state: ReleaseState,
  day: OpenDay,
  seal: GridSeal,
  tools: ReleaseTools,
): readonly ReleaseOutput[] {
  const { domain, keyring, published } = tools
  const { policy } = day.plan.resolved
  const row = sumsRow(seal.window, seal.channel, seal.phase, seal.coarserSeconds)
  const sums: WindowSums = new Map(state.windows.get(row)?.sums)
  const key = keyring.derived('ledger_digest', day.grid.date)
  if (!key) {
    throw releaseHalt(
      'key_missing',
      `the key ring has no ledger key for ${day.grid.date}`,
      'Put the key into the key ring; nothing is sealed without it.',
    )
  }
  const digest = sealedDigest(key, day, seal, sums, tools)
  const values = noisyValues(state, day, seal, sums, tools)
  // Longer windows are of some groups alone: they neither add up with the others nor follow what is smoothed.
  const isOwn = seal.coarserSeconds === null
  const none = values.map(() => null)
  const consistent = isOwn ? consistencyOf(day.plan).estimate(values) : none
  const { smoothed, spread } = isOwn
    ? smoothedValues(state, day, seal, { values, consistent }, tools)
    : { smoothed: none, spread: none }
  const isLate = seal.phase === 'late'
  const toCome = isLate ? none : expectedLate(state.smoothing.lateShares[seal.channel], day.plan, smoothed)
  const records = publicRecords(day, seal, { values, consistent, smoothed, spread, toCome }, state.head.seq + 1)
  const entry: LedgerEntry = {
    kind: 'seal',
    domain: domain.name,
    zone: domain.zone,
    date: day.grid.date,
    window: seal.window,
    windowSeconds: seal.windowSeconds,
    channel: seal.channel,
    phase: seal.phase,
    tick: seal.tick,
    digest,
    count: records.length,
    records: packRecords(
      records.map((record) => ({ key: published.key(record) ?? '', bytes: published.codec.encode(record) })),
    ),
  }
  const link = appendLink(state.head, entry)
  state.head = headOf(link)
  day.sealed[seal.phase] += 1
  if (state.seals !== null) state.seals += 1
  state.windows.delete(row)
  state.dirty.add(row).add(headRow)
  keepValues(state, day, seal, { values, smoothed, spread })
  const window = { ...pick(seal), windowSeconds: policy.windowSeconds }
  // Of the register that is in force now: the plan is as old as the first sight of the day.
  const unsteady = isOwn ? unsteadyOn(state, day.grid, tools, 'values') : undefined
  const unproven = isUnproven(state, day.grid.date)
  const restricted = isOwn ? restrictedRecords(day.plan, window, sums, { unsteady, unproven }) : []
  return [{ to: 'ledger', record: link }, ...restricted.map((record) => ({ to: 'restricted', record }) as const)]
}

function pick({ channel, phase, window }: GridSeal): Pick<GridSeal, 'channel' | 'phase' | 'window'> {
  return { channel, phase, window }
}

/** HMAC-SHA-256 of every sum of the window in the plan's order, bound to domain, day, window, phase and plan. */
export function sealedDigest(
  key: KeyObject,
  day: OpenDay,
  { window, windowSeconds, coarserSeconds, channel, phase }: GridSeal,
  sums: WindowSums,
  { domain }: Pick<ReleaseTools, 'domain'>,
): Uint8Array {
  const writer = canonical('meterveil/sealed-sums/1')
  writer.text(domain.name).text(domain.zone).text(day.grid.date).integer(window).text(channel).text(phase)
  writer.bytes(day.plan.digest).integer(day.plan.groups.length)
  for (let i = 0; i < day.plan.groups.length; i++) {
    const sum = sums.get(i) ?? emptySum
    writer.integer(sum.boundedWh).integer(sum.exactWh).integer(sum.count).integer(sum.largestWh).integer(sum.secondWh)
  }
  if (coarserSeconds !== null) writer.text('windows').integer(windowSeconds)
  const digest = createHmac('sha256', key).update(writer.finish()).digest()
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.length)
}

/**
 * Sum plus a fresh draw per group in the plan's order; `null` where the register says that the group is withheld. The
 * late values are the preliminary noisy values plus the noisy late increment: both were drawn under one clip, so the sum
 * costs nothing further.
 */
function noisyValues(
  state: ReleaseState,
  day: OpenDay,
  seal: GridSeal,
  sums: WindowSums,
  { noise }: ReleaseTools,
): (number | null)[] {
  const before =
    seal.phase === 'late' ? state.noisy.get(noisyRow(seal.window, seal.channel, seal.coarserSeconds)) : undefined
  if (seal.phase === 'late' && before?.values.length !== day.plan.groups.length) {
    throw releaseHalt(
      'state_behind',
      `load.state lost the preliminary values of a window of ${day.grid.date}`,
      'Restore load.state together with release.ledger; do not delete either.',
    )
  }
  return day.plan.groups.map((group, i) => {
    if (!isShownIn(group, seal)) return null
    const sealed = BigInt(sums.get(i)?.boundedWh ?? 0) + BigInt(before?.values[i] ?? 0)
    return wholeNumber(sealed + noise.gaussian(termsOver(day.plan.resolved, group.level, seal.windows).sigma2))
  })
}

/** Whether a group has a value in the windows of a seal: in the policy's, or in the longer ones it is released in instead. */
function isShownIn({ withheld, coarserSeconds }: PlannedGroup, seal: GridSeal): boolean {
  if (seal.coarserSeconds === null) return withheld === null
  return coarserSeconds === seal.coarserSeconds && withheld !== 'withheld_unproven'
}

function wholeNumber(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new RangeError('a released value is not a safe integer')
  return number
}

type Values = readonly (number | null)[]

/**
 * Smoothed values from released ones, in the plan's order. The late ones are the preliminary ones plus the smoothed late
 * increment; `null` where the preliminary ones were not smoothed. `spread` holds their standard deviations in whole Wh,
 * rounded up; the errors of the two parts are taken for independent, as their noise is.
 */
function smoothedValues(
  state: ReleaseState,
  { plan, grid }: OpenDay,
  { window, channel, phase }: GridSeal,
  { values, consistent }: { readonly values: Values; readonly consistent: Values },
  { domain: { timeZone } }: ReleaseTools,
): Readonly<Record<'smoothed' | 'spread', Values>> {
  const { smoothing } = state
  const { windowSeconds } = plan.resolved.policy
  const filters = filtersRow(channel, windowSeconds, (window - grid.start) / (windowSeconds * 1_000))
  if (filters !== undefined) state.dirty.add(filters)
  if (phase === 'preliminary') {
    smoothing.through[channel] = window
    const known = { plan, timeZone, window, consistent }
    const made = smoothWithSpread(smoothing.filters[channel], known, smoothing.gains)
    return { smoothed: made.smoothed, spread: deviations(made.spread) }
  }
  state.dirty.add(lateSharesRow(channel))
  const before = state.noisy.get(noisyRow(window, channel))
  const base = before?.smoothed ?? values.map(() => null)
  const increments = values.map((value, i) => (value === null ? null : value - (before?.values[i] ?? 0)))
  const late = smoothLate(smoothing.lateShares[channel], plan, base, consistencyOf(plan).estimate(increments))
  return {
    smoothed: late.smoothed.map((value, i) => (value === null ? null : value + (base[i] ?? 0))),
    spread: deviations(late.spread.map((variance, i) => variance + (before?.spread?.[i] ?? Number.NaN) ** 2)),
  }
}

/** Roots of variances in whole Wh, rounded up; `null` where there is none. */
function deviations(variances: Float64Array): Values {
  const made: (number | null)[] = []
  for (const variance of variances) made.push(Number.isNaN(variance) ? null : Math.ceil(Math.sqrt(variance)))
  return made
}

/** The preliminary values are needed once more, for the late seal. */
function keepValues(
  state: ReleaseState,
  day: OpenDay,
  seal: GridSeal,
  kept: Readonly<Record<'values' | 'smoothed' | 'spread', Values>>,
): void {
  const row = noisyRow(seal.window, seal.channel, seal.coarserSeconds)
  if (seal.phase === 'preliminary') state.noisy.set(row, { date: day.grid.date, ...kept })
  else state.noisy.delete(row)
  state.dirty.add(row)
}

/** Half-width of the 95 % interval around a value with this standard deviation and rounded to whole Wh; `null` without one. */
function halfOf(value: number | null | undefined, deviation: number | null | undefined): number | null {
  if (value == null || deviation == null || Number.isNaN(deviation)) return null
  return Math.ceil(1.959964 * deviation) + 1
}

/** Both are rounded up, so what knows more could seem to know less by 1 Wh. */
const atMost = (most: number, half: number | null): number | null => (half === null ? null : Math.min(most, half))

/** What is told of a window, in the plan's order. */
type Told = Readonly<Record<'values' | 'consistent' | 'smoothed' | 'spread' | 'toCome', Values>>

/**
 * The public records of a window in the plan's order, with the place for their ledger hash still empty: of every group, or
 * of those that are released in its longer windows.
 */
function publicRecords(
  day: OpenDay,
  seal: GridSeal,
  { values, consistent, smoothed, spread, toCome }: Told,
  ledgerSeq: number,
): readonly LoadPublic[] {
  const { resolved, groups } = day.plan
  const { channel, window, windowSeconds, coarserSeconds } = seal
  const late = seal.phase === 'late'
  const draws = late ? 2 : 1
  const { variances } = consistencyOf(day.plan)
  return groups.flatMap((group, i): LoadPublic[] => {
    if (coarserSeconds !== null && group.coarserSeconds !== coarserSeconds) return []
    const terms = termsOver(resolved, group.level, seal.windows)
    const shown = values[i] ?? null
    return [
      {
        level: group.level,
        group: group.group,
        parent: group.parent,
        channel,
        phase: late ? 'final' : 'preliminary',
        window,
        windowSeconds,
        rawWh: shown,
        consistentWh: consistent[i] ?? null,
        smoothedWh: smoothed[i] ?? null,
        half50Wh: shown === null ? null : terms.half[draws].half50Wh,
        half95Wh: shown === null ? null : terms.half[draws].half95Wh,
        consistentHalf95Wh: atMost(terms.half[draws].half95Wh, halfOf(consistent[i], Math.sqrt(draws * variances[i]!))),
        smoothedHalf95Wh: halfOf(smoothed[i], spread[i]),
        expectedLateWh: toCome[i] ?? null,
        flags: flagsOf(group, seal, shown === null),
        mergedInto: shown === null ? holderOf(groups, group) : null,
        registered: group.registered,
        privacy: terms.statement[draws],
        ledgerSeq,
        ledgerHash: unlinkedHash,
      },
    ]
  })
}

function flagsOf({ withheld, coarserSeconds }: PlannedGroup, seal: GridSeal, isWithheld: boolean): PublicFlag[] {
  const flags: PublicFlag[] = []
  if (isWithheld && withheld) flags.push(withheld)
  if (isWithheld && coarserSeconds !== null && seal.coarserSeconds === null && withheld !== 'withheld_unproven') {
    flags.push('coarser_windows')
  }
  if (seal.phase === 'late') flags.push('late_increment_added')
  return flags
}

/** The name of the group that a withheld one is merged into. */
function holderOf(groups: readonly PlannedGroup[], { mergedInto }: PlannedGroup): string | null {
  const into = mergedInto === null ? undefined : groups[mergedInto]
  return into ? groupName(into.level, into.group) : null
}
