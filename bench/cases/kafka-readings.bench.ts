// How many frames a second one process takes through [readings] on real Kafka, a registry and Redis on the same machine:
// consume, decode, deduplicate, pseudonymise, bound, produce in one transaction a batch. The frames are in meter.frames
// beforehand; the process runs them as `meterveil run readings` does, half of them in one thread and half in two, and the
// first third of each half warms it up. Beside it in
// the same run: the bare loop of the client (consume, offsets, send, commit, no work), and Kafka's own perf tools, which need
// Java 17 and Maven. Starts services of its own.

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

const deployed = await deployFleet({ homes, partitions })
const { own, brokers, settings, fleet } = deployed
const pids = (service: 'kafka' | 'redis') => own.nodes(service).flatMap(({ process: one }) => (one ? [one.pid] : []))

const bare = await bareLoop({ brokers, prefix: 'bench', partitions, records: 250_000, bytes: 200 })

const perfTopic = 'bench-perf'
await deployed.log.createTopics([
  { name: perfTopic, partitions, timestamps: 'append', cleanup: 'delete', retentionMs: null },
])
const tools = await perfTools({ brokers: brokers.join(','), topic: perfTopic, records: 500_000, bytes: 200 })

/** Runs what lies in meter.frames and is not yet processed. */
async function run(frames: number, threads: number): Promise<Figure[] & { perSecond: number }> {
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
    settings,
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

const ticks = [...fleet.arrivals()]
const framesUpTo = (tick: number) => ticks.slice(0, tick).reduce((sum, { arrivals }) => sum + arrivals.length, 0)
const all = framesUpTo(ticks.length)
const middle = ticks.findIndex((_, tick) => framesUpTo(tick) > all / 2)
const half = await deployed.append(ticks.slice(0, middle))
const one = await run(half.frames, 1)
const rest = await deployed.append(ticks.slice(middle))
const two = await run(rest.frames, 2)
await deployed.close()

const best = Math.max(one.perSecond, two.perSecond)
report('kafka-readings', [
  { name: 'bytes of a frame', value: (half.bytes + rest.bytes) / (half.frames + rest.frames), unit: 'B' },
  { name: 'frames per second of one process', value: best, unit: 'frames/s', goal: '>= 40000' },
  { name: 'bare client loop, 200 bytes', value: bare.perSecond, unit: 'records/s' },
  { name: 'of the bare loop', value: (100 * best) / bare.perSecond, unit: '%', goal: '>= 45' },
  { name: 'processor time per record, bare loop', value: bare.cpuMicroseconds, unit: 'us' },
  { name: "Kafka's producer tool, 200 bytes", value: tools.producedPerSecond, unit: 'records/s' },
  { name: "Kafka's consumer tool, 200 bytes", value: tools.consumedPerSecond, unit: 'records/s' },
  ...one,
  ...two,
  { name: 'peak memory', value: process.resourceUsage().maxRSS / 1_024, unit: 'MiB' },
])
