// How many frames a second one process takes through [readings] on real Kafka, a registry and Redis on the same machine:
// consume, decode, deduplicate, pseudonymise, bound, produce in one transaction a batch. A day's frames are in meter.frames
// beforehand; the process runs them as `meterveil run readings` does, in one thread and, on services just as fresh, in two.
// The first third of a day warms it up. Beside it in the same run: the bare loop of the client (consume, offsets, send, commit,
// no work), and Kafka's own perf tools, which need Java 17 and Maven. Starts services of its own.

import { runInThreads } from '../../pipelines/cli/run-threads.ts'
import { silentObserver } from '../../pipelines/runtime/index.ts'
import { bareLoop } from '../kafka/bare-loop.ts'
import { deployFleet } from '../kafka/deployed-fleet.ts'
import { perfTools } from '../kafka/perf-tools.ts'
import { processorSeconds } from '../kafka/processor-time.ts'
import { type Figure, report } from '../report.ts'
import { stageTimes } from '../stage-times.ts'

const homes = Number(process.argv[2] ?? 6_000)
const partitions = Number(process.argv[3] ?? 4)

type Deployed = Awaited<ReturnType<typeof deployFleet>>
const pidsOf = ({ own }: Deployed, service: 'kafka' | 'redis') =>
  own.nodes(service).flatMap(({ process: one }) => (one ? [one.pid] : []))

/** Runs what lies in meter.frames. */
async function run(deployed: Deployed, frames: number, threads: number): Promise<Figure[] & { perSecond: number }> {
  const pids = (service: 'kafka' | 'redis') => pidsOf(deployed, service)
  const stages = stageTimes()
  const done = Promise.withResolvers<number>()
  const warmUp = frames / 3
  let processed = 0
  let left = frames
  let began = 0
  let cpu = process.cpuUsage()
  let broker = 0
  let redis = 0
  const running = await runInThreads({
    settings: deployed.settings,
    names: ['readings'],
    threads,
    observer: {
      ...silentObserver,
      batch: (...facts) => {
        // Neither the start of a thread nor code that is not yet compiled is what is measured.
        if (left > frames - warmUp) {
          left -= facts[2].records
          if (left > frames - warmUp) return
          began = performance.now()
          cpu = process.cpuUsage()
          broker = processorSeconds(pids('kafka'))
          redis = processorSeconds(pids('redis'))
          return
        }
        stages.observer.batch(...facts)
        processed += facts[2].records
        if (processed >= left) done.resolve(performance.now())
      },
    },
  })
  const ended = await Promise.race([done.promise, running.done.then(() => performance.now())])
  const seconds = (ended - began) / 1_000
  const used = process.cpuUsage(cpu)
  const perFrame = (s: number) => (s / processed) * 1e6
  const figures: Figure[] = [
    { name: `frames, threads ${threads}`, value: processed, unit: 'frames' },
    { name: `frames per second, threads ${threads}`, value: processed / seconds, unit: 'frames/s' },
    {
      name: `processor time per frame, threads ${threads}`,
      value: perFrame((used.user + used.system) / 1e6),
      unit: 'us',
    },
    { name: `of it in operators, threads ${threads}`, value: perFrame(stages.seconds()), unit: 'us' },
    {
      name: `of Kafka per frame, threads ${threads}`,
      value: perFrame(processorSeconds(pids('kafka')) - broker),
      unit: 'us',
    },
    {
      name: `of Redis per frame, threads ${threads}`,
      value: perFrame(processorSeconds(pids('redis')) - redis),
      unit: 'us',
    },
    ...(threads === 1 ? stages.figures(processed) : []),
  ]
  await running.stop()
  return Object.assign(figures, { perSecond: processed / seconds })
}

/** A day's frames on fresh services, by so many threads of this process. */
async function day(threads: number, beside?: (deployed: Deployed) => Promise<void>) {
  const deployed = await deployFleet({ homes, partitions })
  try {
    await beside?.(deployed)
    const { frames, bytes } = await deployed.append(deployed.fleet.arrivals())
    return { figures: await run(deployed, frames, threads), frameBytes: bytes / frames }
  } finally {
    await deployed.close()
  }
}

const one = await day(1)
const peers = Promise.withResolvers<{
  readonly bare: Awaited<ReturnType<typeof bareLoop>>
  readonly tools: Awaited<ReturnType<typeof perfTools>>
}>()
const two = await day(2, async ({ brokers, log }) => {
  const bare = await bareLoop({ brokers, prefix: 'bench', partitions, records: 250_000, bytes: 200 })
  const perfTopic = 'bench-perf'
  await log.createTopics([{ name: perfTopic, partitions, timestamps: 'append', cleanup: 'delete', retentionMs: null }])
  peers.resolve({
    bare,
    tools: await perfTools({ brokers: brokers.join(','), topic: perfTopic, records: 500_000, bytes: 200 }),
  })
})
const { bare, tools } = await peers.promise

const best = Math.max(one.figures.perSecond, two.figures.perSecond)
report('kafka-readings', [
  { name: 'bytes of a frame', value: one.frameBytes, unit: 'B' },
  { name: 'frames per second of one process', value: best, unit: 'frames/s', goal: '>= 40000' },
  { name: 'bare client loop, 200 bytes', value: bare.perSecond, unit: 'records/s' },
  { name: 'of the bare loop', value: (100 * best) / bare.perSecond, unit: '%', goal: '>= 45' },
  { name: 'processor time per record, bare loop', value: bare.cpuMicroseconds, unit: 'us' },
  { name: "Kafka's producer tool, 200 bytes", value: tools.producedPerSecond, unit: 'records/s' },
  { name: "Kafka's consumer tool, 200 bytes", value: tools.consumedPerSecond, unit: 'records/s' },
  ...one.figures,
  ...two.figures,
  { name: 'peak memory', value: process.resourceUsage().maxRSS / 1_024, unit: 'MiB' },
])
