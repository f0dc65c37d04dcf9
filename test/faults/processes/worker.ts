import { readFileSync, writeSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { deserialize } from 'node:v8'
import { fleetKeyring } from '../../../bench/fleet/keys.ts'
import { fleetRegister } from '../../../bench/fleet/register.ts'
import { kafkaLog } from '../../../connectors/kafka/index.ts'
import { openRedisView } from '../../../connectors/redis/index.ts'
import { confluentSchemaRegistry } from '../../../connectors/registry/index.ts'
import { type VirtualClock, virtualClock } from '../../../operators/contract/clock.ts'
import { type NoiseSource, secureNoise } from '../../../operators/privacy/release/noise.ts'
import { localDay } from '../../../operators/window/local-day.ts'
import { allPipelines } from '../../../pipelines/index.ts'
import { type Observer, type Ports, type Probe, run, sealer } from '../../../pipelines/runtime/index.ts'
import { stagedLog } from '../../../pipelines/simulation/staged-log.ts'
import type { RegisterEntry } from '../../../schemas/register-entry.ts'
import { topicSpecs } from '../../../schemas/topics.ts'
import type { Order, Report, Strike, WorkerSettings } from './orders.ts'
import { follow } from './wrong-protocols.ts'

/*
 * One worker of the fault tests: a process that runs the real pipelines over real services under the supervisor's clock,
 * and strikes itself down where it was told to. Nothing of this can be reached from the command.
 */

const tell = (report: Report): void => {
  process.send?.(report)
}
/** What would stand in a worker's own log; written at once, so that a kill loses none of it. */
const note = (text: string): void => {
  writeSync(2, `${new Date().toISOString()} ${process.pid} ${text}\n`)
}

let strike: Strike | undefined
let passed = 0
const arm = (next: Strike | undefined): void => {
  strike = next
  passed = 0
}
const pass = (pipeline: string, step: Strike['step'], at: Strike['at']): void => {
  if (!strike || strike.pipeline !== pipeline || strike.step !== step || strike.at !== at) return
  passed += 1
  if (passed < strike.nth) return
  const { signal } = strike
  arm(undefined)
  process.kill(process.pid, signal)
}

const probe: Probe = ({ pipeline, partition, step, at }) => {
  pass(pipeline, step, at)
  if (step === 'commit' && at === 'after') tell({ kind: 'committed', pipeline, partition, at: Date.now() })
}

/** Real noise, whose drawing is a moment too. */
function noticedNoise(): NoiseSource {
  const source = secureNoise()
  return {
    gaussian: (sigma2) => {
      pass('load', 'draw', 'before')
      const drawn = source.gaussian(sigma2)
      pass('load', 'draw', 'after')
      return drawn
    },
  }
}

const fates: Record<string, number> = {}
const observer: Observer = {
  batch: (pipeline, _partition, facts) => {
    if (pipeline !== 'readings') return
    for (const [fate, count] of facts.fates) fates[fate] = (fates[fate] ?? 0) + count
  },
  transaction: (pipeline, outcome) => {
    if (outcome !== 'committed') note(`${pipeline}: transaction ${outcome}`)
  },
  settled: (pipeline, partitions) => note(`${pipeline}: ${partitions} partitions`),
  assignment: (pipeline, partition, step) => note(`${pipeline}[${partition}]: ${step}`),
  retry: (pipeline, partition, error) => note(`${pipeline}[${partition}]: again after ${error.message}`),
  halted: (pipeline, error) => note(`${pipeline}: halted: ${error.stack ?? error.message}`),
}

let clock: VirtualClock | undefined
let stop: (() => void) | undefined
let proceed = Promise.withResolvers<void>()

async function work(settings: WorkerSettings, entries: readonly RegisterEntry[]): Promise<void> {
  const { brokers, redis, prefix, seed, partitions, groupPartitions, policy, ordinal, task, wrong } = settings
  const { sessionTimeoutMs, deadlineMs, redisTimeoutMs } = settings
  const stopping = Promise.withResolvers<void>()
  stop = stopping.resolve
  const client = kafkaLog({ brokers, sessionTimeoutMs, deadlineMs, requestTimeoutMs: deadlineMs, ...settings.client })
  const log = stagedLog(client, clock!, prefix)
  await log.createTopics(stageTopics(partitions, groupPartitions))
  const view = await openRedisView({ nodes: [redis], keyPrefix: prefix, timeoutMs: redisTimeoutMs })
  const registry = confluentSchemaRegistry({ url: settings.registry })
  const keyring = fleetKeyring(seed)
  const { zone, timeZone } = entries[0]!
  const domain = { name: 'utility', zone, timeZone, partitions }
  const register = fleetRegister(entries)
  const noise = noticedNoise()
  // From before the first frame, and the same in each life of the worker.
  const attributesSince = localDay(timeZone, entries[0]!.validFrom).date.slice(0, 7)
  const options = { entries, register, keyring, registry, domain, policy, noise, attributesSince }
  const pipelines = await allPipelines(options)
  const chosen = pipelines.filter(({ name }) => settings.pipelines?.includes(name) ?? true)
  const right: Ports = { log, view, registry, clock: clock!, seal: sealer(keyring) }
  const held = (where: string) => {
    proceed = Promise.withResolvers<void>()
    tell({ kind: 'waiting', where })
    return proceed.promise
  }
  const ports = wrong ? await follow(wrong, right, { redis, prefix, held }) : right
  const running = await Promise.all(
    chosen.map(async (pipeline, turn) => {
      const options = { observer, probe, task }
      if (!ordinal) return run(pipeline, ports, options)
      const count = await log.partitions(pipeline.source.name)
      const all = Array.from({ length: count }, (_, partition) => partition)
      const own = all.filter((partition) => (partition + turn) % ordinal.of === ordinal.index)
      return run(pipeline, ports, { ...options, partitions: own })
    }),
  )
  tell({ kind: 'running' })
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  await Promise.race([stopping.promise, ...running.map(({ done }) => done)])
  await Promise.all(running.map((one) => one.stop()))
  tell({ kind: 'fates', fates })
  note(`the event loop stood still for ${Math.round(delay.max / 1e6)} ms at the longest`)
  await view.close()
  await client.close()
}

/** Every topic of a stage; nothing of it grows too old, since a stage may lie days back. */
function stageTopics(partitions: number, groupPartitions: number) {
  return topicSpecs(partitions, { groupPartitions }).map((spec) => ({ ...spec, retentionMs: null }))
}

let settings: WorkerSettings | undefined
let entries: readonly RegisterEntry[] = []

const obey = (order: Order): void => {
  if (order.kind === 'settings') {
    settings = order.settings
    entries = deserialize(readFileSync(settings.register)) as RegisterEntry[]
    tell({ kind: 'ready' })
  } else if (order.kind === 'run') {
    clock = virtualClock(order.now)
    arm(order.strike)
    work(settings!, entries).then(
      () => process.exit(0),
      (error: Error) => {
        note(`ended: ${error.name}: ${error.stack ?? error.message}`)
        process.exit(error.name === 'HaltError' ? 3 : 4)
      },
    )
  } else if (order.kind === 'strike') arm(order.strike ?? undefined)
  else if (order.kind === 'time') {
    clock?.moveTo(order.now)
    tell({ kind: 'time', id: order.id })
  } else if (order.kind === 'proceed') proceed.resolve()
  else stop?.()
}

process.on('message', obey)
process.on('disconnect', () => process.exit(0))
// The first asks it to drain, the second to end at once.
let asked = 0
process.on('SIGTERM', () => {
  asked += 1
  if (asked > 1) process.exit(143)
  stop?.()
})
