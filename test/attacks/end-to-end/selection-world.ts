import { limitGroups, partitionSelection, rational } from 'diffprivlib-ts'
import { hours, minutes } from '../../../operators/contract/clock.ts'
import { type ReleasePolicy, type ResolvedPolicy, resolvePolicy } from '../../../operators/privacy/release/policy.ts'
import type { SelectionTerms } from '../../../operators/privacy/release/selection-terms.ts'
import { auditPolicy } from '../../../pipelines/simulation/audit-stage.ts'
import type { AuditHome, AuditReading, AuditWorld } from '../../../pipelines/simulation/audit-world.ts'
import type { Channel } from '../../../schemas/interval-reading.ts'
import { type Level, levels } from '../../../schemas/register-entry.ts'

/** What a world has that shows a selection. */
export interface SelectionWorld {
  /**
   * Whether anything is released on the day that differs: then the world begins two days before it, with so many homes that
   * every group is as good as certain to be selected. Default: the selection is all that is shown.
   */
  readonly values?: boolean
  /** Whether the audited home's reading at midday comes late. */
  readonly late?: boolean
  /** Households with the audited one, on the day that differs. Default: those at the edge of the threshold. */
  readonly households?: number
  /** Windows of the day on which the selection shows; with 0 the day that differs is the last. Default 1. */
  readonly windows?: number
}

/**
 * A policy that spends much of its cap on selecting, by default half, and a large delta: few homes then decide, and few runs
 * tell. What is left of the cap pays for the delta of a year of selections.
 */
export function selectionPolicy(rhoPerDay: string, share: string = '1/2'): ReleasePolicy {
  const left = rational.sub(rational.ratio(99n, 100n), rational.parse(share))
  const each = rational.format(rational.div(left, rational.integer(levels.length)))
  return {
    ...auditPolicy(rhoPerDay),
    delta: '1/10',
    shares: { utility: each, region: each, substation: each, feeder: each },
    selection: { share, delta: '1/20000', preThreshold: 5, pointsAtConnection: 1 },
  }
}

/** The probability with which a level shows a group of which so many households reported, by the terms of the policy. */
export function shownWith(resolved: ResolvedPolicy): (households: number) => number {
  const { epsilon, delta } = termsOf(resolved)
  const { groups } = limitGroups({ neighbours: 'add-remove', most: 1 })
  const { preThreshold } = resolved.policy.selection!
  const selection = partitionSelection({ neighbours: 'add-remove', groups, epsilon, delta, preThreshold })
  return (households) => rational.toNumber(selection.keepProbability(households), 'down')
}

/** What the selection of one level spends. Throws where the policy has none. */
export function termsOf({ selection }: ResolvedPolicy): SelectionTerms {
  if (!selection) throw new Error('the policy selects no groups')
  return selection
}

/** Households with the audited one at which one more or less tells most: the other way round is as likely without it. */
export function edgeOf(resolved: ResolvedPolicy): number {
  const shown = shownWith(resolved)
  let households = 1
  while (shown(households) + shown(households - 1) < 1) households += 1
  return households
}

/** The local day, from 0, on which the selection from the day that differs shows. */
export const shownOn = ({ values = false }: SelectionWorld): number => (values ? 4 : 2)

const start = Date.parse('2026-01-14T23:00:00Z')
const audited = 'home-0001'

/** The first instant of the day on which the selection shows. */
export const shownFrom = (world: SelectionWorld): number => start + shownOn(world) * hours(24)

/**
 * As many homes under one feeder as stand at the edge of the threshold on the day that differs: with the audited home every
 * group of the four levels is likelier shown than not, two days later, and likelier withheld without it. With values its
 * day reaches S at every level, half of it late, as in `exampleWorld`.
 */
export function selectionWorld(
  present: boolean,
  { values = false, late = false, windows = 1, households }: SelectionWorld,
  policy: ReleasePolicy,
): AuditWorld {
  const resolved = resolvePolicy(policy)
  const edge = households ?? edgeOf(resolved)
  const shown = shownWith(resolved)
  let everybody = edge
  while (values && shown(everybody) < 0.99999) everybody += 1
  const homes = Array.from({ length: everybody }, (_, i): AuditHome => {
    return { home: `home-${String(i + 1).padStart(4, '0')}`, feeder: 'feeder-1', fuseWhPerHour: 30_000 }
  })
  const reading = (home: string, channel: Channel, day: number, hour: number, wh: number, isLate = false) => {
    const from = start + day * hours(24) + hour * hours(1)
    const receivedAt = from + hours(1) + (isLate ? hours(15) : minutes(5))
    return { home, channel, start: from, durationSeconds: 3_600, wh, receivedAt }
  }
  const midday = (day: number, count: number): AuditReading[] =>
    homes.slice(1, count).map(({ home }, i) => reading(home, 'import', day, 12, 200 + (i % 50) * 10))
  const day = shownOn({ values }) - 2
  // Late values would come after a run that ends with the day that differs.
  const isLate = (hour: number): boolean => windows > 0 && hour % 2 === 1
  const full = Array.from({ length: 12 }, (_, i) => i + 1).flatMap((hour) => [
    reading(audited, 'import', day, hour, 6_013 + 7 * hour, isLate(hour)),
    reading(audited, 'export', day, hour, 6_007 + 11 * hour, isLate(hour)),
  ])
  const own = values ? full : [reading(audited, 'import', day, 12, 6_000, late)]
  // Time goes by what is received: the last of it is the same in both worlds, as it is where homes send all day.
  const last = reading(homes[1]!.home, 'import', day + 1, 5, 300)
  const readings = [...(values ? midday(0, everybody) : []), ...midday(day, edge), ...(present ? own : []), last]
  const until =
    windows === 0
      ? start + day * hours(24) + hours(13) + minutes(20)
      : shownFrom({ values }) + windows * hours(1) + minutes(20)
  return {
    name: present ? 'with' : 'without',
    timeZone: 'Europe/Berlin',
    from: start,
    until,
    registered: { 'feeder-1': 6_000 },
    homes,
    readings: readings.filter(({ receivedAt }) => receivedAt < until).sort((a, b) => a.receivedAt - b.receivedAt),
  }
}

/** The figure of a level: how many windows of the day on which the selection shows have a value. */
export const shownFigure = (level: Level): string => `shown ${level}`
