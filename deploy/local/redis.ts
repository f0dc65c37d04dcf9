import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServicesError } from './errors.ts'
import { isFetched } from './fetch.ts'
import { freePort, isFree } from './ports.ts'
import { probeConnection, probeRedis, redis as send } from './probe.ts'
import { run, which } from './program.ts'
import { fetchedValkey, valkeyFolder } from './python.ts'
import type { PrepareContext, Prepared, Service } from './service.ts'
import type { NodeSpec } from './state.ts'
import { defaultPorts, minimum, versions } from './versions.ts'

/** Redis, or Valkey, which speaks the same: one node with an append-only file, or a cluster of masters. */
export const redis: Service = {
  name: 'redis',
  title: 'Redis',
  variable: 'REDIS_URL',
  reach: async (address) => {
    const { protocol, hostname, port } = new URL(address)
    const probe = protocol === 'rediss:' ? probeConnection : probeRedis
    return probe(hostname, Number(port || defaultPorts.redis))
  },
  installed: async ({ env, cache }) => isFetched(cache, valkeyFolder) || (await onPath(env)) !== undefined,
  prepare,
  ready: async ({ port }) => (await probeRedis('127.0.0.1', port)) !== undefined,
  complete: async ({ nodes }) => {
    if (nodes.length > 1) await formCluster(nodes)
  },
  graceMs: 10_000,
}

async function prepare(context: PrepareContext): Promise<Prepared> {
  const { folder, before, usualPorts, nodes: count } = context
  const { command, title } = await program(context)
  const nodes: NodeSpec[] = []
  for (let at = 1; at <= count; at++) {
    const port = await redisPort(
      count > 1,
      [before?.ports[`node${at}`], usualPorts ? defaultPorts.redis + at - 1 : undefined].filter(
        (one) => one !== undefined,
      ),
    )
    const home = join(folder, `node-${at}`)
    mkdirSync(home, { recursive: true })
    const cluster = count > 1 ? ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'] : []
    nodes.push({
      name: `node-${at}`,
      port,
      command,
      args: [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', home],
        ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
        ...['--maxmemory-policy', 'noeviction', ...cluster],
      ],
      cwd: home,
      log: join(home, 'redis.log'),
    })
  }
  return {
    title: `${title}${count > 1 ? `, cluster of ${count}` : ''}`,
    address: nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(','),
    nodes,
    ports: Object.fromEntries(nodes.map(({ port }, at) => [`node${at + 1}`, port])),
  }
}

/** Nodes of a cluster also listen ten thousand ports higher. */
async function redisPort(cluster: boolean, preferred: readonly number[]): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = await freePort(tries === 0 ? preferred : [])
    if (!cluster || (await isFree(port + 10_000))) return port
  }
  throw new ServicesError('start_failed', 'No free pair of ports was found for Redis.', 'End some programs.')
}

interface Program {
  readonly command: string
  readonly title: string
}

/** A server on the PATH that is new enough, else a fetched one. */
async function program(context: PrepareContext): Promise<Program> {
  const found = await onPath(context.env)
  if (found) return found
  const command = await fetchedValkey(context)
  return { command, title: `Valkey ${versions.valkey.replace(/\.post\d+$/, '')}` }
}

async function onPath(env: NodeJS.ProcessEnv): Promise<Program | undefined> {
  for (const [name, title] of [
    ['valkey-server', 'Valkey'],
    ['redis-server', 'Redis'],
  ] as const) {
    const command = which(name, env['PATH'])
    if (command === undefined) continue
    const { stdout } = await run(command, ['--version'], { timeoutMs: 10_000 })
    const version = /v=(\d+)(\.\d+)*/.exec(stdout)
    if (version && Number(version[1]) >= minimum.redis) return { command, title: `${title} ${version[0].slice(2)}` }
  }
  return undefined
}

const slots = 16_384

/** Deals the slots to the nodes, introduces them, and waits until each of them says that the cluster is whole. */
async function formCluster(nodes: readonly NodeSpec[]): Promise<void> {
  const ask = async (port: number, ...command: string[]) => (await send('127.0.0.1', port, command)).join('\n')
  const whole = async () =>
    (await Promise.all(nodes.map(({ port }) => ask(port, 'CLUSTER', 'INFO')))).every(
      (info) => info.includes('cluster_state:ok') && info.includes(`cluster_size:${nodes.length}`),
    )
  const [first] = nodes
  if (first === undefined) return
  for (const [at, { port }] of nodes.entries()) {
    const [from, to] = [at, at + 1].map((part) => Math.floor((slots * part) / nodes.length)) as [number, number]
    // A node that was here before has its slots and neighbours in its own file.
    const info = await ask(port, 'CLUSTER', 'INFO')
    if (info.includes('cluster_slots_assigned:0')) {
      await ask(port, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1))
    }
    if (at > 0) await ask(port, 'CLUSTER', 'MEET', '127.0.0.1', String(first.port))
  }
  const until = performance.now() + 30_000
  while (!(await whole())) {
    if (performance.now() > until) {
      throw new ServicesError('start_failed', 'The Redis cluster did not form in 30 s.', 'See services logs redis.')
    }
    await sleep(50)
  }
}
