/**
 * The program that docs/data-engineer.md shows for a pipeline of one's own over Kafka, a registry and Redis: taken from the
 * page, put into a project that has linked the package, given the rights of the page's table, killed, started again, and
 * given every frame twice.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs, { type AclEntry } from 'kafkajs'
import type { LogRecord } from '../../connectors/contract.ts'
import { kafkaLog } from '../../connectors/kafka/index.ts'
import { confluentSchemaRegistry } from '../../connectors/registry/index.ts'
import { readRange } from '../../pipelines/runtime/changelog.ts'
import type { AnyTopic } from '../../pipelines/runtime/stream.ts'
import { openWire } from '../../pipelines/runtime/wire.ts'
import { schemaCodec } from '../../schemas/avro.ts'
import { topics } from '../../schemas/topics.ts'
import { readFrame } from '../../schemas/wire-format.ts'
import { ownServices } from '../helpers/services.ts'
import { meterveil } from '../pipelines/cli/command.ts'
import { partitions, writeFleet } from '../pipelines/cli/fleet-files.ts'
import { administrator, credentialFiles } from '../pipelines/cli/secured-deployment.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

const root = resolve(import.meta.dirname, '../..')
// Services of its own: the topics of a deployment have fixed names.
const own = await ownServices({ kafka: true, registry: true, redis: true }, { principals: ['summaries'] })
const folder = mkdtempSync(join(tmpdir(), 'meterveil-own-deployment-'))
const children: ChildProcess[] = []
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await own.stop()
  rmSync(folder, { recursive: true })
})

const page = readFileSync(join(root, 'docs/data-engineer.md'), 'utf8')

/** The rights of the page's table. */
function rightsOfPage(): readonly AclEntry[] {
  const rows = [...page.matchAll(/^\| (topic|group|transactional id) \| (.+) \| (.+) \|$/gm)]
  assert.equal(rows.length, 5)
  return rows.flatMap(([, resource, names = '', operations = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].flatMap(([, name]) =>
      operations.split(', ').map((operation) => ({
        principal: 'User:summaries',
        host: '*',
        resourceType:
          { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP }[resource as 'topic'] ??
          AclResourceTypes.TRANSACTIONAL_ID,
        resourceName: name as string,
        resourcePatternType: names.includes('begins with')
          ? ResourcePatternTypes.PREFIXED
          : ResourcePatternTypes.LITERAL,
        operation: {
          Read: AclOperationTypes.READ,
          Write: AclOperationTypes.WRITE,
          Create: AclOperationTypes.CREATE,
          Describe: AclOperationTypes.DESCRIBE,
          DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
        }[operation]!,
        permissionType: AclPermissionTypes.ALLOW,
      })),
    ),
  )
}

/** The project of a data engineer: the files of the page, beside the linked package. */
function writeProject(): void {
  const files = [...page.matchAll(/<!-- example: (\S+\.ts) -->\n```ts\n([\s\S]*?)```/g)]
  assert.deepEqual(
    files.map(([, name]) => name),
    ['summaries.ts', 'main.ts'],
  )
  for (const [, name, text] of files) writeFileSync(join(folder, name as string), text as string)
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules/meterveil'), 'dir')
  symlinkSync(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'), 'dir')
  const compilerOptions = { module: 'nodenext', noEmit: true, allowImportingTsExtensions: true, strict: true }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, types: ['node'] }, files: ['main.ts'] }),
  )
}

function edit(name: string, from: string, to: string): void {
  const text = readFileSync(join(folder, name), 'utf8')
  assert.ok(text.includes(from))
  writeFileSync(join(folder, name), text.replace(from, to))
}

interface Summary {
  readonly connection: string
  readonly start: number
  readonly importWh: number
  readonly quality: number
}

/** A program that runs, and what it says of itself. */
function start(env: Readonly<Record<string, string>>, port: number) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('METERVEIL_'))
  const child = spawn(process.execPath, ['main.ts'], {
    cwd: folder,
    env: { ...Object.fromEntries(clean), ...env, METERVEIL_METRICS_PORT: String(port) },
  })
  children.push(child)
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, said }))
  const page = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  const until = async (what: string, reached: () => Promise<boolean>) => {
    for (const began = performance.now(); performance.now() - began < 90_000; await pause(100)) {
      if (child.exitCode !== null) throw new Error(`ended (${child.exitCode}) before ${what}:\n${said}`)
      if (await reached().catch(() => false)) return
    }
    throw new Error(`not seen: ${what}\n${said}`)
  }
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    return ended
  }
  /** Input records committed since the start. */
  const inputs = async () => {
    const lines = [
      ...(await (await page('/metrics')).text()).matchAll(/^\w+_inputs_total\{pipeline="summaries".*\} (\d+)$/gm),
    ]
    return lines.reduce((sum, [, value]) => sum + Number(value), 0)
  }
  return { until, stop, ended, inputs, page }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

describe('the program of the page', { skip: own.skip }, () => {
  test('writes each interval once, killed, stopped, without its view, and given everything twice', async (t) => {
    writeProject()
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
    })
    assert.equal(tsc.stdout, '')

    const { fleet, env: files } = writeFleet(folder, { homes: 6 })
    const redis = new URL(own.address('redis')).host
    const env = {
      METERVEIL_MODE: 'development',
      ...credentialFiles(own, folder, 'summaries'),
      METERVEIL_REGISTRY_URL: own.address('registry'),
      METERVEIL_REDIS_NODES: redis,
      METERVEIL_PARTITIONS: String(partitions),
      METERVEIL_KEYRING_FOLDER: files.METERVEIL_KEYRING_FOLDER,
    }
    for (const args of [
      ['topics', 'apply'],
      ['register', 'load', files.METERVEIL_REGISTER_FILE],
    ]) {
      const { code, stderr } = meterveil(args, { ...env, ...credentialFiles(own, folder, 'admin') })
      assert.equal(code, 0, stderr)
    }

    const { ca, cert, key } = own.credentials('admin')
    const admin = await administrator(own)
    const rights = rightsOfPage()
    const ofChangelog = rights.filter(({ resourceName }) => resourceName === 'summaries.accepted')
    const ofAnother = ofChangelog.map((right) => ({ ...right, resourceName: 'summaries.other' }))
    await admin.client.createAcls({ acl: [...rights, ...ofAnother] })
    await admin.client.disconnect()
    const log = kafkaLog({ brokers: own.address('kafka').split(','), ssl: { ca, cert, key } })
    t.after(() => log.close())
    const registry = confluentSchemaRegistry({ url: own.address('registry') })
    const wire = await openWire(registry, [topics.meterFrames as AnyTopic])
    const arrivals = [...fleet.arrivals()].flatMap((tick) => tick.arrivals)
    const send = (some: typeof arrivals) =>
      log.append(
        some.map(({ frame, partition }) => ({
          topic: topics.meterFrames.name,
          partition,
          key: null,
          value: wire.encode(topics.meterFrames as AnyTopic, frame),
        })),
      )
    const recordsOf = async (topic: string): Promise<LogRecord[]> => {
      const all: LogRecord[] = []
      for (let partition = 0; partition < partitions; partition++) {
        const { first, end } = await log.bounds(topic, partition, 'read_committed')
        all.push(...(await readRange(log, topic, partition, first, end)))
      }
      return all
    }
    /** Read as a consumer would that knows the registry only. */
    const summaries = async (): Promise<Summary[]> => {
      const { schema } = (await registry.latest('meter.summaries-value'))!
      const codec = schemaCodec<Summary>(JSON.parse(schema))
      return (await recordsOf('meter.summaries')).map(({ value }) => codec.decode(readFrame(value!)!.body))
    }

    const { journal } = fleet
    const truth = new Map<string, number>()
    for (let home = 0; home < journal.homes; home++) {
      for (let slot = 0; slot < journal.slots; slot++) {
        if (journal.expectation(home, slot) !== 'required') continue
        const connection = journal.connectionOf(home)
        truth.set(connection, (truth.get(connection) ?? 0) + (journal.valueWh(home, 'import', slot) ?? 0))
      }
    }
    const sumsOf = (found: readonly Summary[]) => {
      const sums = new Map([...truth.keys()].map((connection) => [connection, 0]))
      for (const { connection, importWh } of found) sums.set(connection, (sums.get(connection) ?? 0) + importWh)
      return sums
    }
    const total = (sums: ReadonlyMap<string, number>) => [...sums.values()].reduce((sum, wh) => sum + wh, 0)
    assert.ok(total(truth) > 0)

    // A kill in the middle of the work, with more frames on their way.
    const half = Math.floor(arrivals.length / 2)
    await send(arrivals.slice(0, half))
    const killed = start(env, await freePort())
    await killed.until('a first summary', async () => (await summaries()).length > 0)
    const sent = send(arrivals.slice(half))
    assert.equal((await killed.stop('SIGKILL')).signal, 'SIGKILL')
    await sent

    // The same state in Redis, and a stop that drains.
    const again = start(env, await freePort())
    await again.until('every interval', async () => total(sumsOf(await summaries())) >= total(truth))
    await again.until('readiness', async () => (await again.page('/health/ready')).status === 200)
    const stopped = await again.stop('SIGTERM')
    assert.equal(stopped.code, 0, stopped.said)
    const once = await summaries()
    assert.deepEqual(sumsOf(once), truth)

    // An empty view, rebuilt from the changelog, and every frame a second time.
    await send(arrivals)
    const fresh = start({ ...env, METERVEIL_REDIS_KEY_PREFIX: 'another' }, await freePort())
    await fresh.until('every frame again', async () => (await fresh.inputs()) === arrivals.length)
    assert.equal((await fresh.stop('SIGTERM')).code, 0)
    assert.deepEqual(await summaries(), once)

    // The rejected topic is the program's own, and the label of the output is that of its source.
    assert.equal((await recordsOf('meter.rejected')).length, 0)
    assert.ok((await recordsOf('meter.summaries')).every(({ headers }) => headers['privacy-label'] === 'identified'))

    // A changelog that is gone: what it covers shows it, and nothing is written.
    edit('summaries.ts', "'summaries.accepted'", "'summaries.other'")
    const halted = await start(env, await freePort()).ended
    assert.deepEqual([halted.code, /ends before meter\.summaries/.test(halted.said)], [1, true], halted.said)
    assert.deepEqual(await summaries(), once)

    // Without that option the loss would go unnoticed and every frame be taken again: what is compared above would show it.
    edit('summaries.ts', ', covers: summaries', '')
    const unnoticed = start(env, await freePort())
    await unnoticed.until('everything twice', async () => total(sumsOf(await summaries())) >= 2 * total(truth))
    assert.equal((await unnoticed.stop('SIGINT')).code, 0)
  })
})
