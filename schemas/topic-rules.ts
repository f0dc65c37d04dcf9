import { rebuildDays, type TopicName } from './topics.ts'

/**
 * Topics of one count of partitions, because one task reads partition p of the one and writes partition p of the others:
 * the input and what follows it, a release domain, a group's forecasts.
 */
export const coPartitioned: readonly (readonly TopicName[])[] = [
  ['meter.frames', 'meter.rejected', 'meter.accepted', 'household.readings'],
  ['load.partials', 'load.state', 'release.ledger', 'publish.state'],
  ['load.public', 'forecast.state'],
]

/** Records name the one before by its hash: compaction would break the chain. */
export const chained: ReadonlySet<TopicName> = new Set(['meter.accepted', 'release.ledger', 'audit'])

/** Kept for ever, whatever anybody asks for: a release that is gone could be made a second time, with other noise. */
export const keptForEver: ReadonlySet<TopicName> = new Set(['release.ledger', 'load.public'])

/** Stamped by their producer, because the stamp is part of what is published; every other topic needs append times. */
export const producerStamped: ReadonlySet<TopicName> = new Set(['household.readings', 'load.public'])

/** A record's key alone decides its partition: with more partitions, a group's records would go on in another one. */
export const placedByKey: ReadonlySet<TopicName> = new Set(['meter.register', 'load.restricted', 'load.public'])

const day = 86_400_000

/**
 * The shortest retention in ms that the meaning of a topic bears, `Infinity` for ever. The changelog must reach back over
 * the horizon, within which a late interval is still accepted, and the slack for rebuilding.
 */
export function shortestRetentionMs(name: TopicName, horizonMs: number): number {
  if (keptForEver.has(name)) return Number.POSITIVE_INFINITY
  return name === 'meter.accepted' ? horizonMs + rebuildDays * day : 0
}
