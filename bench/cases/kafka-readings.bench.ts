// How many frames a second one process takes through [readings] on real Kafka, a registry and Redis on the same machine:
// consume, decode, deduplicate, pseudonymise, bound, produce in one transaction a batch. The frames are in meter.frames
// beforehand. Beside it in the same run: the bare loop of the client (consume, offsets, send, commit, no work), and Kafka's
// own perf tools. Uses the services named in the environment, or those of `npm run services up`.

import { kafkaLog } from '../../connectors/kafka/index.ts'
import { openRedisView } from '../../connectors/redis/index.ts'
import { confluentSchemaRegistry } from '../../connectors/registry/index.ts'
import { hours, virtualClock } from '../../operators/contract/clock.ts'
import { runningServices } from '../../pipelines/cli/services-addresses.ts'
import { allPipelines } from '../../pipelines/index.ts'
import { sealer } from '../../pipelines/runtime/index.ts'
import { run } from '../../pipelines/runtime/run.ts'
import { openWire } from '../../pipelines/runtime/wire.ts'
import { stagedLog } from '../../pipelines/simulation/staged-log.ts'
import { topicSpecs, topics } from '../../schemas/topics.ts'
import { createFleet } from '../fleet/index.ts'
import { bareLoop } from '../kafka/bare-loop.ts'
import { report } from '../report.ts'
import { stageTimes } from '../stage-times.ts'

const homes = Number(process.argv[2] ?? 6_000)
const partitions = Number(process.argv[3] ?? 4)
const start = Date.UTC(2026, 0, 12)
const end = start + hours(30.5)

const addresses = await runningServices()
const brokers = addresses.kafka.split(',')
const prefix = `bench-${Date.now()}`
const profileNames = { described: 'interval-30min', objects: 'interval-30min' }
const fleet = createFleet({ seed: 1, homes, start, partitions, profileNames })
const { entries, register, keyring } = fleet
const { zone, timeZone } = entries[0]!

const clock = virtualClock(start)
const log = stagedLog(kafkaLog({ brokers }), clock, prefix)
await log.createTopics(topicSpecs(partitions))
const registry = confluentSchemaRegistry({ url: addresses.registry })
const redis = new URL(addresses.redis)
const view = await openRedisView({ nodes: [{ host: redis.hostname, port: Number(redis.port) }], keyPrefix: prefix })
const wire = await openWire(registry, Object.values(topics))
let frames = 0
let bytes = 0
for (const { arrivals } of fleet.arrivals(end)) {
  const records = arrivals.map(({ partition, frame, receivedAt }) => ({
    topic: topics.meterFrames.name,
    partition,
    key: null,
    value: wire.encode(topics.meterFrames, frame),
    timestamp: receivedAt,
  }))
  bytes += records.reduce((sum, { value }) => sum + value.length, 0)
  await log.append(records)
  frames += arrivals.length
}
clock.moveTo(end)

const bare = await bareLoop({ brokers, prefix, partitions, records: frames, bytes: 200 })

const [readings] = await allPipelines({
  entries,
  register,
  keyring,
  registry,
  domain: { name: 'utility', zone, timeZone, partitions },
})
const stages = stageTimes()
let processed = 0
const done = Promise.withResolvers<void>()
const observer = {
  ...stages.observer,
  batch: (...args: Parameters<typeof stages.observer.batch>) => {
    stages.observer.batch(...args)
    processed += args[2].records
    if (processed >= frames) done.resolve()
  },
}
globalThis.gc?.()
const cpu = process.cpuUsage()
const wall = performance.now()
const ports = { log, view, registry, clock, seal: sealer(keyring) }
const running = await run(readings!, ports, { observer, partitions: Array.from({ length: partitions }, (_, i) => i) })
await Promise.race([done.promise, running.done])
const wallSeconds = (performance.now() - wall) / 1_000
const used = process.cpuUsage(cpu)
const seconds = (used.user + used.system) / 1e6
await running.stop()
await view.close()
await log.close()

report('kafka-readings', [
  { name: 'frames', value: frames, unit: 'frames' },
  { name: 'bytes of a frame', value: bytes / frames, unit: 'B' },
  { name: 'frames per second', value: frames / wallSeconds, unit: 'frames/s', goal: '>= 40000' },
  { name: 'bare client loop, 200 bytes', value: bare.perSecond, unit: 'records/s' },
  { name: 'of the bare loop', value: (100 * frames) / wallSeconds / bare.perSecond, unit: '%', goal: '>= 45' },
  { name: 'processor time per frame', value: (seconds / frames) * 1e6, unit: 'us' },
  { name: 'of it in operators', value: (stages.seconds() / frames) * 1e6, unit: 'us' },
  { name: 'processor time per record, bare loop', value: bare.cpuMicroseconds, unit: 'us' },
  { name: 'peak memory', value: process.resourceUsage().maxRSS / 1_024, unit: 'MiB' },
  ...stages.figures(frames),
])
