import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { composeRecord, composeUp, hasCompose } from './compose.ts'
import { ServicesError } from './errors.ts'
import { type FetchContext, seconds } from './fetch.ts'
import { kafka } from './kafka.ts'
import { withLock } from './lock.ts'
import { alive, startProcess } from './process.ts'
import { tail } from './program.ts'
import { redis } from './redis.ts'
import { registry } from './registry.ts'
import type { PrepareContext, Service } from './service.ts'
import {
  type NodeRecord,
  type NodeSpec,
  readRecord,
  type ServiceName,
  type ServiceRecord,
  writeRecord,
} from './state.ts'

export const services: Readonly<Record<ServiceName, Service>> = { kafka, registry, redis }

/** Which services, and of how many nodes each: 1, or 3 for a cluster of Kafka or Redis. */
export type Wanted = Readonly<Partial<Record<ServiceName, number>>>

/** Where the asked-for services answer: Kafka `host:port,…`, registry and Redis URLs. */
export type Addresses = Readonly<Partial<Record<ServiceName, string>>>

export interface UpOptions extends FetchContext {
  /** Keeps configuration, data, logs and what runs. One folder, one set of services. */
  readonly folder: string
  /** Ports that clients expect (9092, 8081, 6379) where they are free, or any. */
  readonly usualPorts: boolean
  /** Whether Docker Compose may run what is not on this machine, where an engine answers; else it is fetched. */
  readonly docker: boolean
  /** Kafka with TLS, certificates, passwords and ACLs, for these principals; by default open to this machine. */
  readonly principals?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** Longer than a broker takes that has to repair its log after a kill. */
const readyTimeoutMs = 120_000

/**
 * Brings services up and waits until each is ready, all at once. In this order: what the environment names, what runs
 * already, programs of this machine, Docker Compose if allowed, and at last programs fetched into the cache.
 *
 * @throws ServicesError of the first service that cannot be had; the others keep running until `down`.
 */
export async function up(wanted: Wanted, options: UpOptions): Promise<Addresses> {
  mkdirSync(options.folder, { recursive: true })
  const entries = Object.entries(wanted) as [ServiceName, number][]
  const outcomes = await Promise.allSettled(
    entries.map(async ([name, nodes]) => [name, await bringUp(services[name], nodes, options)] as const),
  )
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
  return Object.fromEntries(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])))
}

async function bringUp(service: Service, nodes: number, options: UpOptions): Promise<string> {
  const { folder, env = process.env, principals = [] } = options
  const given = env[service.variable]
  if (given) return reachable(service, given, options)
  return withLock(join(folder, `${service.name}.lock`), 900_000, async () => {
    const began = performance.now()
    const own = join(folder, service.name)
    const before = readRecord(folder, service.name)
    const running = before?.nodes.filter((node) => node.process && alive(node.process)).length ?? 0
    if (before && running > 0) {
      if (before.nodes.length !== nodes) {
        throw new ServicesError(
          'data_differs',
          `${service.title} runs with ${before.nodes.length} node(s), not ${nodes}.`,
          'Stop it first with services down, and delete its data with --wipe.',
        )
      }
      service.requireSameData?.({ folder: own, nodes, principals })
      await startNodes(service, folder, before)
      const what = running === before.nodes.length ? 'runs already' : `started again in ${seconds(began)}`
      options.report(before.title, `${what}, at ${before.address}`)
      return before.address
    }
    mkdirSync(own, { recursive: true })
    const context = { ...options, env, folder: own, nodes, before, principals }
    if (before?.project && (nodes > 1 || (service.name === 'kafka' && principals.length > 0))) {
      throw new ServicesError(
        'data_differs',
        `The data of ${service.title} is that of one node, open, which Docker runs; clusters and principals need processes.`,
        'Start what was there before, or delete the data with services down --wipe.',
      )
    }
    if (before?.project || (await needsDocker(service, context, options))) {
      const record = before?.project ? before : await composeRecord(service.name, context)
      options.report(record.title, 'starting')
      writeRecord(folder, record)
      await composeUp(record)
      options.report(record.title, `ready in ${seconds(began)}, at ${record.address}`)
      return record.address
    }
    const prepared = await service.prepare(context)
    const starting = performance.now()
    options.report(prepared.title, 'starting')
    const record: ServiceRecord = {
      ...prepared,
      service: service.name,
      nodes: prepared.nodes.map((node) => ({ ...node, process: null })),
    }
    await startNodes(service, folder, record)
    options.report(prepared.title, `ready in ${seconds(starting)}, at ${prepared.address}`)
    return prepared.address
  })
}

/** Data that processes of ours have made stays theirs; clusters are for processes too. */
async function needsDocker(service: Service, context: PrepareContext, { docker }: UpOptions): Promise<boolean> {
  if (!docker || context.before || context.nodes > 1 || context.principals.length > 0) return false
  return !(await service.installed(context)) && (await hasCompose())
}

async function reachable(service: Service, address: string, { report }: UpOptions): Promise<string> {
  const answer = await service.reach(address).catch(() => undefined)
  if (answer) {
    report(service.title, `${service.variable} is set: ${answer} answers there`)
    return address
  }
  throw new ServicesError(
    'unreachable',
    `${service.variable} is set, but no ${service.title} answers there.`,
    `Start it, correct ${service.variable}, or unset it to have one started here.`,
  )
}

/** Starts those nodes of a record that do not run, and waits until all are ready. Written down before the wait. */
export async function startNodes(service: Service, folder: string, record: ServiceRecord): Promise<ServiceRecord> {
  let current = record
  for (const node of record.nodes) {
    if (node.process && alive(node.process)) continue
    const started: NodeRecord = { ...node, process: await startProcess(node) }
    current = { ...current, nodes: current.nodes.map((one) => (one.name === node.name ? started : one)) }
    writeRecord(folder, current)
  }
  await Promise.all(current.nodes.map((node) => waitUntilReady(service, node)))
  await service.complete?.(current)
  return current
}

async function waitUntilReady(service: Service, node: NodeRecord): Promise<void> {
  const until = performance.now() + readyTimeoutMs
  while (!(await service.ready(node))) {
    if (!node.process || !alive(node.process)) throw died(service, node)
    if (performance.now() > until) {
      throw new ServicesError(
        'start_failed',
        `${service.title} was not ready after ${readyTimeoutMs / 1_000} s.`,
        `Its log is ${node.log}.`,
      )
    }
    await sleep(50)
  }
}

function died(service: Service, { log }: NodeSpec): ServicesError {
  const said = existsSync(log) ? tail(readFileSync(log, 'utf8'), 8) : ''
  return new ServicesError('start_failed', `${service.title} ended while it started:\n${said}`, `Its log is ${log}.`)
}
