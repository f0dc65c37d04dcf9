import type { Log, SchemaRegistry } from '../../connectors/contract.ts'
import { memoryStateView } from '../../connectors/memory/index.ts'
import { hours, minutes, systemClock } from '../../operators/contract/clock.ts'
import { load } from '../../pipelines/load.ts'
import { publish } from '../../pipelines/publish.ts'
import { runAll } from '../../pipelines/runtime/index.ts'
import type { AnyTopic } from '../../pipelines/runtime/stream.ts'
import { openWire } from '../../pipelines/runtime/wire.ts'
import type { LoadPartial } from '../../schemas/load-partial.ts'
import type { LoadPublic } from '../../schemas/load-public.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'
import { eventually } from '../conformance/log-harness.ts'
import { berlin, cell, domain, group, partial, registerOf, releaseOptions } from './release-fixtures.ts'

/** Groups of a released feeder, one that is too small, and one that is too noisy. */
const groups = [
  group('utility', 'utility-1', null, 6_500),
  group('feeder', 'feeder-1', 'utility-1', 6_000),
  group('feeder', 'feeder-2', 'utility-1', 60),
  group('feeder', 'feeder-3', 'utility-1', 440),
]
/** Public records of one seal. */
export const perSeal = groups.length

/**
 * Runs [load] and [publish] themselves over a log: two days charged, the first sealed in both phases, everything published.
 * Answers how many seals there are.
 */
export async function releaseOver(log: Log, registry: SchemaRegistry): Promise<number> {
  const start = berlin('2026-01-15T00:00')
  await log.createTopics(topicSpecs(1))
  const all = [topics.loadPublic, topics.loadPartials, topics.releaseLedger].map((topic) => topic as AnyTopic)
  const wire = await openWire(registry, all)
  const codec = {
    ...topics.loadPublic.codec,
    encode: (value: LoadPublic) => wire.encode(topics.loadPublic, value),
    decode: (bytes: Uint8Array) => wire.decode(topics.loadPublic, bytes) as LoadPublic,
  }
  const partials = Array.from({ length: 62 }, (_, n): LoadPartial[] => {
    const progress = start + (n + 1) * minutes(30)
    const window = progress - hours(1)
    const date = window < start + hours(24) ? '2026-01-15' : '2026-01-16'
    const cells = window < start ? [] : [cell(`${date}T00:00`, 100_000 + n, { window, date })]
    return [partial(0, n + 1, progress, cells), partial(1, n + 1, progress)]
  }).flat()
  await log.append(
    partials.map((value) => ({
      topic: 'load.partials',
      partition: 0,
      key: null,
      value: wire.encode(topics.loadPartials, value),
      headers: { 'privacy-label': topics.loadPartials.label },
    })),
  )
  const published = { ...topics.loadPublic, codec }
  const running = await runAll(
    [load({ ...releaseOptions({ register: registerOf(groups) }), published }), publish({ codec, domain: domain.name })],
    { log, view: memoryStateView(), registry, clock: systemClock, seal: (bytes) => bytes },
    { partitions: [0] },
  )
  // Both phases of the first day, and the windows of the second that were due before 6:40.
  const seals = 2 * 2 * 48 + 2 * 13
  await eventually('every seal is published', async () => {
    const copies = await copiesIn(log)
    return copies >= seals * perSeal
  })
  await running.stop()
  return seals
}

async function copiesIn(log: Log): Promise<number> {
  const { first, end } = await log.bounds('load.public', 0, 'read_committed')
  const reader = await log.read('load.public', 0, first, 'read_committed')
  let count = 0
  try {
    for (let next = first; next < end; ) {
      const fetched = await reader.poll({ maxRecords: 10_000, maxBytes: 16_000_000, waitMs: 100 })
      count += fetched.records.length
      next = fetched.next
    }
    return count
  } finally {
    await reader.close()
  }
}
