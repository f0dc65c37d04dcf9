import { join } from 'node:path'
import { keepArchive } from './archive.ts'
import { composeDown } from './compose.ts'
import { type Report, seconds } from './fetch.ts'
import { withLock } from './lock.ts'
import { alive, stopProcess } from './process.ts'
import { type NodeRecord, readRecord, type ServiceName, serviceNames, wipe, writeRecord } from './state.ts'
import { services } from './up.ts'

/** How one service of a folder is. */
export interface ServiceStatus {
  readonly service: ServiceName
  /** `down`: it was brought up here before and does not run now. */
  readonly state: 'ready' | 'not ready' | 'down' | 'given' | 'unreachable' | 'never started'
  readonly title: string
  readonly address?: string
  readonly nodes: readonly NodeRecord[]
}

/**
 * Stops the services that were started in a folder, and nothing else; all at once. With `wipe` their data is deleted too.
 * Twice is as good as once.
 */
export async function down(
  folder: string,
  {
    report,
    wipe: wiping = false,
    only = serviceNames,
  }: { report: Report; wipe?: boolean; only?: readonly ServiceName[] },
): Promise<void> {
  await Promise.all(
    only.map((name) =>
      withLock(join(folder, `${name}.lock`), 180_000, async () => {
        const record = readRecord(folder, name)
        if (record) {
          const began = performance.now()
          if (record.project) {
            await composeDown(record, wiping)
            report(record.title, `stopped in ${seconds(began)}`)
          }
          const running = record.nodes.filter((node) => node.process && alive(node.process))
          const ends = await Promise.all(record.nodes.map((node) => stopNode(node, services[name].graceMs)))
          writeRecord(folder, { ...record, nodes: record.nodes.map((node) => ({ ...node, process: null })) })
          const how = ends.includes('killed') ? 'killed, as it did not end by itself,' : 'stopped'
          if (running.length > 0) report(record.title, `${how} in ${seconds(began)}`)
        }
        if (wiping) wipe(folder, name)
      }),
    ),
  )
}

/** Stops a node by its id and start time; does nothing if it does not run. */
export async function stopNode(node: NodeRecord, graceMs: number): Promise<'ended' | 'killed'> {
  if (!node.process) return 'ended'
  const how = await stopProcess(node.process, graceMs)
  if (how === 'ended') keepArchive(node)
  return how
}

/** How the services are: those named in the environment and those of the folder. Starts and stops nothing. */
export async function status(folder: string, env: NodeJS.ProcessEnv = process.env): Promise<readonly ServiceStatus[]> {
  return Promise.all(
    serviceNames.map(async (name): Promise<ServiceStatus> => {
      const service = services[name]
      const given = env[service.variable]
      if (given) {
        const answer = await service.reach(given).catch(() => undefined)
        const title = `${service.title} of ${service.variable}`
        const state = answer ? 'given' : 'unreachable'
        return { service: name, state, title, address: withoutUser(given), nodes: [] }
      }
      const record = readRecord(folder, name)
      if (!record) return { service: name, state: 'never started', title: service.title, nodes: [] }
      if (record.project) {
        const answer = await service.reach(record.address).catch(() => undefined)
        const { title, address } = record
        return { service: name, state: answer ? 'ready' : 'down', title, address, nodes: [] }
      }
      const running = record.nodes.filter((node) => node.process && alive(node.process))
      const ready = await Promise.all(running.map((node) => service.ready(node)))
      const whole = ready.length === record.nodes.length && ready.every((one) => one)
      const state = whole ? 'ready' : running.length > 0 ? 'not ready' : 'down'
      return { service: name, state, title: record.title, address: record.address, nodes: record.nodes }
    }),
  )
}

/**
 * An address fit to be shown, or a list of them: user and password are nobody's business. A password that was not encoded may
 * hold anything, so all that comes before the last `@` of an address goes, and rather too much than too little.
 */
export function withoutUser(address: string): string {
  return address
    .split(/(,\s*(?=[a-z][a-z\d+.-]*:\/\/))/i)
    .map((one) => one.replace(/^(.*?:\/\/)?.*@/s, '$1'))
    .join('')
}
