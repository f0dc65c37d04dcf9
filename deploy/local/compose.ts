import { createHash } from 'node:crypto'
import { ServicesError } from './errors.ts'
import { composeFile } from './paths.ts'
import { freePort } from './ports.ts'
import { registryUrl } from './probe.ts'
import { run, tail, which } from './program.ts'
import type { PrepareContext } from './service.ts'
import type { ServiceName, ServiceRecord } from './state.ts'
import { defaultPorts, versions } from './versions.ts'

const portVariable: Readonly<Record<ServiceName, string>> = {
  kafka: 'KAFKA_PORT',
  registry: 'REGISTRY_PORT',
  redis: 'REDIS_PORT',
}

const titles: Readonly<Record<ServiceName, string>> = {
  kafka: `Kafka ${versions.kafka} in Docker`,
  registry: `Apicurio Registry ${versions.registry} in Docker`,
  redis: `Valkey ${versions.valkey.replace(/\.post\d+$/, '')} in Docker`,
}

const addresses: Readonly<Record<ServiceName, (port: number) => string>> = {
  kafka: (port) => `127.0.0.1:${port}`,
  registry: registryUrl,
  redis: (port) => `redis://127.0.0.1:${port}`,
}

let engine: Promise<boolean> | undefined

/** Whether Docker Compose is installed and an engine answers it; asked once. */
export function hasCompose(): Promise<boolean> {
  engine ??= answers()
  return engine
}

async function answers(): Promise<boolean> {
  const docker = which('docker')
  if (docker === undefined) return false
  const asked = await Promise.all(
    [['info'], ['compose', 'version']].map((args) => run(docker, args, { timeoutMs: 3_000 }).catch(() => undefined)),
  )
  return asked.every((answer) => answer?.code === 0)
}

/** What Docker would run for a service, at a free port. Starts nothing. */
export async function composeRecord(service: ServiceName, context: PrepareContext): Promise<ServiceRecord> {
  const preferred = [context.before?.ports['docker'], context.usualPorts ? defaultPorts[service] : undefined]
  const port = await freePort(preferred.filter((one) => one !== undefined))
  const project = `meterveil-${createHash('sha256').update(context.folder).digest('hex').slice(0, 8)}`
  return {
    service,
    title: titles[service],
    address: addresses[service](port),
    nodes: [],
    project,
    ports: { docker: port },
  }
}

/**
 * Starts a service in Docker and waits until it is healthy. Twice is as good as once.
 *
 * @throws ServicesError `start_failed`
 */
export const composeUp = (record: ServiceRecord): Promise<void> =>
  compose(record, ['up', '--detach', '--wait', '--wait-timeout', '180', record.service])

/** Stops a service in Docker; with `wipe` removes its container and data too. */
export const composeDown = (record: ServiceRecord, wipe: boolean): Promise<void> =>
  compose(record, wipe ? ['down', '--volumes', record.service] : ['stop', record.service])

async function compose({ service, project = '', ports }: ServiceRecord, args: readonly string[]): Promise<void> {
  const env = { ...process.env, [portVariable[service]]: String(ports['docker']) }
  const all = ['compose', '--project-name', project, '--file', composeFile, ...args]
  const { code, stdout, stderr } = await run('docker', all, { timeoutMs: 600_000, env })
  if (code === 0) return
  throw new ServicesError(
    'start_failed',
    `docker compose ${args[0]} failed for ${service}:\n${tail(stdout + stderr)}`,
    'Correct it, or end the engine so that Docker is not used.',
  )
}
