import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as local from '../../deploy/local/index.ts'
import { withLock } from '../../deploy/local/lock.ts'

/** Which services a test needs: true for one node, a number for a cluster (3 of Kafka or Redis). */
export type Needs = Readonly<Partial<Record<local.ServiceName, boolean | number>>>

/** Real services for tests. */
export interface TestServices {
  /** False, or the reason why this machine cannot have them: the `skip` of tests that need them. */
  readonly skip: string | false
  /** Address of a service that was asked for: `host:port,…` for Kafka, a URL for the others. Throws for another one. */
  readonly address: (service: local.ServiceName) => string
  /** A name for a topic, group, subject or key prefix that no other test uses. */
  readonly unique: (name: string) => string
}

/** Services of one test file alone, which it may kill. */
export interface OwnServices extends TestServices {
  /** Sends a signal to every node, or to the named one; after SIGKILL or SIGTERM resolves when it is gone. */
  readonly kill: (service: local.ServiceName, signal?: NodeJS.Signals, node?: string) => Promise<void>
  /** Starts what does not run, at the same address with the same data, and waits until it is ready. */
  readonly start: (service: local.ServiceName) => Promise<void>
  /** The nodes with process ids, ports and log files. */
  readonly nodes: (service: local.ServiceName) => readonly local.NodeRecord[]
  /** Folder of a service's configuration and data. */
  readonly folder: (service: local.ServiceName) => string
  /** Key, certificate, authority and SCRAM password of a principal of a secured Kafka; `admin` may do everything. */
  readonly credentials: (principal: string) => local.Credentials
  /** Address of a secured Kafka for clients with a password: `host:port,…`. */
  readonly saslAddress: () => string
  /** Stops all and deletes the data; also happens by itself once the test file's process has ended. */
  readonly stop: () => Promise<void>
}

const runs = join(local.cacheFolder, 'runs')
const folderOf = ({ pid, began }: local.Owned) => join(runs, `${pid}-${began.replaceAll(/\W/g, '')}`)

/**
 * Starts the asked-for services once for a whole test run, or finds them started by another test file, or in the environment
 * (KAFKA_BOOTSTRAP, SCHEMA_REGISTRY_URL, REDIS_URL). Data is fresh for each run. They are stopped when the run ends.
 *
 *   const real = await services({ kafka: true })
 *   describe('…', { skip: real.skip }, () => { … real.address('kafka') … })
 *
 * With CI=true it throws where it would otherwise have tests skipped.
 */
export async function services(needs: Needs): Promise<TestServices> {
  const owner = runOwner()
  return bringUp(folderOf(owner), owner, needs, process.env)
}

/**
 * Starts services that nobody else uses, so that a test may kill, stop and empty them. The environment is not asked. With
 * `principals`, Kafka wants a certificate (at `address`) or a password (at `saslAddress`) from everybody, and allows only
 * what ACLs allow; `admin` makes them.
 */
export async function ownServices(
  needs: Needs,
  { principals = [] }: { readonly principals?: readonly string[] } = {},
): Promise<OwnServices> {
  const owner = identified(process.pid)
  const folder = `${folderOf(owner)}-${randomUUID().slice(0, 8)}`
  const variables = Object.values(local.services).map(({ variable }) => variable)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !variables.includes(name)))
  const shared = await bringUp(folder, owner, needs, env, principals)
  const nodes = (service: local.ServiceName) => recordOf(folder, service).nodes
  return {
    ...shared,
    nodes,
    folder: (service) => join(folder, service),
    kill: async (service, signal = 'SIGKILL', name) => {
      const chosen = nodes(service).filter((node) => name === undefined || node.name === name)
      for (const { process: running } of chosen) {
        if (!running) continue
        local.signal(running, signal)
        if (signal === 'SIGKILL' || signal === 'SIGTERM') await local.gone(running, 30_000)
      }
    },
    start: async (service) => {
      await local.startNodes(local.services[service], folder, recordOf(folder, service))
    },
    credentials: (principal) => local.readCredentials(local.pkiFolder(folder), principal),
    saslAddress: () => {
      const ports = Object.entries(recordOf(folder, 'kafka').ports).filter(([use]) => use.startsWith('sasl'))
      return ports.map(([, port]) => `127.0.0.1:${port}`).join(',')
    },
    stop: () => stopServices(folder),
  }
}

/** Stops the services of a test run and deletes their data; nothing happens where none were started. */
export async function stopRun(runner: number = process.pid): Promise<void> {
  await stopServices(folderOf(identified(runner)))
}

/** Stops the services of a folder and deletes it. */
export async function stopServices(folder: string): Promise<void> {
  if (!existsSync(folder)) return
  await local.down(folder, { report: () => {}, wipe: true })
  rmSync(folder, { recursive: true, force: true })
}

/** The process whose end ends the run: `npm test`, else node's test runner, else the test file alone. */
function runOwner(): local.Owned {
  const runner = process.env['METERVEIL_TEST_RUN']
  if (runner) return identified(Number(runner))
  return identified(process.env['NODE_TEST_CONTEXT'] ? process.ppid : process.pid)
}

function identified(pid: number): local.Owned {
  const owner = local.identify(pid)
  if (owner) return owner
  throw new Error(`process ${pid}, which is to own the services, does not run`)
}

async function bringUp(
  folder: string,
  owner: local.Owned,
  needs: Needs,
  env: NodeJS.ProcessEnv,
  principals: readonly string[] = [],
): Promise<TestServices> {
  const wanted = Object.fromEntries(
    Object.entries(needs).flatMap(([name, nodes]) => (nodes ? [[name, Number(nodes)]] : [])),
  )
  mkdirSync(folder, { recursive: true })
  await keep(folder, owner)
  try {
    const known = unavailable(folder)
    if (known) throw known
    const addresses = await local.up(wanted, {
      folder,
      cache: local.cacheFolder,
      usualPorts: false,
      // Faults need processes that can be killed and stopped, so all tests run on processes.
      docker: false,
      env,
      principals,
      report: (piece, says) => process.stderr.write(`${piece}: ${says}\n`),
    })
    return answers(false, addresses)
  } catch (error) {
    if (!(error instanceof local.ServicesError) || !excusable.includes(error.code)) throw error
    writeFileSync(join(folder, 'unavailable.json'), JSON.stringify({ ...error, message: error.message }))
    if (process.env['CI'] === 'true') throw error
    const names = Object.keys(wanted).map((name) => local.services[name as local.ServiceName].title)
    return answers(`needs ${names.join(', ')}: ${error.message} ${error.action}`.replaceAll(/\s+/g, ' '), {})
  }
}

/** What a machine may lack; anything else is a fault that a test run must show. */
const excusable: readonly local.ServicesErrorCode[] = ['missing_program', 'fetch_failed']

/** What another file of this run has found out already: a download that fails takes minutes. */
function unavailable(folder: string): local.ServicesError | undefined {
  try {
    const { code, message, action } = JSON.parse(readFileSync(join(folder, 'unavailable.json'), 'utf8'))
    return new local.ServicesError(code, message, action)
  } catch {
    return undefined
  }
}

function answers(skip: string | false, addresses: local.Addresses): TestServices {
  return {
    skip,
    address: (service) => {
      const address = addresses[service]
      if (address !== undefined) return address
      throw new Error(skip || `${service} was not asked for: name it in services({ ${service}: true })`)
    },
    unique: (name) => `${name}-${randomUUID().slice(0, 8)}`,
  }
}

/** Sees to it that a process watches the owner, and that what dead owners left behind is removed. */
async function keep(folder: string, owner: local.Owned): Promise<void> {
  await withLock(join(folder, 'keeper.lock'), 30_000, async () => {
    const file = join(folder, 'keeper.json')
    try {
      if (local.alive(JSON.parse(readFileSync(file, 'utf8')))) return
    } catch {
      // None was started for this folder yet.
    }
    const script = join(import.meta.dirname, 'services-keeper.ts')
    const keeper = spawn(process.execPath, [script, String(owner.pid), owner.began, folder, runs], {
      detached: true,
      stdio: 'ignore',
    })
    keeper.unref()
    writeFileSync(file, JSON.stringify(identified(keeper.pid ?? 0)))
    // Written last: a folder without it is not swept.
    writeFileSync(join(folder, 'owner.json'), JSON.stringify(owner))
  })
}

function recordOf(folder: string, service: local.ServiceName): local.ServiceRecord {
  const record = local.readRecord(folder, service)
  if (record) return record
  throw new Error(`${service} was not asked for`)
}
