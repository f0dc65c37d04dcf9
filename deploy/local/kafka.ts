import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { classDataArchive } from './archive.ts'
import { ServicesError } from './errors.ts'
import { isFetched, seconds } from './fetch.ts'
import { findJava, type Java } from './java.ts'
import { type KafkaPorts, kafkaConfig, log4jConfig } from './kafka-config.ts'
import { installedKafka } from './kafka-installed.ts'
import { kafkaFolder, kafkaJars } from './maven.ts'
import { makeCertificates, password, pkiOf, superUsers } from './pki.ts'
import { freePort } from './ports.ts'
import { probeConnection, probeKafka } from './probe.ts'
import { run, tail } from './program.ts'
import { fetchedJava, hasPip, javaFolder } from './python.ts'
import type { PrepareContext, Prepared, Service } from './service.ts'
import type { NodeSpec } from './state.ts'
import { missing } from './system-packages.ts'
import { defaultPorts, minimum, versions } from './versions.ts'

/** Kafka in KRaft mode: every node is broker and controller. */
export const kafka: Service = {
  name: 'kafka',
  title: 'Kafka',
  variable: 'KAFKA_BOOTSTRAP',
  reach: async (address) => {
    for (const node of address.split(',')) {
      const [host = '', port = ''] = node.trim().split(/:(?=\d+$)/)
      const answer = await answersAt(host, Number(port))
      if (answer) return answer
    }
    return undefined
  },
  installed: async ({ env, cache }) => {
    if (!installedKafka(env) && !isFetched(cache, kafkaFolder)) return false
    return isFetched(cache, javaFolder) || (await findJava(minimum.kafkaJava, env)) !== undefined
  },
  prepare,
  requireSameData: knownCluster,
  ready: async ({ log, port }) => (await saysStarted(log)) && (await answersAt('127.0.0.1', port)) !== undefined,
  // A first stop writes the class-data archive too, which takes some 3 s.
  graceMs: 40_000,
}

/** A TLS listener lets nobody ask anything in the clear, but it takes the connection. */
const answersAt = async (host: string, port: number) =>
  (await probeKafka(host, port)) ?? (await probeConnection(host, port))

async function prepare(context: PrepareContext): Promise<Prepared> {
  const { folder, nodes: count, before, usualPorts, principals } = context
  const secured = principals.length > 0
  const ids = Array.from({ length: count }, (_, at) => at + 1)
  const clusterId = knownCluster(context) ?? newCluster(context)
  const installed = installedKafka(context.env)
  const [java, libraries] = await Promise.all([javaFor(context), installed?.libraries ?? kafkaJars(context)])

  const pki = pkiOf(folder)
  if (secured) await makeCertificates(pki, [...superUsers, ...principals], context)
  const users = secured ? ['admin', ...principals].flatMap((name) => ['--add-scram', scramUser(pki, name)]) : []
  const nodes: KafkaPorts[] = []
  for (const id of ids) {
    const preferred = (use: string, usual?: number) =>
      [before?.ports[use], usualPorts ? usual : undefined].filter((port) => port !== undefined)
    nodes.push({
      id,
      port: await freePort(preferred(`broker${id}`, defaultPorts.kafka + id - 1)),
      controllerPort: await freePort(preferred(`controller${id}`)),
      ...(secured ? { saslPort: await freePort(preferred(`sasl${id}`)) } : {}),
    })
  }

  const specs = await Promise.all(
    nodes.map(async ({ id, port }): Promise<NodeSpec> => {
      const home = join(folder, `broker-${id}`)
      mkdirSync(home, { recursive: true })
      const config = join(home, 'server.properties')
      const logging = join(home, 'log4j2.properties')
      const data = join(home, 'data')
      writeFileSync(config, kafkaConfig({ id, data, nodes, ...(secured ? { pki } : {}) }))
      writeFileSync(logging, log4jConfig)
      const { options, archive } =
        id === 1
          ? classDataArchive(context.cache, home, `kafka-${installed?.version ?? versions.kafka}`, java)
          : noArchive
      const jvm = ['-Xms512m', '-Xmx512m', '-XX:+UseSerialGC', `-Dlog4j2.configurationFile=${logging}`]
      const classPath = ['-cp', join(libraries, '*')]
      if (!existsSync(join(data, 'meta.properties'))) {
        await format(java, [...jvm, ...classPath], ['format', '-t', clusterId, '-c', config, ...users], context, id)
      }
      return {
        name: `broker-${id}`,
        port,
        command: java.command,
        args: [...jvm, ...options, ...classPath, 'kafka.Kafka', config],
        cwd: home,
        log: join(home, 'broker.log'),
        ...(archive ? { archive } : {}),
      }
    }),
  )
  return {
    title: `Kafka ${installed?.version ?? versions.kafka} on Java ${java.major}${count > 1 ? `, ${count} brokers` : ''}${secured ? ', secured' : ''}`,
    secured,
    address: nodes.map(({ port }) => `127.0.0.1:${port}`).join(','),
    nodes: specs,
    ports: Object.fromEntries(
      nodes.flatMap(({ id, port, controllerPort, saslPort }) => [
        [`broker${id}`, port],
        [`controller${id}`, controllerPort],
        ...(saslPort ? [[`sasl${id}`, saslPort] as const] : []),
      ]),
    ),
  }
}

const noArchive: ReturnType<typeof classDataArchive> = { options: [] }

/** Passwords of clients are set up with the data: an argument, for a second or two seen by users of this machine. */
const scramUser = (pki: string, name: string) => `SCRAM-SHA-512=[name=${name},password=${password(pki, name)}]`

async function javaFor(context: PrepareContext): Promise<Java> {
  const found = await findJava(minimum.kafkaJava, context.env)
  if (found) return found
  if (await hasPip()) return fetchedJava(context)
  throw missing([{ title: `Java ${minimum.kafkaJava} or newer`, debian: ['openjdk-17-jre-headless'] }])
}

type ClusterContext = Pick<PrepareContext, 'folder' | 'nodes' | 'principals'>

const clusterFile = ({ folder }: ClusterContext) => join(folder, 'cluster.json')

/** What a cluster cannot be without its data being made anew: principals get their passwords with it. */
function kindOf({ nodes, principals }: ClusterContext): string {
  const kind = nodes === 1 ? 'one broker' : `${nodes} brokers`
  return principals.length > 0 ? `${kind}, secured for ${[...principals].sort().join(', ')}` : `${kind}, open`
}

/** Id of the cluster whose data lies in the folder, if any does. */
function knownCluster(context: ClusterContext): string | undefined {
  const file = clusterFile(context)
  if (!existsSync(file)) return undefined
  const known = JSON.parse(readFileSync(file, 'utf8')) as { readonly id: string; readonly kind: string }
  const wanted = kindOf(context)
  if (known.kind === wanted) return known.id
  throw new ServicesError(
    'data_differs',
    `The data of Kafka is that of ${known.kind}; asked for is ${wanted}.`,
    'Start what was there before, or delete the data with services down --wipe.',
  )
}

function newCluster(context: ClusterContext): string {
  // An id that begins with a hyphen would be taken for an option.
  const id = randomBytes(16).toString('base64url').replace(/^[-_]/, 'A')
  mkdirSync(context.folder, { recursive: true })
  writeFileSync(clusterFile(context), JSON.stringify({ id, kind: kindOf(context) }))
  return id
}

async function format(
  java: Java,
  jvm: readonly string[],
  storage: readonly string[],
  { report }: PrepareContext,
  id: number,
): Promise<void> {
  const began = performance.now()
  const args = [...jvm, 'kafka.tools.StorageTool', ...storage]
  const { code, stdout, stderr } = await run(java.command, args, { timeoutMs: 120_000 })
  if (code === 0) return report('Kafka', `data folder of broker ${id} made in ${seconds(began)}`)
  throw new ServicesError(
    'start_failed',
    `Kafka could not make its data folder:\n${tail(stdout + stderr)}`,
    'Delete the data with services down --wipe, then try again.',
  )
}

/** The broker's own word that it is up: it answers on its port some time before. */
async function saysStarted(log: string): Promise<boolean> {
  // The line comes early in a log that may grow long.
  const bytes = Buffer.alloc(256 * 1024)
  const file = openSync(log, 'r')
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0)).includes('Kafka Server started')
  } finally {
    closeSync(file)
  }
}
