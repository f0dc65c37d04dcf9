import type { TopicSpec } from '../contract.ts'
import type { Configs } from './topology.ts'

/** Settings that decide what a topic's records mean: a topic that has others is not the one that was asked for. */
export const meaningOf = ({ timestamps, cleanup, retentionMs }: TopicSpec): Configs => ({
  'message.timestamp.type': timestamps === 'append' ? 'LogAppendTime' : 'CreateTime',
  'cleanup.policy': cleanup,
  'retention.ms': retentionMs === null ? '-1' : String(retentionMs),
})

/** Fewest replicas that must hold a record before it counts as written: one may fail without loss, and none stops writing. */
export const minInsyncReplicas = (replicationFactor: number): number => (replicationFactor >= 3 ? 2 : 1)

/**
 * Everything that is set on a topic when it is created. Whatever the brokers' defaults are, records go by age alone, a
 * replica that lacks records never becomes leader, and a producer's stamps are taken as they are: a local date begins up to
 * 14 hours before the UTC date of its name, and Kafka 4 refuses stamps more than an hour ahead. What is compacted is so
 * within hours: by default a broker leaves a segment of up to 1 GB or a week alone, and who reads the topic at its start
 * would read every row that was ever written. What others write is stored as it was before they compressed it: our reader
 * knows neither Snappy nor LZ4, and ciphered frames hardly become smaller.
 */
export const configsOf = (spec: TopicSpec): Configs => ({
  ...meaningOf(spec),
  'retention.bytes': '-1',
  'unclean.leader.election.enable': 'false',
  'max.message.bytes': '1048588',
  ...(spec.timestamps === 'create'
    ? { 'message.timestamp.before.max.ms': '9223372036854775807', 'message.timestamp.after.max.ms': '86400000' }
    : {}),
  ...(spec.writtenBy === 'others' ? { 'compression.type': 'uncompressed' } : {}),
  ...(spec.cleanup === 'compact'
    ? { 'segment.ms': '3600000', 'segment.bytes': '67108864', 'min.cleanable.dirty.ratio': '0.1' }
    : {}),
})

/** Settings of which more is as good. */
const atLeast: ReadonlySet<string> = new Set([
  'max.message.bytes',
  'min.insync.replicas',
  'message.timestamp.before.max.ms',
  'message.timestamp.after.max.ms',
])

/** Settings of which less is as good. */
const atMost: ReadonlySet<string> = new Set(['segment.ms', 'segment.bytes', 'min.cleanable.dirty.ratio'])

/** How a topic may be compressed for our reader; `producer` leaves it to whoever writes. */
const readable: ReadonlySet<string> = new Set(['uncompressed', 'gzip', 'zstd'])

const parts = (list: string): string =>
  list
    .split(',')
    .map((part) => part.trim())
    .sort()
    .join()

/** Whether a topic's setting is as good as the declared one. */
export function isKept(name: string, declared: string, actual: string | undefined): boolean {
  if (actual === undefined) return false
  if (name === 'cleanup.policy') return parts(declared) === parts(actual)
  if (name === 'compression.type') return readable.has(actual)
  if (atMost.has(name)) return Number(actual) <= Number(declared)
  return atLeast.has(name) ? BigInt(actual) >= BigInt(declared) : declared === actual
}

/** Retention of `retention.ms` in ms, `Infinity` for ever. */
export const retentionOf = ({ 'retention.ms': text }: Configs): number => {
  const ms = Number(text)
  return text === undefined || ms < 0 ? Number.POSITIVE_INFINITY : ms
}
